"""$validate of the FHIR face and /v1/validate: resource or id, profile, mode."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter.fhir_json import dumps
from tests.unit.api.test_face import FHIR, goal

Tree = dict[str, Any]
US_CORE_GOAL = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-goal"


def ids(answer: Any, *severities: str) -> list[str]:
    assert answer.status_code == 200, answer.data
    assert answer.json["resourceType"] == "OperationOutcome"
    wanted = severities or ("error", "fatal")
    rows = [row for row in answer.json["issue"] if row["severity"] in wanted]
    return [row["details"]["coding"][0]["code"] for row in rows if "coding" in row["details"]]


def parameters(resource: Tree | None, **values: str) -> bytes:
    names = {"mode": "valueCode", "profile": "valueUri"}
    rows: list[Tree] = [{"name": name, names[name]: value} for name, value in values.items()]
    rows += [{"name": "resource", "resource": resource}] if resource else []
    return dumps({"resourceType": "Parameters", "parameter": rows})


def stored(client: FlaskClient) -> str:
    answer = client.post("/fhir/Goal", data=dumps(goal()), headers=FHIR)
    assert answer.status_code == 201, answer.data
    return str(answer.json["id"])


def test_a_profile_by_query_and_by_parameters(client: FlaskClient) -> None:
    bare = {**goal(), "target": [{"measure": {"text": "x"}, "detailString": "x"}]}
    plain = client.post("/fhir/Goal/$validate", data=dumps(bare), headers=FHIR)
    assert ids(plain) == []
    for answer in (
        client.post(f"/fhir/Goal/$validate?profile={US_CORE_GOAL}", data=dumps(bare), headers=FHIR),
        client.post("/fhir/Goal/$validate", data=parameters(bare, profile=US_CORE_GOAL), headers=FHIR),
        client.post(f"/v1/validate?profile={US_CORE_GOAL}", data=dumps(bare), headers=FHIR),
    ):
        assert any(name.startswith("profile-") for name in ids(answer, "error", "information"))


@pytest.mark.parametrize(
    ("path", "mode", "found"),
    [
        ("/fhir/Goal/$validate", "create", []),
        ("/fhir/Goal/$validate", "update", ["mode-update"]),
        ("/fhir/Goal/$validate", "delete", ["mode-resource", "mode-instance"]),
        ("/fhir/Goal/$validate", "profile", ["mode-resource", "mode-instance", "mode-profile"]),
        ("/fhir/Goal/x/$validate", "create", ["mode-create"]),
        ("/fhir/Goal/x/$validate", "update", ["id-differs"]),
        ("/fhir/Patient/$validate", "create", ["type-differs"]),
        ("/fhir/$validate", "create", []),
    ],
)
def test_the_mode_says_what_else_must_hold(client: FlaskClient, path: str, mode: str, found: list[str]) -> None:
    tree = {key: value for key, value in goal().items() if key != "id"}
    assert ids(client.post(f"{path}?mode={mode}", data=dumps(tree), headers=FHIR)) == found
    assert ids(client.post(path, data=parameters(tree, mode=mode), headers=FHIR)) == found


def test_what_is_held_is_validated_at_its_id(client: FlaskClient) -> None:
    id_ = stored(client)
    assert ids(client.get(f"/fhir/Goal/{id_}/$validate")) == []
    assert ids(client.post(f"/fhir/Goal/{id_}/$validate")) == []
    assert ids(client.post(f"/fhir/Goal/{id_}/$validate", data=parameters(None, mode="delete"), headers=FHIR)) == []
    answer = client.get(f"/fhir/Goal/{id_}/$validate?mode=profile&profile={US_CORE_GOAL}")
    assert "mode-profile" not in ids(answer)
    assert ids(client.post(f"/fhir/Goal/{id_}/$validate", data=dumps({**goal(), "id": id_}), headers=FHIR)) == []
    assert client.get(f"/fhir/Goal/{id_}/_history").json["total"] == 1


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        ("/fhir/Goal/none/$validate", b"", 404),
        ("/fhir/Goal/bad_id!/$validate", b"", 400),
        ("/fhir/Goal/$validate", b"{}", 400),
        ("/fhir/Goal/$validate", b"{", 400),
        ("/fhir/Goal/$validate", parameters(None), 400),
        ("/fhir/Goal/$validate?mode=whatever", dumps({"resourceType": "Goal"}), 400),
        ("/v1/validate?mode=delete", dumps({"resourceType": "Goal"}), 400),
    ],
)
def test_a_call_that_cannot_be_followed(client: FlaskClient, path: str, data: bytes, status: int) -> None:
    assert client.post(path, data=data, headers=FHIR).status_code == status


def test_r5_by_media_type_and_by_query(client: FlaskClient) -> None:
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "subject": {"reference": "Patient/1"}}
    tree = {**plan, "addresses": [{"reference": {"reference": "Condition/1"}}]}
    headers = {"Content-Type": "application/fhir+json; fhirVersion=5.0"}
    assert ids(client.post("/v1/validate", data=dumps(tree), headers=headers)) == []
    assert ids(client.post("/v1/validate?fhir=5.0.0", data=dumps(tree), headers=FHIR)) == []
    assert ids(client.post("/fhir/CarePlan/$validate", data=dumps(tree), headers=headers)) == []
    assert ids(client.post("/v1/validate", data=dumps(tree), headers=FHIR)) != []


def test_checkers_for_many_profiles_are_not_all_kept(client: FlaskClient, services: Any) -> None:
    for number in range(40):
        services.checker(profiles=(f"http://example.org/{number}",))
    assert len(services._checkers) <= 16
    assert services.checker(profiles=("http://example.org/39",)) is services.checker(
        profiles=("http://example.org/39",)
    )
