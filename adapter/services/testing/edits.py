"""Edits of a record, one thing each, the same ones every time: each field changed and removed, each list shortened and turned.

Which values a field may have comes from its schema, which codes from the ConceptMap of its rule; an edit that would not be
a valid record in normal form is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapter.fhir_json import copy
from adapter.mapping.places import Place, written
from adapter.mapping.shapes import Shape
from adapter.records.kinds import ENVELOPE

Tree = dict[str, Any]
Codes = Callable[[Place], list[str]]
_IDENTITY = frozenset({"id", "kind", "linkId"})


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done, where, and the record that it gave. `scalar`: one value was changed into another."""

    act: str
    place: Place
    record: Tree
    scalar: bool = False

    @property
    def name(self) -> str:
        """In words."""
        return f"{self.act} {written(self.place)}"

    @property
    def kind(self) -> tuple[str, str, str]:
        """What makes it another edit than those seen already: kind of record, field, act."""
        fields = ".".join(step for step in self.place if isinstance(step, str))
        return str(self.record.get("kind")), fields, self.act


def edits(record: Tree, shape: Shape, codes: Codes) -> Iterator[Edit]:
    """Every edit of a record; `codes` gives the codes that the field at a place may have."""
    for place, value, here, needed in _fields(record, shape, ()):
        if not needed and not isinstance(place[-1], int):
            yield Edit("remove", place, _without(record, place))
        if type(value) is list and len(value) > 1:
            yield Edit("remove the first of", place, _with(record, place, value[1:]))
            yield Edit("turn around", place, _with(record, place, value[::-1]))
        for other in _others(place, value, here, codes):
            yield Edit("change", place, _with(record, place, other), scalar=True)


def _fields(tree: Any, shape: Shape, place: Place) -> Iterator[tuple[Place, Any, Shape, bool]]:
    """(place, value, schema, whether its object must have it) of everything inside."""
    needed = set(shape.here.get("required", []))
    for name, value in tree.items():
        here = shape.at((name,))
        if here is None or name in _IDENTITY or (not place and name in ENVELOPE):
            continue
        yield (*place, name), value, here, name in needed
        if type(value) is dict and "code" not in value:
            yield from _fields(value, here, (*place, name))
        elif type(value) is list:
            item = here.item()
            for index, inner in enumerate(value):
                yield (*place, name, index), inner, item, True
                if type(inner) is dict and "code" not in inner:
                    yield from _fields(inner, item, (*place, name, index))


def _others(place: Place, value: Any, here: Shape, codes: Codes) -> Iterator[Any]:
    node = here.here
    if type(value) is dict:
        if "system" not in value and type(value.get("code")) is str:
            others = [code for code in codes(place) if code != value["code"]]
            yield from ({"code": code} for code in others[:1])
    elif "enum" in node:
        yield from [other for other in node["enum"] if other != value][:1]
    elif type(value) is bool:
        yield not value
    elif type(value) in (int, Decimal):
        yield from [other for other in (value + 1, value - 1) if here.check()(other)][:1]
    elif type(value) is str:
        yield from [code for code in codes(place) if code != value][:1] or _texts(value, node, here)


def _texts(value: str, node: Tree, here: Shape) -> Iterator[str]:
    if "date" in str(node.get("format")) and value[:4].isdigit():
        yield f"{int(value[:4]) - 1}{value[4:].replace('-02-29', '-02-28')}"
    elif "format" not in node and "const" not in node and here.check()(f"{value} (edited)"):
        yield f"{value} (edited)"


def holds_together(record: Tree, edited: Tree) -> bool:
    """Whether an edit left no item of which nothing is left but its id, and no id that leads to an item that is gone."""
    before, after = _items(record), _items(edited)
    bare = {id_ for id_, item in after.items() if item.keys() == {"id"} and before.get(id_, item).keys() != {"id"}}
    gone = before.keys() - after.keys()
    return not bare and not gone & set(_texts_of(edited))


def _items(tree: Any) -> dict[str, Tree]:
    """Every object that has an id, by it."""
    found = {}
    for node in _nodes(tree):
        if type(node) is dict and type(node.get("id")) is str:
            found[node["id"]] = node
    return found


def _texts_of(tree: Any) -> Iterator[str]:
    return (node for node in _nodes(tree) if type(node) is str)


def _nodes(tree: Any) -> Iterator[Any]:
    yield tree
    for inner in tree.values() if type(tree) is dict else tree if type(tree) is list else ():
        yield from _nodes(inner)


def _with(record: Tree, place: Place, value: Any) -> Tree:
    edited: Tree = copy(record)
    holder: Any = edited
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = value
    return edited


def _without(record: Tree, place: Place) -> Tree:
    """Without a field, and without the objects that hold nothing then."""
    edited: Tree = copy(record)
    way: list[Any] = [edited]
    for step in place[:-1]:
        way.append(way[-1][step])
    for step, holder in zip(reversed(place), reversed(way), strict=True):
        del holder[step]
        if holder:
            break
    return edited
