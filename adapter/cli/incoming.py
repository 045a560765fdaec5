"""What `records import` reads: documents, or lines of them, and where in them a record stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from adapter.cli.files import label, opened, read, tree_of
from adapter.errors import DataError
from adapter.fhir_json import DEFAULT_BOUNDS, loads
from adapter.issues import Issue

LINES = (".ndjson", ".jsonl")
# So many records are checked and told of together; more only takes more memory.
BATCH = 1000


@dataclass(slots=True)
class Incoming:
    """Records to take in together, and where each was: `lines` has the line of each where they came one a line, `before`
    is the pointer of `tree` in its document.
    """

    file: str
    tree: Any
    lines: list[int] = field(default_factory=list)
    before: str = ""

    def placed(self, issue: Issue) -> Issue:
        """The issue with its file, its line, and the pointer as the document has it; its own begins with an index."""
        index, _, rest = (issue.pointer or "").removeprefix("/").partition("/")
        if not index.isdigit():
            return replace(issue, file=self.file)
        pointer = f"/{rest}" if rest else ""
        if self.lines and isinstance(self.tree, list):
            return replace(issue, file=self.file, line=self.lines[int(index)], pointer=pointer)
        line = self.lines[0] if self.lines else None
        if isinstance(self.tree, dict):
            pointer = f"/records{issue.pointer}" if _has_records(self.tree) else pointer
            return replace(issue, file=self.file, line=line, pointer=self.before + pointer)
        return replace(issue, file=self.file)

    def named(self, name: str) -> str:
        """What a row is called: kind/id, or for one that has none its place."""
        return self.placed(Issue("error", "", "", "", pointer=name)).place if name.startswith("/") else name


def incoming(name: str, *, ndjson: bool) -> Iterable[Incoming | Issue]:
    """What a file holds: a document, read at once, or its lines, read when asked for; an issue for one that is unreadable.

    Raises UsageError for the file, BadInput for a JSON document.
    """
    if ndjson or name.endswith(LINES):
        return _lines(name)
    tree = tree_of(name, read(name))
    if isinstance(tree, list) and tree and all(map(_has_records, tree)):
        # What from-fhir gave of several files: each has its own remainder.
        return [Incoming(label(name), one, before=f"/{index}") for index, one in enumerate(tree)]
    return [Incoming(label(name), tree)]


def _lines(name: str) -> Iterator[Incoming | Issue]:
    from adapter.bulk.ndjson import lines

    batch = Incoming(label(name), [])
    with opened(name) as source:
        for number, line in enumerate(lines(source, DEFAULT_BOUNDS.size), start=1):
            if line is not None and not line.strip():
                continue
            tree = _tree(line, batch.file, number)
            if isinstance(tree, Issue):
                yield tree
            elif isinstance(tree, list) or _has_records(tree):
                yield Incoming(batch.file, tree, [number] * (len(tree) if isinstance(tree, list) else 1))
            else:
                batch.tree.append(tree)
                batch.lines.append(number)
            if len(batch.tree) == BATCH:
                yield batch
                batch = Incoming(batch.file, [])
    if batch.tree:
        yield batch


def _has_records(tree: Any) -> bool:
    """Whether it is what from-fhir or an export gave."""
    return isinstance(tree, dict) and isinstance(tree.get("records"), list)


def _tree(line: bytes | None, file: str, number: int) -> Any:
    """The tree of a line, or the issue that it is none."""
    if line is None:
        text = f"The line is longer than {DEFAULT_BOUNDS.size} bytes."
        return Issue("fatal", "too-long", "json-too-large", text, file=file, line=number)
    try:
        return loads(line)
    except DataError as error:
        return replace(error.issues[0], file=file, line=number, column=None)
