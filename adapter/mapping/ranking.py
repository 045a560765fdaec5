"""The order of elements in an array that several rules select from: that of the rules."""

from __future__ import annotations

from typing import Any

from adapter.mapping.lists import Items
from adapter.mapping.oneway import OneWay
from adapter.mapping.path_steps import Siblings, Step
from adapter.mapping.paths import Path
from adapter.mapping.reshape import Either
from adapter.mapping.rules import Rule


def rank(rules: list[Rule]) -> list[Rule]:
    """Tell each path which elements its neighbours select from the same arrays, in the order of the rules."""
    paths = [(rule, path, (*path.steps, path.last)) for rule in rules for path in _paths_of(rule)]
    arrays: dict[tuple[Any, ...], dict[Step, None]] = {}
    for _, _, steps in paths:
        for index, step in enumerate(steps):
            if step.shape == "element":
                arrays.setdefault((*steps[:index], step.name), {})[step] = None
    siblings = {array: Siblings(found) for array, found in arrays.items()}
    names = {array[-1] for array in siblings}
    for rule, path, steps in paths:
        ranks = {}
        for index, step in enumerate(steps):
            if step.name in names and (found := siblings.get((*steps[:index], step.name))):
                ranks[index] = found
        inner = getattr(rule, "inner", rule)
        if isinstance(inner, Items) and inner.others:
            inner.others = ranks.get(len(path.steps), ())
        object.__setattr__(path, "ranks", ranks)
    return rules


def _paths_of(rule: Any) -> list[Path]:
    if isinstance(rule, Either):
        return rule.paths
    found = rule.leaf.path if isinstance(rule, OneWay) else getattr(rule, "path", None)
    return [found] if isinstance(found, Path) else []
