"""/v1, health, and the documents that describe the service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter.fhir_json import dumps, loads, same

JSON = {"Content-Type": "application/json"}
FIXTURES = Path(__file__).resolve().parent.parent.parent.parent / "fixtures"


@pytest.fixture(scope="module")
def records() -> Any:
    return loads((FIXTURES / "decimals-trailing-zeros" / "records.json").read_bytes())


def test_there_and_back_gives_the_same(client: FlaskClient, records: Any) -> None:
    bundle = client.post("/v1/convert/to-fhir", data=dumps(records), headers=JSON)
    assert bundle.status_code == 200, bundle.data
    back = client.post("/v1/convert/from-fhir", data=bundle.data, headers={"Content-Type": "application/fhir+json"})
    assert back.status_code == 200
    again = client.post("/v1/convert/to-fhir", data=back.data, headers=JSON)
    assert same(loads(again.data), loads(bundle.data))


def test_a_transaction_by_option(client: FlaskClient, records: Any) -> None:
    answer = client.post("/v1/convert/to-fhir?type=transaction", data=dumps(records), headers=JSON)
    assert answer.json["type"] == "transaction"


def test_validate_answers_with_an_outcome(client: FlaskClient) -> None:
    answer = client.post("/v1/validate", data=b'{"resourceType": "Goal"}', headers=JSON)
    assert answer.status_code == 200
    assert any(row["severity"] == "error" for row in answer.json["issue"])
    record = client.post("/v1/validate", data=b'{"kind": "plan", "id": "x"}', headers=JSON)
    assert any(row["location"] == ["/status"] for row in record.json["issue"])


@pytest.mark.parametrize(
    ("path", "body", "mime", "status"),
    [
        ("/v1/convert/to-fhir", b"{", "application/json", 400),
        ("/v1/convert/to-fhir", b"{}", "application/json", 400),
        ("/v1/convert/to-fhir", b"[]", "text/plain", 415),
        ("/v1/convert/to-fhir?type=document", b"[]", "application/json", 400),
        ("/v1/convert/to-fhir?colour=red", b"[]", "application/json", 400),
        ("/v1/convert/from-fhir", b'{"resourceType": "Nonsense"}', "application/json", 400),
        ("/v1/convert/from-fhir?fhir=3.0.1", b'{"resourceType": "Goal"}', "application/json", 400),
        ("/v1/convert/from-fhir?strict=true", b'{"resourceType": "Goal"}', "application/json", 422),
        ("/v1/convert/from-fhir", b'{"a": ' * 5000, "application/json", 400),
        ("/v1/validate?profile=", b'{"resourceType": "Goal"}', "application/json", 400),
        ("/v1/convert/from-fhir", b" " * 200_001, "application/json", 413),
    ],
)
def test_problems(client: FlaskClient, path: str, body: bytes, mime: str, status: int) -> None:
    answer = client.post(path, data=body, headers={"Content-Type": mime})
    assert answer.status_code == status, answer.data
    assert answer.content_type == "application/problem+json"
    tree = loads(answer.data)
    assert {"type", "title", "status", "detail"} <= tree.keys()
    assert tree["status"] == status


def test_405_names_what_is_allowed(client: FlaskClient) -> None:
    answer = client.get("/v1/validate")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]


def test_health(client: FlaskClient) -> None:
    assert client.get("/health/live").json == {"status": "live"}
    assert client.get("/health/ready").status_code == 200


def test_openapi_names_every_route_and_resolves(client: FlaskClient) -> None:
    spec = client.get("/openapi.json").json
    assert {"/v1/convert/to-fhir", "/v1/convert/from-fhir", "/v1/validate"} <= spec["paths"].keys()
    text = client.get("/openapi.json").get_data(as_text=True)
    for target in re.findall(r'"\$ref":"#/components/schemas/([^"]+)"', text):
        assert target in spec["components"]["schemas"], target


def test_the_page_of_docs_needs_nothing_from_elsewhere(client: FlaskClient) -> None:
    page = client.get("/", follow_redirects=True).get_data(as_text=True)
    assert page == client.get("/docs").get_data(as_text=True)
    assert "/v1/convert/to-fhir" in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert "<script" not in page
