"""Scores of instruments: which answer counts what, and what a total means. The tables are data: `instruments/*.json`.

A missing item gives no total, never a zero. Codes are LOINC's (https://loinc.org); bands and answer codes are ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from adapter.errors import UsageError
from adapter.fhir_json import Tree, loads

NAMES: tuple[str, ...] = ("phq-9", "gad-7", "audit", "audit-c", "dast-10", "pc-ptsd-5")
"""The instruments that are known."""


@dataclass(frozen=True, slots=True)
class Band:
    """A range of totals (both ends inclusive) and our code for it."""

    code: str
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Instrument:
    """One instrument.

    `items`: linkId → answer code → score. `codes`: LOINC codes of `panel`, `total` and, where known, of items by linkId.
    `alerts`: the items where any answer above zero must stand out.
    """

    name: str
    title: str
    items: Mapping[str, Mapping[str, int]]
    bands: tuple[Band, ...]
    codes: Mapping[str, str]
    alerts: frozenset[str]

    @property
    def maximum(self) -> int:
        """The highest total."""
        return sum(max(scale.values()) for scale in self.items.values())

    def band(self, total: int) -> str | None:
        """The band of a total; None outside the instrument's range."""
        return next((band.code for band in self.bands if band.low <= total <= band.high), None)


@dataclass(frozen=True, slots=True)
class Score:
    """What answers amount to: total and band only where every item has one known answer."""

    total: int | None
    band: str | None
    complete: bool


@cache
def instrument(name: str) -> Instrument:
    """An instrument by its name. Raises UsageError for an unknown one."""
    if name not in NAMES:
        raise UsageError("There is no such instrument.", remedy=f"Known instruments: {', '.join(NAMES)}.")
    tree = loads((files("adapter.records") / "instruments" / f"{name}.json").read_bytes())
    return _instrument(tree)


def _instrument(tree: Tree) -> Instrument:
    scales = tree["scales"]
    items = {item["linkId"]: scales[item["scale"]] for item in tree["items"]}
    codes = {**tree["loinc"], **{item["linkId"]: item["loinc"] for item in tree["items"] if "loinc" in item}}
    bands = tuple(Band(band["code"], band["from"], band["to"]) for band in tree["bands"])
    return Instrument(tree["name"], tree["title"], items, bands, codes, frozenset(tree.get("alerts", ())))


def score(name: str, answers: Iterable[Mapping[str, Any]]) -> Score:
    """The score of answers `{linkId, value}`.

    An item without an answer, with a value that it does not know, or answered twice leaves the instrument incomplete.
    Items that the instrument does not have count nothing. Raises UsageError for an unknown instrument.
    """
    known = instrument(name)
    points = _points(known, answers)
    if len(points) < len(known.items):
        return Score(None, None, complete=False)
    total = sum(points.values())
    return Score(total, known.band(total), complete=True)


def _points(known: Instrument, answers: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    points: dict[str, int] = {}
    seen: set[Any] = set()
    for answer in answers:
        link_id, value = answer.get("linkId"), answer.get("value")
        scale = known.items.get(link_id) if isinstance(link_id, str) else None
        if scale is None:
            continue
        if link_id in seen:
            points.pop(str(link_id), None)
        elif isinstance(value, str) and value in scale:
            points[str(link_id)] = scale[value]
        seen.add(link_id)
    return points
