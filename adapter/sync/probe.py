"""What came of a request without an answer: looked up by identifier and version, before anything is sent again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby

from adapter.fhir_json import same
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.mapping.scope import own_identifier
from adapter.ports import Conflict, Link, Rows, Versioned
from adapter.sync.ending import WITHDRAWAL
from adapter.sync.incoming import Incoming
from adapter.sync.outgoing import fingerprint, own_value
from adapter.sync.pages import CHUNK, chunks
from adapter.sync.partner import Names, Partner
from adapter.sync.references import literals, relative
from adapter.sync.sentinel import remember
from adapter.sync.theirs import as_ours, versions_there

LinkKey = tuple[str, str, str, str]


def unknown(
    partner: Partner, names: Names, incoming: Incoming, links: Sequence[Link], closed: Callable[[Sequence[Link]], None]
) -> list[Link]:
    """The links that are to be sent; of those in flight, the ones that have not arrived. The others are settled."""
    ready: list[Link] = []
    arrived: list[tuple[Link, Versioned]] = []
    looked_up = _looked_up(partner, [link for link in links if link.in_flight not in ("", WITHDRAWAL)])
    names.load_remote({(link.type, str(row.resource["id"])) for link in links for row in looked_up.get(link.key, ())})
    for link in links:
        if link.key not in looked_up:
            ready.append(link)
            continue
        found = [row for row in looked_up[link.key] if not names.is_anothers(link, str(row.resource["id"]))]
        if len(found) > 1:
            several = link.replace(
                state="quarantine", reason="several resources there bear our identifier", lease_until=""
            )
            partner.store.clash(several, [Conflict(*several.key, "")])
            incoming.report.add(several, "quarantine", several.reason)
            closed([several])
        elif not found or (link.linked and found[0].version == link.remote_version):
            ready.append(link.replace(in_flight="", flight=0))
        else:
            arrived.append((link, found[0]))
    closed(_arrived(partner, names, incoming, arrived))
    return ready


def flown(incoming: Incoming) -> None:
    """What is in flight and nobody is at work on, looked up before anything is read: what came of it would be taken for
    theirs, with references to what is not known by its id there yet. What has not arrived stays in flight.
    """
    if incoming.dry_run:
        return
    partner, store = incoming.partner, incoming.partner.store
    flying = [link for link in store.links(partner.name, flying=True) if link.in_flight != WITHDRAWAL]
    leased = store.lease(flying, seconds=partner.lease)
    there = {link.key: link for link in leased}

    def closed(links: Sequence[Link]) -> None:
        for link in links:
            del there[link.key]

    try:
        unknown(partner, incoming.names, incoming, leased, closed)
    finally:
        store.settle([link.replace(lease_until="") for link in there.values()])


def _looked_up(partner: Partner, links: Sequence[Link]) -> dict[LinkKey, list[Versioned]]:
    """What there is of each of these, asked for together."""
    found: dict[LinkKey, list[Versioned]] = {}
    for (type_, known), some in groupby(sorted(links, key=_how), key=_how):
        for batch in chunks(some):
            found |= (_by_id if known else by_identifier)(partner, type_, batch)
    return found


def _how(link: Link) -> tuple[str, bool]:
    return link.type, bool(link.remote_id)


def _by_id(partner: Partner, type_: str, links: Sequence[Link]) -> dict[LinkKey, list[Versioned]]:
    rows: list[Versioned] = []
    if len(links) > 1:
        query = {"_id": ",".join(link.remote_id for link in links), "_count": str(CHUNK)}
        rows = _of_type(partner.client.search(type_, query), type_)
    there = {str(row.resource.get("id")): row for row in rows}
    # A search may be behind: only a read says that it is not there.
    found = ((link, there.get(link.remote_id) or partner.look(*link.remote)) for link in links)
    return {link.key: [] if row is None else [row] for link, row in found}


def _of_type(pages: Iterable[Rows], type_: str) -> list[Versioned]:
    return [row for page in pages for row in page if row.resource.get("resourceType") == type_]


def by_identifier(partner: Partner, type_: str, links: Sequence[Link]) -> dict[LinkKey, list[Versioned]]:
    """What bears our identifier of each of these, which are of one type. Raises Unavailable, ServerRefused."""
    tokens = (f"{IDENTIFIER_SYSTEM}|{own_value(link)}" for link in links)
    query = {"identifier": ",".join(tokens), "_count": str(2 * len(links))}
    # A server that does not know the parameter answers with what others have: only who bears our identifier counts.
    named: dict[str | None, list[Versioned]] = {}
    for row in _of_type(partner.client.search(type_, query), type_):
        named.setdefault(own_identifier(row.resource), []).append(row)
    return {link.key: named.get(own_value(link), []) for link in links}


def _arrived(partner: Partner, names: Names, incoming: Incoming, rows: Sequence[tuple[Link, Versioned]]) -> list[Link]:
    """What was in flight and is there is acknowledged; what differs from it is taken in like any change of theirs."""
    flown = partner.store.versions((*link.local, link.flight) for link, _ in rows)
    settled, strange = [], []
    for link, row in rows:
        names.learn(link.replace(remote_id=str(row.resource["id"]), remote_version=row.version))
    for link, row in rows:
        seen = as_ours(names, partner.client.base, row.resource, link.local_id)
        known = link.replace(remote_id=str(row.resource["id"]), in_flight="", flight=0, lease_until="")
        if fingerprint(seen) == link.in_flight:
            sent = flown.get(link.local)
            settled.append(known.replace(
                remote_version=row.version, remote_updated=row.last_updated, acked=link.flight, base=link.flight,
                seen=None if sent is not None and same(seen, sent) else seen, state="linked", reason="", attempts=0,
            ))  # fmt: skip
        elif link.linked:
            strange.append((known.replace(lease_until=link.lease_until), row))
        else:
            # Edited there since; or it is another's, under the same identifier, and ours never came.
            base = link.flight if _came(partner, names, link, row) else 0
            strange.append((known.replace(base=base, lease_until=link.lease_until), row))
    remember(partner, (row for _, row in rows))
    partner.store.settle(settled)
    for link in settled:
        incoming.report.add(link, "found there")
    meet(partner, names, strange)
    incoming.take(strange)
    return [*settled, *(link for link, _ in strange)]


def _came(partner: Partner, names: Names, link: Link, row: Versioned) -> bool:
    """Whether one of the versions of what is there is what was in flight."""
    trees = versions_there(partner, link.type, str(row.resource["id"]))
    theirs = (as_ours(names, partner.client.base, tree, link.local_id) for tree in trees)
    return any(fingerprint(tree) == link.in_flight for tree in theirs)


def look_again(partner: Partner, incoming: Incoming, links: Sequence[Link]) -> list[Link]:
    """Reads these links, which are leased, and takes in what changed there; gives them, no more leased."""
    found = [(link, partner.look(*link.remote)) for link in links]
    rows = [(link, row) for link, row in found if row is not None]
    missing = [link for link, row in found if row is None]
    remember(partner, (row for _, row in rows))
    meet(partner, incoming.names, rows)
    incoming.take(rows)
    incoming.gone(missing)
    return list(links)


def meet(partner: Partner, names: Names, rows: Sequence[tuple[Link, Versioned]]) -> None:
    """What theirs names, and bears there our identifier of a part of the same record that has still to go, means ours: by an
    address there the record would name it twice.
    """
    for link, row in rows:
        named = {key for literal in literals(row.resource) if (key := relative(literal, names.base)) is not None}
        names.load_remote(named)
        strange = [key for key in sorted(named) if names.local_id(*key) is None]
        parts = names.parts(link) if strange else ()
        ours = {(part.type, own_value(part)): part for part in parts if part.todo and not part.remote_id}
        for type_, id_ in strange:
            there = partner.look(type_, id_) if any(type_ == other for other, _ in ours) else None
            if there is not None and (part := ours.get((type_, own_identifier(there.resource) or ""))) is not None:
                names.learn(part.replace(remote_id=id_))
