"""The rules of a pack as one flat table: what stands where, for everything that tells of rules and runs none.

Each pair of a mapping file is a row with its place in the file, the paths of both sides from the top, and how it turns
one into the other. Lint, explain, coverage, diff and the sheets read this table; `Rule.source` of a compiled rule is the
`source` of its rows. A row of a group stands here once for each place that uses the group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from adapter.mapping import keywords, source
from adapter.mapping.expanding import expanded
from adapter.mapping.paths import PathError, parse

# What a pair does, by the first of these keys that it has; a pair without one is a copy.
KEYWORDS = (
    "set", "derive", "companion", "template", "inherit", "parts", "items", "order", "split", "via", "flag", "quantity",
    "concept", "choice", "values", "link", "display", "own",
)  # fmt: skip
_MAPS = ("concept", "choice")


@dataclass(frozen=True, slots=True)
class Row:
    """One pair. `records` are the record paths that it reads and writes, none for a constant.

    `record` and `records` have `[]` behind each list; `fhir` is the definition's path (`Goal.target.dueDate`), `selector`
    the same as written, with what it selects by. `code_map` names a ConceptMap or a code system, `reason` says why it
    goes one way, and is empty where it goes both. `keys` is the pair as the file has it, `above` and `base` what its record
    paths and its selector start with.
    """

    map: str
    kind: str
    type_: str
    file: str
    line: int
    column: int
    keyword: str
    records: tuple[str, ...]
    fhir: str
    selector: str
    code_map: str = ""
    reason: str = ""
    keys: Mapping[str, Any] | None = None
    above: str = ""
    base: str = ""

    @property
    def source(self) -> str:
        """file:line:column, as compiled rules and issues have it."""
        return f"{self.file}:{self.line}:{self.column}"

    @property
    def record(self) -> str:
        """Its first record path, or nothing."""
        return self.records[0] if self.records else ""

    def takes(self, field: str) -> bool:
        """Whether it is for a field of the record as its schema has it: `sub1_name`, `visits[].rows[].value`."""
        return any(name == field or _form(name).fullmatch(field) is not None for name in self.records)

    def around(self, names: Sequence[str]) -> bool:
        """Whether it is for the field at these names, without what selects in lists, or for something that this holds."""
        path = ".".join(names)
        forms = [_form(name).pattern.replace(r"\[\]", "") for name in self.records]
        return any(re.fullmatch(form, path) or form.startswith(f"{re.escape(path)}\\.") for form in forms)

    @property
    def structural(self) -> bool:
        """Whether it only leads to other rows: lists of objects, resources of their own."""
        return self.keyword in ("items", "parts", "companion")


def rows_of(texts: source.Texts, prefixes: Mapping[str, str], faults: source.Faults, release: str = "R4") -> list[Row]:
    """The table of a pack from (file, text) by name of map, in the order of its files.

    What cannot be read is appended to `faults` and has no rows.
    """
    rows: list[Row] = []
    trees = expanded(texts, release, faults)
    main = {str(tree.get("record")): str(tree.get("resource")) for _, tree in trees.values() if "at" not in tree}
    for name, (_, tree) in trees.items():
        rows += _File(name, tree, prefixes, main).rows()
    return rows


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the rows of one list start from, on both sides, and the groups that are open."""

    record: str
    fhir: str
    selector: str
    groups: tuple[str, ...] = ()

    def names(self, name: Any) -> str:
        """A record path from the top."""
        return f"{self.record}{name}"


