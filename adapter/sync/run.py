"""Send what changed here: leased work, a hash in flight, a conditional request, its outcome recorded under the fence.

A run that is cut short anywhere leaves the ledger so that the next one looks what came of it, and sends the same
conditional request again.
"""

from __future__ import annotations

from dataclasses import dataclass

from adapter.errors import Unavailable
from adapter.sync.facts import Facts
from adapter.sync.partner import Partner, Report
from adapter.sync.plan import plan
from adapter.sync.round import Round
from adapter.sync.scope import Scope

# So many requests in a row without an answer that makes sense, and the server is left alone.
MOST_FAILURES = 3


def push(
    partner: Partner, report: Report | None = None, *, dry_run: bool = False, hurry: bool = True, again: bool = False
) -> Report:
    """Every record with something to send, parents first; one that fails holds up no other. With `hurry` also what was
    put off after a failure, with `again` what was refused. `report` is filled as it goes, so that it is there where this
    raises.

    Raises Unavailable where the server cannot be reached or does not make sense: what is not sent stays waiting.
    """
    report = Report() if report is None else report
    if dry_run:
        return _said(partner, report)
    partner.store.renew(partner.name, everything=hurry, refused=again)
    run = _Run(partner, report, Facts.of(partner))
    while run.round():
        pass
    if run.error is not None:
        raise run.error
    partner.store.note(partner.name, last_push=partner.later())
    return report


def _said(partner: Partner, report: Report) -> Report:
    """What would be done with what has something to send."""
    scope = Scope(partner)
    for link in partner.store.links(partner.name, pending=True):
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
    """All rounds of one push."""

    partner: Partner
    report: Report
    facts: Facts
    failures: int = 0
    error: Unavailable | None = None
    progress: bool = False

    def round(self) -> bool:
        """One lease of work; False where nothing is due any more."""
        partner = self.partner
        links = partner.store.claim(partner.name, limit=self.facts.bundle, seconds=partner.lease)
        if links:
            partner.point("leased")
            Round(self, links).run()
            return True
        if not self.progress or not self.report.waiting:
            return False
        # What waited for a parent may go, now that more is there.
        self.progress = False
        partner.store.renew(partner.name)
        return True

    def failed(self, error: Unavailable) -> None:
        """One more request that nobody knows the outcome of. Raises it where they are too many."""
        self.failures += 1
        self.error = error
        if self.failures >= MOST_FAILURES:
            raise error
