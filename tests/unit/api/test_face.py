"""The FHIR face over HTTP, with resources in memory. https://hl7.org/fhir/R4/http.html"""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter.fhir_json import dumps, loads

PATIENT = {"resourceType": "Patient", "active": True}
FHIR = {"Content-Type": "application/fhir+json"}


def goal(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "Thirty days without a drink"},
        "subject": {"reference": "Patient/p1"},
        **more,
    }


def put(client: FlaskClient, tree: dict[str, Any], **headers: str) -> Any:
    place = f"/fhir/{tree['resourceType']}/{tree['id']}"
    return client.put(place, data=dumps(tree), headers={**FHIR, **headers})


def outcome(answer: Any) -> dict[str, Any]:
    assert answer.content_type.startswith("application/fhir+json")
    tree: dict[str, Any] = loads(answer.data)
    assert tree["resourceType"] == "OperationOutcome"
    assert all({"severity", "code"} <= row.keys() for row in tree["issue"])
    return tree


def test_metadata_says_what_it_can(client: FlaskClient) -> None:
    tree = client.get("/fhir/metadata").json
    assert tree["resourceType"] == "CapabilityStatement"
    assert tree["fhirVersion"] == "4.0.1"
    assert {row["type"] for row in tree["rest"][0]["resource"]} >= {"CarePlan", "Goal", "QuestionnaireResponse"}


def test_the_capability_statement_is_valid(client: FlaskClient) -> None:
    from adapter.validation import validate

    assert [issue for issue in validate(loads(client.get("/fhir/metadata").data)) if issue.is_error] == []


def test_create_gives_an_id_a_version_and_a_place(client: FlaskClient) -> None:
    answer = client.post("/fhir/Goal", data=dumps({**goal(), "id": "mine"}), headers=FHIR)
    assert answer.status_code == 201
    id_ = answer.json["id"]
    assert id_ != "mine"
    assert answer.headers["ETag"] == 'W/"1"'
    assert answer.headers["Location"] == f"http://localhost/fhir/Goal/{id_}/_history/1"
    assert answer.headers["Last-Modified"]
    assert client.get(f"/fhir/Goal/{id_}").json == answer.json


def test_every_digit_stays(client: FlaskClient) -> None:
    text = '{"resourceType":"Goal","id":"g","lifecycleStatus":"active","description":{"text":"x"},"subject":{"reference":"Patient/p"},"target":[{"measure":{"text":"m"},"detailQuantity":{"value":1.50}}]}'
    assert client.put("/fhir/Goal/g", data=text, headers=FHIR).status_code == 201
    assert b"1.50" in client.get("/fhir/Goal/g").data


def test_update_under_if_match(client: FlaskClient) -> None:
    assert put(client, {**goal(), "id": "g"}).status_code == 201
    changed = {**goal(), "id": "g", "lifecycleStatus": "completed"}
    assert put(client, changed, **{"If-Match": 'W/"1"'}).headers["ETag"] == 'W/"2"'
    stale = put(client, goal(id="g", lifecycleStatus="on-hold"), **{"If-Match": 'W/"1"'})
    assert stale.status_code == 412
    outcome(stale)


def test_an_unchanged_put_makes_no_version(client: FlaskClient) -> None:
    put(client, {**goal(), "id": "g"})
    again = put(client, {**goal(), "id": "g"})
    assert (again.status_code, again.headers["ETag"]) == (200, 'W/"1"')


def test_delete_then_gone_and_the_past_stays(client: FlaskClient) -> None:
    put(client, {**goal(), "id": "g"})
    assert client.delete("/fhir/Goal/g").status_code == 204
    gone = client.get("/fhir/Goal/g")
    assert gone.status_code == 410
    outcome(gone)
    assert client.get("/fhir/Goal/g/_history/1").status_code == 200
    assert client.get("/fhir/Goal/g/_history/2").status_code == 410
    assert client.delete("/fhir/Goal/never").status_code == 204
    assert put(client, {**goal(), "id": "g"}).status_code == 201


def test_history_is_newest_first(client: FlaskClient) -> None:
    put(client, {**goal(), "id": "g"})
    put(client, goal(id="g", lifecycleStatus="completed"))
    client.delete("/fhir/Goal/g")
    bundle = client.get("/fhir/Goal/g/_history").json
    assert bundle["type"] == "history"
    assert [entry["request"]["method"] for entry in bundle["entry"]] == ["DELETE", "PUT", "POST"]
    first = client.get("/fhir/Goal/g/_history?_count=2").json
    following = next(link["url"] for link in first["link"] if link["relation"] == "next")
    assert [entry["request"]["method"] for entry in client.get(following).json["entry"]] == ["POST"]


