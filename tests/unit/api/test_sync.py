"""/v1/sync, /v1/conflicts, /v1/hooks, /metrics and histories, with a server in memory on the other side."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter.bootstrap import Services
from adapter.exchange.memory import MemoryFhirServer
from adapter.fhir_json import dumps, loads
from adapter.mapping import load
from adapter.ports import SystemClock
from adapter.records import check
from adapter.services.servers import new_hook
from adapter.sync.partner import Partner

FIXTURES = Path(__file__).resolve().parent.parent.parent.parent / "fixtures"
JSON = {"Content-Type": "application/json"}
PATIENT = loads((FIXTURES / "dual-diagnosis" / "records.json").read_bytes())[0]


@pytest.fixture
def there(services: Services, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> MemoryFhirServer:
    memory = MemoryFhirServer()
    body = dumps({"name": "north", "url": memory.base, "class": "own"})
    assert client.post("/v1/servers", data=body, headers=JSON).status_code == 201

    @contextmanager
    def partner(name: str) -> Iterator[Partner]:
        store = services.store()
        yield Partner(
            store.server(name), memory, store, load("core"), SystemClock(), lambda _: [], check, services.carry_out
        )

    monkeypatch.setattr(services, "partner", partner)
    return memory


def send(client: FlaskClient, path: str, tree: Any, **headers: str) -> Any:
    return client.post(path, data=dumps(tree), headers={**JSON, **headers})


def put(client: FlaskClient, **values: Any) -> None:
    record = {**PATIENT, **values}
    answer = client.put(f"/v1/records/patient/{PATIENT['id']}", data=dumps(record), headers=JSON)
    assert answer.status_code in (200, 201)


def patient(there: MemoryFhirServer) -> Any:
    (row,) = [row for page in there.search("Patient", {}) for row in page]
    return row.resource


@pytest.fixture
def clash(client: FlaskClient, there: MemoryFhirServer) -> int:
    put(client)
    assert send(client, "/v1/sync", {"server": "north"}).json["failed"] == []
    put(client, gender="other")
    there.update({**patient(there), "gender": "unknown"})
    steps = send(client, "/v1/sync", {}).json["steps"]
    assert [step["result"] for step in steps] == ["conflict"]
    (row,) = client.get("/v1/conflicts").json
    assert row["element"] == "Patient.gender"
    assert "unknown" not in str(row)
    return int(row["number"])


def test_a_conflict_is_shown_and_decided(client: FlaskClient, there: MemoryFhirServer, clash: int) -> None:
    shown = client.get(f"/v1/conflicts/{clash}").json
    assert (shown["ours"], shown["theirs"]) == ("other", "unknown")
    assert [row["field"] for row in shown["fields"]] == ["gender"]
    done = send(client, f"/v1/conflicts/{clash}", {"take": "theirs", "by": "R. Weber"})
    assert (done.status_code, done.json["open"]) == (200, 0)
    assert client.get(f"/v1/records/patient/{PATIENT['id']}").json["gender"] == "unknown"
    assert send(client, "/v1/sync", {}).json == {"steps": [], "failed": []}
    assert client.get("/v1/conflicts").json == []
    assert send(client, f"/v1/conflicts/{clash}", {"take": "ours"}).status_code == 400


@pytest.mark.parametrize("body", [{}, {"take": "mine"}, {"take": "ours", "value": 1}, [], {"take": "ours", "x": 1}])
def test_a_decision_that_is_none(client: FlaskClient, clash: int, body: Any) -> None:
    assert send(client, f"/v1/conflicts/{clash}", body).status_code == 400
    assert len(client.get("/v1/conflicts").json) == 1


def test_there_is_no_such_conflict(client: FlaskClient) -> None:
    assert client.get("/v1/conflicts/7").status_code == 404
    assert send(client, "/v1/conflicts/7", {"take": "ours"}).status_code == 404


def test_history_and_an_earlier_state(client: FlaskClient, clash: int) -> None:
    path = f"/v1/records/patient/{PATIENT['id']}/history"
    send(client, f"/v1/conflicts/{clash}", {"take": "theirs", "by": "R. Weber"})
    rows = client.get(path).json
    assert [row["revision"] for row in rows if row["what"] == "revision"] == [1, 2, 3]
    assert [row["by"] for row in rows if row["what"] == "decided"] == ["R. Weber"]
    back = send(client, path, {"revision": 1})
    assert (back.status_code, back.json["revision"]) == (200, 4)
    assert back.json["gender"] == PATIENT["gender"]
    assert send(client, path, {"revision": 99}).status_code == 404
    assert client.get("/v1/records/patient/none/history").status_code == 404


def test_options_of_a_server(client: FlaskClient, there: MemoryFhirServer) -> None:
    def change(tree: Any) -> Any:
        return client.patch("/v1/servers/north", data=dumps(tree), headers=JSON)

    made = change({"every": 60, "direction": "pull", "policies": {"Goal": "theirs"}, "kinds": ["plan"]}).json
    assert (made["every"], made["direction"], made["policies"], made["kinds"]) == (
        60,
        "pull",
        {"Goal": "theirs"},
        ["plan"],
    )
    made = change({"bundle": 20, "connections": 2}).json
    assert (made["bundle"], made["connections"]) == (20, 2)
    wrongs: list[Any] = [{"every": 0}, {"direction": "up"}, {"kinds": ["x"]}, {"policies": {"Goal": "mine"}}, {"x": 1}]
    for wrong in (*wrongs, {"bundle": 0}, {"connections": 0}, {"connections": "2"}):
        assert change(wrong).status_code == 400
    assert change({"paused": "moving house"}).json["paused"] == "moving house"
    assert send(client, "/v1/sync", {"server": "north"}).status_code == 503
    assert change({"paused": ""}).json["paused"] == ""


def hint(
    client: FlaskClient, secret: str, path: str = "/v1/hooks/north", body: bytes = b"", method: str = "POST"
) -> int:
    headers = {**JSON, **({"Authorization": f"Bearer {secret}"} if secret else {})}
    return client.open(path, method=method, data=body, headers=headers).status_code


def test_a_webhook_bears_its_secret_and_is_only_a_hint(
    client: FlaskClient, services: Services, there: MemoryFhirServer
) -> None:
    secret = new_hook(services.store(), "north")
    assert [hint(client, wrong) for wrong in ("", "wrong", secret[:-1])] == [401] * 3
    assert hint(client, secret, "/v1/hooks/south") == 401
    put(client)
    send(client, "/v1/sync", {})
    lying = dumps({**patient(there), "gender": "unknown"})
    assert hint(client, secret, body=lying) == hint(client, secret, body=lying) == 204
    assert hint(client, secret, f"/v1/hooks/north/Patient/{patient(there)['id']}", lying, "PUT") == 204
    assert hint(client, secret, body=b'{"resourceType": "../x", "id": "y"}') == 204
    assert hint(client, secret) == 204
    assert [(one.type, one.remote_id) for one in services.store().arrivals("north")] == [
        ("Patient", patient(there)["id"])
    ]
    assert send(client, "/v1/sync", {}).json["steps"] == []
    assert client.get(f"/v1/records/patient/{PATIENT['id']}").json["gender"] == PATIENT["gender"]
    assert secret not in str(client.get("/v1/servers").json)


def test_metrics_say_numbers_and_nothing_of_a_record(client: FlaskClient, clash: int) -> None:
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain")
    text = answer.data.decode()
    assert 'careplan_links{server="north",state="conflict"} 1.0' in text
    assert 'careplan_conflicts{server="north"} 1.0' in text
    assert 'careplan_paused{server="north"} 0.0' in text
    assert PATIENT["id"] not in text


def test_servers_are_shown_as_the_openapi_says(client: FlaskClient) -> None:
    from jsonschema import Draft202012Validator

    spec = client.get("/openapi.json").json
    assert spec is not None
    for name in ("north", "again"):
        made = send(
            client, "/v1/servers", {"name": name, "url": "http://127.0.0.1:8123/fhir", "policies": {"Goal": "ours"}}
        )
        assert made.status_code == 201
    shown = {
        ("/v1/servers", "get", "200"): client.get("/v1/servers").json,
        ("/v1/servers", "post", "201"): made.json,
        ("/v1/servers/{name}", "patch", "200"): client.patch(
            "/v1/servers/again", data=dumps({"every": 7}), headers=JSON
        ).json,
    }
    for (path, verb, status), tree in shown.items():
        schema = spec["paths"][path][verb]["responses"][status]["content"]["application/json"]["schema"]
        Draft202012Validator({**schema, "components": spec.get("components", {})}).validate(tree)
    assert made.json["also"] == ["north"]
    wrong = send(
        client, "/v1/servers", {"name": "w", "url": "http://127.0.0.1:8124/fhir", "policies": {"Gaol": "ours"}}
    )
    assert (wrong.status_code, wrong.json["detail"]) == (400, "FHIR R4 has no element Gaol. Did you mean Goal?")


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"colour": "red"}, "/colour"), ({"a/b~": 1}, "/a~1b~0"), ({"every": "5m"}, "/every"), ({"every": 0}, "/every"),
        ({"every": True}, "/every"), ({"rate": "2"}, "/rate"), ({"rate": -1}, "/rate"), ({"kinds": ["x"]}, "/kinds"),
        ({"policies": {"Gaol": "ours"}}, "/policies"), ({"policies": {"Goal": "mine"}}, "/policies"),
        ({"patients": "ward.txt"}, "/patients"), ({"patients": []}, "/patients"), ({"patients": {"a": 1}}, "/patients"),
        ({"purpose": "treat"}, "/purpose"), ({"direction": "up"}, "/direction"), ({"recipient": [""]}, "/recipient"),
        ({"name": "NORTH"}, "/name"), ({"url": "file:///etc"}, "/url"), ({"auth": "bearer"}, "/auth_env"),
        ({"class": "mine"}, "/class"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_server_is_said_by_its_place(
    client: FlaskClient, change: dict[str, Any], pointer: str
) -> None:
    answer = send(client, "/v1/servers", {"name": "north", "url": "http://127.0.0.1:8123/fhir", **change})
    assert (answer.status_code, answer.json["issues"][0]["pointer"]) == (400, pointer)
    assert client.get("/v1/servers").json == []


def test_a_server_is_read_changed_and_forgotten_by_its_name(client: FlaskClient) -> None:
    url = "http://127.0.0.1:8123/fhir"
    send(client, "/v1/servers", {"name": "north", "url": url, "rate": 2.5, "patients": ["ward|1"]})
    shown = client.get("/v1/servers/north").json
    assert shown is not None
    assert (shown["rate"], shown["patients"]) == (2.5, "listed")
    for body, pointer in (({"patients": "x"}, "/patients"), ({"every": 0, "paused": "moving"}, "/every")):
        answer = client.patch("/v1/servers/north", data=dumps(body), headers=JSON)
        assert (answer.status_code, answer.json["issues"][0]["pointer"]) == (400, pointer)
    assert client.get("/v1/servers/north").json == shown
    assert client.patch("/v1/servers/north", data=dumps({"rate": 3}), headers=JSON).json["rate"] == 3
    for verb in ("get", "patch", "delete"):
        assert getattr(client, verb)("/v1/servers/nope", data=b"{}", headers=JSON).status_code == 404
    assert client.delete("/v1/servers/north").status_code == 204


def test_conflicts_that_there_cannot_be(client: FlaskClient) -> None:
    for number in (0, 1, 2**31, 10**30):
        assert client.get(f"/v1/conflicts/{number}").status_code == 404
        assert send(client, f"/v1/conflicts/{number}", {"take": "ours"}).status_code == 404
    assert client.get("/v1/conflicts?server=nope").status_code == 400
    assert send(client, "/v1/conflicts/1", {"take": "both"}).json["issues"][0]["pointer"] == "/take"
    assert send(client, "/v1/sync", {"direction": "up"}).json["issues"][0]["pointer"] == "/direction"
