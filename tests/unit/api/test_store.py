"""/v1/records, /v1/servers, /v1/sync, /v1/conflicts over a store of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter.fhir_json import dumps, loads

FIXTURES = Path(__file__).resolve().parent.parent.parent.parent / "fixtures"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def patient() -> Any:
    return loads((FIXTURES / "dual-diagnosis" / "records.json").read_bytes())[0]


def put(client: FlaskClient, record: Any, **headers: str) -> Any:
    return client.put(f"/v1/records/{record['kind']}/{record['id']}", data=dumps(record), headers={**JSON, **headers})


def test_a_record_and_its_revisions(client: FlaskClient, patient: Any) -> None:
    first = put(client, patient)
    assert (first.status_code, first.headers["ETag"]) == (201, 'W/"1"')
    changed = {**patient, "gender": "other"}
    assert put(client, changed, **{"If-Match": 'W/"1"'}).headers["ETag"] == 'W/"2"'
    stale = put(client, patient, **{"If-Match": 'W/"1"'})
    assert (stale.status_code, stale.content_type) == (412, "application/problem+json")
    place = f"/v1/records/patient/{patient['id']}"
    assert client.get(place, headers={"If-None-Match": 'W/"2"'}).status_code == 304
    assert client.get(place).json["gender"] == "other"
    assert client.get(f"/fhir/Patient?identifier={patient['id']}").json["total"] == 1
    assert [row["revision"] for row in client.get("/v1/records").json] == [2]
    assert client.delete(place, headers={"If-Match": 'W/"1"'}).status_code == 412
    assert client.delete(place, headers={"If-Match": 'W/"2"'}).status_code == 204
    assert client.get(place).status_code == 410


def test_a_faulty_record_is_refused_with_its_places(client: FlaskClient, patient: Any) -> None:
    answer = put(client, {**patient, "birth_date": "1984-02-31", "colour": "red"})
    assert answer.status_code == 422
    assert {issue["pointer"] for issue in answer.json["issues"]} == {"/birth_date", "/colour"}
    assert b"1984-02-31" not in answer.data
    assert client.get(f"/v1/records/patient/{patient['id']}").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"), [("/v1/records/patient/none", 404), ("/v1/records/nonsense/x", 404), ("/v1/nothing", 404)]
)
def test_what_is_not_there(client: FlaskClient, path: str, status: int) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


def test_servers(client: FlaskClient) -> None:
    made = client.post("/v1/servers", data=b'{"name": "north", "url": "http://127.0.0.1:1/fhir"}', headers=JSON)
    assert (made.status_code, made.json["class"]) == (201, "own")
    assert [row["name"] for row in client.get("/v1/servers").json] == ["north"]
    for body in (b"[]", b'{"name": "x"}', b'{"name": "x", "url": 1}', b'{"name": "X!", "url": "http://127.0.0.1/"}'):
        assert client.post("/v1/servers", data=body, headers=JSON).status_code == 400
    assert client.delete("/v1/servers/north").status_code == 204
    assert client.get("/v1/servers").json == []


def test_a_server_that_is_away_is_no_fault_of_the_data(client: FlaskClient, patient: Any) -> None:
    put(client, patient)
    client.post("/v1/servers", data=b'{"name": "north", "url": "http://127.0.0.1:1/fhir"}', headers=JSON)
    alone = client.post("/v1/sync", data=b'{"direction": "push", "server": "north"}', headers=JSON)
    assert alone.status_code == 503
    every = client.post("/v1/sync", data=b'{"direction": "push"}', headers=JSON)
    assert [row["server"] for row in every.json["failed"]] == ["north"]
    assert client.get("/v1/sync").json[0]["counts"] == {"waiting": 1}
    assert client.get("/v1/conflicts").json == []
    assert client.post("/v1/sync", data=b'{"direction": "sideways"}', headers=JSON).status_code == 400
