"""Which rules can say anything of an object with just these properties: asked once, where a checker is made for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Guard = Callable[[frozenset[str]], bool]
"""The JSON names that an object has in, whether the rule may have something to say of it out."""


def guarded(rule: Any, guard: Guard) -> Any:
    """The rule, which is spared where its guard says that it has nothing to say."""
    rule.guard = guard
    return rule


def needs(rule: Any, *names: str) -> Any:
    """The rule, which speaks only of objects that have all of these properties."""
    wanted = frozenset(names)
    return guarded(rule, wanted.issubset)


def may_speak(rule: Any, keys: frozenset[str]) -> bool:
    """Whether a rule has to be asked about an object with these properties."""
    guard: Guard | None = getattr(rule, "guard", None)
    return guard is None or guard(keys)
