"""FHIR paths of mapping files: parsed once, then read, built and pruned on plain trees.

A path is steps joined by dots. A step is a name, and may say which element of it is meant:

    code            the object, or the leaf where it is last
    item[linkId=x]  the element of a list that has linkId x: selected when read, made when written
    answer[!]       the only element of a list; a list of two has none
    reason[text!]   the only element that has a text
    age(code=a)     the object, if it has code a; made with it when written
    category[coding.code=x]  the element whose CodeableConcept has a coding with code x: a slice

`key:=value` inside brackets is written when the element is made, and not asked for when it is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Any

from adapter.mapping.path_steps import NO_SIBLINGS, Pairs, Siblings, Slice, Step

Tree = dict[str, Any]
__all__ = [
    "Path", "PathError", "Slice", "Step", "again", "expand", "get", "parse", "put", "record_steps", "replace_only",
]  # fmt: skip
_APART = r".\[\]{}#*\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_NAME = re.compile(rf"[^\s{_APART}](?:[^{_APART}]*[^\s{_APART}])?")
_PREFIX = re.compile(r"\$([A-Za-z0-9_]+)")
_STEP = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9]*)(?:\[(?P<list>[^\]]*)\]|\((?P<guard>[^)]*)\))?")


class PathError(ValueError):
    """A path that cannot be read; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Path:
    """Steps to the object that holds it, and the last step, whose name is `name`.

    `ranks` gives, by the number of a step, the elements that the rules of the same file select there, in their order.
    """

    steps: tuple[Step, ...]
    last: Step
    text: str
    ranks: Mapping[int, Siblings] = field(default_factory=dict, compare=False, repr=False)

    @property
    def name(self) -> str:
        """The name of the last step."""
        return self.last.name

    @property
    def first(self) -> Step:
        """The step that begins it."""
        return self.steps[0] if self.steps else self.last

    def holder(self, node: Any) -> Tree | None:
        """The object that holds the last step, or None where the way there is not."""
        for step in self.steps:
            node = _enter(node, step)
            if node is None:
                return None
        return node if type(node) is dict else None

    def make_holder(self, node: Tree) -> Tree:
        """The object that holds the last step, made where it is not."""
        for index, step in enumerate(self.steps):
            node = _enter_or_make(node, step, self.ranks.get(index, NO_SIBLINGS))
        return node

    def slot(self, elements: list[Any]) -> int:
        """Where a new element of the last step belongs in its array."""
        return self.ranks.get(len(self.steps), NO_SIBLINGS).slot(elements, self.last)

    def prune(self, node: Tree) -> None:
        """Remove what holds nothing any more, from the inside out."""
        way = [node]
        for step in self.steps:
            inner = _enter(way[-1], step)
            if inner is None:
                return
            way.append(inner)
        for step, outer, inner in reversed(list(zip(self.steps, way, way[1:], strict=False))):
            if not step.bare(inner):
                return
            _leave(outer, step, inner)


def _enter(node: Any, step: Step) -> Tree | None:
    if type(node) is not dict:
        return None
    value = node.get(step.name)
    if step.shape == "object":
        return value if type(value) is dict and step.matches(value) else None
    if type(value) is not list:
        return None
    if step.shape == "only":
        found = step.only(value)
        return found if type(found) is dict else None
    for element in value:
        if step.matches(element):
            return element  # type: ignore[no-any-return]
    return None


def _enter_or_make(node: Tree, step: Step, siblings: Siblings) -> Tree:
    inner = _enter(node, step)
    if inner is not None:
        return inner
    inner = step.make()
    if step.shape == "object":
        node[step.name] = inner
    elif step.shape == "only" or type(node.get(step.name)) is not list:
        replace_only(node, step, inner)
    else:
        elements = node[step.name]
        elements.insert(siblings.slot(elements, step), inner)
    return inner


