"""The kinds of record, and what of each is the store's."""

from __future__ import annotations

from adapter.fhir_json import Tree
from adapter.identity import TYPE_OF_KIND

KINDS: tuple[str, ...] = tuple(TYPE_OF_KIND)
"""The kinds of record."""

ENVELOPE: frozenset[str] = frozenset({"revision", "recorded_at", "recorded_by", "origin", "pack"})
"""The fields of a record that are the store's, never mapped."""


def content_of(record: Tree) -> Tree:
    """A record without its envelope; the record itself where it has none."""
    if ENVELOPE.isdisjoint(record):
        return record
    return {key: value for key, value in record.items() if key not in ENVELOPE}
