"""The server in memory keeps FHIR's word, as the others are held to it."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import Conflict, Gone, NotFound, ServerRefused, UsageError
from adapter.exchange.memory import MemoryFhirServer

PATIENT = {"resourceType": "Patient", "identifier": [{"system": "s", "value": "1"}]}


@pytest.fixture
def server() -> MemoryFhirServer:
    return MemoryFhirServer()


def send(server: MemoryFhirServer, *entries: dict[str, Any]) -> list[dict[str, Any]]:
    answered = server.transaction({"resourceType": "Bundle", "type": "transaction", "entry": list(entries)})
    rows: list[dict[str, Any]] = answered["entry"]
    return rows


def test_versions(server: MemoryFhirServer) -> None:
    one = server.create(PATIENT)
    id_ = one.resource["id"]
    two = server.update({**one.resource, "active": True}, if_match="1")
    assert (one.version, two.version, server.read("Patient", id_).version) == ("1", "2", "2")
    assert "active" not in server.vread("Patient", id_, "1").resource
    with pytest.raises(Conflict):
        server.update({**one.resource, "active": False}, if_match="1")
    assert server.update({**two.resource, "meta": {}}).version == "2"
    assert [entry["response"]["etag"] for page in server.history("Patient", id_) for entry in page] == [
        'W/"2"',
        'W/"1"',
    ]


def test_deleted(server: MemoryFhirServer) -> None:
    id_ = server.create(PATIENT).resource["id"]
    server.delete("Patient", id_)
    server.delete("Patient", id_)
    server.delete("Patient", "never")
    with pytest.raises(Gone):
        server.read("Patient", id_)
    with pytest.raises(NotFound):
        server.read("Patient", "never")
    assert list(server.search("Patient", {})) == [[]]
    assert server.update({**PATIENT, "id": id_}).version == "3"


def test_a_conditional_create_makes_one(server: MemoryFhirServer) -> None:
    one = server.create(PATIENT, if_none_exist="identifier=s|1")
    two = server.create(PATIENT, if_none_exist="identifier=s|1")
    assert one == two
    server.create(PATIENT)
    with pytest.raises(ServerRefused):
        server.create(PATIENT, if_none_exist="identifier=s|1")


def test_ids_of_clients_may_be_refused() -> None:
    with pytest.raises(ServerRefused):
        MemoryFhirServer(update_create=False).update({**PATIENT, "id": "mine"})


def test_a_transaction_renames_what_it_makes(server: MemoryFhirServer) -> None:
    goal = {"resourceType": "Goal", "subject": {"reference": "urn:uuid:p"}}
    answers = send(
        server,
        {"fullUrl": "urn:uuid:g", "resource": goal, "request": {"method": "POST", "url": "Goal"}},
        {
            "fullUrl": "urn:uuid:p",
            "resource": PATIENT,
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=s|1"},
        },
    )
    id_ = answers[1]["resource"]["id"]
    assert answers[0]["resource"]["subject"] == {"reference": f"Patient/{id_}"}
    assert answers[1]["response"]["location"] == f"Patient/{id_}/_history/1"
    assert next(server.search("Goal", {"patient": id_}))[0].resource["resourceType"] == "Goal"


def test_a_transaction_lands_whole_or_not_at_all(server: MemoryFhirServer) -> None:
    with pytest.raises(Conflict):
        send(
            server,
            {"resource": PATIENT, "request": {"method": "POST", "url": "Patient"}},
            {"resource": {**PATIENT, "id": "x"}, "request": {"method": "PUT", "url": "Patient/x", "ifMatch": 'W/"4"'}},
        )
    assert (list(server.search("Patient", {})), server.writes) == ([[]], 0)
    with pytest.raises(UsageError):
        server.transaction({"resourceType": "Bundle", "type": "collection"})


def test_search(server: MemoryFhirServer) -> None:
    rows = [server.create({**PATIENT, "active": True}) for _ in range(45)]
    assert [len(page) for page in server.search("Patient", {"_count": "20"})] == [20, 20, 5]
    ids = [row.resource["id"] for row in rows[:2]]
    assert len(next(server.search("Patient", {"_id": ",".join(ids)}))) == 2
    since = rows[0].last_updated
    assert sum(len(page) for page in server.search("Patient", {"_lastUpdated": f"ge{since}"})) == 45
    with pytest.raises(ServerRefused):
        list(server.search("Patient", {"unheard-of": "x"}))


def test_nothing_that_is_given_out_is_held_inside(server: MemoryFhirServer) -> None:
    given = server.create(PATIENT)
    given.resource["active"] = False
    assert "active" not in server.read("Patient", given.resource["id"]).resource


def test_a_gate_that_refuses_leaves_nothing() -> None:
    def gate(_: Any) -> Any:
        raise UsageError("no")

    server = MemoryFhirServer(gate=gate)
    with pytest.raises(UsageError):
        server.create(PATIENT)
    assert server.writes == 0
