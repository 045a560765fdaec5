"""Conflicts by element, what arrived without a link, and the journal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, delete, exists, insert, select, update

from adapter.errors import NotFound
from adapter.fhir_json import same
from adapter.ports import Arrival, Clock, Conflict, Entry, instant
from adapter.store.database import reading, writing
from adapter.store.rows import by_head, given, row_of
from adapter.store.tables import arrival, conflict, journal, link

Key = tuple[str, str]
_VALUES = ("base", "ours", "theirs", "value")
# Of PostgreSQL's integers; no database is asked for more.
_NUMBERS = 2**31
_STATES = ("before", "after")


class Decisions:
    """The part of `adapter.ports.SyncLedger` that speaks of what people and policies decide."""

    engine: Engine
    _clock: Clock

    def conflicts(self, server: str = "", *, state: str = "open") -> list[Conflict]:
        query = select(conflict).where(conflict.c.state == state, _STOPPED).order_by(conflict.c.number)
        if server:
            query = query.where(conflict.c.server == server)
        with reading(self.engine) as connection:
            return [_conflict(row) for row in connection.execute(query).mappings()]

    def conflict(self, number: int) -> Conflict:
        row = None
        if 0 < number < _NUMBERS:
            with reading(self.engine) as connection:
                row = connection.execute(select(conflict).where(conflict.c.number == number)).mappings().first()
        if row is None:
            raise NotFound("There is no such conflict.", place=str(number), remedy="See `careplan conflicts list`.")
        return _conflict(row)

    def decide(self, conflicts: Sequence[Conflict]) -> None:
        now = instant(self._clock.now())
        with writing(self.engine) as connection:
            for one in conflicts:
                row = row_of(one, _VALUES)
                values = {name: row[name] for name in ("state", "taken", "value", "decided_by")}
                connection.execute(
                    update(conflict).where(conflict.c.number == one.number).values(**values, decided_at=now)
                )
            self._enter(connection, [_entry_of(one) for one in conflicts if one.state == "decided"])

    def arrive(self, arrivals: Sequence[Arrival]) -> None:
        if not arrivals:
            return
        now = instant(self._clock.now())
        # Of what is named twice, the last.
        named = {(one.server, *one.remote): one for one in arrivals}
        with writing(self.engine) as connection:
            connection.execute(_FORGET, [_arrival(*key) for key in named])
            connection.execute(insert(arrival), [row_of(one, ()) | {"at": one.at or now} for one in named.values()])

    def arrivals(self, server: str, state: str = "") -> list[Arrival]:
        query = select(arrival).where(arrival.c.server == server).order_by(arrival.c.at)
        if state:
            query = query.where(arrival.c.state == state)
        with reading(self.engine) as connection:
            return [Arrival(**row) for row in connection.execute(query).mappings()]

    def arrived(self, server: str, keys: Iterable[Key]) -> None:
        rows = [_arrival(server, *key) for key in keys]
        if not rows:
            return
        with writing(self.engine) as connection:
            connection.execute(_FORGET, rows)

    def enter(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        with writing(self.engine) as connection:
            self._enter(connection, entries)

    def _enter(self, connection: Connection, entries: Sequence[Entry]) -> None:
        now = instant(self._clock.now())
        rows = [row_of(one, _STATES) | {"at": one.at or now} for one in entries]
        if rows:
            connection.execute(insert(journal), rows)

    def enter_anew(self, entries: Sequence[Entry]) -> None:
        verbs = {one.verb for one in entries}
        with reading(self.engine) as connection:
            last = self._last(connection, {(one.kind, one.record_id) for one in entries}, verbs)
        new = []
        for one in entries:
            if last.get(one.key) != (one.verb, one.reason):
                last[one.key] = (one.verb, one.reason)
                new.append(one)
        self.enter(new)

    def _last(self, connection: Connection, records: Iterable[Key], verbs: Iterable[str]) -> dict[Any, tuple[str, str]]:
        at, found = journal.c, dict[Any, tuple[str, str]]()
        for (kind,), some in by_head(records):
            where = (at.kind == kind, at.record_id.in_(some), at.verb.in_(verbs))
            query = select(at.server, at.kind, at.record_id, at.part, at.verb, at.reason).where(*where)
            for *part, verb, reason in connection.execute(query.order_by(at.number)):
                found[tuple(part)] = (verb, reason)
        return found

    def entries(self, kind: str, record_id: str) -> list[Entry]:
        at = journal.c
        query = select(journal).where(at.kind == kind, at.record_id == record_id).order_by(at.number)
        with reading(self.engine) as connection:
            rows = connection.execute(query).mappings()
            return [Entry(**{**row, **{name: given(row[name]) for name in _STATES}}) for row in rows]


def replaced(connection: Connection, part: tuple[str, str, str, str], conflicts: Sequence[Conflict], now: str) -> None:
    """These are the elements of a part (server, kind, record, part) that are in conflict now. One that was so before, with
    the same values, keeps its number, and what was decided of it; any other number is never used for them.
    """
    at = conflict.c
    where = zip((at.server, at.kind, at.record_id, at.part), part, strict=True)
    query = select(conflict).where(*(column == value for column, value in where), at.state.in_(("open", "decided")))
    new = {one.path: one for one in conflicts}
    for old in map(_conflict, connection.execute(query.order_by(at.number)).mappings().all()):
        one = new.get(old.path)
        values: dict[str, Any] = {}
        if one is not None and _as_it_was(old, one):
            del new[old.path]
            values = {
                "ours_by": one.ours_by,
                "ours_at": one.ours_at,
                "theirs_by": one.theirs_by,
                "theirs_at": one.theirs_at,
            }
        elif _is_over(old, conflicts):
            values = {"state": "replaced", **dict.fromkeys(_VALUES)}
        if values:
            connection.execute(update(conflict).where(at.number == old.number).values(**values))
    rows = [row_of(one, _VALUES) | {"opened_at": one.opened_at or now} for one in new.values()]
    if rows:
        connection.execute(insert(conflict), rows)


def _as_it_was(old: Conflict, new: Conflict) -> bool:
    return same(old.base, new.base) and same(old.ours, new.ours) and same(old.theirs, new.theirs)


def _is_over(old: Conflict, now: Sequence[Conflict]) -> bool:
    """Whether it is no more in question, or of other values. A decision of an element that is not named stays."""
    paths = {one.path for one in now}
    return old.state == "open" or not paths or old.path in paths or "" in {old.path, *paths}


def _conflict(row: Any) -> Conflict:
    return Conflict(**{**row, **{name: given(row[name]) for name in _VALUES}})


def _arrival(server: str, type_: str, id_: str) -> dict[str, str]:
    return {"at_server": server, "at_type": type_, "at_id": id_}


# Who was killed while a decision was carried out has left its row; the part is in step.
_STOPPED = exists().where(
    *(link.c[name] == conflict.c[name] for name in ("server", "kind", "record_id", "part")),
    link.c.state.in_(("conflict", "quarantine")),
)
_FORGET = delete(arrival).where(
    arrival.c.server == bindparam("at_server"),
    arrival.c.type == bindparam("at_type"),
    arrival.c.remote_id == bindparam("at_id"),
)


def _entry_of(one: Conflict) -> Entry:
    return Entry(
        *one.key, "decided", f"took {one.taken}", one.decided_by, one.path,
        before=one.ours if one.taken == "theirs" else one.theirs, after=one.value,
    )  # fmt: skip
