"""Three-way merge of resource trees: base, ours, theirs → merged, and the elements that both changed.

Lists are merged by element: id, linkId, url, identifier, reference, coding. Answers of a response and the target of a
goal are never merged inside: a score belongs to its answers.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from adapter.fhir_json import canonical, same

Tree = dict[str, Any]
MISSING: Any = type("Missing", (), {"__repr__": lambda self: "MISSING"})()
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


def merge(base: Tree, ours: Tree, theirs: Tree) -> tuple[Tree, list[Clash]]:
    """The tree with both edits; where both changed one element it stays as base has it, and a Clash says so."""
    type_ = str(ours.get("resourceType", ""))
    merger = _Merger(type_)
    return merger.tree(base, ours, theirs, type_), merger.clashes


class _Merger:
    def __init__(self, type_: str) -> None:
        self.type = type_
        self.clashes: list[Clash] = []

    def tree(self, base: Tree, ours: Tree, theirs: Tree, path: str) -> Tree:
        names = dict.fromkeys([*theirs, *ours])
        out: Tree = {}
        for name in names:
            at = f"{path}.{name}" if path else name
            values = base.get(name, MISSING), ours.get(name, MISSING), theirs.get(name, MISSING)
            value = self.value(*values, at, top=path == self.type, name=name)
            if value is not MISSING:
                out[name] = value
        return out

    def value(self, base: Any, ours: Any, theirs: Any, path: str, *, top: bool = False, name: str = "") -> Any:
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
        if not whole and isinstance(ours, list) and isinstance(theirs, list):
            return self.list(base if isinstance(base, list) else [], ours, theirs, path)
        return self.clash(base, ours, theirs, path)

    def list(self, base: list[Any], ours: list[Any], theirs: list[Any], path: str) -> Any:
        keyed = [_keyed(side) for side in (base, ours, theirs)]
        if any(side is None for side in keyed):
            return self.clash(base, ours, theirs, path)
        old, mine, other = (side or {} for side in keyed)
        out = []
        for key in [*other, *(key for key in mine if key not in other)]:
            values = old.get(key, MISSING), mine.get(key, MISSING), other.get(key, MISSING)
            value = self.value(*values, f"{path}[{_shown(key)}]")
            if value is not MISSING:
                out.append(value)
        return out or MISSING

    def clash(self, base: Any, ours: Any, theirs: Any, path: str) -> Any:
        self.clashes.append(Clash(path, *(None if side is MISSING else side for side in (base, ours, theirs))))
        return base


def _same(one: Any, other: Any) -> bool:
    if one is MISSING or other is MISSING:
        return one is other
    return same(one, other)


def _keyed(elements: list[Any]) -> dict[Hashable, Any] | None:
    """The elements by what identifies them; None where two have one key."""
    found: dict[Hashable, Any] = {}
    for element in elements:
        key = _key(element)
        if key in found:
            return None
        found[key] = element
    return found


def _key(element: Any) -> Hashable:
    if not isinstance(element, dict):
        return canonical(element)
    for name in ("id", "linkId"):
        if isinstance(element.get(name), str):
            return name, element[name]
    if isinstance(element.get("system"), str) and isinstance(element.get("value", element.get("code")), str):
        return "system", element["system"], element.get("value", element.get("code"))
    reference = element.get("reference")
    if isinstance(reference, dict):
        reference = reference.get("reference")
    if isinstance(reference, str):
        return "reference", reference
    return canonical(element)


def _shown(key: Hashable) -> str:
    """A key as a path may say it: never a value that is data of a patient."""
    return f"{key[0]}={key[1]}" if isinstance(key, tuple) and key[0] in ("id", "linkId") else "…"
