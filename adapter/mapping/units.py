"""UCUM units that stand for the same kind of thing, and how many of the one are one of the other, exactly.

https://ucum.org/ucum — what the tables there define as an exact decimal multiple; units with an offset are left out.
"""

from __future__ import annotations

from decimal import Decimal, Inexact, localcontext

SYSTEM = "http://unitsofmeasure.org"
_PREFIXES = {"n": -9, "u": -6, "m": -3, "c": -2, "d": -1, "": 0, "da": 1, "h": 2, "k": 3, "M": 6}
_METRIC = {"g": "mass", "L": "volume", "l": "volume", "m": "length", "s": "time", "mol": "amount"}
_OTHER = {
    "[gr]": ("mass", "0.06479891"),
    "[oz_av]": ("mass", "28.349523125"),
    "[lb_av]": ("mass", "453.59237"),
    "[in_i]": ("length", "0.0254"),
    "[ft_i]": ("length", "0.3048"),
    "min": ("time", "60"),
    "h": ("time", "3600"),
    "d": ("time", "86400"),
    "wk": ("time", "604800"),
    "a": ("time", "31557600"),
    "mo": ("time", "2629800"),
    "1": ("number", "1"),
    "%": ("number", "0.01"),
    "10*3": ("number", "1000"),
}


def _size(unit: str) -> tuple[str, Decimal] | None:
    """(what it measures, how many of the base unit); what stands in braces is a remark, not a unit."""
    if unit.startswith("{") and unit.endswith("}"):
        return unit, Decimal(1)
    if unit in _OTHER:
        kind, size = _OTHER[unit]
        return kind, Decimal(size)
    for prefix, power in _PREFIXES.items():
        if unit.startswith(prefix) and unit.removeprefix(prefix) in _METRIC:
            return _METRIC[unit.removeprefix(prefix)], Decimal(10) ** power
    return None


def is_unit(unit: str) -> bool:
    """Whether it is a unit of these tables."""
    return _size(unit) is not None


def convert(value: Decimal, unit: str, other: str) -> Decimal | None:
    """An amount of one unit in another; None where they measure different things or there is no exact answer."""
    if unit == other:
        return value
    one, two = _size(unit), _size(other)
    if one is None or two is None or one[0] != two[0]:
        return None
    with localcontext(prec=60) as context:
        found = value * one[1] / two[1]
        return None if context.flags[Inexact] else found
