"""Who owns what: two rules for one element or one field, maps and groups that are never used, rules that never apply."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.mapping import source
from adapter.mapping.choosing import nearest
from adapter.mapping.lint.subject import Subject
from adapter.mapping.table import Row, row_start
from adapter.mapping.wrapping import follow

# Written only when something is made, or beside what another rule owns: no second owner.
_GUESTS = frozenset({"set", "derive", "order"})


def check(subject: Subject) -> None:
    """Every map by itself, then the maps beside each other."""
    for name in subject.trees:
        rows = [row for row in subject.rows if row.map == name]
        owning = [row for row in rows if row.keyword not in _GUESTS and not row.reason]
        _twice(subject, owning)
        _apart(subject, owning)
        _when(subject, name)
        for row in rows:
            _fields(subject, row)
            _codes(subject, row)
    _groups(subject)
    _maps(subject)


def _twice(subject: Subject, rows: list[Row]) -> None:
    """Two rules that both read and write one element, or one field."""
    for key in ("fhir", "record"):
        owners: dict[str, Row] = {}
        for row in rows:
            place = _place(row, key)
            if not place:
                continue
            first = owners.setdefault(place, row)
            if first is not row and (first.line, first.column) != (row.line, row.column):
                text = f"{place} has a rule in line {first.line} already: expected one owner"
                subject.say(row, f"{key}-twice", text, key)
        _inside(subject, owners, key)


def _apart(subject: Subject, rows: list[Row]) -> None:
    """A field that a map owns, and the map of a second resource of the same record as well."""
    owners = {row.record: row for row in rows if row.record and not row.structural}
    for companion in (row for row in rows if row.keyword == "companion"):
        keys = companion.keys or {}
        for row in subject.rows:
            first = owners.get(row.record)
            wanted = "names" not in keys or row.record in companion.records
            if row.map != keys["companion"] or row.keyword in _GUESTS or row.reason or row.structural:
                continue
            if first is not None and wanted:
                text = f"{row.record} has a rule in {first.file.rpartition('/')[2]} already: expected one owner"
                subject.say(row, "record-twice", text, "record")


def _place(row: Row, side: str) -> str:
    """What a row owns on one side. Lists that are parted by what they select or leave out are different places."""
    keys = row.keys or {}
    if side == "record":
        return row.record
    if "alone" in keys:
        return f"{row.selector}.{keys.get('leaf', '')}"
    parted = "rest" in keys or "except" in keys
    return f"{row.selector} {keys.get('except', 'rest')}" if parted else row.selector


def _inside(subject: Subject, owners: dict[str, Row], key: str) -> None:
    """A rule for the whole and another for a part of it."""
    whole = {place: row for place, row in owners.items() if not row.structural and row.keyword != "template"}
    for place, row in owners.items():
        parts = place.split(".")
        for end in range(1, len(parts)):
            outer = whole.get(".".join(parts[:end]))
            if outer is not None and outer is not row:
                text = f"{place} lies inside what the rule in line {outer.line} owns: expected one owner"
                subject.say(row, f"{key}-twice", text, key)


def _groups(subject: Subject) -> None:
    """Groups of pairs that nothing names; those of `groups.yaml` may be named by any file."""
    everywhere = {name for _, tree in subject.sources.values() for name in _named(tree)}
    for _, tree in subject.sources.values():
        groups = tree.get("groups")
        named = everywhere if tree.keys() == {"groups"} else set(_named(tree))
        for group in groups if isinstance(groups, source.Mapping) else ():
            if group not in named:
                subject.say_key(groups, group, "group-unused", f"no rule names the group {group}")


def _named(node: Any) -> Iterator[str]:
    """The groups that pairs anywhere below name."""
    if isinstance(node, dict):
        for key, inner in node.items():
            if key in ("items", "object") and isinstance(inner, str):
                yield inner
            else:
                yield from _named(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _named(inner)


def _when(subject: Subject, name: str) -> None:
    """Conditions of a file that no record, or no resource, meets."""
    _, tree = subject.trees[name]
    map_ = subject.maps[name]
    shape = subject.shape_of(map_.kind)
    if "at" in tree:
        shape = follow(shape, row_start(tree["at"]))
    if shape is None:
        return
    for names, value in map_.when:
        field = shape.at(names)
        path = ".".join(names)
        if field is None:
            near = nearest(names[-1], shape.names())
            subject.say_file(name, "record-path", f"the record has no {path}", "when", near)
        elif "enum" in field.here and value is not None and value not in field.here["enum"]:
            near = nearest(str(value), field.here["enum"])
            subject.say_file(name, "rule-never", f"{path} is never {value}: the file makes nothing", "when", near)


def _fields(subject: Subject, row: Row) -> None:
    """Fields that a rule names beside its own."""
    keys = row.keys or {}
    unless = keys.get("unless", [])
    named = [unless] if isinstance(unless, str) else list(unless)
    for name in named:
        if subject.shape(row, f"{row.above}{name}") is None:
            subject.say(row, "record-path", f"the record has no {name}", "unless")
    if row.keyword in ("derive", "companion", "template"):
        for path in row.records:
            if subject.shape(row, path) is None:
                key = row.keyword if row.keyword == "template" else "names"
                subject.say(row, "record-path", f"the record has no {path}", key)


def _codes(subject: Subject, row: Row) -> None:
    """Short tables whose codes are none of the record's, and that cannot be turned around."""
    keys = row.keys or {}
    shape = subject.shape(row) if row.record else None
    enum = (
        set(shape.item().here.get("enum", ()) if shape.type_ == "array" else shape.here.get("enum", ()))
        if shape
        else set()
    )
    if shape is not None and shape.type_ == "boolean":
        enum = {"true", "false"}
    for key in ("values", "own"):
        table = keys.get(key, {})
        for code in table:
            if enum and code not in enum:
                subject.say_key(
                    table, code, "code-not-ours", f"{row.record} is never {code}", nearest(code, enum), rule=row.line
                )
    _turned(subject, row, keys.get("values", {}))


def _turned(subject: Subject, row: Row, table: Any) -> None:
    first: dict[str, str] = {}
    for code, value in table.items():
        if value in first:
            text = f"{code} and {first[value]} both become {value}, which cannot be turned around"
            subject.say_key(table, code, "not-invertible", text, rule=row.line)
        first.setdefault(value, code)


def _maps(subject: Subject) -> None:
    """Maps that never run: nothing names a part's map, or another map takes all that it would."""
    used = {name for row in subject.rows for name in _used(row)}
    seen: dict[tuple[str, Any], str] = {}
    makes: dict[tuple[str, Any], str] = {}
    for name, map_ in sorted(subject.maps.items(), key=lambda pair: not pair[1].match):
        if map_.part_only:
            if name not in used:
                subject.say_file(name, "map-unused", "no rule names this map of parts", "at")
            continue
        for table, key, what in (
            (seen, (map_.type_, map_.match), "reads every resource that it would"),
            (makes, (map_.kind, map_.when), "makes every resource that it would"),
        ):
            first = table.setdefault(key, name)
            if first != name and name not in used:
                subject.say_file(name, "rule-never", f"the map {first} {what}", "map")


def _used(row: Row) -> list[str]:
    keys = row.keys or {}
    return [*keys.get("parts", []), *([keys["companion"]] if "companion" in keys else [])]
