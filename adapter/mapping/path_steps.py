"""One step of a FHIR path: a name, and which element of it is meant."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from adapter.fhir_json import copy, same

Tree = dict[str, Any]
Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `shape` is `object`, `only` (the one element of a list) or `element` (of a list, by `keys`).

    `has` is the name of what the only one has.
    """

    name: str
    shape: str = "object"
    keys: tuple[tuple[str, str], ...] = ()
    made: tuple[tuple[str, str], ...] = ()
    has: str = ""

    @property
    def plain(self) -> bool:
        """Whether its keys say all."""
        return not self.has

    def matches(self, element: Any) -> bool:
        """Whether it is an object that has every key."""
        if type(element) is not dict:
            return False
        if self.has and self.has not in element:
            return False
        return not self.keys or all(element.get(key) == value for key, value in self.keys)

    def make(self) -> Tree:
        """A new element with its keys."""
        return dict(self.keys + self.made)

    def bare(self, element: Tree) -> bool:
        """Whether nothing is left in it but what made it."""
        own = {key for key, _ in self.keys + self.made} | {"id"}
        return element.keys() <= own

    def only(self, elements: list[Any]) -> Any:
        """The only element of an array, of those that it asks for."""
        found = [element for element in elements if self.matches(element)] if self.has else elements
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class Slice(Step):
    """A step that selects by what stands deeper: `category[coding.system=s,coding.code=c]`, as profiles slice lists."""

    deep: Pairs = ()
    deep_made: Pairs = ()

    @property
    def plain(self) -> bool:
        """Its keys do not say all."""
        return False

    def matches(self, element: Any) -> bool:
        """Whether it holds the pattern: of a list, one element that holds all of it."""
        return type(element) is dict and _holds(element, _pattern(self.keys + self.deep))

    def make(self) -> Tree:
        """A new element with the pattern."""
        return copy(_pattern(self.keys + self.made + self.deep + self.deep_made))  # type: ignore[no-any-return]

    def bare(self, element: Tree) -> bool:
        """Whether nothing is left in it but what made it."""
        made = self.make()
        return all(name == "id" or same(value, made.get(name)) for name, value in element.items())


class Siblings(tuple[Step, ...]):  # noqa: SLOT001 - a tuple has no room of its own for the index
    """The elements that the rules of one file select from one array, in their order."""

    def __init__(self, steps: Iterable[Step]) -> None:
        self._rank = {step: rank for rank, step in enumerate(self)}
        # By the names of its keys, then by their values, the last rule that asks for them; what is not found so is asked.
        self._keyed: dict[tuple[str, ...], dict[tuple[Any, ...], int]] = {}
        self._asked: list[tuple[int, Step]] = []
        for rank, step in enumerate(self):
            if step.plain:
                names = tuple(name for name, _ in step.keys)
                self._keyed.setdefault(names, {})[tuple(value for _, value in step.keys)] = rank
            else:
                self._asked.append((rank, step))

    def slot(self, elements: list[Any], step: Step) -> int:
        """Where a new element belongs: before the first that a later rule selects, so that lists keep the order of rules."""
        rank = self._rank.get(step, len(self))
        return next((at for at, element in enumerate(elements) if self._is_later(element, rank)), len(elements))

    def _is_later(self, element: Any, rank: int) -> bool:
        if type(element) is dict:
            for names, found in self._keyed.items():
                values = tuple(map(element.get, names))
                if all(type(value) is str for value in values) and found.get(values, rank) > rank:
                    return True
        return any(later > rank and step.matches(element) for later, step in self._asked)


NO_SIBLINGS = Siblings(())


@lru_cache(maxsize=1024)
def _pattern(pairs: Pairs) -> Tree:
    """What an element of a slice holds; `coding` is a list wherever it stands."""
    tree: Tree = {}
    for path, value in pairs:
        node = tree
        *way, last = path.split(".")
        for name in way:
            inner = node.setdefault(name, [{}] if name == "coding" else {})
            node = inner[0] if name == "coding" else inner
        node[last] = value
    return tree


def _holds(node: Any, pattern: Any) -> bool:
    if type(pattern) is dict:
        return type(node) is dict and all(_holds(node.get(name), inner) for name, inner in pattern.items())
    if type(pattern) is list:
        return type(node) is list and any(_holds(row, pattern[0]) for row in node)
    return bool(node == pattern)
