"""Records and their resources: one transaction a write, a new version only where something changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, Engine, bindparam, func, select

from adapter.errors import Gone, NotFound
from adapter.ports import Clock, Link, Owner, Page, Saved, StoredResource, Tree, instant
from adapter.store import search
from adapter.store.consents import consents
from adapter.store.database import reading, streamed, writing
from adapter.store.indexing import moment_range
from adapter.store.origins import identified, owners
from adapter.store.present import Place
from adapter.store.rows import IDS, by_head, resource_of
from adapter.store.tables import record, record_revision, resource, resource_history
from adapter.store.vault import vault_of
from adapter.store.writes import Expected, Whole, Write, tree_of

Key = tuple[str, str]


class Records:
    """Answers `adapter.ports.RecordStore`."""

    engine: Engine
    _clock: Clock

    def save(
        self,
        record: Tree,
        parts: Mapping[str, Tree],
        *,
        expect: Expected | None = None,
        expect_revision: int | None = None,
        recorded_by: str = "",
        links: Sequence[Link] = (),
        valid: str = "",
    ) -> Saved:
        with writing(self.engine) as connection:
            write = Write(connection, instant(self._clock.now()), recorded_by)
            return write.carry_out([Whole(record, parts, expect_revision, links, valid)], expect=expect)[0]

    def delete(
        self, kind: str, id_: str, *, expect: Expected | None = None, ending: str = "", recorded_by: str = ""
    ) -> None:
        with writing(self.engine) as connection:
            write = Write(connection, instant(self._clock.now()), recorded_by)
            write.carry_out((), [(kind, id_)], expect, ending=ending)

    def record(self, kind: str, id_: str) -> Tree:
        with reading(self.engine) as connection:
            row = connection.execute(select(record).where(record.c.kind == kind, record.c.id == id_)).mappings().first()
        if row is None:
            raise NotFound("There is no such record.", place=f"{kind}/{id_}")
        if row["deleted"]:
            raise Gone("The record has been deleted.", place=f"{kind}/{id_}")
        return tree_of(row["document"])

    def records_of(self, keys: Iterable[Key]) -> dict[Key, Tree]:
        found: dict[Key, Tree] = {}
        with reading(self.engine) as connection:
            for (kind,), some in by_head(keys):
                rows = connection.execute(_DOCUMENTS, {"kind": kind, "ids": some})
                found |= {(kind, id_): tree_of(document) for id_, document in rows}
        return found

    def records(self, kind: str | None = None) -> Iterator[Tree]:
        query = select(record.c.document).where(record.c.deleted.is_(False)).order_by(record.c.kind, record.c.id)
        if kind is not None:
            query = query.where(record.c.kind == kind)
        return (tree_of(row.document) for row in streamed(self.engine, query, 200))

    def revisions(self, kind: str, id_: str) -> list[Tree]:
        at = record_revision.c
        query = select(at.document, at.deleted).where(at.kind == kind, at.id == id_).order_by(at.revision.desc())
        with reading(self.engine) as connection:
            rows = connection.execute(query)
            found = [tree_of(row.document) | ({"deleted": True} if row.deleted else {}) for row in rows]
        if not found:
            raise NotFound("There is no such record.", place=f"{kind}/{id_}")
        return found

    def parts(self, kind: str, id_: str) -> dict[str, StoredResource]:
        with reading(self.engine) as connection:
            return {one.part: one for one in _parts(connection, [(kind, id_)])}

    def around(self, keys: Iterable[Key]) -> dict[Key, StoredResource]:
        with reading(self.engine) as connection:
            records: dict[Key, None] = {}
            for (type_,), some in by_head(keys):
                rows = connection.execute(_WHOSE, {"type": type_, "ids": some})
                records |= dict.fromkeys(map(tuple, rows))
            return {(one.type, one.id): one for one in _parts(connection, records)}

    def places(self, keys: Iterable[Key]) -> dict[Key, Place]:
        found: dict[Key, Place] = {}
        with reading(self.engine) as connection:
            for (type_,), some in by_head(keys):
                rows = connection.execute(_PLACES, {"type": type_, "ids": some})
                found |= {(type_, id_): (kind, record_id, part) for id_, kind, record_id, part in rows}
        return found

    def resource(self, type_: str, id_: str) -> StoredResource:
        found = self.resources([(type_, id_)]).get((type_, id_))
        if found is None:
            raise NotFound("There is no such resource.", place=f"{type_}/{id_}")
        if found.deleted:
            raise Gone("The resource has been deleted.", place=f"{type_}/{id_}")
        return found

    def resources(self, keys: Iterable[Key]) -> dict[Key, StoredResource]:
        found: dict[Key, StoredResource] = {}
        asked = list(by_head(keys))
        if not asked:
            return found
        with reading(self.engine) as connection:
            for (type_,), some in asked:
                rows = map(resource_of, connection.execute(_RESOURCES, {"type": type_, "ids": some}).all())
                found |= {(one.type, one.id): one for one in rows}
        return found

    def versions(self, keys: Iterable[tuple[str, str, int]]) -> dict[Key, Tree]:
        at = resource_history.c
        found: dict[Key, Tree] = {}
        asked = list(by_head((type_, version, id_) for type_, id_, version in keys))
        if not asked:
            return found
        with reading(self.engine) as connection:
            for (type_, version), some in asked:
                query = select(at.type, at.id, at.tree).where(at.type == type_, at.id.in_(some), at.version == version)
                found |= {(row.type, row.id): tree_of(row.tree) for row in connection.execute(query)}
        return found

    def vread(self, type_: str, id_: str, version: str) -> StoredResource:
        at, place = resource_history.c, f"{type_}/{id_}/_history/{version}"
        if not (version.isascii() and version.isdigit() and len(version) < 10):
            raise NotFound("There is no such version.", place=place)
        query = select(resource_history).where(at.type == type_, at.id == id_, at.version == int(version))
        with reading(self.engine) as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFound("There is no such version.", place=place)
        found = resource_of(row)
        if found.deleted:
            raise Gone("This version is the deletion.", place=place)
        return found

    def history(
        self, type_: str, id_: str | None = None, *, since: str | None = None, limit: int = 100, offset: int = 0
    ) -> Page:
        at = resource_history.c
        where = [at.type == type_]
        if id_ is not None:
            where.append(at.id == id_)
        if since is not None:
            found = moment_range(since)
            if found is None:
                raise search.refused("_since", "This is no date or time of FHIR.")
            where.append(at.last_updated >= found[0])
        query = select(resource_history).where(*where)
        query = query.order_by(at.last_updated.desc(), at.id, at.version.desc()).limit(limit).offset(offset)
        with reading(self.engine) as connection:
            total = connection.scalar(select(func.count()).select_from(resource_history).where(*where)) or 0
            rows = list(map(resource_of, connection.execute(query).all()))
        if id_ is not None and not total and since is None:
            raise NotFound("There is no such resource.", place=f"{type_}/{id_}")
        return Page(rows, total)

    def search(self, type_: str, params: Sequence[tuple[str, str]], *, limit: int = 50, offset: int = 0) -> Page:
        where = search.conditions(type_, params, vault_of(self.engine.dialect))
        query = select(resource).where(*where).order_by(resource.c.last_updated, resource.c.id)
        with reading(self.engine) as connection:
            total = connection.scalar(select(func.count()).select_from(resource).where(*where)) or 0
            rows = list(map(resource_of, connection.execute(query.limit(limit).offset(offset)).all()))
        return Page(rows, total)

    def owners(self, resources: Sequence[Tree], server: str = "") -> list[Owner]:
        with reading(self.engine) as connection:
            return owners(connection, resources, server)

    def identified(self, type_: str, names: Collection[str]) -> dict[str, list[str]]:
        with reading(self.engine) as connection:
            return identified(connection, type_, names)

    def consents(self, patients: Collection[str]) -> dict[str, list[Tree]]:
        with reading(self.engine) as connection:
            return consents(connection, patients)


_AT, _OF = resource.c, record.c
_LIVE = _AT.deleted.is_(False)
_RESOURCES = select(resource).where(_AT.type == bindparam("type"), _AT.id.in_(IDS))
_WHOSE = select(_AT.kind, _AT.record_id).where(_AT.type == bindparam("type"), _AT.id.in_(IDS), _LIVE)
_PLACES = select(_AT.id, _AT.kind, _AT.record_id, _AT.part).where(_AT.type == bindparam("type"), _AT.id.in_(IDS), _LIVE)
_PARTS = select(resource).where(_AT.kind == bindparam("kind"), _AT.record_id.in_(IDS), _LIVE)
_DOCUMENTS = select(_OF.id, _OF.document).where(_OF.kind == bindparam("kind"), _OF.id.in_(IDS), _OF.deleted.is_(False))


def _parts(connection: Connection, records: Iterable[Key]) -> Iterator[StoredResource]:
    """The present resources of records."""
    for (kind,), some in by_head(records):
        yield from map(resource_of, connection.execute(_PARTS, {"kind": kind, "ids": some}).all())
