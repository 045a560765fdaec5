"""Where new elements go: arrays that only grow at their end, and elements that belong before those of later rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapter.mapping.fast.reading import first
from adapter.mapping.oneway import OneWay
from adapter.mapping.path_steps import Siblings, Step
from adapter.mapping.paths import Path
from adapter.mapping.rules import Named, OwnCode, WithCodes

Tree = dict[str, Any]
_UNKNOWN = Step("")
# What a new resource has before any rule is asked, and what makers put into it by themselves.
_NOT_EMPTY = frozenset({"identifier", "contained"})


def grow(outer: Tree, step: Step, siblings: Siblings) -> Tree:
    """The object one step further, made where it is not: before the elements that a later rule selects."""
    value = outer.get(step.name)
    if step.shape == "object":
        if step.matches(value):
            return value  # type: ignore[return-value]
    elif type(value) is list:
        found = step.only(value) if step.shape == "only" else first(value, step)
        if type(found) is dict:
            return found
    inner = step.make()
    if step.shape == "object":
        outer[step.name] = inner
    elif step.shape == "only" or type(value) is not list:
        outer[step.name] = [inner]
    else:
        value.insert(siblings.slot(value, step), inner)
    return inner


def appends(rule: Any, rules: Sequence[Any]) -> bool:
    """Whether the elements of a rule's list always go to the end of their array, as the only ones of their kind."""
    path = rule.path
    keyed = path.last.shape == "element" and len(path.last.keys) > 0
    before = (_step_at(other, path.steps, path.name) for other in _before(rule, rules))
    return keyed and at_end(path, len(path.steps), rule, rules) and path.last not in before


def at_end(path: Path, index: int, rule: Any, rules: Sequence[Any]) -> bool:
    """Whether nothing that belongs behind a step of a path can stand in its array when its rule is asked.

    So it is where every rule before this one selects there by the same keys, and none by what comes behind.
    """
    way = (*path.steps, path.last)
    step, ranks = way[index], path.ranks.get(index, ())
    behind = ranks[ranks.index(step) + 1 :] if step in ranks else ()
    steps = [_step_at(other, path.steps[:index], step.name) for other in _before(rule, rules)]
    before = [other for other in steps if other is not None]
    alike = all(_names(other) == _names(step) for other in (*behind, *before))
    return alike and not any(other in behind for other in before) and (index > 0 or step.name not in _NOT_EMPTY)


def _before(rule: Any, rules: Sequence[Any]) -> Sequence[Any]:
    return rules[: next((at for at, other in enumerate(rules) if other is rule), len(rules))]


def _names(step: Step) -> list[str]:
    return [key for key, _ in step.keys]


def _step_at(rule: Any, steps: tuple[Step, ...], name: str) -> Step | None:
    """The step by which a rule goes into an array below these steps; None where it does not."""
    inner = rule.leaf if isinstance(rule, (Named, OneWay, OwnCode, WithCodes)) else rule
    path = getattr(inner, "path", None)
    if not isinstance(path, Path):
        return _UNKNOWN
    way = (*path.steps, path.last)
    if len(way) <= len(steps) or way[: len(steps)] != steps or way[len(steps)].name != name:
        return None
    return way[len(steps)] if way[len(steps)].shape == "element" else _UNKNOWN
