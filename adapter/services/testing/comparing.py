"""What differs between two trees, place by place, for people who read `-want +got`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from adapter.fhir_json import canonical, same
from adapter.mapping.places import Place


class _Nothing:
    def __repr__(self) -> str:
        return "nothing"


NOTHING = _Nothing()


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where two trees differ; NOTHING on the side that has nothing there. `rule` is file:line:column."""

    place: Place
    want: Any
    got: Any
    rule: str = ""


def differences(want: Any, got: Any, place: Place = ()) -> Iterator[Difference]:
    """Every place where what came differs from what was wanted; items of lists are set against their like."""
    if type(want) is dict and type(got) is dict:
        for key in [*want, *(key for key in got if key not in want)]:
            yield from _side(want.get(key, NOTHING), got.get(key, NOTHING), (*place, key))
    elif type(want) is list and type(got) is list:
        yield from _lists(want, got, place)
    elif not same(want, got):
        yield Difference(place, want, got)


def _side(want: Any, got: Any, place: Place) -> Iterator[Difference]:
    if want is NOTHING or got is NOTHING:
        yield Difference(place, want, got)
    else:
        yield from differences(want, got, place)


def _lists(want: list[Any], got: list[Any], place: Place) -> Iterator[Difference]:
    matcher = SequenceMatcher(None, _forms(want), _forms(got), autojunk=False)
    for act, first, last, other, end in matcher.get_opcodes():
        if act == "equal":
            continue
        pairs = min(last - first, end - other)
        for step in range(pairs):
            yield from differences(want[first + step], got[other + step], (*place, other + step))
        yield from (Difference((*place, index), want[index], NOTHING) for index in range(first + pairs, last))
        yield from (Difference((*place, index), NOTHING, got[index]) for index in range(other + pairs, end))


def _forms(rows: Sequence[Any]) -> list[bytes]:
    return [canonical(row) for row in rows]
