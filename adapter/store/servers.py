"""Servers, what is known of them, and up to where their changes were read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, bindparam, delete, insert, or_, select, text, update

from adapter.errors import UsageError
from adapter.fhir_json import Tree, reloads
from adapter.ports import FARTHEST, Clock, Link, Server, ServerState, instant
from adapter.store.database import alone_with_servers, reading, writing
from adapter.store.rows import row_of_link, row_of_server, server_of, state_of, values_of_state
from adapter.store.tables import (
    arrival,
    conflict,
    link,
    resource,
    server,
    server_patient,
    server_state,
    turn,
    watermark,
)
from adapter.store.vault import vault_of

_EMPTY = {
    **dict.fromkeys(("last_pull", "last_push", "last_try", "last_sweep", "error", "not_before"), ""),
    "facts": {}, "sentinel": {}, "failures": 0, "skew": 0.0,
}  # fmt: skip
_OWN = (link, watermark, arrival, conflict, server_patient, server_state, turn)


class Servers:
    """The part of `adapter.ports.SyncLedger` that speaks of servers."""

    engine: Engine
    _clock: Clock

    def add_server(self, server: Server, patients: Sequence[str] = ()) -> None:
        with writing(self.engine) as connection:
            alone_with_servers(connection)
            if connection.execute(_NAMED, {"name": server.name}).first() is not None:
                raise UsageError("There is a server of that name already.", place=server.name)
            # A run that went on while one of that name was removed may have written of it since.
            _forget(connection, server.name)
            connection.execute(insert(_servers).values(**row_of_server(server)))
            connection.execute(insert(server_state).values(server=server.name, **values_of_state(_EMPTY)))
            _list(connection, server.name, patients)
            at = resource.c
            columns = (at.kind, at.record_id, at.part, at.type, at.id, at.version)
            # In the order in which they are claimed: what is written together stands together.
            query = select(*columns).where(at.deleted.is_(False)).order_by(at.kind, at.record_id)
            for some in connection.execute(query, execution_options={"yield_per": 1000}).partitions():
                new = [row_of_link(Link(server.name, *row[:5], wanted=row.version)) for row in some]
                connection.execute(insert(link), new)

    def servers(self) -> list[Server]:
        with reading(self.engine) as connection:
            rows = connection.execute(_ALL).mappings()
            return [server_of(row) for row in rows]

    def server(self, name: str) -> Server:
        with reading(self.engine) as connection:
            row = connection.execute(_NAMED, {"name": name}).mappings().first()
        if row is None:
            raise UsageError("There is no server of that name.", place=name, remedy="See `careplan server list`.")
        return server_of(row)

    def set_server(self, server: Server) -> None:
        row = row_of_server(server)
        values = {name: row[name] for name in ("paused", "hook", "options", "auth", "auth_env")}
        with writing(self.engine) as connection:
            connection.execute(update(_servers).where(_servers.c.name == server.name).values(**values))

    def remove_server(self, name: str) -> None:
        self.server(name)
        with writing(self.engine) as connection:
            _forget(connection, name)
            connection.execute(delete(server).where(server.c.name == name))

    def patients(self, name: str) -> frozenset[str]:
        query = select(server_patient.c.patient).where(server_patient.c.server == name)
        with reading(self.engine) as connection:
            return frozenset(connection.scalars(query))

    def list_patients(self, name: str, patients: Sequence[str]) -> None:
        with writing(self.engine) as connection:
            connection.execute(delete(server_patient).where(server_patient.c.server == name))
            _list(connection, name, patients)

    def look_anew(self, name: str) -> None:
        at = link.c
        again = {"state": "waiting", "reason": "", "not_before": "", "todo": 1}
        outside = and_(at.server == name, at.state == "outside", at.wanted != at.acked)
        with writing(self.engine) as connection:
            connection.execute(update(link).where(outside).values(**again))
            connection.execute(delete(watermark).where(watermark.c.server == name))

    def state(self, name: str) -> ServerState:
        with reading(self.engine) as connection:
            row = connection.execute(_STATE, {"name": name}).mappings().first()
        return state_of(row) if row is not None else ServerState(name)

    def note(self, name: str, **values: Any) -> None:
        with writing(self.engine) as connection:
            noted(connection, name, values)

    def revise(self, name: str, change: Callable[[Tree], Tree]) -> None:
        with writing(self.engine) as connection:
            row = connection.execute(_STATE.with_for_update(), {"name": name}).mappings().first()
            noted(connection, name, {"facts": change(state_of(row).facts if row is not None else {})})

    def take_turn(self, server: str, work: str, holder: str, *, seconds: float, force: bool = False) -> bool:
        now = self._clock.now()
        mine = {"name": server, "of": work, "by": holder, "till": instant(now + timedelta(seconds=seconds))}
        with writing(self.engine) as connection:
            return connection.execute(_TAKE if force else _TAKE_FREE, {**mine, **clock(now)}).rowcount > 0

    def end_turn(self, server: str, work: str, holder: str) -> None:
        with writing(self.engine) as connection:
            connection.execute(_END, {"name": server, "of": work, "by": holder})

    def watermark(self, server: str, type_: str) -> str:
        with reading(self.engine) as connection:
            return connection.scalar(_MARK, {"name": server, "of": type_}) or ""

    def set_watermark(self, server: str, type_: str, value: str) -> None:
        with writing(self.engine) as connection:
            connection.execute(_MARKED, {"name": server, "of": type_, "to": value})


_servers = server


def _forget(connection: Connection, name: str) -> None:
    for table in _OWN:
        connection.execute(delete(table).where(table.c.server == name))


def _list(connection: Connection, name: str, patients: Sequence[str]) -> None:
    vault = vault_of(connection.dialect)
    rows = [{"server": name, "found_by": vault.hashed(one), "patient": one} for one in sorted(set(patients))]
    if rows:
        connection.execute(insert(server_patient), rows)


def noted(connection: Connection, name: str, values: Mapping[str, Any]) -> None:
    """Writes fields of a server's state, leaving the others."""
    row = values_of_state(values)
    if connection.execute(_noting(tuple(row)), {**row, "name": name}).rowcount == 0:
        connection.execute(insert(server_state).values(server=name, **{**values_of_state(_EMPTY), **row}))


