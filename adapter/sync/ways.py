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
    counts = [count for count in (4, 2, 1, 8) if count <= connections] or [1]
    if connections not in (1, 2, 4, 8):
        counts.append(connections)
    return [Way(size, count) for size in sizes for count in counts]


def quickest(known: Sequence[Way], rates: Rates) -> Way:
    """The one with the best rate, by what it costs here; where none is known, the first."""

    def worth(way: Way) -> float:
        size = ALONE if way.size == 1 else 1.0 if way.size == known[0].size else FEW
        cost = size * max(0.1, 1 - FURTHER * (way.at_once - 1))
        return rates.get(way.name, 0.0) * cost

    return max(known, key=lambda way: (worth(way), -known.index(way)))


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
    # What there is little hope for is tried seldom: it may take long.
    if chance.randrange(CURIOUS):
        least = rates.get(best.name, 0.0) / 3
        known = [way for way in known if rates.get(way.name, least) >= least and not _one_by_one(way, known)]
    others = [way for way in known if way != best]
    return chance.choice(others) if others else best


def _hopeless(way: Way, rates: Rates, known: Sequence[Way]) -> bool:
    """Whether requests of that size were so slow that more of them at once do not make up for it; whether more of them at once
    were no quicker than what is best; or whether it goes one by one where Bundles go: that is left to chance.
    """
    if _one_by_one(way, known):
        return True
    best = rates.get(quickest(known, rates).name, 0.0)
    kin = {one.at_once: rates[one.name] for one in known if one.size == way.size and one.name in rates}
    fewer = [rate / at_once for at_once, rate in kin.items() if at_once <= way.at_once]
    # Fewer may be quicker than many, where a server has few processors.
    more = [kin[at_once] for at_once in sorted(kin) if at_once > way.at_once]
    return bool(fewer and max(fewer) * way.at_once < best) or bool(more and more[0] < best)


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

    def __post_init__(self) -> None:
        self.way = following(self.known, self.rates, self.chance)

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
        rate, before = self._done / spent, self.rates.get(self.way.name)
        self.rates[self.way.name] = rate if before is None else (1 - WEIGHT) * before + WEIGHT * rate
        self.restart()
        old, self.way = self.way, following(self.known, self.rates, self.chance)
        if old != self.way:
            self._others = max(1, old.at_once - 1)
        return old != self.way

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
