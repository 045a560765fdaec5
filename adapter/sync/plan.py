"""Decide, then do: what one part of a record needs, from its link and the state of both sides. Pure.

The table is that of docs/sync.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Side = Literal["absent", "same", "changed", "deleted"]
Verb = Literal["nothing", "create", "push", "pull", "merge", "withdraw", "conflict", "gone", "close", "adopt"]


@dataclass(frozen=True, slots=True)
class Action:
    """What to do, and why."""

    verb: Verb
    reason: str


_TABLE: dict[tuple[Side, Side], tuple[Verb, str]] = {
    ("same", "same"): ("nothing", "both sides are as they were"),
    ("changed", "same"): ("push", "changed here"),
    ("same", "changed"): ("pull", "changed there"),
    ("changed", "changed"): ("merge", "changed on both sides"),
    ("deleted", "same"): ("withdraw", "deleted here"),
    ("deleted", "changed"): ("conflict", "deleted here, changed there"),
    ("changed", "deleted"): ("conflict", "changed here, deleted there"),
    ("same", "deleted"): ("gone", "deleted there"),
    ("deleted", "deleted"): ("close", "deleted on both sides"),
    ("changed", "absent"): ("create", "new here"),
    ("same", "absent"): ("create", "new here"),
    ("deleted", "absent"): ("close", "deleted here before it was sent"),
    ("absent", "changed"): ("adopt", "new there"),
    ("absent", "same"): ("adopt", "new there"),
    ("absent", "deleted"): ("nothing", "not known here, deleted there"),
    ("absent", "absent"): ("nothing", "not known anywhere"),
}


def decide(local: Side, remote: Side, state: str = "linked") -> Action:
    """The action for one part; a link that is `gone` and comes back is a conflict, one in conflict waits; what was withdrawn
    never comes back by itself.
    """
    if state == "conflict":
        return Action("nothing", "in conflict, waits for a decision")
    if state == "closed":
        if remote == "changed":
            return Action("conflict", "withdrawn here, changed there")
        return Action("nothing", "withdrawn on both sides")
    if state == "gone":
        if remote in ("same", "changed"):
            return Action("conflict", "deleted there, and back again")
        return Action("nothing", "deleted there, kept here")
    return Action(*_TABLE[local, remote])
