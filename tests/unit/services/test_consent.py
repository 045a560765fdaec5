"""Consents at the gate: what is denied stays here and is said, its neighbours go; a new consent lets it out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap.gate import asking, recipient_of, withheld_by
from adapter.records import check
from adapter.sync.run import push
from tests.unit.services.scene import NAME, Scene, scene


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    return scene(tmp_path)


def consent(scene: Scene, decision: str = "deny", status: str = "active", **provision: Any) -> None:
    record = {
        "kind": "consent", "id": "b7f0c0d2-94a3-4a53-8e0e-5d1f7b6c2e10", "patient": next(scene.store.records("patient"))["id"],
        "status": status, "scope": {"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"},
        "category": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IDSCL"}],
        "policies": [{"id": "p", "uri": "https://www.ecfr.gov/current/title-42/part-2"}],
        "provision": {"decision": decision, **provision},
    }  # fmt: skip
    assert check(record) == []
    scene.write(record)


def there(scene: Scene, type_: str) -> int:
    return sum(len(page) for page in scene.client.search(type_, {}))


def test_a_consent_that_denies_keeps_everything_about_the_patient_here(made: Scene) -> None:
    consent(made)
    report = made.push()
    assert there(made, "CarePlan") == there(made, "Patient") == 0
    assert not report.troubled
    reasons = {link.reason for link in made.links("Patient")}
    assert reasons == {"consent: consent/b7f0c0d2-94a3-4a53-8e0e-5d1f7b6c2e10 denies it"}
    assert made.push().counts().get("waiting", 0) > 0


def test_the_journal_says_each_decision_once_and_no_value(made: Scene) -> None:
    consent(made)
    for _ in range(3):
        made.push()
    patient = made.plan()["patient"]
    entries = [one for one in made.store.entries("patient", patient) if one.verb == "withheld"]
    assert [(one.server, one.part, one.by) for one in entries] == [(NAME, "Patient", "consent")]
    assert entries[0].before is entries[0].after is None
    goals = [one for one in made.store.entries("plan", made.plan()["id"]) if one.part.startswith("Goal/")]
    assert goals == []
    consent(made, "permit")
    made.push()
    goals = [one.verb for one in made.store.entries("plan", made.plan()["id"]) if one.part.startswith("Goal/")]
    assert goals == ["released"] * len(made.plan()["goals"])
    last = made.store.entries("patient", patient)[-1]
    assert (last.verb, last.reason) == ("released", "consent/b7f0c0d2-94a3-4a53-8e0e-5d1f7b6c2e10 permits it")


def test_what_would_be_kept_back_is_said_beforehand_and_nothing_noted(made: Scene) -> None:
    consent(made)
    recipient = recipient_of(made.store.server(NAME))
    asked = asking(made.store, recipient, server=NAME, clock=made.clock)
    partner = replace(made.partner(), withheld=withheld_by(recipient, asked))
    steps = push(partner, dry_run=True).steps
    assert {step.verb for step in steps} == {"would wait"}
    assert {step.reason for step in steps} == {"consent/b7f0c0d2-94a3-4a53-8e0e-5d1f7b6c2e10 denies it"}
    assert made.store.entries("patient", next(made.store.records("patient"))["id"]) == []


def test_a_new_consent_lets_it_out_at_once(made: Scene) -> None:
    consent(made)
    made.push()
    consent(made, "permit")
    made.push(hurry=False)
    assert there(made, "CarePlan") == there(made, "Patient") == 1


@pytest.mark.parametrize(("status", "period"), [("inactive", {}), ("active", {"end": "2025-12-31"})])
def test_one_that_ended_or_was_revoked_stops_what_it_covered(made: Scene, status: str, period: dict[str, str]) -> None:
    consent(made, "permit")
    made.push()
    consent(made, "permit", status, **({"period": period} if period else {}))
    made.edit_goal(status_reason="Not for them any more")
    made.push()
    assert made.goal()["statusReason"] != "Not for them any more"
    assert any(link.reason.startswith("consent: ") for link in made.links("Goal"))


def test_a_class_that_is_denied_stays_and_the_rest_goes(made: Scene) -> None:
    consent(made, classes=[{"system": "http://hl7.org/fhir/resource-types", "code": "Goal"}])
    made.push()
    assert there(made, "Goal") == 0
    assert there(made, "Patient") == 1
    assert there(made, "Condition") > 0


def test_a_server_that_needs_a_consent_gets_nothing_of_a_real_patient_without(made: Scene) -> None:
    made.set(consent="require", recipient=("General Hospital",))
    for record in list(made.store.records()):
        made.write({**record, "origin": "real"})
    made.push()
    assert there(made, "Patient") == 0
    assert {link.reason for link in made.links("Patient")} == {"consent: no consent permits it"}
    consent(made, "permit", actors=[{"id": "a", "role": {"code": "IRCP", "system": "x"}, "who": "General hospital"}])
    made.push()
    assert there(made, "CarePlan") == there(made, "Patient") == 1


def test_a_withdrawal_waits_for_a_consent_too_and_stops_nothing_else(made: Scene) -> None:
    made.push()
    plan = made.plan()
    consent(made)
    made.store.delete("plan", plan["id"])
    report = made.push()
    assert not report.troubled
    assert made.remote("CarePlan")["status"] != "revoked"
    consent(made, "permit")
    made.push()
    assert made.remote("CarePlan")["status"] == "revoked"
