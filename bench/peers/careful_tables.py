"""Fields, elements and codes of the job by hand, for both directions."""

from __future__ import annotations

import json
from collections.abc import Collection

from adapter.identity import NS
from bench.inputs import ROOT
from bench.peers.by_hand import ACHIEVEMENTS, ACTIVITIES, PRIORITIES, ROLES

Row = tuple[str, str, Collection[str] | None]
"""A field of the record, its element, and the codes that may stand there; None for any text."""
LOCAL = f"{NS}/CodeSystem/local"
CODING = ("system", "version", "code", "display")
PLAN: tuple[Row, ...] = (
    ("title", "title", None),
    (
        "status",
        "status",
        frozenset(("draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown")),
    ),
    ("intent", "intent", frozenset(("proposal", "plan", "order", "option"))),
    ("description", "description", None),
)
TEAM: tuple[Row, ...] = (
    ("status", "status", frozenset(("proposed", "active", "suspended", "inactive", "entered-in-error"))),
    ("name", "name", None),
)
GOAL: tuple[Row, ...] = (
    ("lifecycle", "lifecycleStatus", frozenset(
        ("proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "entered-in-error", "rejected")
    )),
)  # fmt: skip
REQUEST_STATUS: tuple[Row, ...] = (
    ("status", "status", frozenset((
        "draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown", "scheduled", "stopped",
    ))),
)  # fmt: skip
INTENTS = frozenset((
    "proposal", "plan", "directive", "order", "reflex-order", "filler-order", "instance-order", "option", "original-order",
))  # fmt: skip
REQUEST_PRIORITY: tuple[Row, ...] = (("priority", "priority", frozenset(("routine", "urgent", "asap", "stat"))),)
QUANTITY: tuple[Row, ...] = (
    ("comparator", "comparator", frozenset(("<", "<=", ">=", ">"))),
    ("unit", "unit", None),
    ("system", "system", None),
    ("code", "code", None),
)
NOTE_AUTHOR: tuple[Row, ...] = (("author", "authorString", None),)
NOTE_TEXT: tuple[Row, ...] = (("text", "text", None),)
PROBLEM: tuple[Row, ...] = (("text", "display", None),)


class Codes:
    """A table of codes both ways, and the display of each code of ours: those without a published one go out as our own."""

    def __init__(self, name: str, published: dict[str, tuple[str, str]]) -> None:
        own = json.loads((ROOT / f"mappings/core/codesystems/{name}.json").read_bytes())
        self.system = own["url"]
        self.displays = {row["code"]: row.get("display") for row in own["concept"]}
        self.published = published
        self.back = {pair: code for code, pair in published.items()}


ACHIEVEMENT = Codes("goal-achievement", ACHIEVEMENTS)
PRIORITY = Codes("goal-priority", PRIORITIES)
ACTIVITY = Codes("activities", ACTIVITIES)
ROLE = Codes("roles", ROLES)
