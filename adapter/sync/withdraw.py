"""What was deleted here is withdrawn there: its status says so, the resource stays. It is removed only where the server's
options, or who deleted it, say so.
"""

from __future__ import annotations

from collections.abc import Sequence

from adapter.errors import Conflict as Raced
from adapter.errors import Gone, NotFound, Refused, ServerRefused
from adapter.fhir_json import same
from adapter.ports import FOR_CONSENT, Conflict, Entry, Link, Versioned
from adapter.sync.anew import not_there
from adapter.sync.ending import WITHDRAWAL, withdrawn
from adapter.sync.partner import LOOK_AT_CONSENT, Names, Partner, Report
from adapter.sync.sentinel import remember
from adapter.sync.theirs import as_ours, overrun


def withdraw(partner: Partner, names: Names, link: Link, report: Report) -> Link:
    """Withdraws one part under If-Match; a change there in between is a conflict. Gives the link as it then is.

    Raises Unavailable; where the outcome is not known, that is in flight.
    """
    if not link.remote_id:
        return _close(partner, link, report, "closed")
    before, link = link, link.replace(in_flight=WITHDRAWAL)
    partner.store.settle([link])
    try:
        there = partner.client.read(link.type, link.remote_id)
        if link.linked and there.version != link.remote_version and not _is_withdrawal(there, before):
            raise Raced("changed there")
        if _removes(partner, link):
            return _remove(partner, names, link, there, report)
        new = withdrawn(there.resource, as_error=link.ending == "error")
        if new is None:
            return _close(partner, link, report, "closed", "left there: only an error withdraws an answer")
        seen = partner.client.update(new, if_match=there.version)
        partner.point("withdrawn")
    except (NotFound, Gone):
        between = overrun(partner, names, link)
        return _close(partner, not_there(link), report, "closed", "deleted on both sides", between)
    except Raced:
        return _conflict(partner, names, link, report)
    except (ServerRefused, Refused) as error:
        if isinstance(error, ServerRefused) and error.status in (401, 403):
            raise
        if isinstance(error, Refused) and error.consent:
            return _wait(partner, before, error, report)
        said = (
            f"the server answered {error.status}" if isinstance(error, ServerRefused) else f"privacy: {error.message}"
        )
        refused = link.replace(state="refused", reason=said, lease_until="", in_flight="")
        partner.store.settle([refused])
        report.add(refused, "refused", refused.reason)
        return refused
    # So that our own withdrawal is known when a pull brings it, and a record that is restored is sent as it then is.
    tree = as_ours(names, partner.client.base, seen.resource, link.local_id)
    remember(partner, [seen])
    known = link.replace(remote_version=seen.version, remote_updated=seen.last_updated, base=0, seen=tree)
    return _close(partner, known, report, "withdrawn")


def _removes(partner: Partner, link: Link) -> bool:
    """Whether what is deleted here is deleted there, and not marked as ended."""
    return partner.server.options.removal == "delete" or link.ending == "remove"


def _is_withdrawal(there: Versioned, link: Link) -> bool:
    """Whether what is there is our withdrawal already, whose answer was lost."""
    new = withdrawn(there.resource, as_error=link.ending == "error")
    return link.in_flight == WITHDRAWAL and (new is None or same(new, there.resource))


def _remove(partner: Partner, names: Names, link: Link, there: Versioned, report: Report) -> Link:
    """Deletes it. Servers ignore If-Match here, so it was compared first, and what came in between is looked for after, and
    kept in the journal.
    """
    partner.client.delete(link.type, link.remote_id)
    left = partner.look(*link.remote)
    if left is None:
        between = overrun(partner, names, link, there.version)
        return _close(partner, not_there(link), report, "removed", between=between)
    if left.version == there.version:
        return _close(partner, link, report, "closed", "the server did not remove it")
    raise Raced("changed there")


def _conflict(partner: Partner, names: Names, link: Link, report: Report) -> Link:
    reason = "deleted here, changed there"
    there = partner.client.read(link.type, link.remote_id)
    remember(partner, [there])
    theirs = as_ours(names, partner.client.base, there.resource, link.local_id)
    stopped = link.replace(
        state="conflict", reason=reason, theirs=theirs, theirs_version=there.version, lease_until="", in_flight=""
    )
    whole = Conflict(*link.key, "", link.seen, None, theirs, theirs_at=there.last_updated)
    partner.store.clash(stopped, [whole])
    report.add(stopped, "conflict", reason)
    return stopped


def _wait(partner: Partner, link: Link, error: Refused, report: Report) -> Link:
    """What says that it is withdrawn is of the patient too: it waits for a consent like everything else."""
    reason = f"{FOR_CONSENT}{error.message}"
    waiting = link.replace(reason=reason, in_flight="", lease_until="", not_before=partner.later(LOOK_AT_CONSENT))
    partner.store.settle([waiting])
    report.add(waiting, "waiting", reason)
    return waiting


def _close(
    partner: Partner, link: Link, report: Report, verb: str, reason: str = "", between: Sequence[Entry] = ()
) -> Link:
    done = link.replace(state="closed", reason=reason, acked=link.wanted, lease_until="", in_flight="", attempts=0)
    partner.store.settle([done], between)
    report.add(done, verb, reason)
    return done
