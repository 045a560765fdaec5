"""Several records in one transaction, resources moved between them: what a write through the FHIR face needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, update

from adapter.ports import Link, Saved, Tree, instant
from adapter.store.database import writing
from adapter.store.records import Records
from adapter.store.tables import conflict, link, resource
from adapter.store.writes import Expected, Write, one_resource


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
    with writing(store.engine) as connection:
        write = Write(connection, instant(now), recorded_by)
        write.check(expect)
        for record, parts in writes:
            _move(connection, str(record["kind"]), str(record["id"]), parts)
        saved = []
        for record, parts in writes:
            own = [one for one in links if (one.kind, one.record_id) == (record["kind"], record["id"])]
            saved.append(write.save(record, parts, {}, None, own))
        for kind, id_ in deletes:
            write.delete(kind, id_, {})
        return saved


def _move(connection: Connection, kind: str, id_: str, parts: Mapping[str, Tree]) -> None:
    for part, tree in parts.items():
        stored = one_resource(connection, str(tree["resourceType"]), str(tree["id"]))
        if stored is None or (stored.kind, stored.record_id, stored.part) == (kind, id_, part):
            continue
        place = {"kind": kind, "record_id": id_, "part": part}
        at = resource.c
        connection.execute(update(resource).where(at.type == stored.type, at.id == stored.id).values(**place))
        was = link.c
        where = (was.kind == stored.kind, was.record_id == stored.record_id, was.part == stored.part)
        connection.execute(update(link).where(*where, was.local_id == stored.id).values(**place))
        # What a person is asked about it goes along: a conflict without its link could never be decided.
        of = conflict.c
        asked = (
            of.kind == stored.kind,
            of.record_id == stored.record_id,
            of.part == stored.part,
            of.state != "resolved",
        )
        connection.execute(update(conflict).where(*asked).values(**place))
