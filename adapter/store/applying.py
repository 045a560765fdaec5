"""Several records in one transaction, resources moved between them: what a pull and the FHIR face need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adapter.ports import Link, Saved, Tree, instant
from adapter.store.database import writing
from adapter.store.records import Records
from adapter.store.writes import Expected, Whole, Write


def apply(
    store: Records,
    now: Any,
    writes: Sequence[tuple[Tree, Mapping[str, Tree]]],
    deletes: Sequence[tuple[str, str]],
    expect: Expected,
    links: Sequence[Link] = (),
    recorded_by: str = "",
) -> list[Saved]:
    """Writes these records with all their parts, and deletes others, all or none.

    A resource that was part of another record moves, with its versions, links and conflicts. `deletes` are records whose resources
    have moved or go too; `links` is the state of exchange that belongs to the same writes. Raises Conflict where a version in `expect` is not the present one, DataError.
    """
    own: dict[tuple[str, str], list[Link]] = {}
    for one in links:
        own.setdefault((one.kind, one.record_id), []).append(one)
    wholes = [
        Whole(record, parts, links=own.get((str(record["kind"]), str(record["id"])), ())) for record, parts in writes
    ]
    with writing(store.engine) as connection:
        return Write(connection, instant(now), recorded_by).carry_out(wholes, deletes, expect, move=True)
