"""How a server is sent to: so many entries a request, so many requests at once. Found out per server, and over and over. Pure.

What is quick differs fourfold by server, by the size of its tables and by what else its machine does, so nothing is
assumed: each way is tried, its rate remembered, the quickest used, and now and then another one tried again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

# One turn in so many tries another way than the quickest.
CURIOUS = 12
# What a new measurement weighs against what is remembered.
WEIGHT = 0.5
# A request for each resource costs this machine several times what one for many does, one for a few half as much again: such a
# way must be ahead by something. So must one of more connections.
ALONE, FEW = 0.8, 0.9
FURTHER = 0.02
# Fewer at once are tried where fewer were so many times quicker before; a way that was not half as slow again as the quickest
# is tried now and then, others seldom, as they may take long. Measurements differ by so much from what is expected.
PAID, NEAR, SLACK = 1.25, 0.75, 1.3
SIZES = (100, 25, 1)
Rates = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Way:
    """So many entries in a request (1: no Bundle), so many requests at once."""

    size: int
    at_once: int

    @property
    def name(self) -> str:
        """As it is kept."""
        return f"{self.size}x{self.at_once}"


def ways(largest: int, connections: int, *, bundles: bool) -> list[Way]:
    """Those that a server allows, in the order in which they are tried first. Without Bundles each goes alone."""
    sizes = sorted({min(size, largest) for size in SIZES}, reverse=True) if bundles else [1]
    counts = [count for count in (2, 4, 1, 8) if count <= connections] or [1]
    if connections not in (1, 2, 4, 8):
        counts.append(connections)
    return [Way(size, count) for size in sizes for count in counts]


def quickest(known: Sequence[Way], rates: Rates) -> Way:
    """The one with the best rate, by what it costs here; where none is known, the first."""
    return max(known, key=lambda way: (_worth(way, rates.get(way.name, 0.0), known), -known.index(way)))


def _worth(way: Way, rate: float, known: Sequence[Way]) -> float:
    """So many resources a second, less what the way costs here."""
    size = ALONE if way.size == 1 else 1.0 if way.size == known[0].size else FEW
    return rate * size * max(0.1, 1 - FURTHER * (way.at_once - 1))


def following(known: Sequence[Way], rates: Rates, chance: Random) -> Way:
    """What to do next: what was never tried, unless there is little hope for it; else mostly the quickest, and now and then
    any other.
    """
    best = quickest(known, rates)
    untried = [way for way in known if way.name not in rates and not _hopeless(way, rates, known)]
    if untried:
        return untried[0]
    if chance.randrange(CURIOUS):
        return best
    if chance.randrange(CURIOUS):
        least = NEAR * rates.get(best.name, 0.0)
        known = [way for way in known if rates.get(way.name, 0.0) >= least]
    others = [way for way in known if way != best]
    return chance.choice(others) if others else best


def _hopeless(way: Way, rates: Rates, known: Sequence[Way]) -> bool:
    """Whether what is known says that it is not the quickest: requests of that size were too slow for more of them at once to
    make up for it, or fewer at once did not pay. One by one, where Bundles go, is left to chance.
    """
    if _one_by_one(way, known):
        return True
    first = quickest(known, rates)
    best = _worth(first, rates.get(first.name, 0.0), known)
    kin, large = _of_size(way.size, rates, known), _of_size(known[0].size, rates, known)
    more = [kin[at_once] for at_once in sorted(kin) if at_once > way.at_once]
    # Fewer may be quicker than many, where a server has few processors.
    if len(more) > 1 and more[0] < PAID * more[1]:
        return True
    hopes = [more[0]] if more else []
    hopes += [rate * way.at_once / at_once for at_once, rate in kin.items() if at_once <= way.at_once]
    # As requests of the other size do with so many at once.
    hopes += [
        SLACK * rate * large[way.at_once] / large[at_once]
        for at_once, rate in kin.items()
        if way.size != known[0].size and {way.at_once, at_once} <= large.keys()
    ]
    return any(_worth(way, hope, known) < best for hope in hopes)


def _of_size(size: int, rates: Rates, known: Sequence[Way]) -> dict[int, float]:
    """The rates of requests of one size, by how many were under way at once."""
    return {way.at_once: rates[way.name] for way in known if way.size == size and way.name in rates}


def _one_by_one(way: Way, known: Sequence[Way]) -> bool:
    """Whether it does without the Bundles that go: that takes several times the work here."""
    return way.size == 1 and known[0].size > 1


@dataclass(slots=True)
class Tempo:
    """The way in use, and what is measured of it. `seconds` are of any clock that only grows."""

    known: list[Way]
    rates: dict[str, float] = field(default_factory=dict)
    chance: Random = field(default_factory=Random)
    way: Way = field(init=False)
    _began: float = 0.0
    _done: int = 0
    # So many requests may still be under way that were begun under another way.
    _others: int = 1
    # What a server does first of all, where nothing is known of it, may be slow: its caches are empty, its code is not warm.
    _cold: bool = True
    _kind: object = None
    # What is known was measured with another kind.
    _other: bool = False

    def __post_init__(self) -> None:
        self.way = following(self.known, self.rates, self.chance)

    def begin(self, kind: object) -> None:
        """What is written from now on is of this kind. A server takes half as long again for one as for another, so what was
        measured with one says of the other which way is the quickest, and not how quick: that says the next measurement.
        """
        if kind == self._kind:
            return
        self._kind = kind
        self.restart()
        if self.rates:
            self._other, self.way = True, quickest(self.known, self.rates)

    def done(self, resources: int, seconds: float) -> bool:
        """So many more were written until then; whether another way is now in use. What ends first may have been begun under
        another way, so a measurement begins when that is over.
        """
        if self._others > 0:
            self._others -= 1
            self._began = seconds
            return False
        self._done += resources
        spent = seconds - self._began
        if self._done < self.enough or spent <= 0:
            return False
        if not self.rates and self._cold:
            self._cold = False
            self.restart()
            return False
        self._measured(self._done / spent)
        self.restart()
        old, self.way = self.way, following(self.known, self.rates, self.chance)
        if old != self.way:
            self._others = old.at_once
        return old != self.way

    def _measured(self, rate: float) -> None:
        name = self.way.name
        before = self.rates.get(name, 0.0)
        if before and self._other:
            self.rates = {each: known * rate / before for each, known in self.rates.items()}
        else:
            self.rates[name] = (1 - WEIGHT) * before + WEIGHT * rate if before else rate
        self._other = False

    def restart(self) -> None:
        """What was measured since the last turn is forgotten: there was nothing to do, or something failed."""
        self._others, self._done = max(1, self._others), 0

    @property
    def enough(self) -> int:
        """So many make a measurement."""
        return max(50, 2 * self.way.size * self.way.at_once)

    def kept(self) -> dict[str, Any]:
        """As it is stored: rates to the whole resource a second."""
        return {name: round(rate) for name, rate in self.rates.items()}
