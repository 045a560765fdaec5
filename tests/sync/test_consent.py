"""Consents before a real HAPI: what is denied never leaves this machine, a permission lets it out, its end stops it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.sync.site import NAME, Site


def consent(site: Site, id_: str, decision: str, status: str = "active") -> None:
    scope = {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}
    record: dict[str, Any] = {
        "kind": "consent", "id": id_, "patient": site.record("patient")["id"], "status": status, "scope": scope,
        "category": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IDSCL"}],
        "policies": [{"id": "p1", "uri": "https://www.ecfr.gov/current/title-42/part-2"}],
        "provision": {"decision": decision},
    }  # fmt: skip
    site.take_in([record])


def test_a_consent_decides_what_the_server_gets_and_its_end_what_it_gets_no_more(site: Site) -> None:
    id_ = str(uuid4())
    consent(site, id_, "deny")
    assert site.push().error is None
    family = site.record("patient")["names"][0]["family"].encode()
    assert not [asked for asked in site.proxy.writes() if family in asked.body]
    assert site.found("Patient", site.record("patient")["id"]) == []

    consent(site, id_, "permit")
    assert site.push(hurry=False).error is None
    assert site.there("Consent", id_)["status"] == "active"
    site.settled()

    consent(site, id_, "permit", "inactive")
    site.edit_goal(status_reason="Not for them any more")
    site.push()
    assert site.there("Goal", site.goal()["id"]).get("statusReason") != "Not for them any more"
    # What they change still comes in.
    site.edit_goal_there(priority={"text": "theirs"})
    assert site.pull().error is None
    entries = site.services.store().entries("plan", site.record("plan")["id"])
    goals = [(one.server, one.verb) for one in entries if one.part == f"Goal/{site.goal()['id']}"]
    assert goals == [(NAME, "released"), (NAME, "withheld")]
