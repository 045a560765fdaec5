"""What a write meets: all that it may touch, read together, and on PostgreSQL locked in one order until it ends."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from adapter.ports import Link, StoredResource
from adapter.store.rows import IDS, by_head, link_of, resource_of
from adapter.store.tables import conflict, link, record, resource

Key = tuple[str, str]
# (kind, record id, part).
Place = tuple[str, str, str]


class Present:
    """Records, resources and links as they stand in a transaction; what is written is told it."""

    def __init__(
        self, connection: Connection, records: Collection[Key], wanted: Mapping[Key, Place], *, move: bool = False
    ) -> None:
        """Reads these records (kind, id) with their resources, and where the resources (type, id) of `wanted` are; with
        `move` those that are elsewhere go to the place that is wanted.
        """
        self._connection = connection
        self.places = self._places(wanted)
        if move:
            self._move(wanted)
        self.records = self._records(records)
        self.resources: dict[Key, StoredResource] = {}
        self._parts: dict[Key, dict[str, StoredResource]] = {}
        for stored in self._by_record(records):
            self.put(stored)
        self.links = self._links(records)
        # Of which there is a row: of records, and of resources.
        self.known = self.records.keys() | self.places.keys()

    def put(self, stored: StoredResource) -> None:
        """A resource as it is from now on."""
        key, place = (stored.type, stored.id), (stored.kind, stored.record_id, stored.part)
        self.resources[key], self.places[key] = stored, place
        self._parts.setdefault(place[:2], {})[stored.part] = stored

    def parts(self, kind: str, id_: str) -> dict[str, StoredResource]:
        """Every resource of a record by part key, deleted ones too."""
        return self._parts.get((kind, id_), {})

    def versions(self, keys: Iterable[Key]) -> dict[Key, int]:
        """The versions of those of these resources that there are."""
        known = {key: self.resources.get(key) for key in keys}
        found = {key: one.version for key, one in known.items() if one is not None and not one.deleted}
        for (type_,), some in by_head(key for key, one in known.items() if one is None):
            rows = self._connection.execute(_VERSIONS, {"head": type_, "ids": some})
            found |= {(type_, id_): version for id_, version in rows}
        return found

    def _places(self, keys: Iterable[Key]) -> dict[Key, Place]:
        """Where those of these resources are that there are, deleted ones too."""
        found: dict[Key, Place] = {}
        for (type_,), some in by_head(sorted(keys)):
            rows = self._connection.execute(_PLACES, {"head": type_, "ids": some})
            found |= {(type_, id_): (kind, record_id, part) for id_, kind, record_id, part in rows}
        return found

    def _by_record(self, keys: Iterable[Key]) -> list[StoredResource]:
        found: list[StoredResource] = []
        for (kind,), some in by_head(sorted(keys)):
            found += map(resource_of, self._connection.execute(_PARTS, {"head": kind, "ids": some}).all())
        return found

    def _records(self, keys: Iterable[Key]) -> dict[Key, Any]:
        found: dict[Key, Any] = {}
        for (kind,), some in by_head(sorted(keys)):
            rows = self._connection.execute(_RECORDS, {"head": kind, "ids": some}).mappings()
            found |= {(kind, row["id"]): row for row in rows}
        return found

    def _links(self, keys: Iterable[Key]) -> dict[Key, dict[Key, Link]]:
        """By record, then by (server, part)."""
        found: dict[Key, dict[Key, Link]] = {}
        for (kind,), some in by_head(sorted(keys)):
            for one in map(link_of, self._connection.execute(_LINKS, {"head": kind, "ids": some}).all()):
                found.setdefault((kind, one.record_id), {})[one.server, one.part] = one
        return found

    def _move(self, wanted: Mapping[Key, Place]) -> None:
        """A resource that was part of another record moves, with its links, and with what a person is asked about it: a
        conflict without its link could never be decided.
        """
        moves = {key: place for key, place in self.places.items() if place != wanted[key]}
        rows = [_move_row(key, place, wanted[key]) for key, place in moves.items()]
        for statement in _MOVED if rows else ():
            self._connection.execute(statement, rows)
        self.places |= {key: wanted[key] for key in moves}


def _move_row(key: Key, old: Place, new: Place) -> dict[str, str]:
    names = ("of_type", "of_id", "of_kind", "of_record", "of_part", "to_kind", "to_record", "to_part")
    return dict(zip(names, (*key, *old, *new), strict=True))


def _moving(table: Any, *where: Any, **also: Any) -> Any:
    place: dict[str, Any] = {
        "kind": bindparam("to_kind"),
        "record_id": bindparam("to_record"),
        "part": bindparam("to_part"),
    }
    return update(table).where(*where).values(**place, **also)


def _was(table: Any) -> Sequence[Any]:
    of = table.c
    return (of.kind == bindparam("of_kind"), of.record_id == bindparam("of_record"), of.part == bindparam("of_part"))


_HEAD: Any = bindparam("head")
_AT, _OF, _BY = resource.c, record.c, link.c
# In one order, so that two transactions do not wait for each other.
_PLACES = (
    select(_AT.id, _AT.kind, _AT.record_id, _AT.part)
    .where(_AT.type == _HEAD, _AT.id.in_(IDS))
    .order_by(_AT.id)
    .with_for_update()
)
_VERSIONS = select(_AT.id, _AT.version).where(_AT.type == _HEAD, _AT.id.in_(IDS), _AT.deleted.is_(False))
_PARTS = select(resource).where(_AT.kind == _HEAD, _AT.record_id.in_(IDS)).order_by(_AT.type, _AT.id).with_for_update()
_RECORDS = select(record).where(_OF.kind == _HEAD, _OF.id.in_(IDS)).order_by(_OF.id).with_for_update()
_LINKS = (
    select(link)
    .where(_BY.kind == _HEAD, _BY.record_id.in_(IDS))
    .order_by(_BY.server, _BY.record_id, _BY.part)
    .with_for_update()
)
_MOVED = (
    _moving(resource, resource.c.type == bindparam("of_type"), resource.c.id == bindparam("of_id")),
    # Who leased it knows it by the name that it had, and could not let go of it.
    _moving(link, *_was(link), link.c.local_id == bindparam("of_id"), lease_until=""),
    _moving(conflict, *_was(conflict), conflict.c.state != "resolved"),
)
