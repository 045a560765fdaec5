"""What came of what was sent: read back where it must be, compared, and written into the ledger under each fence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adapter.errors import Gone, NotFound
from adapter.fhir_json import Tree, same
from adapter.mapping.scope import own_identifier
from adapter.ports import Arrival, Link, Versioned
from adapter.sync.answers import Outcome
from adapter.sync.facts import Facts
from adapter.sync.incoming import Incoming
from adapter.sync.outgoing import Send, identified
from adapter.sync.partner import Names, Partner, Report, bare
from adapter.sync.references import local_to_remote
from adapter.sync.sentinel import sighted
from adapter.sync.theirs import as_ours, as_sent

NOT_OURS = "the server answered a create with a resource that does not bear our identifier"


def record(
    partner: Partner, names: Names, facts: Facts, done: Sequence[tuple[Send, Outcome]], report: Report
) -> list[Link]:
    """Acknowledges these; gives their links as they now are. One that was there before, and differs, is taken in."""
    # Every id first: what refers to what is compared by our ids.
    for send, outcome in done:
        names.learn(send.link.replace(remote_id=outcome.id, remote_version=outcome.version))
    settled: list[Link] = []
    rows: list[Versioned] = []
    strange: list[tuple[Link, Versioned]] = []
    for send, outcome in done:
        row = _held(partner, facts, send, outcome)
        if row is None:
            settled.append(send.link.replace(lease_until="", reason="gone as soon as it was written"))
            continue
        if not send.link.linked and own_identifier(row.resource) != own_identifier(identified(send.wanted, send.link)):
            # Somebody else's, or one that we would never find again. In flight, so that it is looked for before it goes again.
            settled.append(send.link.replace(lease_until="", state="refused", reason=NOT_OURS))
            report.add(send.link, "refused", NOT_OURS)
            continue
        rows.append(row)
        seen = _seen(partner, names, send, row)
        if not send.link.linked and not outcome.created and not same(bare(seen), bare(_sent(partner, names, send))):
            strange.append((_found(send, row), row))
            continue
        settled.append(_acknowledged(send, row, seen))
        report.add(send.link, "updated" if send.link.linked else "created" if outcome.created else "found there")
    lost = {link.key for link in partner.store.settle(settled, seen=sighted(partner, rows))}
    for link in settled:
        if link.key not in lost:
            names.learn(link)
    # What there is about a patient who was there before us is read with the next pull.
    met = [(send, outcome) for send, outcome in done if send.link.type == "Patient" and not send.link.linked]
    partner.store.arrive([Arrival(partner.name, "Patient", outcome.id) for _, outcome in met if not outcome.created])
    facts.keep(partner)
    partner.point("recorded")
    Incoming(partner, names, report).take(strange)
    return [*settled, *(link for link, _ in strange)]


def strays(names: Names, done: Sequence[tuple[Send, Outcome]]) -> list[Send]:
    """Those for which the server named a resource that is another part's: what became of them is not known."""
    names.load_remote({(send.link.type, outcome.id) for send, outcome in done})
    found, taken = [], set[tuple[str, str]]()
    for send, outcome in done:
        key = (send.link.type, outcome.id)
        if key in taken or names.is_anothers(send.link, outcome.id):
            found.append(send)
        taken.add(key)
    return found


def _held(partner: Partner, facts: Facts, send: Send, outcome: Outcome) -> Versioned | None:
    """The resource as it is kept there. An answer is believed where this server's answers have been what it kept."""
    told = _told(outcome)
    if told is not None and facts.believed(send.link.type):
        return told
    try:
        row = partner.client.read(send.link.type, outcome.id)
    except Gone:
        # Deleted in between.
        return told
    except NotFound:
        return None
    if told is None:
        return row
    if row.version != told.version:
        # Somebody wrote in between: what is ours is what was answered, and theirs comes with the next pull, as a deletion does.
        return told
    facts.compared(send.link.type, same(_plain(row.resource), _plain(told.resource)))
    return row


def _told(outcome: Outcome) -> Versioned | None:
    if outcome.resource is None or not outcome.version:
        return None
    return Versioned(outcome.resource, outcome.version, str(outcome.resource.get("meta", {}).get("lastUpdated", "")))


def _seen(partner: Partner, names: Names, send: Send, row: Versioned) -> Tree:
    """What is there, as the store holds it. Mostly it is what was sent: then nothing has to be named by our ids."""
    if send.sent is not None and same(as_sent(row.resource), as_sent(send.sent)):
        return send.local
    return as_ours(names, partner.client.base, row.resource, send.link.local_id)


def _sent(partner: Partner, names: Names, send: Send) -> Tree:
    """What was sent, as it would come back unchanged."""
    base = partner.client.base
    there = local_to_remote(identified(send.wanted, send.link), names.remote_id, base, {})
    return as_ours(names, base, there, send.link.local_id)


def _plain(tree: Tree) -> Tree:
    return {key: value for key, value in tree.items() if key != "meta"}


def _found(send: Send, row: Versioned) -> Link:
    """The link of what was there already: what was last in flight is the base, as it may be what arrived."""
    return send.link.replace(remote_id=str(row.resource["id"]), remote_version="", base=0, seen=None)


def _acknowledged(send: Send, row: Versioned, seen: Tree) -> Link:
    link = send.link
    # A reference was left out because its target comes later: it is written once more, with it.
    rest: dict[str, Any] = (
        {"acked": 0, "state": "partial", "reason": f"waits for {'/'.join(send.left[0])}"}
        if send.left
        else {"acked": send.version}
    )
    done = link.replace(
        remote_id=str(row.resource["id"]), remote_version=row.version, remote_updated=row.last_updated,
        base=send.version, seen=None if same(seen, send.local) else seen, in_flight="", flight=0, lease_until="",
        attempts=0, state="linked", reason="", not_before="",
    )  # fmt: skip
    return done.replace(**rest)