class _File:
    def __init__(self, name: str, tree: source.Mapping, prefixes: Mapping[str, str], main: Mapping[str, str]) -> None:
        self.name, self.tree, self.prefixes, self.main = name, tree, prefixes, main
        self.kind, self.type_ = str(tree.get("record")), str(tree.get("resource"))

    def rows(self) -> Iterator[Row]:
        """The rows of the file; none where its own keys are not of their forms, which the compiler tells."""
        if _fitting(self.tree, keywords.FILE_KEYS).keys() == self.tree.keys():
            yield from self._all()

    def _all(self) -> Iterator[Row]:
        at = self.tree.get("at")
        start = _Place(f"{row_start(at)}." if at else "", f"{self.type_}.", f"{self.type_}.")
        return self._list(self.tree.get("rules"), start)

    def _list(self, rows: Any, place: _Place) -> Iterator[Row]:
        for keys in rows if isinstance(rows, list) else []:
            if isinstance(keys, source.Mapping):
                yield from self._row(keys, place)

    def _row(self, keys: source.Mapping, place: _Place) -> Iterator[Row]:
        keys = _fitting(keys, keywords.KEYWORDS)
        if isinstance(keys.get("either"), list):
            for each in keys["either"]:
                if isinstance(each, source.Mapping):
                    yield from self._row(_spread(keys, each), place)
            return
        written = str(keys.get("fhir", ""))
        type_ = self.type_
        if written.startswith("/"):
            # An array of the record's main resource, not of the part's own.
            written, type_ = written[1:], self.main.get(self.kind, type_)
            place = _Place(place.record, f"{type_}.", f"{type_}.", place.groups)
        fhir = place.fhir + _elements(written, self.prefixes)
        records = tuple(place.names(name) for name in _records(keys))
        row = Row(
            self.name, self.kind, type_, keys.file, keys.line, keys.column, _keyword(keys),
            records, fhir, place.selector + written, _code_map(keys), _reason(keys), keys, place.record, place.selector,
        )  # fmt: skip
        yield row
        if row.record:
            inner = _Place(f"{row.record}[].", f"{fhir}.", f"{row.selector}.", place.groups)
            yield from self._list(keys.get("inline"), inner)
            yield from self._list(keys.get("beside"), inner)
            yield from self._inside(keys.get("items"), inner)

    def _inside(self, items: Any, place: _Place) -> Iterator[Row]:
        if not isinstance(items, str):
            yield from self._list(items, place)
        elif items not in place.groups:
            opened = _Place(place.record, place.fhir, place.selector, (*place.groups, items))
            yield from self._list(self.tree.get("groups", {}).get(items), opened)


def _fitting(keys: source.Mapping, known: Mapping[str, keywords.Keyword]) -> source.Mapping:
    """A pair, or a file, without the keys whose values are not of their forms: they say nothing."""
    made = {key: value for key, value in keys.items() if key not in known or known[key].form.fits(value)}
    return keys if len(made) == len(keys) else keys.copied(made)


@cache
def _form(record: str) -> re.Pattern[str]:
    """The fields that a record path means: of `rows[name=age].value` every row's, of `sub#_*[].name` every column's."""
    plain = re.sub(r"\[[^\]]+\]", "[]", record)
    named = re.sub(r"([^.\[\]]*#[^.\[\]]*)\[\]\.([\w-]+)", lambda match: match[1].replace("*", match[2]), plain)
    return re.compile(re.escape(named).replace(r"\#", "#").replace("#", r"\d+").replace(r"\*", r"[\w-]+"))


def _spread(keys: source.Mapping, each: source.Mapping) -> source.Mapping:
    """One of several places of a pair, as a pair that stands where the whole does."""
    made = source.Mapping({**{key: value for key, value in keys.items() if key != "either"}, **each})
    made.file, made.line, made.column, made.lines = keys.file, keys.line, keys.column, {**keys.lines, **each.lines}
    return made


def row_start(at: str) -> str:
    """Where the rows of a file for the items of a list start from; a list in a list has the items of each."""
    return ".".join(f"{name}[]" for name in at.split("."))


def _keyword(keys: Mapping[str, Any]) -> str:
    return next((key for key in KEYWORDS if key in keys), "copy")


def _records(keys: Mapping[str, Any]) -> Sequence[str]:
    if "template" in keys:
        return _fields(str(keys["template"]))
    if "derive" in keys or "companion" in keys:
        return [str(name) for name in keys.get("names", []) if keys.get("derive") not in ("owner", "reference")]
    found = [
        str(keys[key]) for key in ("record", "inherit", "also", "words", "called") if isinstance(keys.get(key), str)
    ]
    return [*found, f"{found[0]}[].{keys['held']}"] if "held" in keys and found else found


def _fields(template: str) -> list[str]:
    return [part.partition("}")[0] for part in template.split("{")[1:]]


def _code_map(keys: Mapping[str, Any]) -> str:
    return next((str(keys[key]) for key in _MAPS if key in keys and keys[key] != "none"), "")


def _reason(keys: Mapping[str, Any]) -> str:
    if "set" in keys:
        return "a constant, written when the element is made"
    if "derive" in keys:
        return f"made from the record: {keys['derive']}"
    return str(keys.get("one_way", ""))


def _elements(text: str, prefixes: Mapping[str, str]) -> str:
    """A path as the names of its elements; as written where it cannot be read."""
    try:
        path = parse(text, prefixes)
    except PathError:
        return text
    return ".".join(step.name for step in (*path.steps, path.last))
