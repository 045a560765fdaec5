"""What an expression comes to where only the names of an object's properties are known.

Most invariants speak of elements that are seldom there: where they are not, the invariant holds, and need not be run.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum, auto

from adapter.validation.fhirpath.parsing import Syntax


class Known(Enum):
    """What is known of a result: `SOME` is one that is not empty."""

    EMPTY = auto()
    TRUE = auto()
    FALSE = auto()
    SOME = auto()
    OPEN = auto()


EMPTY, TRUE, FALSE, SOME, OPEN = Known.EMPTY, Known.TRUE, Known.FALSE, Known.SOME, Known.OPEN
Choices = Mapping[str, tuple[str, ...]]
# Functions that give nothing where they are given nothing.
_PASSING = frozenset("where select first last tail skip take as ofType distinct repeat children descendants".split())


def holds_always(tree: Syntax, keys: frozenset[str], choices: Choices) -> bool:
    """Whether an invariant is true of every object of its type that has exactly these properties."""
    return _fold(tree, keys, choices) is TRUE


def _fold(tree: Syntax, keys: frozenset[str], choices: Choices) -> Known:
    kind = tree.kind
    if kind == "name":
        return _name(str(tree.value), keys, choices)
    if kind == "literal":
        return (TRUE if tree.value else FALSE) if isinstance(tree.value, bool) else SOME
    if kind == "this":
        return SOME
    if kind == "operator":
        left, right = (_fold(part, keys, choices) for part in tree.parts)
        return _operator(str(tree.value), left, right)
    if kind in ("child", "type", "at"):
        return EMPTY if _fold(tree.parts[0], keys, choices) is EMPTY else OPEN
    if kind == "call":
        return _call(tree, keys, choices)
    return EMPTY if kind == "empty" else OPEN


def _name(name: str, keys: frozenset[str], choices: Choices) -> Known:
    if name[:1].isupper():
        return OPEN
    names = choices.get(name, (name,))
    return SOME if any(each in keys or "_" + each in keys for each in names) else EMPTY


def _call(tree: Syntax, keys: frozenset[str], choices: Choices) -> Known:
    name, plain = tree.value, len(tree.parts) == 1
    target = _fold(tree.parts[0], keys, choices)
    if name == "not":
        return {TRUE: FALSE, FALSE: TRUE, EMPTY: EMPTY}.get(target, OPEN)
    if target is EMPTY:
        if name in ("exists", "hasValue"):
            return FALSE
        if name in ("empty", "all", "isDistinct"):
            return TRUE
        return EMPTY if name in _PASSING else OPEN
    if plain and target in (SOME, TRUE, FALSE) and name in ("exists", "empty"):
        return TRUE if name == "exists" else FALSE
    return OPEN


def _operator(sign: str, left: Known, right: Known) -> Known:
    if sign == "and":
        return FALSE if FALSE in (left, right) else _both(left, right, TRUE)
    if sign == "or":
        return TRUE if TRUE in (left, right) else _both(left, right, FALSE)
    if sign == "implies":
        if left is FALSE or right is TRUE:
            return TRUE
        return right if left is TRUE and right in (FALSE, EMPTY) else OPEN
    if sign == "|":
        return EMPTY if left is right is EMPTY else SOME if SOME in (left, right) else OPEN
    if sign in ("=", "!=", "<", ">", "<=", ">=") and EMPTY in (left, right):
        return EMPTY
    return EMPTY if sign == "in" and left is EMPTY else OPEN


def _both(left: Known, right: Known, same: Known) -> Known:
    """Of `and` and `or` where neither decides: `same` where both are that, empty where one is."""
    if left is right is same:
        return same
    return EMPTY if {left, right} <= {EMPTY, same} else OPEN
