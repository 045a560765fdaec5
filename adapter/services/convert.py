"""Convert whole inputs: what the command line, NDJSON and the API do with one document."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from adapter.errors import BadInput, DataError, UsageError
from adapter.fhir_json import Tree
from adapter.issues import Issue, has_errors, to_outcome_issue

RESULT_KEYS = frozenset({"records", "remainder", "issues"})


class Mapper(Protocol):
    """What is needed of `adapter.mapping.Mapper`."""

    def from_fhir(self, tree: Any, *, base: str = "none", fhir: str | None = None) -> Any:
        """A resource or Bundle to records, remainder and issues."""

    def to_fhir(self, records: list[Tree], remainder: Any = None, **options: Any) -> Any:
        """Records to a Bundle."""


@dataclass(frozen=True, slots=True)
class Converter:
    """Converts one document. `known_type` says whether a name is a FHIR resource type; `strict` refuses what is not
    valid, as `validate` (resource → issues) and `check` (record → issues) find it."""

    mapper: Mapper
    known_type: Callable[[str], bool]
    check: Callable[[Any], list[Issue]]
    validate: Callable[[Any], list[Issue]]
    strict: bool = False
    fhir: str | None = None
    bundle_type: str | None = None
    create: str = "put"

    def from_fhir(self, tree: Any) -> tuple[Tree, list[Issue]]:
        """A resource or Bundle → `{"records", "remainder", "issues"}` and the issues. Raises BadInput, DataError."""
        type_ = tree.get("resourceType") if isinstance(tree, dict) else None
        if not isinstance(type_, str) or not self.known_type(type_):
            text = "This is not a FHIR resource: it has no resourceType that FHIR R4 knows."
            raise BadInput(text, issues=[Issue("fatal", "structure", "fhir-no-type", text, pointer="/resourceType")])
        if self.strict:
            _refuse_errors(self.validate(tree), "The resource is not valid FHIR.")
        read = self.mapper.from_fhir(tree, fhir=self.fhir)
        issues = list(read.issues)
        for index, record in enumerate(read.records):
            issues += placed(self.check(record), f"/records/{index}")
        said = [to_outcome_issue(issue) for issue in issues]
        return {"records": read.records, "remainder": read.remainder, "issues": said}, issues

    def to_fhir(self, tree: Any) -> tuple[Tree, list[Issue]]:
        """A record, a list of records, or what `from_fhir` gave → a Bundle or what once came in, and the issues.

        Raises BadInput, DataError, and UsageError where an option does not go with a remainder.
        """
        records, remainder, prefix = taken(tree)
        issues: list[Issue] = []
        for index, record in enumerate(records):
            place = prefix if prefix is not None else f"/{index}"
            issues += placed(self.check(record), place if prefix is None or prefix == "" else f"{prefix}/{index}")
        _refuse_unknown_kind(issues)
        if self.strict:
            _refuse_errors(issues, "A record is not valid.")
        made = self.mapper.to_fhir(
            records, remainder, bundle_type=self.bundle_type, create=self.create, fhir=self.fhir
        )
        if self.strict:
            _refuse_errors(self.validate(made.tree), "What the records give is not valid FHIR.")
        return made.tree, [*issues, *made.issues]


def taken(tree: Any) -> tuple[list[Tree], Any, str | None]:
    """An input of `to_fhir` → records, remainder, and where the records stand (None: in a list, "" a single one).

    Raises BadInput where it is none of the three forms.
    """
    if isinstance(tree, list):
        return tree, None, None
    if isinstance(tree, dict) and isinstance(tree.get("records"), list) and tree.keys() <= RESULT_KEYS:
        return tree["records"], tree.get("remainder"), "/records"
    if isinstance(tree, dict) and "kind" in tree:
        return [tree], None, ""
    text = "This is not a record: it has no kind. A list of records, or what from-fhir gave, is accepted too."
    raise BadInput(text, issues=[Issue("fatal", "structure", "record-no-kind", text, pointer="/kind")])


def joined(trees: Sequence[Any]) -> Any:
    """Several inputs of `to_fhir` as one; a remainder only goes with a single input. Raises BadInput, UsageError."""
    if len(trees) == 1:
        return trees[0]
    parts = [taken(tree) for tree in trees]
    if any(remainder is not None for _, remainder, _ in parts):
        raise UsageError(
            "A remainder belongs to one input, and several were given.", remedy="Convert them one by one, or as NDJSON."
        )
    return [record for records, _, _ in parts for record in records]


def placed(issues: Sequence[Issue], prefix: str) -> list[Issue]:
    """The issues of a part, with their JSON pointers from the whole."""
    from dataclasses import replace

    return [replace(issue, pointer=prefix + (issue.pointer or "")) for issue in issues]


def _refuse_unknown_kind(issues: Sequence[Issue]) -> None:
    fatal = {"record-type", "record-required", "record-unknown-kind"}
    whole = [
        issue
        for issue in issues
        if issue.message_id in fatal and ((issue.pointer or "").endswith("/kind") or issue.text == "A record is an object.")
    ]
    if whole:
        raise BadInput("This is not a record of a known kind.", issues=whole)


def _refuse_errors(issues: Sequence[Issue], text: str) -> None:
    if has_errors(issues):
        raise DataError(text, issues=[issue for issue in issues if issue.is_error])
