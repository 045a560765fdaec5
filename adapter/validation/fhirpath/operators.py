"""FHIRPath's operators as closures. http://hl7.org/fhirpath/N1/#operations"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, DivisionByZero, InvalidOperation
from typing import Any

from adapter.validation.fhirpath.parsing import Unsupported
from adapter.validation.fhirpath.values import Failed, Items, among, compare, distinct, equal, shorter, text_of

Eval = Callable[[Items, Any], Items]
Test = Callable[[Items, Any], "bool | None"]


def make(name: str, left: Eval, right: Eval) -> Eval:
    """The closure of one operator. Raises Unsupported."""
    combine = _COMBINE.get(name)
    if combine is None:
        raise Unsupported(f"the operator {name} is not supported")
    if name == "|":
        return _union(left, right)
    return lambda focus, env: combine(left(focus, env), right(focus, env))


def _union(left: Eval, right: Eval) -> Eval:
    def run(focus: Items, env: Any) -> Items:
        items = [*left(focus, env), *right(focus, env)]
        env.spend(len(items) if all(type(item) is str for item in items) else len(items) * len(items))
        return distinct(items)

    return run


def _and(left: Test, right: Test) -> Test:
    def run(focus: Items, env: Any) -> bool | None:
        one = left(focus, env)
        if one is False:
            return False
        other = right(focus, env)
        if other is False:
            return False
        return True if one and other else None

    return run


def _or(left: Test, right: Test) -> Test:
    def run(focus: Items, env: Any) -> bool | None:
        one = left(focus, env)
        if one:
            return True
        other = right(focus, env)
        if other:
            return True
        return None if one is None or other is None else False

    return run


def _implies(left: Test, right: Test) -> Test:
    def run(focus: Items, env: Any) -> bool | None:
        one = left(focus, env)
        if one is False:
            return True
        other = right(focus, env)
        if other:
            return True
        return False if one and other is False else None

    return run


def _xor(left: Test, right: Test) -> Test:
    def run(focus: Items, env: Any) -> bool | None:
        one, other = left(focus, env), right(focus, env)
        return None if one is None or other is None else one != other

    return run


LOGIC: dict[str, Callable[[Test, Test], Test]] = {"and": _and, "or": _or, "implies": _implies, "xor": _xor}


def _equals(one: Items, other: Items) -> Items:
    if not one or not other:
        return []
    return [len(one) == len(other) and all(map(equal, one, other))]


def _differs(one: Items, other: Items) -> Items:
    return [not each for each in _equals(one, other)]


def _equivalent(one: Items, other: Items) -> Items:
    if len(one) != len(other):
        return [False]
    return [all(_folded(a) == _folded(b) for a, b in zip(one, other, strict=True))]


def _folded(item: Any) -> Any:
    return " ".join(item.lower().split()) if isinstance(item, str) else item


def _ordered(test: Callable[[int], bool]) -> Callable[[Items, Items], Items]:
    def run(one: Items, other: Items) -> Items:
        if not one or not other:
            return []
        if len(one) > 1 or len(other) > 1:
            raise Failed("single values are expected")
        order = compare(one[0], other[0])
        return [] if order is None else [test(order)]

    return run


def _arithmetic(work: Callable[[Any, Any], Any]) -> Callable[[Items, Items], Items]:
    def run(one: Items, other: Items) -> Items:
        if not one or not other:
            return []
        try:
            return [work(one[0], other[0])]
        except (DivisionByZero, ZeroDivisionError, InvalidOperation):
            return []
        except TypeError:
            raise Failed("these cannot be calculated with") from None

    return run


def _one_text(items: Items) -> str:
    return text_of(items[0]) if items else ""


def _joined(one: str, other: str) -> str:
    shorter(len(one) + len(other))
    return one + other


def _bounded(number: Any) -> Any:
    """A number of FHIRPath has 32 bits; what is far beyond is nothing, as an overflow is. A text is no number."""
    if isinstance(number, (str, list)):
        raise TypeError
    if isinstance(number, int) and not -(2**63) <= number < 2**63:
        raise ZeroDivisionError
    return number


_COMBINE: dict[str, Callable[[Items, Items], Items]] = {
    "=": _equals,
    "!=": _differs,
    "~": _equivalent,
    "!~": lambda one, other: [not each for each in _equivalent(one, other)],
    "<": _ordered(lambda order: order < 0),
    "<=": _ordered(lambda order: order <= 0),
    ">": _ordered(lambda order: order > 0),
    ">=": _ordered(lambda order: order >= 0),
    "|": lambda one, other: distinct([*one, *other]),
    "&": lambda one, other: [_joined(_one_text(one), _one_text(other))],
    "+": _arithmetic(lambda one, other: _joined(one, other) if isinstance(one, str) else _bounded(one + other)),
    "-": _arithmetic(lambda one, other: _bounded(one - other)),
    "*": _arithmetic(lambda one, other: _bounded(one * other)),
    "/": _arithmetic(lambda one, other: Decimal(one) / Decimal(other)),
    "div": _arithmetic(lambda one, other: int(Decimal(one) / Decimal(other))),
    "mod": _arithmetic(lambda one, other: one % other),
    "in": lambda one, other: [among(one[0], other)] if one else [],
    "contains": lambda one, other: [among(other[0], one)] if other else [],
}
