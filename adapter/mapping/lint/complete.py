"""What has to be there and no rule fills: required elements of FHIR and its profiles, and fields of the record."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any

from adapter.fhir_json import same
from adapter.mapping.lint.profiles import constraints
from adapter.mapping.lint.subject import Subject
from adapter.mapping.lint.walking import EXTENSIONS, Spot, Walker
from adapter.mapping.paths import PathError, expand
from adapter.mapping.shapes import Shape
from adapter.mapping.table import Row

Tree = dict[str, Any]
# Whole values: their parts are the codec's business.
_WHOLE = frozenset({"concept", "choice", "link", "display", "parts", "companion", "derive", "set", "inherit", "copy"})
ENVELOPE = frozenset({"kind", "id", "revision", "recorded_at", "recorded_by", "origin", "pack", "extra"})


def check(subject: Subject) -> None:
    """Every map of the pack: its resource, its profiles, and the record that it is for."""
    for name in subject.trees:
        rows = [row for row in subject.rows if row.map == name]
        paths = _paths(subject, rows)
        _elements(subject, name, paths, rows)
        _profiles(subject, name, paths, rows)
    _records(subject)


def _paths(subject: Subject, rows: list[Row]) -> dict[str, Row]:
    """Every place that the rules of a map write, and the places above it, each with the first rule that does."""
    found: dict[str, Row] = {}
    for row in rows:
        steps = row.fhir.split(".")
        leaf = (row.keys or {}).get("leaf")
        path = subject.path(leaf) if isinstance(leaf, str) else None
        if path is not None:
            steps += [step.name for step in (*path.steps, path.last)]
        for place in accumulate(steps, "{}.{}".format):
            found.setdefault(place, row)
        for name in _selected(subject, row):
            found.setdefault(name, row)
    return found


def _selected(subject: Subject, row: Row) -> Iterator[str]:
    """What selectors write: `item[linkId=x]` fills item.linkId."""
    path = subject.path(row.selector.partition(".")[2])
    way = row.type_
    for step in (*path.steps, path.last) if path is not None else ():
        way = f"{way}.{step.name}"
        for key, _ in (*step.keys, *step.made):
            yield f"{way}.{key}"


def _elements(subject: Subject, name: str, paths: dict[str, Row], rows: list[Row]) -> None:
    walker = Walker(subject.definitions)
    whole = {row.fhir for row in rows if row.keyword in _WHOLE and "leaf" not in (row.keys or {})}
    whole |= {row.fhir for row in rows if subject.closed(row)}
    for path, spot in _objects(subject, name, paths, rows):
        facts = walker.facts(spot)
        if facts is None or path in whole:
            continue
        needed = {element.choice or element.name: element for element in facts.elements.values() if element.min > 0}
        for label, element in needed.items():
            names = facts.choices.get(element.choice, (element.name,))
            if not any(f"{path}.{each}" in paths for each in names):
                shown = f"{label}[x]" if element.choice else label
                _unfilled(subject, name, path, f"{path}.{shown} is required, and no rule fills it", paths)


def _objects(subject: Subject, name: str, paths: dict[str, Row], rows: list[Row]) -> Iterator[tuple[str, Spot]]:
    """Every object that a map makes, with its type."""
    type_ = subject.maps[name].type_
    walker = Walker(subject.definitions)
    start = walker.start(type_)
    if start is None:
        subject.say_file(
            name, "resource-unknown", f"FHIR {subject.definitions.version} has no resource {type_}", "resource"
        )
        return
    spots = {type_: start}
    yield type_, start
    # What is above another place stands before it.
    for path in paths:
        above, _, last = path.rpartition(".")
        facts = walker.facts(spots[above]) if above in spots else None
        element = facts.elements.get(last) if facts is not None else None
        if element is not None and last not in EXTENSIONS:
            spots[path] = Spot(element.type, path, element.is_list)
            yield path, spots[path]


def _unfilled(
    subject: Subject, name: str, path: str, text: str, paths: dict[str, Row], id_: str = "element-unfilled"
) -> None:
    row = paths.get(path)
    if row is None or "." not in path:
        subject.say_file(name, id_, text, "resource")
    else:
        subject.say(row, id_, text)


def _profiles(subject: Subject, name: str, paths: dict[str, Row], rows: list[Row]) -> None:
    for id_, found in constraints(subject, name).items():
        for each in found:
            if each.get("x") == "0" and id_ in paths:
                subject.say(paths[id_], "rule-never", f"the profile of this map does not allow {id_}")
            if not each.get("m"):
                continue
            above = id_.rpartition(".")[0]
            if ":" in id_:
                _slice(subject, name, id_, each, paths, rows)
            elif above in paths and not _filled(id_, paths):
                text = f"{id_} is required by the profile of this map, and no rule fills it"
                _unfilled(subject, name, above, text, paths, "profile-unfilled")


def _filled(id_: str, paths: dict[str, Row]) -> bool:
    stem = id_.removesuffix("[x]")
    if stem == id_:
        return id_ in paths
    return any(path.startswith(stem) and path.count(".") == id_.count(".") for path in paths)


def _slice(subject: Subject, name: str, id_: str, each: Tree, paths: dict[str, Row], rows: list[Row]) -> None:
    """A slice of a whole element that a profile demands, known by its pattern: a constant, or any rule, may fill it."""
    path, _, slice_ = id_.rpartition(":")
    pattern = each.get("p") or each.get("f")
    if "." in slice_ or ":" in path or pattern is None:
        return
    for row in rows:
        if row.fhir == path and row.keyword == "set" and _meets(subject, (row.keys or {})["set"], pattern):
            return
    text = f"the slice {slice_} of {path} is required by the profile of this map, and no constant fills it"
    _unfilled(subject, name, path, text, paths, "profile-unfilled")


def _meets(subject: Subject, value: Any, pattern: Any) -> bool:
    rows = value if isinstance(value, list) else [value]
    return any(_contains(_expanded(subject, row), pattern) for row in rows)


def _expanded(subject: Subject, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _expanded(subject, inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_expanded(subject, inner) for inner in value]
    try:
        return expand(value, subject.pack.prefixes)
    except PathError:
        return value


def _contains(value: Any, pattern: Any) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(_contains(value.get(key), inner) for key, inner in pattern.items())
    if isinstance(pattern, list):
        return isinstance(value, list) and all(any(_contains(row, inner) for row in value) for inner in pattern)
    return same(value, pattern)


def _records(subject: Subject) -> None:
    """Fields of the record that no rule of any of the kind's maps carries; the outermost is told."""
    kinds: dict[str, list[str]] = {}
    for name, map_ in subject.maps.items():
        if not map_.part_only:
            kinds.setdefault(map_.kind, []).append(name)
    for kind, names in kinds.items():
        shape = subject.shape_of(kind)
        carried = {_bare(path) for name in names for path in _carried(subject, name, set())}
        for path in _uncarried(shape, "", carried) if shape is not None else ():
            subject.say_file(names[0], "record-uncarried", f"no rule carries {path} of the record", "record")


