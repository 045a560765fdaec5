"""A server that was wiped, or restored from a backup, is no reason to change anything here: stop, keep, say, ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby

from adapter.errors import DataError
from adapter.ports import ENDED, Entry, Link, Versioned
from adapter.sync.anew import anew, refer_anew
from adapter.sync.pages import CHUNK, chunks
from adapter.sync.partner import Partner
from adapter.sync.sentinel import forget

LEAST = 5
SHARE = 10


def brake(partner: Partner, missing: Sequence[Link]) -> None:
    """Stops the exchange where too much is gone at once. Raises DataError, and nothing is changed before somebody looked."""
    if len(missing) < LEAST:
        return
    counts = partner.store.counts(partner.name)
    known = sum(number for state, number in counts.items() if state not in ENDED | {"outside"})
    if len(missing) * SHARE <= known:
        return
    reason = f"{len(missing)} of {known} known resources are gone there: it looks wiped, or restored from a backup"
    partner.store.set_server(replace(partner.server, paused=reason))
    raise DataError(
        f"{reason}. Nothing was changed here, and nothing is exchanged with it.",
        place=partner.name,
        remedy=f"Find out what happened, then `careplan server resume {partner.name}` with --missing keep or send.",
    )


def sweep(partner: Partner, take: Callable[[str, Iterable[Versioned]], None]) -> list[Link]:
    """Looks at every linked id, takes in what changed or is back, and gives the links whose resource is not there any more.

    Raises DataError where they are too many.
    """
    missing: list[Link] = []
    links = (one for one in partner.store.links(partner.name) if one.remote_id and one.state != "closed")
    for type_, some in groupby(links, key=lambda one: one.type):
        for batch in chunks(some):
            missing += _absent(partner, type_, batch, take)
    brake(partner, missing)
    return missing


def _absent(
    partner: Partner, type_: str, links: list[Link], take: Callable[[str, Iterable[Versioned]], None]
) -> list[Link]:
    query = {"_id": ",".join(link.remote_id for link in links), "_count": str(CHUNK)}
    rows = [row for page in partner.client.search(type_, query) for row in page]
    take(type_, rows)
    there = {row.resource.get("id") for row in rows}
    # A search may be behind: only a read says that it is not there.
    gone = (link for link in links if link.remote_id not in there and link.state != "gone")
    return [link for link in gone if partner.look(*link.remote) is None]


def reconcile(partner: Partner, *, send: bool) -> int:
    """After such an incident: what is not there is marked as gone, or sent again. Gives how many that were."""
    links = list(_missing(partner))
    leased = partner.store.lease(links, seconds=partner.lease)
    verb, why = "sent again" if send else "gone", "after an incident"
    new = {link.key: anew(link) if send else _gone(link) for link in leased}
    plain = [link for link in leased if link.state not in ("conflict", "quarantine")]
    partner.store.settle([new[link.key] for link in plain], [Entry(*link.key, verb, why) for link in plain])
    for link in (link for link in leased if link.state in ("conflict", "quarantine")):
        # What was to be decided about is not there any more; what it showed of theirs nobody else has.
        shown = [Entry(*link.key, "replaced", why, before=link.theirs)] if link.theirs is not None else []
        partner.store.clash(new[link.key], [], [*shown, Entry(*link.key, verb, why)])
    if send:
        refer_anew(partner.store, partner.name, leased)
    forget(partner)
    return len(leased)


def _gone(link: Link) -> Link:
    return link.replace(state="gone", reason="gone there", lease_until="", in_flight="", theirs=None, theirs_version="")


def _missing(partner: Partner) -> Iterator[Link]:
    for link in list(partner.store.links(partner.name)):
        if link.remote_id and link.state not in ENDED and partner.look(*link.remote) is None:
            yield link