def test_304_where_the_caller_has_it(client: FlaskClient) -> None:
    put(client, {**goal(), "id": "g"})
    answer = client.get("/fhir/Goal/g", headers={"If-None-Match": 'W/"1"'})
    assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", 'W/"1"')
    assert client.get("/fhir/Goal/g", headers={"If-None-Match": 'W/"9"'}).status_code == 200
    stamp = client.get("/fhir/Goal/g").headers["Last-Modified"]
    assert client.get("/fhir/Goal/g", headers={"If-Modified-Since": stamp}).status_code == 304


def test_conditional_create(client: FlaskClient) -> None:
    tree = {**PATIENT, "identifier": [{"system": "urn:s", "value": "1"}]}
    headers = {**FHIR, "If-None-Exist": "identifier=urn:s|1"}
    first = client.post("/fhir/Patient", data=dumps(tree), headers=headers)
    again = client.post("/fhir/Patient", data=dumps(tree), headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json["id"] == again.json["id"]
    client.post("/fhir/Patient", data=dumps(tree), headers=FHIR)
    several = client.post("/fhir/Patient", data=dumps(tree), headers=headers)
    assert several.status_code == 412
    outcome(several)


def test_search_and_its_pages(client: FlaskClient) -> None:
    for number in range(7):
        put(client, goal(id=f"g{number}", subject={"reference": f"Patient/p{number % 2}"}))
    url: str | None = "/fhir/Goal?patient=Patient/p0&_count=3"
    seen: list[str] = []
    while url:
        bundle = client.get(url).json
        assert bundle["total"] == 4
        seen += [entry["resource"]["id"] for entry in bundle.get("entry", [])]
        url = next((link["url"] for link in bundle["link"] if link["relation"] == "next"), None)
    assert seen == ["g0", "g2", "g4", "g6"]
    assert client.get("/fhir/Goal?_summary=count").json == {
        "resourceType": "Bundle", "type": "searchset", "total": 7,
        "link": [{"relation": "self", "url": "http://localhost/fhir/Goal?_summary=count"}],
    }  # fmt: skip
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/fhir/Goal/_search", data="subject=p1", headers=form).json["total"] == 3


def test_an_unknown_search_parameter(client: FlaskClient) -> None:
    strict = client.get("/fhir/Goal?colour=x")
    assert strict.status_code == 400
    outcome(strict)
    kind = client.get("/fhir/Goal?colour=x", headers={"Prefer": "handling=lenient"})
    assert kind.status_code == 200
    assert "colour" not in kind.json["link"][0]["url"]


def test_a_transaction_rewrites_references(client: FlaskClient) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "fullUrl": "urn:uuid:b",
                "resource": goal(subject={"reference": "urn:uuid:a"}),
                "request": {"method": "POST", "url": "Goal"},
            },
            {
                "fullUrl": "urn:uuid:a",
                "resource": {**PATIENT, "id": "p9"},
                "request": {"method": "PUT", "url": "Patient/p9"},
            },
            {"request": {"method": "GET", "url": "Patient/p9"}},
            {"request": {"method": "DELETE", "url": "Goal/none"}},
        ],
    }
    answer = client.post("/fhir", data=dumps(bundle), headers=FHIR)
    assert answer.status_code == 200, answer.data
    tree = answer.json
    assert [row["response"]["status"] for row in tree["entry"]] == [
        "201 Created",
        "201 Created",
        "200 OK",
        "204 No Content",
    ]
    assert tree["entry"][0]["resource"]["subject"]["reference"] == "Patient/p9"


def test_a_transaction_is_all_or_nothing(client: FlaskClient) -> None:
    entries = [
        {"resource": {**PATIENT, "id": "p1"}, "request": {"method": "PUT", "url": "Patient/p1"}},
        {"resource": {"resourceType": "Goal", "id": "g"}, "request": {"method": "PUT", "url": "Goal/g"}},
    ]
    answer = client.post(
        "/fhir/", data=dumps({"resourceType": "Bundle", "type": "transaction", "entry": entries}), headers=FHIR
    )
    assert answer.status_code == 422
    assert any(row["expression"][0].startswith("Bundle.entry[1].resource") for row in outcome(answer)["issue"])
    assert client.get("/fhir/Patient/p1").status_code == 404
    batch = client.post(
        "/fhir", data=dumps({"resourceType": "Bundle", "type": "batch", "entry": entries}), headers=FHIR
    )
    statuses = [row["response"]["status"] for row in batch.json["entry"]]
    assert [status[:3] for status in statuses] == ["201", "422"]


