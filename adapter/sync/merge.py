"""Three-way merge of resource trees: base, ours, theirs → merged, and the elements that both changed. Pure.

Lists are merged by element (`elements`). Answers of a response and the target of a goal are never merged inside: a score
belongs to its answers. A choice may settle an element that both changed; without one it stays as the base has it.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

from adapter.fhir_json import same
from adapter.sync.elements import keyed, shown

Tree = dict[str, Any]
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()
# What a choice gives for an element that it leaves to others.
UNDECIDED: Any = type("Undecided", (), {"__repr__": lambda self: "UNDECIDED"})()
_WHOLE = {("QuestionnaireResponse", "item"), ("Goal", "target"), ("Observation", "value")}
_THEIRS = frozenset({"meta"})
_OURS = frozenset({"text"})


@dataclass(frozen=True, slots=True)
class Clash:
    """An element that both sides changed, in FHIRPath's form, with its three values (None where it is not there)."""

    path: str
    base: Any
    ours: Any
    theirs: Any


Choice = Callable[[Clash], Any]


def ours(clash: Clash) -> Any:
    """The choice of what is ours."""
    return MISSING if clash.ours is None else clash.ours


def theirs(clash: Clash) -> Any:
    """The choice of what is theirs."""
    return MISSING if clash.theirs is None else clash.theirs


def merge(base: Tree, ours: Tree, theirs: Tree, choose: Choice | None = None) -> tuple[Tree, list[Clash]]:
    """The tree with both edits; where both changed one element, what `choose` gives for it, else it stays as base has it,
    and a Clash says so.
    """
    type_ = str(ours.get("resourceType") or theirs.get("resourceType") or "")
    merger = _Merger(type_, choose)
    return merger.tree(base, ours, theirs, type_), merger.clashes


class _Merger:
    def __init__(self, type_: str, choose: Choice | None) -> None:
        self.type = type_
        self.choose = choose
        self.clashes: list[Clash] = []

    def tree(self, base: Tree, ours: Tree, theirs: Tree, path: str) -> Tree:
        out: Tree = {}
        for name in dict.fromkeys([*theirs, *ours]):
            at = f"{path}.{name}" if path else name
            values = base.get(name, MISSING), ours.get(name, MISSING), theirs.get(name, MISSING)
            # Lists of primitives and what stands beside them go by position: neither can be merged without the other.
            beside = name[1:] if name.startswith("_") else f"_{name}"
            apart = not any(isinstance(side.get(beside), list) for side in (base, ours, theirs))
            value = self.value(*values, at, top=path == self.type, name=name, apart=apart)
            if value is not MISSING:
                out[name] = value
        return out

    def value(
        self, base: Any, ours: Any, theirs: Any, path: str, *, top: bool = False, name: str = "", apart: bool = True
    ) -> Any:
        if _same(ours, base) or _same(ours, theirs):
            return theirs
        if _same(theirs, base):
            return ours
        if top and name in _THEIRS:
            return theirs
        if top and name in _OURS:
            return ours
        whole = top and any(self.type == type_ and name.startswith(start) for type_, start in _WHOLE)
        if not whole and isinstance(ours, dict) and isinstance(theirs, dict):
            # FHIR has no empty object: where each side took away its half, nothing is left.
            return self.tree(base if isinstance(base, dict) else {}, ours, theirs, path) or MISSING
        if not whole and apart and isinstance(ours, list) and isinstance(theirs, list):
            return self.list(base if isinstance(base, list) else [], ours, theirs, path)
        return self.clash(base, ours, theirs, path)

    def list(self, base: list[Any], ours: list[Any], theirs: list[Any], path: str) -> Any:
        old, mine, other = keyed(base, ours, theirs)
        order = _order(list(old), list(mine), list(other))
        if order is None:
            return self.clash(base, ours, theirs, path)
        out = []
        for key in order:
            values = old.get(key, MISSING), mine.get(key, MISSING), other.get(key, MISSING)
            value = self.value(*values, f"{path}[{shown(key)}]")
            if value is not MISSING:
                out.append(value)
        return out or MISSING

    def clash(self, base: Any, ours: Any, theirs: Any, path: str) -> Any:
        clash = Clash(path, *(None if side is MISSING else side for side in (base, ours, theirs)))
        chosen = self.choose(clash) if self.choose is not None else UNDECIDED
        if chosen is not UNDECIDED:
            return chosen
        self.clashes.append(clash)
        return base


def _order(old: list[Hashable], mine: list[Hashable], other: list[Hashable]) -> list[Hashable] | None:
    """All keys, in the order of the side that changed it; None where both did, each another way."""
    common = set(old) & set(mine) & set(other)
    before, here, there = ([key for key in side if key in common] for side in (old, mine, other))
    if here not in (before, there) and there != before:
        return None
    first, second = (other, mine) if here in (before, there) else (mine, other)
    return [*first, *(key for key in second if key not in first), *(key for key in old if key not in {*first, *second})]


def _same(one: Any, other: Any) -> bool:
    if one is MISSING or other is MISSING:
        return one is other
    return same(one, other)
