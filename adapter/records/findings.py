"""What a clinical rule finds, and careful looks into records that may be of any shape."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapter.fhir_json import Tree
from adapter.issues import Issue, Severity
from adapter.records.faults import Path, pointer


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found, and where: below its record, or below the record of another `index`."""

    severity: Severity
    message_id: str
    text: str
    path: Path = ()
    index: int | None = None

    def below(self, *path: str | int) -> Finding:
        """The same, seen from further up."""
        return replace(self, path=(*path, *self.path))

    def issue(self, index: int) -> Issue:
        """As an issue; the rule looked at the record at that index."""
        at = index if self.index is None else self.index
        code = "incomplete" if self.severity == "information" else "business-rule"
        return Issue(self.severity, code, self.message_id, self.text, pointer=pointer((at, *self.path)))


def tree_at(tree: Tree, name: str) -> Tree:
    """The object of a field, empty where there is none."""
    inner = tree.get(name)
    return inner if isinstance(inner, dict) else {}


def id_of(tree: Tree) -> str:
    """The id of an object, empty where there is none."""
    id_ = tree.get("id")
    return id_ if isinstance(id_, str) else ""


def rows(tree: Tree, name: str) -> Iterator[tuple[int, Tree]]:
    """The objects of a list, with their index."""
    inner = tree.get(name)
    for index, row in enumerate(inner if isinstance(inner, list) else []):
        if isinstance(row, dict):
            yield index, row


def texts_of(tree: Tree, name: str) -> Iterator[tuple[int, str]]:
    """The strings of a list, with their index."""
    inner = tree.get(name)
    for index, text in enumerate(inner if isinstance(inner, list) else []):
        if isinstance(text, str):
            yield index, text


Indexed = tuple[int, Tree]


def records_of(records: Sequence[Any], patient: Any) -> list[Indexed]:
    """The records of a patient, with their index."""
    pairs = enumerate(records)
    return [
        (at, record)
        for at, record in pairs
        if isinstance(record, dict) and patient and record.get("patient") == patient
    ]


def of_kind(records: Iterable[Indexed], kind: str) -> list[Indexed]:
    """The records of a kind that were not entered in error."""
    return [
        (at, record)
        for at, record in records
        if record.get("kind") == kind and "entered-in-error" not in (record.get("status"), record.get("verification"))
    ]
