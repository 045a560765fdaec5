"""Is this a record? `check` says everything that is wrong with its shape, at once."""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.records.kinds import KINDS
from adapter.records.plain import fits


def check(record: Any) -> list[Issue]:
    """Every fault of a record's shape, as error issues with JSON pointers; an empty list where there is none.

    The record is not changed, and no value of it is repeated in an issue.
    """
    if type(record) is not dict:
        return [Issue("error", "structure", "record-type", "A record is an object.", pointer="")]
    kind = record.get("kind")
    if "kind" not in record:
        text = f"A record says its kind: {', '.join(KINDS)}."
        return [Issue("error", "required", "record-required", text, pointer="/kind")]
    if type(kind) is not str or kind not in KINDS:
        text = f"There is no such kind of record; known kinds: {', '.join(KINDS)}."
        return [Issue("error", "not-supported", "record-unknown-kind", text, pointer="/kind")]
    return _faults(record)


def _faults(record: Tree) -> list[Issue]:
    try:
        return [] if fits(record) else _told(record)
    except RecursionError:
        return [Issue("error", "too-long", "record-too-deep", "The record nests too deep to be looked at.", pointer="")]


def _told(record: Tree) -> list[Issue]:
    """The faults of a record one by one, which is marshmallow's work."""
    from marshmallow import ValidationError

    from adapter.records.faults import issues_of
    from adapter.records.schemas import schema

    try:
        schema(record["kind"]).load(record)
    except ValidationError as error:
        return issues_of(error.messages)
    return []
