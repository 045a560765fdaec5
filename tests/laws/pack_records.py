"""Records of a pack's own kinds, drawn from its JSON Schemas, and edits of them: what the schema accepts, nothing else."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st

from adapter.fhir_json import copy, dumps, loads, same
from adapter.mapping.functions import date
from adapter.records.dates import is_date
from tests.laws import values
from tests.laws.strategies import resolve
from tests.laws.values import Tree, Trees

_LONGEST = 3
_ASCII = st.characters(codec="ascii", categories=("L", "N", "P", "S", "Zs"))
_FORMATS = {
    "uuid": values.uuids,
    "fhir-date": values.dates(),
    "fhir-datetime": values.datetimes(),
    "date": values.dates().filter(lambda text: len(text) == len("2026-01-01")),
}
_US = date("MM/DD/YYYY or MM/YYYY or YYYY")[0]


def records(schema: Tree) -> Trees:
    """Records that the schema accepts."""
    return _records(dumps(schema))


@cache
def _records(text: bytes) -> Trees:
    schema = loads(text)
    return of(schema, schema).filter(lambda record: accepts(schema, record))


def accepts(schema: Tree, record: Any) -> bool:
    """Whether it is a record of the schema; text that looks like a day must be one that the calendar has."""
    return _validator(dumps(schema)).is_valid(record)


@cache
def _validator(text: bytes) -> Any:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(loads(text))


def of(node: Tree, root: Tree) -> st.SearchStrategy[Any]:
    """Values of a schema."""
    node = resolve(node, root)
    if "const" in node:
        return st.just(node["const"])
    if "enum" in node:
        return st.sampled_from(node["enum"])
    branches = node.get("oneOf") or node.get("anyOf")
    if branches:
        base = {key: value for key, value in node.items() if key not in ("oneOf", "anyOf")}
        return st.one_of(*(of(_joined(base, resolve(branch, root)), root) for branch in branches))
    return _TYPES[node.get("type", "object")](node, root)


def _joined(base: Tree, branch: Tree) -> Tree:
    fields = {**base.get("properties", {})}
    for name, schema in branch.get("properties", {}).items():
        fields[name] = {**fields.get(name, {}), **schema}
    required = [*base.get("required", ()), *branch.get("required", ())]
    return {**base, **branch, **({"properties": fields} if fields else {}), "required": required}


def _text(node: Tree, _: Tree) -> st.SearchStrategy[Any]:
    if node.get("format") in _FORMATS:
        return _FORMATS[node["format"]]
    if "pattern" not in node:
        return values.texts
    pattern = re.compile(node["pattern"])
    if pattern.search("Some words"):
        return values.texts.filter(lambda text: pattern.search(text) is not None)
    found = st.from_regex(node["pattern"], fullmatch=True, alphabet=_ASCII)
    return found.filter(_on_calendar) if "YYYY" in node.get("description", "") else found


def _on_calendar(text: str) -> bool:
    return _US(text) is not None or is_date(text)


def _whole(node: Tree, _: Tree) -> st.SearchStrategy[Any]:
    return st.integers(node.get("minimum", -99), node.get("maximum", 999))


def _number(node: Tree, _: Tree) -> st.SearchStrategy[Any]:
    return values.decimals(node.get("minimum"), node.get("maximum"))


def _list(node: Tree, root: Tree) -> st.SearchStrategy[Any]:
    return st.lists(of(node["items"], root), min_size=max(1, node.get("minItems", 1)), max_size=_LONGEST).map(_unlike)


KEYS = ("event", "problem_no", "goal_no", "objective_no", "intervention_no")


def _unlike(rows: list[Any]) -> list[Any]:
    """Items that are known by a number of their own have different ones."""
    for key in KEYS:
        if all(isinstance(row, dict) and key in row for row in rows):
            return list({row[key]: row for row in rows}.values())
    return rows


def _object(node: Tree, root: Tree) -> Trees:
    if "properties" not in node:
        return values.foreign_concepts()
    return _drawn(node, {name: of(inner, root) for name, inner in node["properties"].items()})


@st.composite
def _drawn(draw: st.DrawFn, node: Tree, fields: dict[str, st.SearchStrategy[Any]]) -> Tree:
    needed = set(node.get("required", ()))
    # Every third field or so: a record with all of them says little about what is missing.
    likely = {name for name, inner in node["properties"].items() if "items" in inner}
    names = [name for name in node["properties"] if name in needed or draw(st.integers(0, 2)) <= (name in likely)]
    for name in list(names):
        names += [other for other in node.get("dependentRequired", {}).get(name, ()) if other not in names]
    made = {name: draw(field) for name, field in fields.items() if name in names}
    assume(made or "minProperties" not in node)
    for later in ("end", "target_date"):
        if "start" in made and later in made:
            made["start"], made[later] = sorted((made["start"], made[later]))
    return made


_TYPES: dict[str, Any] = {
    "string": _text,
    "integer": _whole,
    "number": _number,
    "boolean": lambda *_: st.booleans(),
    "array": _list,
    "object": _object,
}


@st.composite
def edited(draw: st.DrawFn, record: Tree, other: Tree, schema: Tree, key: str) -> Tree:
    """The record with one to three things as another record of the same schema has them."""
    tree = copy(record)
    for _ in range(draw(st.integers(1, 3))):
        _edit(draw, tree, other, {key, *KEYS})
    assume(not same(tree, record) and accepts(schema, tree))
    return tree


def _edit(draw: st.DrawFn, tree: Tree, other: Tree, kept: set[str]) -> None:
    names = sorted((tree.keys() | other.keys()) - kept)
    if not names:
        return
    name = draw(st.sampled_from(names))
    mine, theirs = tree.get(name), other.get(name)
    if isinstance(mine, list) and mine and draw(st.booleans()):
        act = draw(st.sampled_from(["remove", "move", "edit"]))
        index = draw(st.integers(0, len(mine) - 1))
        if act == "remove" and len(mine) > 1:
            del mine[index]
        elif act == "move":
            mine.append(mine.pop(index))
        elif isinstance(mine[index], dict) and isinstance(theirs, list):
            _edit(draw, mine[index], theirs[0], kept)
    elif name in other:
        tree[name] = copy(theirs)
    else:
        del tree[name]