def test_validate_stores_nothing(client: FlaskClient) -> None:
    answer = client.post("/fhir/Goal/$validate", data=dumps({"resourceType": "Goal"}), headers=FHIR)
    assert answer.status_code == 200
    assert any(row["severity"] == "error" for row in outcome(answer)["issue"])
    parameters = {"resourceType": "Parameters", "parameter": [{"name": "resource", "resource": goal()}]}
    good = client.post("/fhir/Goal/$validate", data=dumps(parameters), headers=FHIR)
    assert all(row["severity"] != "error" for row in outcome(good)["issue"])
    assert client.get("/fhir/Goal").json["total"] == 0


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("get", "/fhir/Goal/none", None, {}, 404),
        ("get", "/fhir/Medication/x", None, {}, 404),
        ("get", "/fhir/Goal/bad_id!", None, {}, 400),
        ("get", "/elsewhere", None, {}, 404),
        ("get", "/fhir/a/b/c/d", None, {}, 404),
        ("get", "/fhir/metadata", None, {"Accept": "application/fhir+xml"}, 406),
        ("get", "/fhir/metadata?_format=xml", None, {}, 406),
        ("get", "/fhir/metadata", None, {"Accept": "application/fhir+json; fhirVersion=5.0"}, 406),
        ("post", "/fhir/Goal", "<Goal/>", {"Content-Type": "application/fhir+xml"}, 415),
        ("post", "/fhir/Goal", "{}", {"Content-Type": "application/fhir+json; fhirVersion=5.0"}, 415),
        ("post", "/fhir/Goal", "{}", {"Content-Type": "application/fhir+json; charset=latin-1"}, 415),
        ("post", "/fhir/Goal", "{", FHIR, 400),
        ("post", "/fhir/Goal", "[]", FHIR, 400),
        ("post", "/fhir/Goal", '{"resourceType":"Goal","resourceType":"Goal"}', FHIR, 400),
        ("post", "/fhir/Goal", '{"resourceType":"Patient"}', FHIR, 400),
        ("post", "/fhir/Goal", '{"resourceType":"Goal"}', FHIR, 422),
        ("post", "/fhir/Goal", " " * 200_001, FHIR, 413),
        ("post", "/fhir", '{"resourceType":"Bundle","type":"collection"}', FHIR, 400),
        ("put", "/fhir/Goal/a", json.dumps({**goal(), "id": "b"}), FHIR, 400),
        ("get", "/fhir/Goal?_lastUpdated=never", None, {}, 400),
        ("get", "/fhir/Goal?_count=-1", None, {}, 400),
        ("get", "/fhir/metadata", None, {"Host": "evil.example"}, 421),
        ("get", "/fhir/metadata", None, {"Origin": "https://evil.example"}, 403),
    ],
)
def test_what_cannot_be_answered(
    client: FlaskClient, method: str, path: str, body: str | None, headers: dict[str, str], status: int
) -> None:
    answer = client.open(path, method=method.upper(), data=body, headers=headers)
    assert answer.status_code == status, answer.data
    if path.startswith("/fhir"):
        outcome(answer)
    else:
        assert answer.content_type == "application/problem+json"


def test_405_names_what_is_allowed(client: FlaskClient) -> None:
    answer = client.patch("/fhir/Goal/g", data="[]", headers=FHIR)
    assert answer.status_code == 405
    assert {"GET", "PUT", "DELETE"} <= set(answer.headers["Allow"].split(", "))
    outcome(answer)


def test_a_fault_of_ours_says_nothing_of_the_data(
    client: FlaskClient, services: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("Odile Samplewood")

    monkeypatch.setattr(services.store(), "search", broken)
    answer = client.get("/fhir/Goal")
    assert answer.status_code == 500
    assert b"Odile" not in answer.data
    outcome(answer)


def test_security_headers(client: FlaskClient) -> None:
    headers = client.get("/fhir/metadata").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
