"""Units of measure: whether a code is one of UCUM, and how much of one unit is another.

https://ucum.org/ucum — a unit is terms with `.` and `/`, each an atom with prefix and exponent, annotations in braces.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache, lru_cache

from adapter.definitions.loading import Table

SYSTEM = "http://unitsofmeasure.org"
_TOKEN = re.compile(
    r"(?P<sign>[./()])|(?P<note>\{[^{}]*\})|(?P<atom>(?:\[[^\[\]]*\]|[^./(){}\[\]+\-0-9\s]|10[*^]|[0-9]+(?=[^0-9./(){}+\-]))+)(?P<power>[+-]?[0-9]+)?|(?P<number>[0-9]+)"
)
LONGEST = 200


class NoUnit(ValueError):
    """What is no unit."""


@dataclass(frozen=True, slots=True)
class Unit:
    """So many of a product of base units: `base` is pairs of base unit and exponent. `exact` is False for special units."""

    factor: Decimal
    base: tuple[tuple[str, int], ...] = ()
    exact: bool = True

    def times(self, other: Unit, sign: int) -> Unit:
        """Multiplied by another unit, or divided by it where `sign` is -1."""
        powers = dict(self.base)
        for name, power in other.base:
            powers[name] = powers.get(name, 0) + sign * power
        factor = self.factor * other.factor if sign > 0 else self.factor / other.factor
        kept = tuple(sorted((name, power) for name, power in powers.items() if power))
        return Unit(factor, kept, self.exact and other.exact)

    def to(self, power: int) -> Unit:
        """Raised to a power."""
        return Unit(self.factor**power, tuple((name, each * power) for name, each in self.base), self.exact)


ONE = Unit(Decimal(1))


def is_unit(code: str) -> bool:
    """Whether a code is one of UCUM."""
    return unit(code) is not None


def convert(value: Decimal, code: str, other: str) -> Decimal | None:
    """A value in another unit; None where the two do not measure the same, or a unit is not known."""
    first, second = unit(code), unit(other)
    if first is None or second is None or first.base != second.base or not (first.exact and second.exact):
        return None
    return value * first.factor / second.factor


@lru_cache(maxsize=4096)
def unit(code: str) -> Unit | None:
    """The unit of a code, or None."""
    if not code or len(code) > LONGEST:
        return None
    try:
        reader = _Reader(code)
        found = reader.terms()
        return found if reader.at == len(reader.tokens) else None
    except (NoUnit, ArithmeticError, RecursionError):
        return None


class _Reader:
    def __init__(self, code: str) -> None:
        self.tokens: list[re.Match[str]] = []
        self.at = 0
        place = 0
        while place < len(code):
            found = _TOKEN.match(code, place)
            if found is None:
                raise NoUnit(code)
            self.tokens.append(found)
            place = found.end()

    def sign(self) -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        return (token.group("sign") or "") if token else ""

    def terms(self) -> Unit:
        """Components with `.` and `/` between them; a leading `/` divides one by what follows."""
        total, sign = ONE, 1
        if self.sign() == "/":
            self.at += 1
            sign = -1
        while True:
            total = total.times(self.component(), sign)
            following = self.sign()
            if following not in (".", "/"):
                return total
            sign = 1 if following == "." else -1
            self.at += 1

    def component(self) -> Unit:
        """An atom with its exponent and annotation, a number, an annotation alone, or terms in parentheses."""
        if self.at >= len(self.tokens):
            raise NoUnit
        token = self.tokens[self.at]
        self.at += 1
        if token.group("sign") == "(":
            inner = self.terms()
            if self.sign() != ")":
                raise NoUnit
            self.at += 1
            return self.noted(inner)
        if token.group("sign"):
            raise NoUnit
        if token.group("note"):
            return ONE
        if token.group("number"):
            return self.noted(Unit(Decimal(token.group("number"))))
        power = token.group("power")
        return self.noted(_atom(token.group("atom")).to(int(power) if power else 1))

    def noted(self, found: Unit) -> Unit:
        """Past an annotation, which changes nothing."""
        if self.at < len(self.tokens) and self.tokens[self.at].group("note"):
            self.at += 1
        return found


@cache
def _table() -> Table:
    return Table("ucum", "units.tsv")


@cache
def _prefixes() -> tuple[str, ...]:
    return tuple(sorted((key[:-1] for key in _table() if key.endswith("-")), key=len, reverse=True))


@lru_cache(maxsize=4096)
def _atom(name: str) -> Unit:
    row = _table().get(name)
    if row is not None:
        return _unit_of(name, row)
    for prefix in _prefixes():
        rest = name.removeprefix(prefix)
        row = _table().get(rest) if rest != name else None
        if row is not None and row[0] in ("metric", "base", "special-metric"):
            factor = Unit(Decimal(_table().get(prefix + "-")[1]))
            return factor.times(_unit_of(rest, row), 1)
    raise NoUnit(name)


def _unit_of(name: str, row: list[str]) -> Unit:
    kind, value, inner = row
    if kind == "base":
        return Unit(Decimal(1), ((name, 1),))
    if kind.startswith("special"):
        return Unit(Decimal(1), ((name, 1),), exact=False)
    found = unit(inner)
    if found is None:
        raise NoUnit(name)
    return Unit(Decimal(value)).times(found, 1)
