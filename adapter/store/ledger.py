"""Servers, links, leases, watermarks and the journal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, insert, select, update

from adapter.errors import Conflict, UsageError
from adapter.ports import Clock, Link, Server
from adapter.store.database import reading, writing
from adapter.store.rows import instant, link_of, row_of_link, row_of_server, server_of
from adapter.store.tables import journal, link, resource, server, watermark


class Ledger:
    """Answers `adapter.ports.SyncLedger`."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self.engine = engine
        self._clock = clock

    def add_server(self, server: Server) -> None:
        with writing(self.engine) as connection:
            if connection.execute(_named(server.name)).first() is not None:
                raise UsageError("There is a server of that name already.", place=server.name)
            connection.execute(_servers.insert().values(**row_of_server(server)))
            at = resource.c
            rows = connection.execute(
                select(at.kind, at.record_id, at.part, at.type, at.id).where(at.deleted.is_(False))
            )
            links = [row_of_link(Link(server.name, *row, wanted=1)) for row in rows]
            if links:
                connection.execute(insert(link), links)

    def servers(self) -> list[Server]:
        with reading(self.engine) as connection:
            rows = connection.execute(select(server).order_by(server.c.name)).mappings()
            return [server_of(row) for row in rows]

    def server(self, name: str) -> Server:
        with reading(self.engine) as connection:
            row = connection.execute(_named(name)).mappings().first()
        if row is None:
            raise UsageError("There is no server of that name.", place=name, remedy="See `careplan server list`.")
        return server_of(row)

    def remove_server(self, name: str) -> None:
        self.server(name)
        with writing(self.engine) as connection:
            for table in (link, watermark):
                connection.execute(delete(table).where(table.c.server == name))
            connection.execute(delete(server).where(server.c.name == name))

    def links(self, server: str, *, pending: bool = False) -> list[Link]:
        query = select(link).where(link.c.server == server)
        if pending:
            query = query.where(link.c.wanted != link.c.acked)
        query = query.order_by(link.c.kind, link.c.record_id, link.c.part)
        with reading(self.engine) as connection:
            return [link_of(row) for row in connection.execute(query).mappings()]

    def link_of(self, server: str, type_: str, *, local_id: str = "", remote_id: str = "") -> Link | None:
        where = [link.c.server == server, link.c.type == type_]
        where.append(link.c.remote_id == remote_id if remote_id else link.c.local_id == local_id)
        with reading(self.engine) as connection:
            row = connection.execute(select(link).where(*where)).mappings().first()
        return link_of(row) if row is not None else None

    def put_links(self, links: Sequence[Link], *, fence: int | None = None) -> None:
        with writing(self.engine) as connection:
            for one in links:
                row = connection.execute(select(link).where(_is(one)).with_for_update()).mappings().first()
                if fence is not None and row is not None and row["fence"] != fence:
                    raise Conflict("Another process has taken this work over.", reason="race", place=_place(one))
                # What was wanted since then stays wanted.
                values = row_of_link(replace(one, wanted=max(one.wanted, row["wanted"] if row is not None else 0)))
                connection.execute(delete(link).where(_is(one)))
                connection.execute(insert(link).values(**values))

    def lease(self, links: Sequence[Link], *, seconds: float) -> list[Link]:
        now = self._clock.now()
        until, present = instant(now + timedelta(seconds=seconds)), instant(now)
        taken: list[Link] = []
        with writing(self.engine) as connection:
            for one in links:
                row = connection.execute(select(link).where(_is(one)).with_for_update()).mappings().first()
                if row is None or row["lease_until"] > present:
                    continue
                new = replace(link_of(row), lease_until=until, fence=row["fence"] + 1)
                connection.execute(update(link).where(_is(one)).values(lease_until=until, fence=new.fence))
                taken.append(new)
        return taken

    def watermark(self, server: str, type_: str) -> str:
        query = select(watermark.c.value).where(watermark.c.server == server, watermark.c.type == type_)
        with reading(self.engine) as connection:
            return connection.scalar(query) or ""

    def set_watermark(self, server: str, type_: str, value: str) -> None:
        at = watermark.c
        with writing(self.engine) as connection:
            connection.execute(delete(watermark).where(at.server == server, at.type == type_))
            connection.execute(insert(watermark).values(server=server, type=type_, value=value))

    def journal(self, server: str, link: Link, verb: str, reason: str) -> None:
        row = {"server": server, "kind": link.kind, "record_id": link.record_id, "part": link.part}
        with writing(self.engine) as connection:
            connection.execute(insert(journal).values(at=instant(self._clock.now()), verb=verb, reason=reason, **row))


_servers = server


def _named(name: str) -> Any:
    return select(server).where(server.c.name == name)


def _is(one: Link) -> ColumnElement[bool]:
    at = link.c
    return and_(at.server == one.server, at.kind == one.kind, at.record_id == one.record_id, at.part == one.part)


def _place(one: Link) -> str:
    return f"{one.kind}/{one.record_id}" + (f" {one.part}" if one.part else "")