def _uncarried(shape: Shape, above: str, carried: set[str]) -> Iterator[str]:
    for name in shape.names():
        path = f"{above}{name}"
        inner = shape.at((name,))
        if name in ENVELOPE or inner is None or any(_carries(each, path) for each in carried):
            continue
        if inner.type_ == "array":
            inner = inner.item()
        if any(row.startswith(f"{path}.") for row in carried):
            yield from _uncarried(inner, f"{path}.", carried)
        else:
            yield path


def _bare(path: str) -> str:
    """A record path without what it selects by; of numbered columns the column's own name."""
    bare = re.sub(r"\[[^\]]*\]", "", path)
    return re.sub(r"\*\.", "", bare) if "*." in bare else re.sub(r"(#[^.]*)\.value$", r"\1", bare)


def _carries(carried: str, path: str) -> bool:
    if "#" not in carried:
        return carried == path
    return re.fullmatch(re.escape(carried).replace(r"\#", "[1-9][0-9]?"), path) is not None


def _carried(subject: Subject, name: str, seen: set[str]) -> Iterator[str]:
    """The record paths that a map carries, those of its parts too."""
    if name in seen:
        return
    map_ = subject.maps[name]
    for names, _ in map_.when:
        yield ".".join(names)
    for row in subject.rows:
        if row.map != name or row.reason:
            continue
        if subject.closed(row):
            yield row.record
        elif row.structural:
            yield f"{row.record}[].id"
            yield from row.records[1:]
            for inner in (row.keys or {}).get("parts", []):
                if inner in subject.maps:
                    prefix = "" if subject.maps[inner].part_only else f"{row.record}[]."
                    yield from (f"{prefix}{path}" for path in _carried(subject, inner, seen | {name}))
            companion = (row.keys or {}).get("companion")
            if isinstance(companion, str) and companion in subject.maps:
                yield from _carried(subject, companion, seen | {name})
        else:
            yield from row.records
            yield from (f"{path.partition('[')[0]}.{key}" for path in row.records for key in _keys(path))


def _keys(path: str) -> list[str]:
    """What a record path selects by: it is written with the row."""
    return re.findall(r"[\[,]\s*([A-Za-z][A-Za-z0-9_-]*)=", path)
