"""What Medplum does that HAPI does not: the adapter's client and exchange rely on neither. docs/sync.md says what they do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import requests

from adapter.errors import Conflict, NotFound, ServerRefused
from adapter.exchange import HttpFhirServer

Tree = dict[str, Any]
SYSTEM = "urn:test"


@pytest.fixture
def server(medplum: str) -> Iterator[HttpFhirServer]:
    """The client."""
    with HttpFhirServer(medplum) as client:
        yield client


def patient(tag: str, **more: Any) -> Tree:
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": tag}], **more}


def bundle(kind: str, *entries: Tree) -> Tree:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def created(resource: Tree, tag: str, name: str = "") -> Tree:
    request = {"method": "POST", "url": resource["resourceType"], "ifNoneExist": f"identifier={SYSTEM}|{tag}"}
    return {"fullUrl": f"urn:uuid:{name or uuid4()}", "resource": resource, "request": request}


def found(base: str, tag: str, type_: str = "Patient") -> list[Tree]:
    answer = requests.get(f"{base}/{type_}", params={"identifier": f"{SYSTEM}|{tag}"}, timeout=30).json()
    return [entry["resource"] for entry in answer.get("entry", [])]


def test_it_is_the_version_that_the_pages_speak_of_and_listens_on_loopback_only(server: HttpFhirServer) -> None:
    said = server.capability()
    assert (said.software, said.software_version, said.fhir_version) == ("medplum", "4.5.2", "4.0.1")
    assert server.base.startswith("http://127.0.0.1:")


def test_versions_are_uuids_and_an_unchanged_update_is_a_new_one(server: HttpFhirServer, tag: str) -> None:
    one = server.create(patient(tag))
    two = server.update(one.resource, if_match=one.version)
    assert UUID(one.version) != UUID(two.version)


def test_what_is_deleted_is_not_told_from_what_never_was(server: HttpFhirServer, tag: str) -> None:
    one = server.create(patient(tag))
    server.delete("Patient", one.resource["id"])
    for call in (
        lambda: server.read("Patient", one.resource["id"]),
        lambda: server.vread("Patient", one.resource["id"], one.version),
        lambda: server.update(one.resource, if_match=one.version),
        lambda: list(server.history("Patient", one.resource["id"])),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_stale_version_and_several_matches_are_both_412_without_a_code(server: HttpFhirServer, tag: str) -> None:
    one = server.create(patient(tag))
    server.update(one.resource, if_match=one.version)
    with pytest.raises(Conflict):
        server.update(one.resource, if_match=one.version)
    server.create(patient(tag))
    with pytest.raises(ServerRefused) as caught:
        server.create(patient(tag), if_none_exist=f"identifier={SYSTEM}|{tag}")
    assert caught.value.status == 412


def test_what_a_reference_names_need_not_be_there(server: HttpFhirServer, tag: str) -> None:
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "subject": {"reference": f"Patient/{tag}"}}
    assert server.create(goal).resource["subject"]["reference"] == f"Patient/{tag}"


def test_a_decimal_loses_its_last_zeros(medplum: str) -> None:
    text = '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.50}}'
    answer = requests.post(
        f"{medplum}/Observation", data=text, headers={"Content-Type": "application/fhir+json"}, timeout=30
    )
    assert '"value":1.5}' in answer.text


def test_there_is_one_page_and_no_link_to_another(medplum: str, server: HttpFhirServer, tag: str) -> None:
    for _ in range(3):
        server.create(patient(tag))
    query = {"identifier": f"{SYSTEM}|{tag}", "_count": "2"}
    answer = requests.get(f"{medplum}/Patient", params=query, timeout=30).json()
    assert (len(answer["entry"]), answer["total"], answer.get("link")) == (2, 3, None)


def test_no_type_has_a_history_and_that_of_a_resource_says_no_methods(server: HttpFhirServer, tag: str) -> None:
    one = server.create(patient(tag))
    assert "Patient" not in server.capability().history_type
    with pytest.raises(NotFound):
        list(server.history("Patient"))
    ((entry,),) = server.history("Patient", one.resource["id"])
    assert entry.keys() == {"resource"}


def test_a_transaction_is_done_as_a_batch_and_said_to_be_one(server: HttpFhirServer, tag: str) -> None:
    for _ in range(2):
        server.create(patient(f"{tag}-twice"))
    name = str(uuid4())
    goal = {"resourceType": "Goal", "lifecycleStatus": "active", "subject": {"reference": f"urn:uuid:{name}"}}
    entries = [created(patient(f"{tag}-twice"), f"{tag}-twice", name), created(goal, f"{tag}-goal")]
    answer = server.transaction(bundle("transaction", *entries))
    assert server.capability().transaction
    assert [row["response"]["status"] for row in answer["entry"]] == ["412", "201"]
    # The one names the other by an id that nothing has.
    with pytest.raises(NotFound):
        server.read("Patient", answer["entry"][1]["resource"]["subject"]["reference"].removeprefix("Patient/"))
    assert "etag" not in answer["entry"][1]["response"]


def test_with_transactions_few_conditions_go_together_and_nothing_is_taken_back(
    medplum_transactions: str, tag: str
) -> None:
    rows = [created(patient(f"{tag}-{number}"), f"{tag}-{number}") for number in range(9)]
    with HttpFhirServer(medplum_transactions) as server:
        with pytest.raises(ServerRefused) as many:
            server.transaction(bundle("transaction", *rows))
        assert many.value.status == 400
        assert len(server.transaction(bundle("transaction", *rows[:8]))["entry"]) == 8
        for _ in range(2):
            server.create(patient(f"{tag}-twice"))
        with pytest.raises(Conflict):
            server.transaction(bundle("transaction", rows[8], created(patient(f"{tag}-twice"), f"{tag}-twice")))
    assert len(found(medplum_transactions, f"{tag}-8")) == 1
