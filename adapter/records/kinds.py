"""The kinds of record, and what of each is the store's."""

from __future__ import annotations

KINDS: tuple[str, ...] = (
    *("patient", "form", "assessment", "diagnosis"),
    *("plan", "goal", "care_team", "request", "consent"),
)
"""The kinds of record."""

ENVELOPE: frozenset[str] = frozenset({"revision", "recorded_at", "recorded_by", "origin", "pack"})
"""The fields of a record that are the store's, never mapped."""
