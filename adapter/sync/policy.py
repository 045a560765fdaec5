"""Who wins where both sides changed one element: by server and field, else a person is asked. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapter.errors import UsageError
from adapter.ports import Entry, Link, Take, moment
from adapter.sync.merge import UNDECIDED, Clash, ours, theirs

TAKES: tuple[Take, ...] = ("ours", "theirs", "newest", "ask")
_INSIDE = re.compile(r"\[[^\]]*\]")
FIELD = re.compile(r"\*|[A-Z][A-Za-z]+(\.[a-z][A-Za-z0-9]*)*")


def policy_of(text: str) -> tuple[str, Take]:
    """`Goal.statusReason=theirs` → its two halves. Raises UsageError."""
    field, equals, take = text.partition("=")
    found = next((one for one in TAKES if one == take), None)
    if not equals or found is None or not FIELD.fullmatch(field):
        raise UsageError(
            "A policy is FIELD=ours, theirs, newest or ask, where FIELD is a FHIR path or *.",
            place="--policy",
            remedy="For example Goal.statusReason=theirs or CarePlan=ask.",
        )
    return field, found


def take_for(policies: Mapping[str, Take], path: str) -> Take:
    """What the policies say of an element: the longest path that covers it; `ask` where none does."""
    steps = _INSIDE.sub("", path).split(".")
    for end in range(len(steps), 0, -1):
        found = policies.get(".".join(steps[:end]))
        if found is not None:
            return found
    return policies.get("*", "ask")


@dataclass(frozen=True, slots=True)
class Times:
    """When each side last changed, in seconds of one clock, and by how much they can be wrong."""

    ours: float
    theirs: float
    doubt: float = 2.0

    @property
    def newest(self) -> Take:
        """Who changed last; `ask` where that cannot be told."""
        if abs(self.ours - self.theirs) <= self.doubt:
            return "ask"
        return "ours" if self.ours > self.theirs else "theirs"


def times(here: str, there: str, skew: float) -> Times:
    """When ours and theirs last changed, by their instants; the clock there is `skew` seconds ahead."""
    ours_at = moment(here).timestamp()
    return Times(ours_at, (moment(there).timestamp() if there else ours_at) - skew)


@dataclass(slots=True)
class Policies:
    """A choice for `merge`; `decided` holds what it settled: (clash, whose)."""

    policies: Mapping[str, Take]
    times: Times
    decided: list[tuple[Clash, Take]]

    def __call__(self, clash: Clash) -> Any:
        """What is to stand at the element, or UNDECIDED."""
        take = take_for(self.policies, clash.path)
        if take == "newest":
            take = self.times.newest
        if take == "ask":
            return UNDECIDED
        self.decided.append((clash, take))
        return ours(clash) if take == "ours" else theirs(clash)

    def entries(self, link: Link) -> list[Entry]:
        """What they settled in a part, for the journal."""
        return [
            Entry(*link.key, "policy", f"took {take}", "policy", clash.path, *_given_up(clash, take))
            for clash, take in self.decided
        ]


def _given_up(clash: Clash, take: Take) -> tuple[Any, Any]:
    """What no longer stands, and what does."""
    return (clash.theirs, clash.ours) if take == "ours" else (clash.ours, clash.theirs)
