"""What a consent says of one disclosure. https://hl7.org/fhir/R4/consent.html"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from adapter.ports import Owner
from adapter.privacy import Asking, Decision, Recipient, Refusal, release
from adapter.privacy.consent import asked, weigh

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
HOSPITAL = Recipient("north", "partner", names=frozenset({"http://hl7.org/fhir/sid/us-npi|1999999984"}))
OTHER = Recipient("south", "partner")
INSIDE = Recipient("this machine", "own", inside=True)
PLAN = {"resourceType": "CarePlan", "id": "p", "category": [{"coding": [{"system": "s", "code": "therapy"}]}]}
RECEIVES = {
    "id": "a2",
    "role": {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"},
    "who": {"text": "General Hospital", "identifier": {"system": "http://hl7.org/fhir/sid/us-npi", "value": "1999999984"}},
}  # fmt: skip
SENDS = {"id": "a1", "role": {"code": "CST"}, "who": "Recovery Centre"}


def consent(decision: str | None = "permit", status: str = "active", **provision: Any) -> dict[str, Any]:
    if decision:
        provision["decision"] = decision
    scope = {"code": "patient-privacy"}
    return {"kind": "consent", "id": "c1", "status": status, "scope": scope, "provision": provision}


def said(one: dict[str, Any], resource: dict[str, Any] = PLAN, recipient: Recipient = HOSPITAL) -> str:
    return weigh([one], asked(resource, recipient, NOW)).word


def coding(code: str, system: str = "http://hl7.org/fhir/resource-types") -> dict[str, str]:
    return {"system": system, "code": code}


@pytest.mark.parametrize(
    ("one", "word"),
    [
        (consent("permit"), "permit"),
        (consent("deny"), "deny"),
        (consent(None), "permit"),
        ({**consent(None), "policy_rule": {"code": "OPTOUT"}}, "deny"),
        ({**consent("deny"), "scope": {"code": "research"}}, ""),
        (consent("permit", "inactive"), "ended"),
        (consent("deny", "inactive"), ""),
        (consent("permit", "rejected"), "deny"),
        *((consent("deny", status), "") for status in ("draft", "proposed", "entered-in-error")),
        (consent("permit", period={"end": "2026-05-31"}), "ended"),
        (consent("permit", period={"start": "2026-06-02"}), "ended"),
        (consent("permit", period={"start": "2026-06-01", "end": "2026-06-01"}), "permit"),
        (consent("deny", period={"end": "2026-05"}), ""),
        (consent("permit", actors=[SENDS, RECEIVES]), "permit"),
        (consent("deny", actors=[{**RECEIVES, "who": "Somebody else"}]), ""),
        (consent("deny", actors=[{**RECEIVES, "who": "North"}]), "deny"),
        (consent("permit", purposes=[coding("HPAYMT"), coding("TREAT")]), "permit"),
        (consent("deny", purposes=[coding("HRESCH")]), ""),
        (consent("deny", actions=[coding("collect")]), ""),
        (consent("deny", actions=[coding("disclose")]), "deny"),
        (consent("permit", classes=[coding("CarePlan")]), "permit"),
        (consent("permit", classes=[coding("Goal")]), ""),
        (consent("deny", classes=[coding("Goal")]), ""),
        (consent("deny", classes=[coding("11488-4", "http://loinc.org")]), "deny"),
        (consent("permit", classes=[coding("11488-4", "http://loinc.org")]), ""),
        (consent("permit", labels=[coding("42CFRPart2")]), "permit"),
        (consent("deny", labels=[coding("PSYTHPN")]), ""),
        (consent("deny", codes=[{"system": "s", "code": "therapy"}]), "deny"),
        (consent("deny", codes=[{"system": "s", "code": "surgery"}]), ""),
        (consent("deny", data=[{"id": "d", "meaning": "instance", "what": {"reference": "CarePlan/p"}}]), "deny"),
        (consent("deny", data=[{"id": "d", "meaning": "instance", "what": {"reference": "Goal/p"}}]), ""),
        (consent("deny", data=[{"id": "d", "meaning": "related", "what": {"reference": "Goal/p"}}]), "deny"),
        (consent("deny", data_period={"start": "2020"}), "deny"),
        (consent("permit", data_period={"start": "2020"}), ""),
        (consent("permit", provisions=[{"decision": "deny", "classes": [coding("CarePlan")]}]), "deny"),
        (consent("permit", provisions=[{"decision": "deny", "classes": [coding("Goal")]}]), "permit"),
        (consent("deny", provisions=[{"actors": [RECEIVES]}]), "permit"),
    ],
)  # fmt: skip
def test_what_one_consent_says(one: dict[str, Any], word: str) -> None:
    assert said(one) == word


def test_a_refusal_counts_before_a_permission_and_both_before_what_has_ended() -> None:
    ended, permits, denies = consent("permit", "inactive"), consent("permit"), consent("deny")
    question = asked(PLAN, HOSPITAL, NOW)
    assert weigh([ended, permits], question).word == "permit"
    assert weigh([permits, denies, ended], question).word == "deny"
    assert weigh([], question).word == ""
    assert weigh([permits], question).reason == "consent/c1 permits it"


def test_the_keeper_of_the_records_is_stopped_only_by_name() -> None:
    assert said(consent("deny"), recipient=INSIDE) == ""
    assert said(consent("deny", actors=[{**RECEIVES, "who": "This machine"}]), recipient=INSIDE) == "deny"


def test_a_patient_is_of_every_class_that_is_permitted() -> None:
    assert said(consent("permit", classes=[coding("CarePlan")]), {"resourceType": "Patient"}) == "permit"


def let(recipient: Recipient, consents: list[dict[str, Any]], tree: dict[str, Any], origin: str = "real") -> Any:
    noted: list[Decision] = []
    asking = Asking(
        lambda some: [Owner(origin, f"plan/{one['id']}", one["id"][0]) for one in some],
        lambda patients: {"p": consents} if "p" in patients else {},
        lambda: NOW,
        noted.extend,
    )
    return release(tree, recipient, asking), noted


def bundle(type_: str = "transaction") -> dict[str, Any]:
    rows = [{**PLAN, "id": "p"}, {**PLAN, "id": "q"}]
    return {"resourceType": "Bundle", "type": type_, "total": 2, "entry": [{"resource": one} for one in rows]}


def test_what_is_denied_is_held_back_by_its_place_and_noted_without_values() -> None:
    found, noted = let(HOSPITAL, [consent("deny")], bundle())
    assert found == Refusal(("plan/p",), "consent/c1 denies it", consent=True, places=(0,))
    assert noted == [Decision("plan/p", "CarePlan", went=False, reason="consent/c1 denies it")]


def test_what_is_permitted_goes_and_is_noted() -> None:
    found, noted = let(HOSPITAL, [consent("permit", actors=[RECEIVES])], bundle())
    assert found == bundle()
    assert [(one.went, one.reason) for one in noted] == [(True, "consent/c1 permits it")]


def test_where_a_consent_is_required_its_want_holds_real_records_back() -> None:
    strict = Recipient("north", "partner", needs_consent=True)
    found, _ = let(strict, [], {**PLAN, "id": "p"})
    assert found.reason == "no consent permits it"
    assert let(strict, [], {**PLAN, "id": "p"}, "synthetic")[0] == {**PLAN, "id": "p"}
    assert let(strict, [consent("permit")], {**PLAN, "id": "p"})[0] == {**PLAN, "id": "p"}
    assert let(OTHER, [consent("permit", actors=[RECEIVES])], {**PLAN, "id": "p"})[0] == {**PLAN, "id": "p"}


@pytest.mark.parametrize("type_", ["searchset", "history"])
def test_of_a_search_what_is_denied_is_left_out(type_: str) -> None:
    found, _ = let(HOSPITAL, [consent("deny")], bundle(type_))
    assert [row["resource"]["id"] for row in found["entry"]] == ["q"]
    assert "total" not in found
