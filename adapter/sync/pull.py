"""Fetch what changed there: a window by the server's own stamps for each type, its history for what was deleted.

A look costs a few requests for each type, whatever the number of links; what is read again changes nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice

from adapter.errors import Gone, NotFound, Unavailable
from adapter.fhir_json import Tree
from adapter.mapping.pausing import paused
from adapter.ports import ENDED, Arrival, Link, Rows, Versioned, instant, moment
from adapter.sync.adopting import ADOPTED, Adopting
from adapter.sync.anew import refer_again
from adapter.sync.beginning import COUNT, about_patients, linked
from adapter.sync.brake import brake, sweep
from adapter.sync.facts import Facts
from adapter.sync.incoming import Incoming
from adapter.sync.pages import ahead, deleted_id, joined
from adapter.sync.partner import Names, Partner, Report
from adapter.sync.probe import flown, meet
from adapter.sync.scope import Scope
from adapter.sync.sentinel import keep, look_again, remember
from adapter.sync.stamps import DAY, bounded, had_twice, is_due, is_known
from adapter.sync.turn import Turn

# After so many times several pages of a sorted answer the watermark moves: one that is cut short was not for nothing.
TAKES = 5
# In the order in which they are taken over; a Questionnaire never by itself.
TYPES = ("Patient", "Questionnaire", *ADOPTED)


def pull(partner: Partner, report: Report | None = None, *, dry_run: bool = False, turn: Turn | None = None) -> Report:
    """Everything that changed there since the last look, deletions included. `report` is filled as it goes; `turn` is
    kept up on the way.

    Raises Unavailable, and DataError where the server looks wiped or restored from a backup: then nothing is changed.
    """
    look = _Look(partner, report or Report(), Facts.of(partner), dry_run, turn)
    look.nothing_known()
    if (found := look_again(partner)).fell:
        look.swept()
    if not dry_run:
        keep(partner, found)
    flown(look.incoming)
    look.arrivals()
    for type_ in look.types:
        look.window(type_)
    look.deleted()
    look.adopting.more_comes = False
    look.arrivals()
    look.noted()
    return look.report


@dataclass(slots=True)
class _Look:
    partner: Partner
    report: Report
    facts: Facts
    dry_run: bool
    turn: Turn | None = None
    names: Names = field(init=False)
    incoming: Incoming = field(init=False)
    adopting: Adopting = field(init=False)
    stamps: dict[str, str] = field(default_factory=dict)
    news: list[Versioned] = field(default_factory=list)
    swept_now: bool = False
    back: list[Link] = field(default_factory=list)
    met: set[str] = field(default_factory=set)
    whole: set[str] = field(default_factory=set)
    lost: dict[str, datetime] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.names = Names(self.partner)
        self.incoming = Incoming(self.partner, self.names, self.report, dry_run=self.dry_run)
        self.adopting = Adopting(self.partner, self.names, self.report, dry_run=self.dry_run)

    @property
    def types(self) -> list[str]:
        """The types that the server has, and that its options let through."""
        scope = Scope(self.partner)
        known = self.facts.capability.types
        # A score is a part of its assessment.
        kinds = {map_.type_: map_.kind for map_ in reversed(self.partner.mapper.main)}
        there = [type_ for type_ in TYPES if not known or type_ in known]
        return [type_ for type_ in there if scope.wants(kinds.get(type_, "assessment"))]

    def window(self, type_: str) -> None:
        """What changed of a type since the watermark; where there is none yet, what is linked and what is about its patients."""
        store, name = self.partner.store, self.partner.name
        mark = store.watermark(name, type_)
        if not mark:
            self._first(type_)
            self.whole.add(type_)
            return
        start = moment(mark) - self._overlap
        self._since(type_, start, mark)
        if (stamp := self.stamps[type_]) and moment(stamp) < start:
            self._clock_went_back(type_)
        elif stamp:
            self._lost_time(type_, mark, stamp)

    def _since(self, type_: str, start: datetime, mark: str) -> None:
        """What is stamped with this time or a later one."""
        query = {"_lastUpdated": f"ge{instant(start)}", "_sort": "_lastUpdated", "_count": COUNT}
        try:
            self._read(type_, ahead(joined(self.partner.client.search(type_, query))), mark, sort=True)
        except (Gone, NotFound):
            # The server has forgotten its pages: once more from the watermark, where nothing is taken twice.
            self._again(type_, query)

    def _clock_went_back(self, type_: str) -> None:
        """The server's clock was ahead when the watermark was set: what it stamped since lies before that, unseen."""
        self._first(type_)
        self.swept()

    def _lost_time(self, type_: str, mark: str, stamp: str) -> None:
        """A server whose clock went on by less than ours since the last look was set back in between: what changed in the
        time that it then had twice is stamped with times that were read already.
        """
        last = self.partner.store.state(self.partner.name).last_pull
        if last and (start := had_twice(mark, stamp, self.partner.clock.now() - moment(last))):
            self.lost[type_] = start
            self._since(type_, start - self._overlap, stamp)

    @property
    def _overlap(self) -> timedelta:
        return timedelta(seconds=self.partner.overlap)

    def _again(self, type_: str, query: dict[str, str]) -> None:
        mark = self.partner.store.watermark(self.partner.name, type_)
        try:
            self._read(type_, self.partner.client.search(type_, query), mark, sort=True)
        except (Gone, NotFound):
            raise Unavailable("The server forgets its pages before they are read.", place=self.partner.name) from None

    def _first(self, type_: str) -> None:
        """Nothing was read of this type yet."""
        if self.partner.server.options.patients == "all":
            pages = self.partner.client.search(type_, {"_count": COUNT, "_sort": "_lastUpdated"})
            self._read(type_, ahead(joined(pages)), "", sort=True)
        else:
            self._read(type_, (about_patients if type_ in ADOPTED else linked)(self.partner, type_), "")
        if not self.stamps[type_]:
            # Nothing is known of it there: the server's time is all that is asked.
            self._read(type_, islice(self.partner.client.search(type_, {"_count": "1"}), 1), "")

    def _read(self, type_: str, pages: Iterable[Rows], mark: str, *, sort: bool = False) -> None:
        """Pages to their end; the watermark is then the server's time when it began to answer, or the newest stamp.
        Of a long sorted answer it moves on the way, never beyond what has been taken in.
        """
        latest, stamp, last = mark, "", list[str]()
        for number, page in enumerate(pages, 1):
            stamp = stamp or page.stamp
            stamps = [row.last_updated for row in page if row.last_updated]
            sort = sort and [*last, *stamps] == sorted([*last, *stamps], key=moment)
            last = stamps[-1:] or last
            latest = max([*filter(None, [latest]), *stamps], key=moment, default="")
            with paused(len(page)):
                self.take(type_, page)
            if type_ == "Patient" and not mark:
                self.met |= {str(row.resource.get("id")) for row in page}
            self.partner.point("page")
            if self.turn is not None:
                self.turn.go_on()
            if number % TAKES:
                continue
            gc.collect()  # What pauses left behind.
            if sort:
                self._marked(type_, bounded(latest, stamp or self.partner.later(DAY)))
        self._marked(type_, stamp or bounded(latest, self.partner.later(DAY)))

    def _marked(self, type_: str, mark: str) -> None:
        self.stamps[type_] = mark
        if mark and not self.dry_run:
            self.partner.store.set_watermark(self.partner.name, type_, mark)

    def take(self, type_: str, page: Iterable[Versioned]) -> None:
        """A page: own writes are known by id and version; what is linked and changed is leased and taken in."""
        store, name = self.partner.store, self.partner.name
        rows = {str(row.resource.get("id")): row for row in page if row.resource.get("resourceType") == type_}
        links = store.remote(name, [(type_, id_) for id_ in rows])
        for link in links.values():
            self.names.learn(link)
        changed = [link for link in links.values() if not is_known(link, rows[link.remote_id]) or self._is_back(link)]
        self.back += [link for link in changed if link.state == "gone"]
        new = [row for id_, row in rows.items() if (type_, id_) not in links]
        if not self.dry_run:
            self.news = remember(self.partner, [*new, *(rows[link.remote_id] for link in changed), *self.news])
        leased = changed if self.dry_run else store.lease(changed, seconds=self.partner.lease)
        busy = {link.key for link in changed} - {link.key for link in leased}
        store.arrive([Arrival(name, *link.remote) for link in changed if link.key in busy])
        found = [(link, rows[link.remote_id]) for link in leased]
        meet(self.partner, self.names, [(link, row) for link, row in found if link.in_flight])
        self.incoming.take(found)
        self.adopting.take(type_, new)

    def _is_back(self, link: Link) -> bool:
        """Whether what was deleted there is there as it was. A search may be behind."""
        return link.state == "gone" and self.partner.look(*link.remote) is not None

    def arrivals(self) -> None:
        """What a webhook named, and what could not be taken when it was seen: read by its id."""
        store, name = self.partner.store, self.partner.name
        if self.dry_run:
            return
        found = [(one, self._about(one)) for one in store.arrivals(name, "look")]
        # A patient who was met in this look, and of whom all was read after that.
        done = {one.remote for one, about in found if one.type == "Patient" and one.remote_id in self.met and not about}
        store.arrived(name, done)
        for one, about in ((one, about) for one, about in found if one.remote not in done):
            store.arrived(name, [one.remote])
            row = self.partner.look(one.type, one.remote_id)
            if row is None:
                self._gone([(one.type, one.remote_id)])
                continue
            self.take(one.type, [row])
            for type_ in about:
                self._compartment(type_, one.remote_id)

    def _about(self, one: Arrival) -> list[str]:
        """The types in which there may be something about a patient that this look has not read: what was read from its
        beginning, after the patient was met, holds it all.
        """
        if one.type != "Patient":
            return []
        read = self.whole if one.remote_id in self.met else frozenset[str]()
        return [type_ for type_ in self.types if type_ in ADOPTED and type_ not in read]

    def _compartment(self, type_: str, patient: str) -> None:
        """What there is of a type about one patient."""
        for page in self.partner.client.search(type_, {"patient": patient, "_count": COUNT}):
            self.take(type_, page)

    def nothing_known(self) -> None:
        """Where no link is yet, none can be of what is not there any more."""
        store, name = self.partner.store, self.partner.name
        if not store.state(name).last_sweep and next(store.links(name), None) is None:
            self._swept_at_last()

    def deleted(self) -> None:
        """What was deleted since the last look: from the history of each type, or by a sweep of ids where there is none."""
        store, name = self.partner.store, self.partner.name
        found, silent = list[tuple[str, str]](), False
        for type_ in self.types:
            mark = store.watermark(name, f"{type_}/deleted")
            if type_ not in self.facts.capability.history_type:
                silent = True
            elif mark:
                since = instant(min(moment(mark), self.lost.get(type_, moment(mark))) - self._overlap)
                for page in self.partner.client.history(type_, since=since):
                    found += [(type_, id_) for row in page if (id_ := deleted_id(row, type_))]
        self._gone(found)
        # Where one is back that was deleted, a backup may have brought others.
        last = store.state(name).last_sweep
        due = is_due(last, self.partner.clock.now(), self.partner.server.options.sweep)
        if self.back or (silent and due) or not last:
            self.swept()
        for type_, stamp in self.stamps.items():
            if stamp and not self.dry_run:
                store.set_watermark(name, f"{type_}/deleted", stamp)

    def swept(self) -> None:
        """Every linked id is looked at; what is not there any more is gone."""
        if self.swept_now:
            return
        self._mark_gone(sweep(self.partner, self.take))
        self._swept_at_last()

    def _swept_at_last(self) -> None:
        self.swept_now = True
        if not self.dry_run:
            self.partner.store.note(self.partner.name, last_sweep=self.partner.later())

    def _gone(self, keys: list[tuple[str, str]]) -> None:
        links = self.partner.store.remote(self.partner.name, keys).values()
        gone = [link for link in links if link.state not in ENDED and self.partner.look(*link.remote) is None]
        brake(self.partner, gone)
        self._mark_gone(gone)

    def _mark_gone(self, links: list[Link]) -> None:
        leased = links if self.dry_run else self.partner.store.lease(links, seconds=self.partner.lease)
        self.incoming.gone(leased)

    def noted(self) -> None:
        """When it was, and how far its clock is ahead; what is there again is referred to again."""
        if self.dry_run:
            return
        refer_again(self.partner.store, self.partner.name, self.back)
        values: Tree = {"last_pull": self.partner.later()}
        if stamps := [stamp for stamp in self.stamps.values() if stamp]:
            ahead = moment(max(stamps, key=moment)) - self.partner.clock.now()
            values["skew"] = ahead.total_seconds() if abs(ahead.total_seconds()) > 5 else 0.0
        self.partner.store.note(self.partner.name, **values)
