"""What the FHIR face holds are records: a write changes one resource and, by the maps, its record."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter.bootstrap import Services
from adapter.fhir_json import dumps, loads, same

FIXTURES = Path(__file__).resolve().parent.parent.parent.parent / "fixtures"
FHIR = {"Content-Type": "application/fhir+json"}
ENVELOPE = {"revision", "recorded_at", "recorded_by", "origin", "pack"}


def content(record: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in ENVELOPE}


def sent(services: Services, client: FlaskClient, case: str) -> tuple[list[Any], Any]:
    records = loads((FIXTURES / case / "records.json").read_bytes())
    bundle, _ = services.converter(bundle_type="transaction").to_fhir(records)
    answer = client.post("/fhir", data=dumps(bundle), headers=FHIR)
    assert answer.status_code == 200, answer.data
    return records, bundle


@pytest.fixture
def wide(services: Services) -> FlaskClient:
    from adapter.api import create_app

    return create_app(services).test_client()


@pytest.mark.parametrize("case", ["dual-diagnosis", "several-sites", "nested-form", "decimals-trailing-zeros"])
def test_a_transaction_brings_every_record_in(services: Services, wide: FlaskClient, case: str) -> None:
    records, bundle = sent(services, wide, case)
    for record in records:
        assert same(content(services.store().record(record["kind"], record["id"])), content(record))
    again = wide.post("/fhir", data=dumps(bundle), headers=FHIR)
    assert all(entry["response"]["etag"] == 'W/"1"' for entry in again.json["entry"])
    assert {record.get("revision") for record in services.store().records()} == {1}


def test_an_edit_of_a_goal_is_an_edit_of_its_plan(services: Services, wide: FlaskClient) -> None:
    records, _ = sent(services, wide, "dual-diagnosis")
    plan = next(record for record in records if record["kind"] == "plan")
    before = services.store().record("plan", plan["id"])
    found = loads(wide.get("/fhir/Goal?_count=1").data)["entry"][0]["resource"]
    found["note"] = [*found.get("note", []), {"text": "Rang in the evening."}]
    tag = f'W/"{found["meta"]["versionId"]}"'
    answer = wide.put(f"/fhir/Goal/{found['id']}", data=dumps(found), headers={**FHIR, "If-Match": tag})
    assert answer.headers["ETag"] == 'W/"2"'
    after = services.store().record("plan", plan["id"])
    assert after["revision"] == 2
    changed = [goal for one, goal in zip(before["goals"], after["goals"], strict=True) if one != goal]
    assert [goal["notes"][-1]["text"] for goal in changed] == ["Rang in the evening."]
    assert {**content(after), "goals": []} == {**content(before), "goals": []}
    assert wide.get("/fhir/CarePlan").json["entry"][0]["resource"]["meta"]["versionId"] == "1"


def test_a_goal_that_came_alone_joins_its_plan_and_leaves_it(services: Services, client: FlaskClient) -> None:
    subject = {"reference": "Patient/p"}
    goal = {
        "resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "subject": subject, "description": {"text": "x"},
    }  # fmt: skip
    plan = {
        "resourceType": "CarePlan", "id": "c", "status": "active", "intent": "plan", "subject": subject,
        "goal": [{"reference": "Goal/g"}],
    }  # fmt: skip
    client.put("/fhir/Goal/g", data=dumps(goal), headers=FHIR)
    assert [record["kind"] for record in services.store().records()] == ["goal"]
    assert client.put("/fhir/CarePlan/c", data=dumps(plan), headers=FHIR).status_code == 201
    (joined,) = services.store().records()
    assert (joined["kind"], len(joined["goals"])) == ("plan", 1)
    assert client.get("/fhir/Goal/g").headers["ETag"] == 'W/"1"'
    assert client.delete("/fhir/CarePlan/c").status_code == 204
    assert [record["kind"] for record in services.store().records()] == ["goal"]
    assert client.get("/fhir/Goal/g").status_code == 200
    assert client.get("/fhir/CarePlan/c").status_code == 410


def test_what_no_record_can_hold_is_refused(services: Services, client: FlaskClient) -> None:
    lone = {
        "resourceType": "Observation", "id": "o", "status": "final", "code": {"text": "weight"}, "valueInteger": 80,
    }  # fmt: skip
    answer = client.put("/fhir/Observation/o", data=dumps(lone), headers=FHIR)
    assert answer.status_code == 422
    assert client.get("/fhir/Observation/o").status_code == 404
