"""What a profile says of one element, compiled; see profiles.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from adapter.definitions import Element
from adapter.validation.handlers import step_of
from adapter.validation.run import Run, Tree
from adapter.validation.slicing import Matcher

Rule = Callable[[Any, Run], None]
Found = list[tuple[str, Any, Element]]


@dataclass(slots=True)
class ElementRule:
    """What a profile says of one element or of one slice of it. `elements` are its JSON names with their definitions."""

    name: str
    elements: tuple[Element, ...] = ()
    min: int = 0
    max: int | None = None
    types: frozenset[str] = frozenset()
    tree: Tree = field(default_factory=dict)
    must_support: bool = False
    rules: dict[str, tuple[Rule, ...]] = field(default_factory=dict)
    children: dict[str, ElementRule] = field(default_factory=dict)
    slices: dict[str, ElementRule] = field(default_factory=dict)
    matches: Matcher | None = None
    least: int = 0
    plain: bool = False
    ordered: tuple[ElementRule, ...] = ()
    places: tuple[tuple[str, str, str, Element], ...] = ()

    def finish(self) -> None:
        """Works out what every check would else work out anew.

        `least` is what the base does not ask for already; `plain` says that only how often it comes matters; `places` are
        (JSON name, its sibling, step, definition).
        """
        base = any(element.min for element in self.elements)
        self.least = self.min if ":" in self.name or not base else 0
        speaks = self.types or self.children or self.slices or any(self.rules.values())
        self.plain = not speaks and self.tree.keys().isdisjoint("fp")
        self.ordered = tuple(self.children.values())
        self.places = tuple((each.name, "_" + each.name, step_of(each), each) for each in self.elements)

    def values(self, node: Tree) -> Found:
        """(step, value, definition) of each value that the element has in a node."""
        found: Found = []
        for name, sibling, step, element in self.places:
            value = node.get(name)
            if type(value) is list:
                found += [(f"{step}[{index}]", each, element) for index, each in enumerate(value)]
            elif value is not None or sibling in node:
                found.append((step, value, element))
        return found

    def count(self, node: Tree) -> int:
        """How many values the element has in a node."""
        total = 0
        for name, sibling, _, _ in self.places:
            value = node.get(name)
            if type(value) is list:
                total += len(value)
            elif value is not None or sibling in node:
                total += 1
        return total
