"""Rules over records that are rows of name and value: which row is meant, all of one name, the rest, their order.

Each wraps an ordinary rule and hands it a tree of the ordinary form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapter.fhir_json import canonical
from adapter.mapping.keys import keyed
from adapter.mapping.lists import Items, Scalars
from adapter.mapping.paths import get, put
from adapter.mapping.reshape import Wrapper
from adapter.mapping.rules import Names, Rule
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
Keys = tuple[tuple[str, Any], ...]


@dataclass(slots=True)
class Selected(Wrapper):
    """The row of a list that has these keys (`rows[name=age].value`): selected when read, made when written."""

    inner: Rule
    names: Names
    keys: Keys

    def find(self, record: Tree) -> Tree | None:
        """The first row that has the keys."""
        rows = get(record, self.names)
        found = rows if type(rows) is list else []
        return next((row for row in found if type(row) is dict and _has(row, self.keys)), None)

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        row = self.find(out)
        target = dict(self.keys) if row is None else row
        size = len(target)
        self.inner.read(node, target, scope)
        if row is None and len(target) > size:
            put(out, self.names, [*(get(out, self.names) or []), target])

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        self.inner.write(node, self.find(new) or {}, self.find(old) or {}, scope)


@dataclass(slots=True)
class Every(Wrapper):
    """All rows of a list that have these keys, each with one value in `field` ↔ a list of values, by a rule over `rows`."""

    inner: Scalars
    names: Names
    keys: Keys
    field: str

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        held: Tree = {}
        self.inner.read(node, held, scope)
        if held:
            made = [{**dict(self.keys), self.field: value} for value in held["rows"]]
            put(out, self.names, [*(get(out, self.names) or []), *made])

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        self.inner.write(node, self._values(new), self._values(old), scope)

    def _values(self, record: Tree) -> Tree:
        rows = split(get(record, self.names), [self])[0]
        return {"rows": [row[self.field] for row in rows if self.field in row]}


Selects = Selected | Every


def _has(row: Tree, keys: Keys) -> bool:
    return all(row.get(name) == value for name, value in keys)


@dataclass(slots=True)
class Rest(Wrapper):
    """The rows of a list that no neighbour selects: of several with the same keys, all but the first."""

    inner: Items
    names: Names
    selected: Sequence[Selects] = ()

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        held: Tree = {}
        self.inner.read(node, held, scope)
        if held:
            put(out, self.names, [*(get(out, self.names) or []), *held["rows"]])

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        self.inner.write(node, {"rows": self._others(new)}, {"rows": self._others(old)}, scope)

    def _others(self, record: Tree) -> list[Tree]:
        return split(get(record, self.names), self.selected)[1]


def split(listed: Any, selected: Sequence[Selects]) -> tuple[list[Tree], list[Tree]]:
    """The rows that neighbours select, in the order of their rules, and the others, in their own."""
    rows = [row for row in listed if type(row) is dict] if type(listed) is list else []
    known: list[Tree] = []
    for rule in selected:
        found = [row for row in rows if _has(row, rule.keys)]
        taken = found if isinstance(rule, Every) else found[:1]
        known += taken
        rows = [row for row in rows if all(row is not other for other in taken)]
    return known, rows


@dataclass(slots=True)
class Order(Wrapper):
    """The order of a list whose items come from several rules, written only where it is not that of the rules."""

    inner: Scalars
    names: Names
    field: str
    selected: Sequence[Selects] = ()

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        held: Tree = {}
        self.inner.read(node, held, scope)
        rows = get(out, self.names)
        if not held or not rows:
            return
        named = dict(keyed(rows, self._key))
        first = [named.pop(key) for key, _ in keyed(held["rows"], canonical) if key in named]
        put(out, self.names, first + list(named.values()))

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        # What stands there may name rows that are not there any more: it is not what the old record says.
        held: Tree = {}
        self.inner.read(node, held, scope)
        self.inner.write(node, {"rows": self._order(new)}, held, scope)

    def _key(self, row: Any) -> Any:
        return canonical(row.get(self.field)) if type(row) is dict else canonical(row)

    def _order(self, record: Tree) -> list[Any]:
        """What the rows are called, in their order; nothing where that is the one of the rules."""
        rows = get(record, self.names) or []
        known, others = split(rows, self.selected)
        return [] if rows == known + others else [row.get(self.field) for row in rows if type(row) is dict]
