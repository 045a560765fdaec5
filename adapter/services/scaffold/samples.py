"""Sample records as a provider has them: a JSON object or list, NDJSON, or CSV with a line of names."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import BadInput, UsageError
from adapter.fhir_json import loads
from adapter.mapping.paths import is_name
from adapter.records import ENVELOPE

Tree = dict[str, Any]
DATA = "data"
# What the engine itself says of a record: a field of that name would be taken for it.
TAKEN = ENVELOPE | {"kind"}


@dataclass(slots=True)
class Samples:
    """Records in normal form. `dropped` counts what said nothing, `wrapped` says why each stands in a field `data`."""

    records: list[Tree]
    texts_only: bool = False
    dropped: int = 0
    wrapped: str = field(default="")


def read_samples(files: list[tuple[str, bytes]]) -> Samples:
    """The records of files, by name and content. Raises UsageError where there is none, BadInput for what is no JSON."""
    rows: list[Any] = []
    texts_only = bool(files)
    for name, data in files:
        if name.lower().endswith(".csv"):
            rows += _csv(name, data)
        else:
            rows += _json(name, data)
            texts_only = False
    made = Samples([], texts_only)
    kept = [_normal(row, made) for row in rows]
    whole = [row for row in kept if row is not None]
    if not whole:
        raise UsageError("The samples hold no record that says anything.", remedy="Give at least one filled-in record.")
    made.wrapped = _reason(whole)
    made.records = [{DATA: row} if made.wrapped else row for row in whole]
    return made


def _reason(rows: list[Any]) -> str:
    """Why the records cannot stand as they are, or nothing."""
    if not all(type(row) is dict for row in rows):
        return "they are not all objects"
    names = {name for row in rows for name in row}
    taken = sorted(names & TAKEN) + ["id"] * ("id" in names and not all(_is_id(row) for row in rows))
    if taken:
        return f"the adapter has its own use for {', '.join(taken)}"
    if not all(map(is_name, names)):
        return "a name in them cannot stand in a path"
    return ""


def _is_id(row: Tree) -> bool:
    from adapter.identity import is_uuid

    return is_uuid(row.get("id"))


def _json(name: str, data: bytes) -> list[Any]:
    try:
        tree = loads(data)
    except BadInput as error:
        lines = [line for line in data.splitlines() if line.strip()]
        if len(lines) < 2:
            raise _placed(error, f"{name}: {error.place}" if error.place else name) from None
        return [_line(name, number, line) for number, line in enumerate(data.split(b"\n"), 1) if line.strip()]
    return tree if isinstance(tree, list) else [tree]


def _line(name: str, number: int, line: bytes) -> Any:
    try:
        return loads(line)
    except BadInput as error:
        inside = error.place.removeprefix("line 1")
        apart = ": " if inside and inside == error.place else ""
        raise _placed(error, f"{name}: line {number}{apart}{inside}") from None


def _placed(error: BadInput, place: str) -> BadInput:
    return BadInput(error.message, issues=error.issues, place=place, remedy=error.remedy)


def _csv(name: str, data: bytes) -> list[Any]:
    try:
        text = data.decode("utf-8-sig")
        head = text.split("\n", 1)[0]
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ",")
        rows = [(lines.line_num, row) for row in lines]
    except (UnicodeDecodeError, csv.Error):
        raise UsageError("Cannot be read as CSV in UTF-8.", place=name) from None
    names = rows[0][1] if rows else []
    if len(set(names)) < len(names):
        raise UsageError("The first line must name each column, once.", place=name)
    for number, row in rows[1:]:
        if len(row) > len(names):
            text = f"There are {len(row)} values, and the first line names {len(names)} columns."
            raise UsageError(text, place=f"{name}: line {number}", remedy="Put a value with a comma in it into quotes.")
    return [dict(zip(names, row, strict=False)) for _, row in rows[1:]]


def _normal(node: Any, made: Samples) -> Any:
    """A value without what says nothing: null, and empty texts, lists and objects; None where nothing is left."""
    if isinstance(node, dict):
        pairs = ((name, _normal(value, made)) for name, value in node.items())
        node = {name: value for name, value in pairs if value is not None}
    elif isinstance(node, list):
        node = [value for value in (_normal(value, made) for value in node) if value is not None]
    if node is None or node in ("", [], {}):
        made.dropped += 1
        return None
    return node
