"""What was deleted here is withdrawn there: its status says so, the resource stays. Removal is never our doing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from adapter.errors import Conflict, Gone, NotFound
from adapter.ports import Link
from adapter.services.partners import Partner, Report
from adapter.services.pull import as_ours

INACTIVE = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "inactive"}]}
# FHIR's own word for "no longer meant", by type.
WITHDRAWN: dict[str, tuple[str, Any]] = {
    "CarePlan": ("status", "revoked"),
    "ServiceRequest": ("status", "revoked"),
    "MedicationRequest": ("status", "cancelled"),
    "Goal": ("lifecycleStatus", "cancelled"),
    "CareTeam": ("status", "inactive"),
    "Questionnaire": ("status", "retired"),
    "Patient": ("active", False),
    "Condition": ("clinicalStatus", INACTIVE),
}


def withdraw(partner: Partner, link: Link, report: Report) -> None:
    """Withdraw one part under If-Match; a change there in between is a conflict. Responses and scores are left."""
    if not link.remote_id or link.type not in WITHDRAWN:
        _close(partner, link, "" if not link.remote_id else "left there: only an error withdraws an answer")
        report.add(link, "closed")
        return
    name, value = WITHDRAWN[link.type]
    try:
        there = partner.client.read(link.type, link.remote_id)
        if there.version != link.remote_version:
            raise Conflict("changed there")
        seen = partner.client.update({**there.resource, name: value}, if_match=there.version)
    except (NotFound, Gone):
        _close(partner, link, "")
        report.add(link, "closed", "deleted on both sides")
    except Conflict:
        stopped = replace(link, state="conflict", reason="deleted here, changed there", lease_until="")
        partner.store.put_links([stopped], fence=link.fence)
        report.add(link, "conflict", "deleted here, changed there")
    else:
        # So that our own withdrawal is known when a pull brings it, and a record that is restored is sent as it then is.
        tree = as_ours(partner, seen.resource, link.local_id)
        known = replace(link, remote_version=seen.version, base_sent=tree, base_seen=tree)
        _close(partner, known, "")
        report.add(link, "withdrawn")


def _close(partner: Partner, link: Link, reason: str) -> None:
    done = replace(link, state="closed", reason=reason, acked=link.wanted, lease_until="")
    partner.store.put_links([done], fence=link.fence)
