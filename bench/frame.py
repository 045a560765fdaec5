"""What every measurement is made of: work done in turn with that of its peers, and the row that comes of it.

A figure is either a rate (calls a second, larger is better) or a cost (milliseconds, MiB: smaller is better). Ours is
held against the best peer's, or, where there is none, against what is allowed. Time is processor time: another program
on the same machine does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

ROUNDS = 5
SECONDS = 0.4
Row = dict[str, Any]
Work = Callable[[], object]
Meter = Callable[[float], float]
"""Seconds to spend → calls a second; for work that is done in another process."""


def rate(work: Work) -> float:
    """Calls a second of processor time, over about SECONDS."""
    done, start = 0, time.process_time()
    while (spent := time.process_time() - start) < SECONDS:
        work()
        done += 1
    return done / spent


def rates(works: Mapping[str, Work], meters: Mapping[str, Meter] | None = None) -> dict[str, float]:
    """The median rate of each, measured in turn: in every round all of them, so that a busy minute hits all alike."""
    for work in works.values():
        work()
    found: dict[str, list[float]] = {name: [] for name in (*works, *(meters or {}))}
    for _ in range(ROUNDS):
        for name, work in works.items():
            found[name].append(rate(work))
        for name, meter in (meters or {}).items():
            found[name].append(meter(SECONDS))
    return {name: median(figures) for name, figures in found.items()}


@dataclass(frozen=True, slots=True)
class Bar:
    """What a ratio must be (`limit`), what is aimed at (`goal`), and the unit of the figures."""

    limit: float = 1.0
    goal: float = 1.0
    unit: str = "resources/s"


def row(
    suite: str,
    name: str,
    ours: Work,
    peers: Mapping[str, Work],
    bar: Bar,
    per: int = 1,
    meters: Mapping[str, Meter] | None = None,
) -> Row:
    """A rate beside those of its peers; `per` is how many of the unit one call handles."""
    figures = {key: figure * per for key, figure in rates({"": ours, **peers}, meters).items()}
    return rated(suite, name, figures.pop(""), figures, bar)


def rated(suite: str, name: str, own: float, peers: Mapping[str, float], bar: Bar) -> Row:
    """A row of rates that are known already: the ratio is ours through the best peer's."""
    return _row((suite, name), own, peers, bar, own / max(peers.values()))


def cost(suite: str, name: str, own: float, peers: Mapping[str, float], bar: Bar) -> Row:
    """A row where less is better. The ratio is the least peer's (`{"allowed": 300}` where there is none) through ours."""
    return _row((suite, name), own, peers, bar, min(peers.values()) / max(own, 1e-9))


def _row(names: tuple[str, str], own: float, peers: Mapping[str, float], bar: Bar, ratio: float) -> Row:
    shown = round(ratio, 2)
    return {
        "suite": names[0], "name": names[1], "unit": bar.unit, "ours": _rounded(own),
        "peers": {key: _rounded(figure) for key, figure in peers.items()},
        "limit": bar.limit, "goal": bar.goal, "ratio": shown, "met": shown >= bar.limit,
    }  # fmt: skip


def _rounded(figure: float) -> float:
    return round(figure, 1 if figure >= 10 else 3)
