"""What came of a request without an answer: looked up by identifier and version, before anything is sent again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from adapter.errors import Gone, NotFound
from adapter.fhir_json import same
from adapter.mapping.scope import own_identifier
from adapter.ports import Conflict, Link, Versioned
from adapter.sync.ending import WITHDRAWAL
from adapter.sync.incoming import Incoming, as_ours
from adapter.sync.outgoing import condition, fingerprint, own_value
from adapter.sync.partner import Names, Partner


def unknown(
    partner: Partner, names: Names, incoming: Incoming, links: Sequence[Link], closed: Callable[[Sequence[Link]], None]
) -> list[Link]:
    """The links that are to be sent; of those in flight, the ones that have not arrived. The others are settled."""
    ready: list[Link] = []
    arrived: list[tuple[Link, Versioned]] = []
    for link in links:
        if link.in_flight in ("", WITHDRAWAL):
            ready.append(link)
            continue
        found = _there(partner, link)
        if len(found) > 1:
            several = replace(
                link, state="quarantine", reason="several resources there bear our identifier", lease_until=""
            )
            partner.store.clash(several, [Conflict(*several.key, "")])
            incoming.report.add(several, "quarantine", several.reason)
            closed([several])
        elif not found or (link.linked and found[0].version == link.remote_version):
            ready.append(replace(link, in_flight="", flight=0))
        else:
            arrived.append((link, found[0]))
    closed(_arrived(partner, names, incoming, arrived))
    return ready


def _there(partner: Partner, link: Link) -> list[Versioned]:
    if link.remote_id:
        try:
            return [partner.client.read(link.type, link.remote_id)]
        except (NotFound, Gone):
            return []
    query = dict([condition(link, {}).split("=", 1)])
    rows = (row for page in partner.client.search(link.type, query) for row in page)
    # A server that does not know the parameter answers with what others have.
    return [
        row
        for row in rows
        if row.resource.get("resourceType") == link.type and own_identifier(row.resource) == own_value(link)
    ]


def _arrived(partner: Partner, names: Names, incoming: Incoming, rows: Sequence[tuple[Link, Versioned]]) -> list[Link]:
    """What was in flight and is there is acknowledged; what differs from it is taken in like any change of theirs."""
    flown = partner.store.versions((*link.local, link.flight) for link, _ in rows)
    settled, strange = [], []
    for link, row in rows:
        names.learn(replace(link, remote_id=str(row.resource["id"]), remote_version=row.version))
    for link, row in rows:
        seen = as_ours(names, partner.client.base, row.resource, link.local_id)
        known = replace(link, remote_id=str(row.resource["id"]), in_flight="", flight=0, lease_until="")
        if fingerprint(seen) == link.in_flight:
            sent = flown.get(link.local)
            settled.append(replace(
                known, remote_version=row.version, remote_updated=row.last_updated, acked=link.flight, base=link.flight,
                seen=None if sent is not None and same(seen, sent) else seen, state="linked", reason="", attempts=0,
            ))  # fmt: skip
        elif link.linked:
            strange.append((replace(known, lease_until=link.lease_until), row))
        else:
            # Ours most likely, and edited or normalised there since: what was in flight is the base.
            strange.append((replace(known, base=link.flight, lease_until=link.lease_until), row))
    partner.store.settle(settled)
    for link in settled:
        incoming.report.add(link, "found there")
    incoming.take(strange)
    return [*settled, *(link for link, _ in strange)]


def look_again(partner: Partner, incoming: Incoming, links: Sequence[Link]) -> list[Link]:
    """Reads these links, which are leased, and takes in what changed there; gives them, no more leased."""
    rows, missing = [], []
    for link in links:
        try:
            rows.append((link, partner.client.read(link.type, link.remote_id)))
        except (NotFound, Gone):
            missing.append(link)
    incoming.take(rows)
    incoming.gone(missing)
    return list(links)
