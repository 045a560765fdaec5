"""Send what changed here: leased work, a hash in flight, a conditional request, its outcome recorded under the fence.

A run that is cut short anywhere leaves the ledger so that the next one looks what came of it, and sends the same
conditional request again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from threading import Thread

from adapter.baton import Baton
from adapter.errors import Unavailable
from adapter.ports import ORDER, Link, ServerState
from adapter.sync.facts import Facts
from adapter.sync.partner import Partner, Report
from adapter.sync.placing import Placing
from adapter.sync.plan import plan
from adapter.sync.round import Round
from adapter.sync.scope import Scope
from adapter.sync.turn import TakenOver, Turn
from adapter.sync.ways import Tempo

# So many requests in a row without an answer that makes sense, and the server is left alone.
MOST_FAILURES = 3
# So many links are leased at once at the least: where each goes alone, they are recorded together. Where there is much to
# do, what several smaller requests are for is leased together.
LEAST = 25
MUCH = 100
# So many of what was refused are told at the most, where it is only said what would be done.
MOST_SAID = 100_000


def push(
    partner: Partner,
    report: Report | None = None,
    *,
    dry_run: bool = False,
    hurry: bool = True,
    again: bool = False,
    state: ServerState | None = None,
    turn: Turn | None = None,
) -> Report:
    """Every record with something to send, parents first; one that fails holds up no other. With `hurry` also what was
    put off after a failure, with `again` what was refused. `report` is filled as it goes, so that it is there where this
    raises. `state` is the server's, where it was just read; `turn` is kept up on the way.

    Raises Unavailable where the server cannot be reached or does not make sense: what is not sent stays waiting.
    """
    report = Report() if report is None else report
    if dry_run:
        return _said(partner, report, again=again)
    first = hurry or again
    if first:
        partner.store.renew(partner.name, everything=hurry, refused=again)
    run = _Run(partner, report, Facts.of(partner, state), renewed=first, turn=turn)
    run.all()
    if run.error is not None:
        raise run.error
    partner.store.note(partner.name, last_push=partner.later())
    return report


def _said(partner: Partner, report: Report, *, again: bool) -> Report:
    """What would be done with what has something to send, and `again` with what was refused."""
    scope = Scope(partner)
    stopped = partner.store.unsettled(partner.name, limit=MOST_SAID) if again else []
    refused = (link for link in stopped if link.state == "refused" and link.wanted != link.acked)
    for link in chain(partner.store.links(partner.name, pending=True), refused):
        local = partner.store.resources([link.local]).get(link.local)
        action = plan(link, local)
        outside = scope.outside(link, local.tree if local is not None else {})
        refusal = partner.withheld(local.tree) if local is not None and not outside else None
        if refusal is not None:
            report.add(link, "would wait" if refusal.consent else "would be refused", refusal.reason)
            continue
        report.add(link, "would leave" if outside else f"would {action.verb}", outside or action.reason)
    return report


@dataclass(slots=True)
class _Run:
    """All rounds of one push, with as many requests under way as the way in use has, each with a thread of its own. What they have in
    common is theirs who hold the baton.
    """

    partner: Partner
    report: Report
    facts: Facts
    renewed: bool = True
    turn: Turn | None = None
    failures: int = 0
    error: Unavailable | None = None
    progress: bool = False
    tempo: Tempo = field(init=False)
    placing: Placing = field(init=False)
    _baton: Baton = field(default_factory=Baton)
    _busy: list[int] = field(default_factory=list)
    _hands: list[Thread] = field(default_factory=list)
    _full: int = 0
    _writing: int = 0
    _over: bool = False
    # The first round goes by itself: what it meets first of a server is known to those that follow.
    _first: bool = True
    _fault: BaseException | None = None

    def __post_init__(self) -> None:
        self.tempo = self.facts.tempo(self.partner)
        self.placing = Placing(self.facts)

    def all(self) -> None:
        """Until nothing is due any more. Raises what ended it before."""
        try:
            self._work(0)
        finally:
            with self._baton.held():
                self._ended()
            for hand in self._hands:
                hand.join()
        self.facts.learned(self.tempo)
        self.facts.keep(self.partner)
        if self._fault is not None:
            raise self._fault

    def _work(self, hand: int) -> None:
        with self._baton.held():
            try:
                while (links := self._leased(hand)) is not None:
                    self._round(links)
            except BaseException as error:
                self._fault = self._fault or error
                self._ended()
                if hand == 0 and not isinstance(error, Exception):
                    raise

    def _ended(self) -> None:
        self._over = True
        self._baton.changed.notify_all()

    def _round(self, links: list[Link]) -> None:
        try:
            Round(self, links).run()
        finally:
            self._busy.remove(_rank(links))
            self._baton.changed.notify_all()

    def _leased(self, hand: int) -> list[Link] | None:
        """The next lease of work; None where nothing is due any more, or the run is to end."""
        partner, changed = self.partner, self._baton.changed
        while not self._over:
            if hand >= self._most_hands():
                changed.wait()
                continue
            self.go_on()
            limit = self._limit()
            links = partner.store.claim(partner.name, limit=limit, seconds=partner.lease)
            if links:
                return self._in_order(links, full=len(links) >= limit)
            if self._busy:
                # What others have under way may leave something to do.
                changed.wait()
            elif not self.renewed or (self.progress and self.report.waiting):
                # What waited for a parent may go, now that more is there. What is due goes before that is looked for.
                self.renewed, self.progress = True, False
                partner.store.renew(partner.name)
            else:
                self._ended()
        return None

    def _limit(self) -> int:
        """The most links of one lease. Much is there to do where every hand had a full one, so that none goes without."""
        size = min(self.tempo.way.size, self.facts.bundle)
        much = self._full > self.tempo.way.at_once
        return max(LEAST, size, min(MUCH, 4 * size) if much else 0)

    def _in_order(self, links: list[Link], *, full: bool) -> list[Link] | None:
        """The lease, when everything that its kind may refer to has been recorded."""
        self.partner.point("leased")
        rank = _rank(links)
        self._full = self._full + 1 if full else 0
        if full and not self._first:
            self._more_hands()
        self._first = False
        # From now on what refers to it waits for it, though it may have to wait itself.
        self._busy.append(rank)
        self._baton.changed.wait_for(lambda: self._over or not any(other < rank for other in self._busy))
        if self._over:
            self._busy.remove(rank)
            self.partner.store.settle([link.replace(lease_until="") for link in links])
            return None
        self.tempo.begin(rank)
        return links

    def _more_hands(self) -> None:
        while len(self._hands) + 1 < self._most_hands():
            hand = Thread(target=self._work, args=(len(self._hands) + 1,), daemon=True)
            self._hands.append(hand)
            hand.start()

    def _most_hands(self) -> int:
        """One more than requests are to be under way, where the server allows as many: it has the next ready. What goes alone
        is soon ready.
        """
        way = self.tempo.way
        return min(way.at_once + (way.size > 1), self.partner.at_once)

    def go_on(self) -> None:
        """Before each request. Raises TakenOver where the run is to end."""
        if self.turn is not None:
            self.turn.go_on()

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """A request that writes. Where as many are under way as the way in use has, this waits. Raises TakenOver where the
        run is to end, or has ended while one of its requests was still to go.
        """
        self._baton.changed.wait_for(lambda: self._over or self._writing < self.tempo.way.at_once)
        if self._over:
            raise TakenOver("The run has ended.", place=self.partner.name)
        self.go_on()
        self._writing += 1
        try:
            yield
        finally:
            self._writing -= 1
            self._baton.changed.notify_all()

    def wrote(self, resources: int) -> None:
        """So many more are there."""
        self.failures = 0
        self.tempo.done(resources, self.partner.clock.monotonic())

    def failed(self, error: Unavailable) -> None:
        """One more request that nobody knows the outcome of. Raises it where they are too many."""
        self.failures += 1
        self.error = error
        self.tempo.restart()
        if self.failures >= MOST_FAILURES:
            raise error


def _rank(links: Sequence[Link]) -> int:
    kind = links[0].kind
    return ORDER.index(kind) if kind in ORDER else len(ORDER)
