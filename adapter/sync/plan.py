"""Decide, then do: what one part of a record needs, from its link and the state of both sides. Pure.

The table is that of docs/sync.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from adapter.fhir_json import same
from adapter.ports import Link, StoredResource, Tree

Side = Literal["absent", "same", "changed", "deleted"]
Verb = Literal["nothing", "create", "push", "pull", "merge", "withdraw", "conflict", "gone", "close", "adopt"]

# What is known of the other side: not looked at in this round, not there any more, or the resource with our ids.
UNSEEN: Any = type("Unseen", (), {"__repr__": lambda self: "UNSEEN"})()
DELETED: Any = type("Deleted", (), {"__repr__": lambda self: "DELETED"})()


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
_WAITING = {
    "conflict": "in conflict, waits for a decision",
    "quarantine": "set aside, waits for a decision",
    "outside": "not for this server",
}


def decide(local: Side, remote: Side, state: str = "linked") -> Action:
    """The action for one part; a link that is `gone` and comes back is a conflict, one in conflict waits; what was withdrawn
    never comes back by itself.
    """
    if state in _WAITING:
        return Action("nothing", _WAITING[state])
    if state == "closed":
        if remote == "changed":
            return Action("conflict", "withdrawn here, changed there")
        return Action("nothing", "withdrawn on both sides")
    if state == "gone":
        if remote in ("same", "changed"):
            return Action("conflict", "deleted there, and back again")
        return Action("nothing", "deleted there, kept here")
    return Action(*_TABLE[local, remote])


def plan(link: Link | None, local: StoredResource | None, remote: Any = UNSEEN) -> Action:
    """The action for one part: its link, our resource, and theirs as we would hold it, or UNSEEN, or DELETED."""
    return decide(
        local_side(link, local), remote_side(link, local, remote), link.state if link is not None else "linked"
    )


def local_side(link: Link | None, local: StoredResource | None) -> Side:
    """What became of our resource since the server last had it."""
    if local is None:
        return "absent" if link is None else "deleted"
    if local.deleted:
        return "deleted"
    return "same" if link is not None and link.acked == local.version else "changed"


def remote_side(link: Link | None, local: StoredResource | None, remote: Any) -> Side:
    """What became of theirs since we last saw it. What is as we last saw it is an own write, or a mere new version."""
    if remote is DELETED:
        return "deleted"
    if link is None or not link.linked:
        return "absent" if remote is UNSEEN else "changed"
    if remote is UNSEEN:
        return "deleted" if link.state == "gone" else "same"
    return "same" if same(remote, known(link, local)) else "changed"


def known(link: Link, local: StoredResource | None) -> Tree | None:
    """Theirs as we last saw it, where it can be told without looking further."""
    if link.seen is not None:
        return link.seen
    return local.tree if local is not None and local.version == link.base else None
