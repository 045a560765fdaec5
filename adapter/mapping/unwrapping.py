"""Rules that wrap others, for whoever follows rules: the rule inside, the object that it is handed, and where in the real
record stands what it gave.

Inside a wrapper the record is a tree of the ordinary form (`rows`); `Inside.real` gives for a place in that tree the places
in the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adapter.fhir_json import same
from adapter.mapping.paths import get
from adapter.mapping.reshape import Columns, Split, When, Wrapper
from adapter.mapping.rowwise import Every, Order, Rest, Selected
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
Place = tuple[str | int, ...]
Real = Callable[[Place], Sequence[Place]]


@dataclass(frozen=True, slots=True)
class Inside:
    """The inner rule and its object; `real` turns a place in that object into places in the outer one."""

    rule: Any
    item: Tree
    real: Real


def unwrapped(rule: Wrapper, node: Tree, item: Tree, scope: Scope) -> Inside:
    """What is inside of a wrapper, where it reads a node into an object of a record."""
    if isinstance(rule, When):
        holds = rule.holds(item)
        return Inside(rule.inner, item if holds else {}, lambda place: [place] if holds else [])
    if isinstance(rule, Selected):
        return _selected(rule, item)
    held: Tree = {}
    rule.inner.read(node, held, replace(scope, issues=[]))
    return Inside(rule.inner, held, _real(rule, held.get("rows", []), item))


def _selected(rule: Selected, item: Tree) -> Inside:
    row = rule.find(item)
    if row is None:
        return Inside(rule.inner, {}, lambda _: [])
    index = next(index for index, other in enumerate(get(item, rule.names)) if other is row)
    return Inside(rule.inner, row, lambda place: [(*rule.names, index, *place)])


def _real(rule: Any, held: list[Any], item: Tree) -> Real:
    """Places behind `rows`, as the record has them."""
    if isinstance(rule, Columns):
        return lambda place: list(_columns(rule, held, place, item))
    if isinstance(rule, (Every, Rest)):
        taken = list(_rows(rule, held, item))
        tail: Place = (rule.field,) if isinstance(rule, Every) else ()
        return lambda place: [
            (*rule.names, index, *tail, *place[2:]) for index in taken[_number(place) : _number(place) + 1]
        ]
    names = rule.names if isinstance(rule, (Split, Order)) else ()
    return lambda place: [tuple(names)]


def _number(place: Place) -> int:
    return int(place[1]) if len(place) > 1 else 0


def _columns(rule: Columns, held: list[Any], place: Place, item: Tree) -> Iterator[Place]:
    """`rows[n].field` is a column; `rows[n]` itself is all of its columns."""
    columns = rule.columns.get(int(held[_number(place)]["id"]), {})
    flat = get(item, rule.names) if rule.names else item
    if len(place) > 2:
        column = columns.get(str(place[2]))
        yield from [(*rule.names, column, *place[3:])] if column is not None else []
    else:
        yield from ((*rule.names, column) for column in columns.values() if column in flat)


def _rows(rule: Every | Rest, held: list[Any], item: Tree) -> Iterator[int]:
    """The index in the record of each of the inner rows: the first like it that is not taken yet."""
    left = list(enumerate(get(item, rule.names) or []))
    for value in held:
        wanted = {**dict(rule.keys), rule.field: value} if isinstance(rule, Every) else value
        found = next(((index, row) for index, row in left if same(row, wanted)), None)
        if found is not None:
            left.remove(found)
            yield found[0]
