"""Codes against the value set that an element is bound to: ours that it does not take, its own that we cannot read.

https://hl7.org/fhir/R4/terminologies.html#strength — only a required binding leaves no choice; what a value set holds is
asked only where its content is at hand.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from adapter.definitions import Binding
from adapter.definitions.terms import ALL, UNKNOWN
from adapter.mapping.choosing import nearest
from adapter.mapping.lint.profiles import bindings
from adapter.mapping.lint.subject import Subject
from adapter.mapping.lint.walking import Spot, Walker
from adapter.mapping.table import Row
from adapter.terminology import Table

Key = tuple[str, str]
Tree = dict[str, Any]


def check(subject: Subject) -> None:
    """Every rule that carries codes, then the ConceptMaps themselves."""
    for index, start in subject.spots.items():
        row = subject.rows[index]
        spot = _end(subject, row, start)
        if spot is None:
            continue
        for binding in bindings(subject, row, spot):
            if binding.strength == "required":
                _bound(subject, row, spot, binding)
        if row.keyword == "choice":
            _all_said(subject, row)
    _tables(subject)


def _end(subject: Subject, row: Row, spot: Spot | None) -> Spot | None:
    leaf = (row.keys or {}).get("leaf")
    path = subject.path(leaf) if spot is not None and isinstance(leaf, str) else None
    return Walker(subject.definitions).walk(spot, path) if path is not None else spot


def _bound(subject: Subject, row: Row, spot: Spot, binding: Binding) -> None:
    """A rule whose element takes only the codes of a value set."""
    ours = _ours(subject, row)
    if ours is None:
        return
    allowed = _allowed(subject, binding.value_set)
    if allowed is None:
        return
    reached: set[str] = set()
    for code, written, spot_key in ours:
        reached |= written & allowed
        if not written & allowed:
            near = nearest(code, allowed) if code in written else ""
            said = f"{code} becomes {', '.join(sorted(written))}, which is not in the value set of {spot.path}"
            subject.say(row, "code-outside", f"{said}: expected a code of {binding.value_set}", spot_key, near)
    left = sorted(allowed - reached - {(row.keys or {}).get("default")})
    if left and not row.reason:
        more = f" and {len(left) - 6} more" if len(left) > 6 else ""
        text = f"{spot.path} may be {', '.join(left[:6])}{more}, which no code of ours reads"
        subject.say(row, "code-unread", text, row.keyword if row.keyword != "copy" else "fhir")


def _ours(subject: Subject, row: Row) -> list[tuple[str, set[str], str]] | None:
    """(our code, what it is written as, the key that says so); None where our codes are not known."""
    keys = row.keys or {}
    if row.keyword == "values":
        return [(code, {value.partition(" ")[0]}, "values") for code, value in keys["values"].items()]
    if row.keyword in ("copy", "own"):
        own = keys.get("own", {})
        return [(code, {str(own.get(code, code))}, "fhir") for code in _enum(subject, row)] or None
    if row.keyword in ("concept", "choice"):
        table = subject.tables.get(row.code_map)
        if table is None:
            return None
        codes = _enum(subject, row) or sorted(table.codes)
        return [(code, set(_written(table, code, row)), row.keyword) for code in codes]
    if row.keyword == "set" and isinstance(keys["set"], str):
        return [(keys["set"], {keys["set"]}, "set")]
    return None


def _written(table: Table, code: str, row: Row) -> Iterator[str]:
    codings = table.codings(code) or ()
    if (
        row.keyword == "choice"
        and row.keys
        and row.keys.get("wrap") != "concept"
        and (len(codings) != 1 or table.ambiguous(code))
    ):
        yield code
        return
    for coding in codings:
        yield coding["code"]
    if not codings or table.ambiguous(code):
        yield code


def _enum(subject: Subject, row: Row) -> list[str]:
    shape = subject.shape(row) if row.record else None
    if shape is None:
        return []
    here = shape.item().here if shape.type_ == "array" else shape.here
    return [str(code) for code in here.get("enum", ())]


def _allowed(subject: Subject, value_set: str) -> set[str] | None:
    """The codes of a value set; None where its content is not at hand, or it has none."""
    expansion = subject.definitions.expansion(value_set)
    if expansion is None:
        return None
    found: set[str] = set()
    for system, codes in expansion.items():
        if codes == UNKNOWN:
            return None
        facts = subject.definitions.code_system(system) if codes == ALL else None
        if codes == ALL and facts is None:
            return None
        found.update(facts.codes if facts is not None else codes)
    return found or None


def _all_said(subject: Subject, row: Row) -> None:
    """A code that the record may hold and the rule's ConceptMap does not know is lost on the way out."""
    table = subject.tables.get(row.code_map)
    if table is None:
        return
    for code in _enum(subject, row):
        if code not in table.codes:
            text = f"{code} of {row.record} is not in the ConceptMap {row.code_map}: it cannot be written"
            subject.say(row, "code-untranslated", text, row.keyword, nearest(code, table.codes))


def _tables(subject: Subject) -> None:
    """Published codes that lead back to several of ours."""
    for name, tree in subject.pack.concept_maps.items():
        table = subject.tables.get(name)
        if table is None:
            continue
        file = f"{subject.pack.folder.name}/conceptmaps/{name}.json"
        for pointer, system, code in _targets(tree):
            back = table.internal(system, code)
            if len(back) > 1:
                text = f"{code} stands for {', '.join(back)}: expected a mark on the one that it is read as"
                subject.add(file, (1, 1), "code-ambiguous", text, pointer=pointer)


def _targets(tree: Tree) -> Iterator[tuple[str, str, str]]:
    """(JSON pointer, system, code) of each published code, where it first stands."""
    seen: set[Key] = set()
    for group_at, group in _objects(tree, "group"):
        for element_at, element in _objects(group, "element", group_at):
            for at, target in _objects(element, "target", element_at):
                system, code = group.get("target"), target.get("code")
                if isinstance(system, str) and isinstance(code, str) and (system, code) not in seen:
                    seen.add((system, code))
                    yield at, system, code


def _objects(tree: Tree, name: str, above: str = "") -> Iterator[tuple[str, Tree]]:
    """The objects of a list with their JSON pointers; what has another shape is told where the map is read."""
    rows = tree.get(name)
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(row, dict):
            yield f"{above}/{name}/{index}", row
