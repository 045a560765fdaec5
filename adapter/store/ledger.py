"""Links: what is due, whose work it is, what came of it. Every outcome is written under the fence of its lease."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Select, and_, bindparam, func, select, update

from adapter.ports import ENDED, STOPPED, Clock, Conflict, Entry, Link, LinkKey, Tree, instant, is_past
from adapter.store.database import for_each, reading, streamed, writing
from adapter.store.decisions import Decisions, replaced
from adapter.store.rows import IDS, by_head, link_of, text_of
from adapter.store.servers import Servers, clock, past, saw
from adapter.store.tables import TODO, link, record
from adapter.store.vault import vault_of

Key = tuple[str, str]
Row = tuple[Any, ...]
_KEY = ("server", "kind", "record_id", "part")
# What only the writes of records change, what is derived from it, and what names the link.
_FIXED = frozenset({*_KEY, "wanted", "ending", "pack", "fence", "todo", "rank", "type", "local_id"})
_SETTLED = tuple(column.name for column in link.columns if column.name not in _FIXED)
_KEYS, _VALUES = attrgetter(*_KEY), attrgetter(*_SETTLED)


class Ledger(Servers, Decisions):
    """Answers `adapter.ports.SyncLedger`."""

    engine: Engine
    _clock: Clock

    def claim(self, server: str, *, limit: int, seconds: float) -> list[Link]:
        asked: dict[str, Any] = {"server": server, **clock(self._clock.now())}
        with writing(self.engine) as connection:
            rank = connection.scalar(_RANK, asked)
            if rank is None:
                return []
            mine = _free(connection, {**asked, "rank": rank, "limit": limit})
            return self._take(connection, mine, seconds)

    def lease(self, links: Sequence[Link], *, seconds: float) -> list[Link]:
        if not links:
            return []
        now = self._clock.now()
        with writing(self.engine) as connection:
            present = _present(connection, links)
            return self._take(connection, [one for one in present.values() if is_past(one.lease_until, now)], seconds)

    def _take(self, connection: Connection, links: list[Link], seconds: float) -> list[Link]:
        until = instant(self._clock.now() + timedelta(seconds=seconds))
        if links:
            for_each(connection, _TAKEN, [(until, *_KEYS(one)) for one in links])
        return [one.replace(lease_until=until, fence=one.fence + 1) for one in links]

    def launch(self, links: Sequence[Link]) -> list[Link]:
        if not links:
            return []
        rows = [(one.in_flight, one.flight, *_KEYS(one), one.fence) for one in links]
        with writing(self.engine) as connection:
            return _written(connection, _LAUNCHED, rows, links)

    def settle(
        self, links: Sequence[Link], journal: Sequence[Entry] = (), *, seen: Mapping[str, Callable[[Tree], Tree]] = {}
    ) -> list[Link]:
        if not links and not journal and not seen:
            return []
        with writing(self.engine) as connection:
            lost = settled(connection, links)
            for name, change in seen.items():
                saw(connection, name, change)
            self._enter(connection, journal)
        return lost

    def clash(self, link: Link, conflicts: Sequence[Conflict], journal: Sequence[Entry] = ()) -> None:
        now = instant(self._clock.now())
        paths = ", ".join(one.path or "the whole" for one in conflicts)
        stopped = [Entry(*link.key, link.state, f"{link.reason}: {paths}")] if conflicts else []
        with writing(self.engine) as connection:
            if settled(connection, [link]):
                return
            replaced(connection, link.key, conflicts, now)
            self._enter(connection, [*journal, *stopped])

    def waiting(self) -> frozenset[str]:
        with reading(self.engine) as connection:
            return frozenset(connection.scalars(_WAITING, clock(self._clock.now())))

    def renew(self, server: str, *, everything: bool = False, refused: bool = False) -> None:
        at = link.c
        due = and_(_to_send(server), at.not_before != "")
        if not everything:
            due = and_(due, at.reason.like("waits for %"))
        with writing(self.engine) as connection:
            connection.execute(update(link).where(due).values(not_before=""))
            if refused:
                again = {"state": "waiting", "reason": "", "attempts": 0, "not_before": "", "todo": 1}
                stopped = and_(at.server == server, at.state == "refused", at.wanted != at.acked)
                connection.execute(update(link).where(stopped).values(**again))

    def links(self, server: str, *, type_: str = "", pending: bool = False, flying: bool = False) -> Iterator[Link]:
        at = link.c
        query = select(link).where(at.server == server)
        if pending or flying:
            query = query.where(_to_send(server))
        if flying:
            query = query.where(at.in_flight != "")
        if type_:
            query = query.where(at.type == type_)
        query = query.order_by(at.rank, at.kind, at.record_id, at.part)
        return map(link_of, streamed(self.engine, query, 500))

    def link(self, key: LinkKey) -> Link | None:
        return self.links_at([key]).get(key)

    def links_at(self, keys: Collection[LinkKey]) -> dict[LinkKey, Link]:
        if not keys:
            return {}
        with reading(self.engine) as connection:
            return _named(connection, _RECORDS, keys)

    def local(self, server: str, keys: Iterable[Key]) -> dict[Key, Link]:
        found = self._by(server, keys, _LOCAL)
        return {one.local: one for one in found}

    def remote(self, server: str, keys: Iterable[Key]) -> dict[Key, Link]:
        found = self._by(server, keys, _REMOTE)
        # What was deleted here, and came back as another record of the same name, is the latter's.
        return {one.remote: one for one in sorted(found, key=lambda one: one.state not in ENDED)}

    def _by(self, server: str, keys: Iterable[Key], query: Select[Any]) -> list[Link]:
        found: list[Link] = []
        asked = list(by_head(key for key in keys if all(key)))
        if not asked:
            return found
        with reading(self.engine) as connection:
            for (type_,), some in asked:
                found += map(link_of, connection.execute(query, {"server": server, "type": type_, "ids": some}).all())
        return found

    def counts(self, server: str) -> dict[str, int]:
        at = link.c
        query = select(at.state, at.todo, func.count()).where(at.server == server).group_by(at.state, at.todo)
        found: dict[str, int] = {}
        with reading(self.engine) as connection:
            for state, todo, number in connection.execute(query):
                name = "waiting" if todo else str(state)
                found[name] = found.get(name, 0) + number
        return found

    def unsettled(self, server: str, *, limit: int = 1000) -> list[Link]:
        at = link.c
        # Each by an index of its own: a query for both, or one that sorts, would read all links.
        states = sorted(STOPPED - {"closed", "outside"})
        asked = [and_(at.server == server, at.state == state) for state in states] + [_to_send(server)]
        found: dict[Any, Link] = {}
        with reading(self.engine) as connection:
            for where in asked:
                rows = connection.execute(select(link).where(where).limit(limit))
                found |= {one.key: one for one in map(link_of, rows)}
        return sorted(found.values(), key=lambda one: one.key)[:limit]


def _to_send(server: str) -> ColumnElement[bool]:
    """What a server has something to be sent of. That its rank is any leads SQLite to the index of just these."""
    return and_(link.c.server == server, TODO, link.c.rank >= 0)


def _free(connection: Connection, asked: dict[str, Any]) -> list[Link]:
    """What is due and no other is just about to take, locked. Where another takes the first, those that follow."""
    after = ""
    while first := connection.execute(_HEADS, {**asked, "after": after}).all():
        mine: list[Link] = []
        for (kind,), some in by_head(_together(connection, asked, first)):
            mine += map(link_of, connection.execute(_LOCKED, {**asked, "kind": kind, "ids": some}).all())
        if mine:
            return mine
        after = first[-1].record_id
    return []


def _together(connection: Connection, asked: dict[str, Any], first: Sequence[Any]) -> list[Key]:
    """At most so many records that are due, those about one patient together: they may refer to each other."""
    limit = asked["limit"]
    kin: dict[Key, list[Key]] = {}
    # Where these are fewer, there are no others.
    whole = len(first) < limit
    for (kind,), some in by_head((kind, patient) for kind, _, patient in first if patient and not whole):
        patients = {
            row.id: row.patient
            for row in connection.execute(_WHOSE, {"kind": kind, "ids": some, "most": 10 * limit}).all()
        }
        for _, ids in by_head((kind, id_) for id_ in patients):
            for id_ in connection.scalars(_THEIRS, {**asked, "kind": kind, "ids": ids}).all():
                kin.setdefault((kind, patients[id_]), []).append((kind, id_))
    found: dict[Key, None] = {}
    for kind, id_, patient in first:
        found |= dict.fromkeys([(kind, id_), *kin.get((kind, patient), ())])
    return list(found)[:limit]


def settled(connection: Connection, links: Sequence[Link]) -> list[Link]:
    """Writes what is known of links where their fence still stands; gives the others."""
    vault = vault_of(connection.dialect)
    rows = []
    for one in links:
        known = [
            vault.seal(text_of(value), f"link.{name}") if type(value) is dict else value
            for name, value in zip(_SETTLED, _VALUES(one), strict=True)
        ]
        rows.append((*known, one.acked, int(one.state not in STOPPED), *_KEYS(one), one.fence))
    return _written(connection, _KNOWN, rows, links)


def _written(connection: Connection, statement: str, rows: list[Row], links: Sequence[Link]) -> list[Link]:
    """Carries the statement out for each, and gives those whose fence no longer stands."""
    if not rows or for_each(connection, statement, rows) == len(rows):
        return []
    present = _present(connection, links)
    return [one for one in links if one.key not in present or present[one.key].fence != one.fence]


def _present(connection: Connection, links: Sequence[Link]) -> dict[LinkKey, Link]:
    """As they stand, locked where the database can."""
    return _named(connection, _PRESENT, {one.key for one in links})


def _named(connection: Connection, query: Select[Any], keys: Collection[LinkKey]) -> dict[LinkKey, Link]:
    found: dict[LinkKey, Link] = {}
    for (server, kind), some in by_head((server, kind, record_id) for server, kind, record_id, _ in keys):
        rows = connection.execute(query, {"server": server, "kind": kind, "ids": some}).all()
        found |= {one.key: one for one in map(link_of, rows) if one.key in keys}
    return found


# Built once: they are what every lease and every outcome is written with.
_BOUND = " AND ".join(f"{name} = ?" for name in _KEY)
_HELD = f"{_BOUND} AND fence = ?"
_TODO = "todo = CASE WHEN wanted <> ? THEN ? ELSE 0 END"
_TAKEN = f"UPDATE link SET lease_until = ?, fence = fence + 1 WHERE {_BOUND}"  # noqa: S608 - names of ours, here and below
_LAUNCHED = f"UPDATE link SET in_flight = ?, flight = ? WHERE {_HELD}"  # noqa: S608
_KNOWN = f"UPDATE link SET {', '.join(f'{name} = ?' for name in _SETTLED)}, {_TODO} WHERE {_HELD}"  # noqa: S608
_AT, _OF = link.c, record.c
_DUE = (past(_AT.not_before), past(_AT.lease_until))
_WAITING = select(_AT.server).where(TODO, *_DUE).distinct()
_HERE = _AT.server == bindparam("server")
_RANK = select(_AT.rank).where(_HERE, TODO, _AT.rank >= 0, *_DUE).order_by(_AT.rank).limit(1)
# By the index of what is to be sent, in its own order: nothing else is read, and nothing sorted.
_MINE = and_(_HERE, TODO, _AT.rank == bindparam("rank"), *_DUE)
_HEADS = (
    select(_AT.kind, _AT.record_id, _OF.patient)
    .outerjoin(record, and_(_OF.kind == _AT.kind, _OF.id == _AT.record_id))
    .where(_MINE, _AT.record_id > bindparam("after"))
    .order_by(_AT.record_id)
    .limit(bindparam("limit"))
)
_KIND, _TYPE = _AT.kind == bindparam("kind"), _AT.type == bindparam("type")
_NAMED = (_MINE, _KIND, _AT.record_id.in_(IDS))
_RECORDS = select(link).where(_HERE, _KIND, _AT.record_id.in_(IDS))
_PRESENT = _RECORDS.with_for_update()
_LOCAL = select(link).where(_HERE, _TYPE, _AT.local_id.in_(IDS))
_REMOTE = select(link).where(_HERE, _TYPE, _AT.remote_id.in_(IDS))
_THEIRS = select(_AT.record_id).where(*_NAMED)
_LOCKED = select(link).where(*_NAMED).order_by(_AT.record_id, _AT.part).with_for_update(skip_locked=True)
_WHOSE = select(_OF.id, _OF.patient).where(_OF.kind == bindparam("kind"), _OF.patient.in_(IDS)).limit(bindparam("most"))
