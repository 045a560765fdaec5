"""Foreign content and damage: what other systems add to a resource, and shapes that FHIR does not allow."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from adapter.fhir_json import copy
from tests.laws import values
from tests.laws.values import Tree

Spot = tuple[Any, Any]
MARK = "https://other.example.test/fhir/StructureDefinition/mark"
JUNK: tuple[Any, ...] = (
    None,
    0,
    -1,
    True,
    False,
    "",
    "x",
    [],
    {},
    [None],
    [[]],
    [{}],
    {"x": 1},
    [1, "a", None],
    {"reference": "#"},
)


def spots(node: Any) -> Iterator[Spot]:
    """(holder, key) of every value in a tree, except the type of a resource."""
    pairs: Any = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, value in pairs:
        if key not in ("resourceType", "div"):
            yield node, key
            yield from spots(value)


def extension(mark: str) -> Tree:
    """An extension of nobody we know."""
    return {"url": MARK, "valueString": mark}


@st.composite
def injected(draw: st.DrawFn, resource: Tree, *, gentle: bool = False) -> Tree:
    """A copy with foreign content: extensions, siblings of primitives, fields and list items that are not ours.

    `gentle` leaves out what changes the record that is read: it adds extensions and siblings only.
    """
    tree = copy(resource)
    for number in range(draw(st.integers(1, 4))):
        objects = list(_objects(tree))
        node = draw(st.sampled_from(objects))
        act = draw(st.sampled_from(_GENTLE if gentle else _ALL))
        _ACTS[act](draw, node, f"m{number}")
    return tree


def _objects(node: Any, top: bool = True) -> Iterator[Tree]:
    if isinstance(node, dict):
        if top or node.get("url") != MARK:
            yield node
        for key, value in node.items():
            if not key.startswith("_"):
                yield from _objects(value, False)
    elif isinstance(node, list):
        for value in node:
            yield from _objects(value, False)


def _extend(draw: st.DrawFn, node: Tree, mark: str) -> None:
    found = node.setdefault("extension", [])
    if isinstance(found, list):
        found.insert(draw(st.integers(0, len(found))), extension(mark))


def _sibling(draw: st.DrawFn, node: Tree, mark: str) -> None:
    names = [name for name, value in node.items() if isinstance(value, (str, bool, int)) and name not in _FIXED]
    names = [name for name in names if f"_{name}" not in node and not name.startswith("_")]
    if names:
        node[f"_{draw(st.sampled_from(names))}"] = {"extension": [extension(mark)]}


_FIXED = frozenset({"resourceType", "url", "reference", "id", "div", "linkId"})


def _item(draw: st.DrawFn, node: Tree, mark: str) -> None:
    lists = [value for name, value in node.items() if isinstance(value, list) and value and not name.startswith("_")]
    objects = [value for value in lists if isinstance(value[0], dict)]
    if objects:
        rows = draw(st.sampled_from(objects))
        rows.insert(draw(st.integers(0, len(rows))), draw(st.sampled_from(_ITEMS))(mark))


_ITEMS = (
    lambda mark: {"extension": [extension(mark)]},
    lambda mark: {"text": mark},
    lambda mark: {"display": mark},
    lambda mark: {"system": "https://other.example.test/codes", "code": mark},
    lambda mark: {"reference": f"Basic/{mark}"},
    lambda mark: {"coding": [{"system": "https://other.example.test/codes", "code": mark}]},
)


def _field(draw: st.DrawFn, node: Tree, mark: str) -> None:
    name = draw(st.sampled_from(["language", "implicitRules", "modifierExtension", "zzz", "partOf", "basedOn"]))
    node.setdefault(name, draw(st.sampled_from(["en", [{"reference": f"Basic/{mark}"}], {"a": [1]}, 7])))


_ACTS: dict[str, Any] = {"extend": _extend, "sibling": _sibling, "item": _item, "field": _field}
_GENTLE = ("extend", "sibling")
_ALL = ("extend", "sibling", "item", "field")


@st.composite
def damaged(draw: st.DrawFn, resource: Tree) -> Tree:
    """A copy with one to three of its values replaced by something of a wrong shape."""
    tree = copy(resource)
    for _ in range(draw(st.integers(1, 3))):
        found = list(spots(tree))
        if not found:
            break
        holder, key = draw(st.sampled_from(found))
        holder[key] = copy(draw(st.one_of(st.sampled_from(JUNK), values.decimals(), values.texts)))
    return tree


def marks(node: Any) -> int:
    """How many foreign extensions a tree holds."""
    if isinstance(node, dict):
        return (node.get("url") == MARK) + sum(map(marks, node.values()))
    return sum(map(marks, node)) if isinstance(node, list) else 0


def differing(one: Any, other: Any, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    """Paths (names only, no indices) at which two trees differ."""
    if type(one) is dict and type(other) is dict:
        found: set[tuple[str, ...]] = set()
        for key in one.keys() | other.keys():
            found |= differing(one.get(key), other.get(key), (*path, key))
        return found
    if type(one) is list and type(other) is list and len(one) == len(other):
        return {place for left, right in zip(one, other, strict=True) for place in differing(left, right, path)}
    return set() if type(one) is type(other) and one == other and str(one) == str(other) else {path}
