"""Creation at our own ids, where a server was seen to do that and to keep what is there: a PUT under `If-Match: W/"0"`.

No version is 0, so a server that creates by update makes what never was there, and refuses what is or was. HAPI does, and
takes it in three quarters of the time of a conditional create; FHIR leaves it open, so it is tried, once, on something of ours.
What bears our identifier under another id is looked for first. https://hl7.org/fhir/R4/http.html#upsert
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import groupby, islice
from threading import Lock

from adapter.errors import Conflict, DataError, Gone, NotFound, ServerRefused
from adapter.identity import IDENTIFIER_SYSTEM, resource_id
from adapter.mapping.scope import own_identifier
from adapter.ports import Link, Tree, Versioned
from adapter.sync import probe
from adapter.sync.facts import Facts
from adapter.sync.outgoing import NEVER, Key, Send
from adapter.sync.pages import chunks
from adapter.sync.partner import Partner

# Where fewer go together it is as quick to look for each.
_FEW = 25
# So many are looked for in one request.
_MOST = 100
# Of so many one is looked for that is not there yet.
_SOME = 10


@dataclass(slots=True)
class Placing:
    """Which parts of one push are created at our own ids."""

    facts: Facts
    _none: dict[str, float] = field(default_factory=dict)
    _trial: Lock = field(default_factory=Lock)

    def placed(self, partner: Partner, sends: Sequence[Send]) -> list[Send]:
        """These, with what is to be created at our id marked so. Raises Unavailable."""
        if self.facts.placing != "yes":
            return list(sends)
        free: set[Key] = set()
        for type_, links in _new(sends):
            free |= self._free(partner, type_, links, many=len(sends) >= _FEW)
        return [replace(send, placed=True) if send.link.local in free else send for send in sends]

    def _free(self, partner: Partner, type_: str, links: Sequence[Link], *, many: bool = False) -> set[Key]:
        """Those of which nothing is there under any id. Of many it is asked first whether there is anything of their type;
        that there was nothing holds as long as a lease.
        """
        try:
            return self._looked_for(partner, type_, links, many=many)
        except ServerRefused:
            # It can not be asked for an identifier.
            self.facts.placed("no")
            return set()

    def _looked_for(self, partner: Partner, type_: str, links: Sequence[Link], *, many: bool) -> set[Key]:
        now = partner.clock.monotonic()
        if many and type_ not in self._none and not _any(partner, type_):
            self._none[type_] = now
        if type_ in self._none and now - self._none[type_] < partner.lease:
            return {link.local for link in links}
        found = {
            key
            for some in chunks(links, _MOST)
            for key, rows in probe.by_identifier(partner, type_, some).items()
            if rows
        }
        return {link.local for link in links if link.key not in found}

    @contextmanager
    def trial(self, partner: Partner, sends: Sequence[Send]) -> Iterator[Send | None]:
        """One of these with which it can be tried now; None where it is known, or nothing fits, or another tries."""
        if self.facts.placing or not self._trial.acquire(blocking=False):
            yield None
            return
        try:
            type_, links = next(_new(sends), ("", []))
            free = self._free(partner, type_, links[:_SOME]) if links else set[Key]()
            yield next((replace(send, placed=True) for send in sends if send.link.local in free), None)
        finally:
            self._trial.release()

    def tried(self, partner: Partner, tree: Tree) -> Versioned:
        """Creates it so, and once more, which must be refused; what is there then. Raises what the server says where it is
        not created: it takes no ids of ours, unless something was at this one.
        """
        try:
            found = partner.client.update(tree, if_match=NEVER)
        except (Conflict, ServerRefused, DataError):
            if _never(partner, tree):
                self.facts.placed("no")
            raise
        try:
            found = replace(partner.client.update(tree, if_match=NEVER), created=found.created)
        except (Conflict, ServerRefused):
            self.facts.placed("yes" if found.created and _any(partner, str(tree["resourceType"])) else "no")
        else:
            # It does not keep the condition.
            self.facts.placed("no")
        return found


def _new(sends: Sequence[Send]) -> Iterator[tuple[str, list[Link]]]:
    """What is new there and has an id to be created at, by type: one that every adapter with this record would choose, as
    what was taken over may be created by two.
    """
    links = [send.link for send in sends if not send.link.remote_id and _chosen(send.link)]
    for type_, some in groupby(sorted(links, key=_type), key=_type):
        yield type_, list(some)


def _chosen(link: Link) -> bool:
    return link.local_id == resource_id(link.kind, link.record_id, link.part)


def _type(link: Link) -> str:
    return link.type


def _never(partner: Partner, tree: Tree) -> bool:
    try:
        partner.client.read(str(tree["resourceType"]), str(tree["id"]))
    except NotFound:
        return True
    except Gone:
        pass
    return False


def _any(partner: Partner, type_: str) -> bool:
    """Whether there is anything of that type that bears an identifier of ours. Raises Unavailable, ServerRefused."""
    query = {"identifier": f"{IDENTIFIER_SYSTEM}|", "_count": "1"}
    first = islice(partner.client.search(type_, query), 1)
    return any(own_identifier(row.resource) is not None for page in first for row in page)
