"""Where new elements go: arrays that only grow at their end, and elements that belong before those of later rules."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapter.mapping.fast.reading import first
from adapter.mapping.oneway import OneWay
from adapter.mapping.paths import Path, Step
from adapter.mapping.rules import OwnCode, WithCodes

Tree = dict[str, Any]
_UNKNOWN = Step("")
# What a new resource has before any rule is asked, and what makers put into it by themselves.
_NOT_EMPTY = frozenset({"identifier", "contained"})


def grow(outer: Tree, step: Step, later: tuple[Step, ...]) -> Tree:
    """The object one step further, made where it is not: before the elements that a later rule selects."""
    value = outer.get(step.name)
    if step.shape == "object":
        if step.matches(value):
            return value  # type: ignore[return-value]
    elif type(value) is list:
        found = value[0] if step.shape == "only" and len(value) == 1 else first(value, step)
        if type(found) is dict:
            return found
    inner = step.make()
    if step.shape == "object":
        outer[step.name] = inner
    elif step.shape == "only" or type(value) is not list:
        outer[step.name] = [inner]
    else:
        place = next((at for at, element in enumerate(value) if any(one.matches(element) for one in later)), len(value))
        value.insert(place, inner)
    return inner


def appends(rule: Any, rules: Sequence[Any]) -> bool:
    """Whether the elements of a rule always go to the end of their array: every rule of that array selects by the
    same keys, each by other values, and those that come behind this one run behind it.
    """
    path, name = rule.path, rule.path.name
    if path.last.shape != "element" or not path.last.keys or (not path.steps and name in _NOT_EMPTY):
        return False
    keys = [key for key, _ in path.last.keys]
    seen = False
    for other in rules:
        step = _step_at(other, path.steps, name)
        seen = seen or other is rule
        if step is None or other is rule:
            continue
        if step is _UNKNOWN or [key for key, _ in step.keys] != keys:
            return False
        if step.keys == path.last.keys or (not seen and step in _behind(path)):
            return False
    return True


def _step_at(rule: Any, steps: tuple[Step, ...], name: str) -> Step | None:
    """The step by which a rule goes into an array below these steps; None where it does not."""
    inner = rule.leaf if isinstance(rule, (OneWay, OwnCode, WithCodes)) else rule
    path = getattr(inner, "path", None)
    if not isinstance(path, Path):
        return _UNKNOWN
    way = (*path.steps, path.last)
    if len(way) <= len(steps) or way[: len(steps)] != steps or way[len(steps)].name != name:
        return None
    return way[len(steps)] if way[len(steps)].shape == "element" else _UNKNOWN


def _behind(path: Path) -> tuple[Step, ...]:
    """The elements that belong behind those of a path's last step."""
    ranks = path.ranks.get(len(path.steps), ())
    return ranks[ranks.index(path.last) + 1 :] if path.last in ranks else ()