def saw(connection: Connection, name: str, change: Callable[[Tree], Tree]) -> None:
    """What is kept of what was last seen of a server is what `change` makes of it."""
    kept = connection.scalar(_SENTINEL, {"name": name})
    old: Tree = reloads(kept) if kept else {}
    if (new := change(old)) != old:
        noted(connection, name, {"sentinel": new})


@cache
def _noting(names: tuple[str, ...]) -> Any:
    new: dict[str, Any] = {name: bindparam(name) for name in names}
    return update(server_state).where(server_state.c.server == bindparam("name")).values(**new)


def past(column: ColumnElement[str]) -> ColumnElement[bool]:
    """`adapter.ports.is_past` of a column, at the time of `clock`."""
    return or_(column <= bindparam("now"), column > bindparam("far"))


def clock(now: datetime) -> dict[str, str]:
    """What a statement with `past` in it is carried out with."""
    return {"now": instant(now), "far": instant(now + timedelta(seconds=FARTHEST))}


def _bound(name: str) -> Any:
    return bindparam(name)


# Built once: a schedule asks them at every turn.
_NAME, _OF, _BY = map(_bound, ("name", "of", "by"))
_ALL = select(server).order_by(server.c.name)
_NAMED = select(server).where(server.c.name == _NAME)
_STATE = select(server_state).where(server_state.c.server == _NAME)
_SENTINEL = select(server_state.c.sentinel).where(server_state.c.server == _NAME).with_for_update()
# Of two that begin at once one is told that the other was first: nothing of it is an error of the database.
_TOOK = "INSERT INTO turn (server, work, holder, until) VALUES (:name, :of, :by, :till) ON CONFLICT (server, work) DO UPDATE SET holder = excluded.holder, until = excluded.until"
_TAKE = text(_TOOK)
_TAKE_FREE = text(f"{_TOOK} WHERE {past(turn.c.until)} OR turn.holder = excluded.holder")
_END = delete(turn).where(turn.c.server == _NAME, turn.c.work == _OF, turn.c.holder == _BY)
_READ_TO = and_(watermark.c.server == _NAME, watermark.c.type == _OF)
_MARK = select(watermark.c.value).where(_READ_TO)
_MARKED = text(
    "INSERT INTO watermark (server, type, value) VALUES (:name, :of, :to) ON CONFLICT (server, type) DO UPDATE SET value = excluded.value"
)
