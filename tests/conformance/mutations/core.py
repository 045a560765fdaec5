"""Mutations: one change to a valid resource, of which the reference and we should say the same.

An operator takes a copy of a tree and a source of chance and changes it; it returns False where it does not fit. The
operators stand in `shapes` (JSON and structure), `rules` (invariants, references, extensions, narrative), `responses`
(answers against their Questionnaire), `bundles` and `profiles` (US Core).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

Tree = dict[str, Any]
Operator = Callable[[Tree, random.Random], bool]
OPERATORS: dict[str, Operator] = {}


def operator(work: Operator) -> Operator:
    """Registers an operator by its name."""
    OPERATORS[work.__name__] = work
    return work


def nodes(tree: Any) -> Iterator[Tree]:
    """Every object of a tree, narrative and extensions aside."""
    if isinstance(tree, dict):
        yield tree
        for key, value in tree.items():
            if key not in ("text", "extension", "modifierExtension") or (key == "text" and isinstance(value, str)):
                yield from nodes(value)
    elif isinstance(tree, list):
        for value in tree:
            yield from nodes(value)


def pick(tree: Tree, chance: random.Random, test: Callable[[str, Any], bool]) -> tuple[Tree, str] | None:
    """One (object, key) whose value passes a test."""
    found = [
        (node, key) for node in nodes(tree) for key, value in node.items() if key != "resourceType" and test(key, value)
    ]
    return chance.choice(found) if found else None


def put(test: Callable[[str, Any], bool], new: Callable[[Any], Any]) -> Operator:
    """The operator that replaces one value that passes a test."""

    def work(tree: Tree, chance: random.Random) -> bool:
        spot = pick(tree, chance, test)
        if spot is None:
            return False
        node, key = spot
        before = node[key]
        node[key] = new(before)
        return bool(node[key] != before) or type(node[key]) is not type(before)

    return work


def is_text(key: str, value: Any) -> bool:
    return isinstance(value, str) and key not in ("div", "id")


def is_date(_: str, value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 10 and value[:4].isdigit() and value[4] == value[7] == "-"


def is_object(_: str, value: Any) -> bool:
    return isinstance(value, dict)


def is_array(_: str, value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def is_objects(key: str, value: Any) -> bool:
    return is_array(key, value) and all(isinstance(row, dict) for row in value)


def is_number(_: str, value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_flag(_: str, value: Any) -> bool:
    return isinstance(value, bool)


def is_coding(key: str, value: Any) -> bool:
    return key == "coding" and is_objects(key, value) and "system" in value[0] and "code" in value[0]


def is_reference(key: str, value: Any) -> bool:
    return key == "reference" and isinstance(value, str)


def one_of(tree: Tree, chance: random.Random) -> Tree:
    """One object of a tree."""
    return chance.choice(list(nodes(tree)))


def resources(tree: Tree) -> list[Tree]:
    """The resource, and those inside it."""
    return [node for node in nodes(tree) if isinstance(node.get("resourceType"), str)]


def with_key(tree: Tree, *names: str) -> list[Tree]:
    """The objects of a tree that have one of the properties."""
    return [node for node in nodes(tree) if any(name in node for name in names)]


def add_extension(node: Tree, row: Tree, name: str = "extension") -> bool:
    """Puts an extension on an object."""
    rows = node.setdefault(name, [])
    if isinstance(rows, list):
        rows.append(row)
    return isinstance(rows, list)