def replace_only(node: Tree, step: Step, inner: Any) -> None:
    """Make this the only element of an array, of those that the step asks for."""
    stands = node.get(step.name)
    kept = [element for element in stands if not step.matches(element)] if step.has and type(stands) is list else []
    node[step.name] = [*kept, inner]


def _leave(outer: Tree, step: Step, inner: Tree) -> None:
    value = outer.get(step.name)
    if type(value) is list:
        value[:] = [element for element in value if element is not inner]
        if value:
            return
    outer.pop(step.name, None)


def parse(text: str, prefixes: Mapping[str, str]) -> Path:
    """Read a path; `$name` stands for a prefix of the pack. Raises PathError."""
    steps = []
    position = 0
    while True:
        match = _STEP.match(text, position)
        if match is None:
            raise PathError(f"expected an element name at column {position + 1} of {text!r}")
        steps.append(_step(match, prefixes))
        position = match.end()
        if position == len(text):
            break
        if text[position] != ".":
            raise PathError(f"expected '.' at column {position + 1} of {text!r}")
        position += 1
    return Path(tuple(steps[:-1]), steps[-1], text)


def again(path: Path) -> Path:
    """The same path for another rule, which has neighbours of its own."""
    return Path(path.steps, path.last, path.text)


def _step(match: re.Match[str], prefixes: Mapping[str, str]) -> Step:
    name, in_list, guard = match["name"], match["list"], match["guard"]
    if in_list is not None and in_list.endswith("!"):
        return Step(name, "only", has=in_list[:-1])
    if in_list is None and guard is None:
        return _named(name)
    keys, made = _conditions(in_list if in_list is not None else guard, prefixes)
    shape = "element" if in_list is not None else "object"
    flat, flat_made = (tuple(pair for pair in pairs if "." not in pair[0]) for pairs in (keys, made))
    deep, deep_made = (tuple(pair for pair in pairs if "." in pair[0]) for pairs in (keys, made))
    return (
        Slice(name, shape, flat, flat_made, deep=deep, deep_made=deep_made)
        if deep or deep_made
        else Step(name, shape, flat, flat_made)
    )


@cache
def _named(name: str) -> Step:
    return Step(name)


def _conditions(text: str, prefixes: Mapping[str, str]) -> tuple[Pairs, Pairs]:
    keys: list[tuple[str, str]] = []
    made: list[tuple[str, str]] = []
    for part in text.split(","):
        key, equals, value = part.partition("=")
        if not equals or not key.strip() or not value.strip():
            raise PathError(f"expected key=value in [{text}]")
        only_made = key.endswith(":")
        row = (key.removesuffix(":").strip(), expand(value.strip(), prefixes))
        (made if only_made else keys).append(row)
    return tuple(keys), tuple(made)


def expand(text: str, prefixes: Mapping[str, str]) -> str:
    """`$ext/x` with the prefix of that name put in. Raises PathError where the pack has none."""
    if not text.startswith("$"):
        return text
    name = _PREFIX.match(text)
    if name is None or name[1] not in prefixes:
        raise PathError(f"no prefix {text.split('/', maxsplit=1)[0]} in pack.yaml")
    return prefixes[name[1]] + text[name.end() :]


@lru_cache(maxsize=4096)
def record_steps(text: str) -> tuple[str, ...]:
    """The names of a record path. Raises PathError."""
    names = tuple(text.split("."))
    if not all(map(is_name, names)):
        raise PathError(f"expected names joined by dots, not {text!r}")
    return names


def is_name(text: str) -> bool:
    """Whether a field of that name can stand in a record path: providers' names hold blanks, digits, letters of all kinds."""
    return _NAME.fullmatch(text) is not None


def get(tree: Any, names: tuple[str, ...]) -> Any:
    """What a record holds there, or None."""
    for name in names:
        if type(tree) is not dict:
            return None
        tree = tree.get(name)
    return tree


def put(tree: Tree, names: tuple[str, ...], value: Any) -> None:
    """Write it there, making the objects on the way."""
    for name in names[:-1]:
        tree = tree.setdefault(name, {})
    tree[names[-1]] = value
