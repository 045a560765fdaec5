"""The work of one lease: what each part needs, what can go now, and what of it is put off, set aside or settled."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

from adapter.errors import Unavailable, UnknownOutcome
from adapter.fhir_json import same
from adapter.ports import ENDED, ORDER, Link, StoredResource
from adapter.ports import Conflict as Whole
from adapter.sync import probe
from adapter.sync.ending import WITHDRAWAL
from adapter.sync.facts import Facts
from adapter.sync.incoming import Incoming
from adapter.sync.outgoing import Key, Send, references, wanted
from adapter.sync.partner import WAIT, Names, Partner, Report, backoff, first_error
from adapter.sync.placing import Placing
from adapter.sync.plan import plan
from adapter.sync.scope import Scope
from adapter.sync.sending import Sending
from adapter.sync.ways import Tempo
from adapter.sync.withdraw import withdraw


class Shared(Protocol):
    """What the rounds of one push have in common."""

    partner: Partner
    report: Report
    facts: Facts
    progress: bool
    tempo: Tempo
    placing: Placing

    def under_way(self) -> AbstractContextManager[None]:
        """A request that writes. Raises TakenOver where the run is to end."""

    def wrote(self, resources: int) -> None:
        """So many more are there."""

    def failed(self, error: Unavailable) -> None:
        """One more request that nobody knows the outcome of. Raises it where they are too many."""


@dataclass(slots=True)
class Round:
    """The work of one lease."""

    shared: Shared
    links: list[Link]
    names: Names = field(init=False)
    partner: Partner = field(init=False)
    report: Report = field(init=False)
    open: dict[Key, Link] = field(init=False)
    refers: dict[Key, tuple[Key, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.partner, self.report = self.shared.partner, self.shared.report
        self.names = Names(self.partner)
        self.open = {link.local: link for link in self.links}

    def run(self) -> None:
        """Every link of the lease is sent, recorded or put off; whatever happens, none stays leased."""
        try:
            self._run()
        finally:
            self.settle([link.replace(lease_until="") for link in self.open.values()])

    def _run(self) -> None:
        partner, incoming = self.partner, Incoming(self.partner, self.names, self.report)
        links = probe.unknown(partner, self.names, incoming, self.links, self.closed)
        stored = partner.store.resources(link.local for link in links)
        links += self._companions(links, stored)
        scope = Scope(partner)
        trees: list[tuple[Link, StoredResource]] = []
        for link in links:
            local = stored.get(link.local)
            outside = scope.outside(link, local.tree if local is not None else {})
            action = plan(link, local)
            if outside:
                self.stop([link], "outside", outside, "left")
            elif action.verb in ("create", "push") and local is not None:
                trees.append((link, local))
            elif action.verb in ("withdraw", "close"):
                self._withdraw(link)
            elif action.verb == "nothing":
                self.settle([link.replace(acked=link.wanted, lease_until="")])
        Sending(self).all(self._ready(self._valid(trees)))

    def _companions(self, links: Sequence[Link], stored: dict[Key, StoredResource]) -> list[Link]:
        """What these refer to, of their own kind, and is new there too: it goes with them, so that none is written twice."""
        self.refers = {key: references(local.tree) for key, local in stored.items() if not local.deleted}
        self.names.load({key for refers in self.refers.values() for key in refers})
        kinds = {link.kind for link in links}
        wanted = (self.names.link(*key) for refers in self.refers.values() for key in refers if key not in self.open)
        new = {one.key: one for one in wanted if one is not None and one.kind in kinds and _is_new(one)}
        if not new or len(new) > len(links):
            return []
        leased = self.partner.store.lease(list(new.values()), seconds=self.partner.lease)
        ready = [link for link in leased if _is_new(link)]
        self.partner.store.settle([link.replace(lease_until="") for link in leased if not _is_new(link)])
        self.open |= {link.local: link for link in ready}
        more = self.partner.store.resources(link.local for link in ready)
        stored |= more
        refers = {key: references(local.tree) for key, local in more.items()}
        self.names.load({key for some in refers.values() for key in some})
        self.refers |= refers
        return ready

    def _withdraw(self, link: Link) -> None:
        main = self.partner.store.link((*link.key[:3], "")) if link.part else None
        if main is not None and main.state == "conflict":
            # It may be kept after all, with all its parts.
            self.later([link.replace(state="waiting")], "waits for the decision about its record", WAIT)
            return
        try:
            self.closed([withdraw(self.partner, self.names, link, self.report)])
        except UnknownOutcome as error:
            self.later([link.replace(in_flight=WITHDRAWAL)], error.message, backoff(link.attempts))
            self.shared.failed(error)

    def _valid(self, trees: list[tuple[Link, StoredResource]]) -> list[tuple[Link, StoredResource]]:
        good = []
        for link, local in trees:
            fault = "" if self.partner.known(local) else first_error(self.partner.validate(local.tree))
            if fault:
                self.stop([link], "refused", f"not valid: {fault}")
            else:
                good.append((link, local))
        return good

    def _ready(self, trees: list[tuple[Link, StoredResource]]) -> list[Send]:
        """What can go now: its parents are there, and there is something to write."""
        bases = self.partner.store.versions((*link.local, link.base) for link, _ in trees if link.base and link.seen)
        sends, there = [], []
        waiting: dict[str, list[Link]] = {}
        for link, local in trees:
            parent = self._missing_parent(link, local)
            if parent:
                waiting.setdefault(parent, []).append(link)
                continue
            made = wanted(link, local.tree, bases.get(link.local))
            send = Send(link, local.version, local.tree, made, self.refers[link.local])
            # Whether a withdrawal arrived that is now none, the answer to this tells.
            if link.linked and link.in_flight != WITHDRAWAL and self._is_there(send):
                there.append(link.replace(acked=local.version, base=local.version, state="linked", lease_until="",
                                     attempts=0, reason=""))  # fmt: skip
            else:
                sends.append(send)
        if there:
            self.settle(there)
        self._wait(waiting)
        return sends

    def _wait(self, waiting: dict[str, list[Link]]) -> None:
        """Put off until what each waits for is there."""
        due = self.partner.later(WAIT)
        rows = [
            link.replace(reason=f"waits for {parent}", not_before=due, lease_until="")
            for parent, links in waiting.items()
            for link in links
        ]
        if rows:
            self.settle(rows)
        for link in rows:
            self.report.add(link, "waiting", link.reason)

    def _is_there(self, send: Send) -> bool:
        link = send.link
        if link.seen is not None:
            return same(send.wanted, link.seen)
        base = self.partner.store.versions([(*link.local, link.base)]).get(link.local) if link.base else None
        return base is not None and same(send.wanted, base)

    def _missing_parent(self, link: Link, local: StoredResource) -> str:
        """A resource of an earlier kind that is to go there and has not got there yet; empty where there is none. For a
        part that was sent without a reference, and is as it was, any resource that it still could not refer to.
        """
        rest = link.state == "partial" and link.base == local.version
        missing = []
        refers = self.refers[link.local]
        for type_, id_ in refers:
            parent = self.names.link(type_, id_)
            if parent is None or parent.remote_id or parent.state in ENDED | {"outside"}:
                continue
            if rest or ORDER.index(parent.kind) < ORDER.index(link.kind):
                missing.append(f"{type_}/{id_}")
        resolved = rest and any(self.names.remote_id(*key) for key in set(refers) - _seen(link))
        return missing[0] if missing and not resolved else ""

    def later(self, links: list[Link], reason: str, seconds: float) -> None:
        """Put off."""
        due = self.partner.later(seconds)
        self.settle([link.replace(reason=reason, not_before=due, lease_until="") for link in links])
        for link in links:
            self.report.add(link, "waiting", reason)

    def stop(self, links: list[Link], state: str, reason: str, verb: str = "") -> None:
        """Not sent until a person, or a change, says otherwise."""
        new = [link.replace(state=state, reason=reason, in_flight="", lease_until="") for link in links]
        if state == "quarantine":
            for link in new:
                self.partner.store.clash(link, [Whole(*link.key, "")])
        self.settle(new)
        for link in links:
            self.report.add(link, verb or state, reason)

    def settle(self, links: list[Link]) -> None:
        """Recorded, and no more ours."""
        self.partner.store.settle(links)
        self.closed(links)

    def closed(self, links: Sequence[Link]) -> None:
        """No more ours; what is known of them is remembered."""
        for link in links:
            self.open.pop(link.local, None)
            self.names.learn(link)


def _is_new(link: Link) -> bool:
    """Whether it is to be sent, and was never sent."""
    return link.todo and not link.remote_id and not link.in_flight


def _seen(link: Link) -> set[Key]:
    """What theirs refers to."""
    return set(references(link.seen))
