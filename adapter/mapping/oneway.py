"""Rules that are written and never read: constants, derived values, pairs that are marked so. They are counted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapter.fhir_json import copy, same
from adapter.mapping.paths import Path, get
from adapter.mapping.rules import Leaf, Names, current, set_value
from adapter.mapping.scope import Scope

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Constant:
    """A value written when the resource or element is made, and not read: one way. `unless` takes it away again."""

    source: str
    path: Path
    value: Any
    unless: tuple[Names, ...] = ()

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        return

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        had, has = (any(get(side, names) is not None for names in self.unless) for side in (old, new))
        if has:
            if not had and same(current(self.path, node), self.value):
                holder = self.path.holder(node)
                if holder is not None:
                    del holder[self.path.name]
                    self.path.prune(node)
            return
        if old and not had:
            return
        stands = current(self.path, node)
        if stands is None:
            set_value(self.path, self.path.make_holder(node), copy(self.value))
        elif type(stands) is list and type(self.value) is list:
            stands[:0] = copy(self.value)


@dataclass(frozen=True, slots=True)
class OneWay:
    """A leaf that is written, when made or changed, and never read."""

    leaf: Leaf

    @property
    def source(self) -> str:
        return self.leaf.source

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        return

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        self.leaf.write(node, new, old, scope)


@dataclass(frozen=True, slots=True)
class Derived:
    """A one-way value made by a function of the record and its scope: narrative, a reference to the owner."""

    source: str
    path: Path
    make: Any

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        return

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        value = self.make(current(self.path, node), new, old, scope)
        if value is not None:
            set_value(self.path, self.path.make_holder(node), value)
