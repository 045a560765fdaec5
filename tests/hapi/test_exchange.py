"""`HttpFhirServer` on the real server: everything that the port promises."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from adapter.errors import Conflict, Gone, NotFound, ServerRefused, Unavailable
from adapter.exchange import HttpFhirServer, Limits

SYSTEM = "https://careplan-adapter.org/fhir/identifier"


@pytest.fixture
def server(hapi: str) -> Iterator[HttpFhirServer]:
    with HttpFhirServer(hapi) as found:
        yield found


def patient(tag: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": tag}], **more}


def identified(tag: str) -> str:
    return f"identifier={SYSTEM}|{tag}"


def test_it_reads_what_the_server_can_do(server: HttpFhirServer) -> None:
    capability = server.capability()
    assert capability.software == "HAPI FHIR Server"
    assert capability.fhir_version == "4.0.1"
    assert capability.transaction
    assert {"CarePlan", "Condition", "QuestionnaireResponse"} <= capability.types
    assert "CarePlan" in capability.conditional_create
    assert "CarePlan" in capability.history_type & capability.history_instance
    assert {"identifier", "_lastUpdated"} <= capability.search_params["CarePlan"]
    assert server.capability() is capability


def test_a_resource_is_made_read_changed_and_deleted(server: HttpFhirServer, tag: str) -> None:
    made = server.create(patient(tag, active=True))
    id_ = made.resource["id"]
    assert made.version == "1"
    assert made.last_updated
    assert server.read("Patient", id_).resource == made.resource

    changed = server.update({**made.resource, "active": False}, if_match=made.version)
    assert changed.version == "2"
    assert server.read("Patient", id_).resource["active"] is False
    assert server.vread("Patient", id_, "1").resource["active"] is True

    server.delete("Patient", id_)
    with pytest.raises(Gone):
        server.read("Patient", id_)
    assert server.vread("Patient", id_, "1").resource["active"] is True
    server.delete("Patient", id_)


def test_what_was_never_there_is_not_found(server: HttpFhirServer, tag: str) -> None:
    with pytest.raises(NotFound):
        server.read("Patient", tag)
    with pytest.raises(NotFound):
        server.vread("Patient", server.create(patient(tag)).resource["id"], "7")
    server.delete("Patient", tag)


def test_a_stale_version_is_a_conflict_and_nothing_is_written(server: HttpFhirServer, tag: str) -> None:
    made = server.create(patient(tag, active=True))
    server.update({**made.resource, "gender": "other"}, if_match="1")
    with pytest.raises(Conflict) as caught:
        server.update({**made.resource, "gender": "unknown"}, if_match='W/"1"')
    assert caught.value.reason == "version"
    assert caught.value.exit_code == 1
    assert server.read("Patient", made.resource["id"]).resource["gender"] == "other"


def test_an_id_of_ours_is_kept(server: HttpFhirServer, tag: str) -> None:
    made = server.update(patient(tag, id=tag))
    assert (made.resource["id"], made.version) == (tag, "1")


def test_a_conditional_create_twice_makes_one(server: HttpFhirServer, tag: str) -> None:
    first = server.create(patient(tag), if_none_exist=identified(tag))
    second = server.create(patient(tag, active=True), if_none_exist=identified(tag))
    assert second.resource["id"] == first.resource["id"]
    assert "active" not in second.resource


def test_a_condition_that_several_match_is_refused(server: HttpFhirServer, tag: str) -> None:
    for _ in range(2):
        server.create(patient(tag))
    with pytest.raises(ServerRefused) as caught:
        server.create(patient(tag), if_none_exist=identified(tag))
    assert caught.value.status == 412
    assert "HAPI-0958" in str(caught.value)


def test_conditional_creates_at_once_make_one(server: HttpFhirServer, tag: str) -> None:
    def create(_: int) -> str:
        try:
            return str(server.create(patient(tag), if_none_exist=identified(tag)).resource["id"])
        except Conflict as conflict:
            return conflict.reason

    with ThreadPoolExecutor(6) as pool:
        found = set(pool.map(create, range(6)))
    rows = [row for page in server.search("Patient", {"identifier": f"{SYSTEM}|{tag}"}) for row in page]
    assert len(rows) == 1
    assert found <= {rows[0].resource["id"], "create-race"}


def test_a_search_gives_every_row_once_over_its_pages(server: HttpFhirServer, tag: str) -> None:
    rows = [
        {"resource": patient(f"{tag}-{number}", active=True), "request": {"method": "POST", "url": "Patient"}}
        for number in range(45)
    ]
    for row in rows:
        row["resource"]["meta"] = {"tag": [{"system": SYSTEM, "code": tag}]}
    server.transaction({"resourceType": "Bundle", "type": "transaction", "entry": rows})

    pages = list(server.search("Patient", {"_tag": f"{SYSTEM}|{tag}", "_count": "20"}))
    assert [len(page) for page in pages] == [20, 20, 5]
    values = {row.resource["identifier"][0]["value"] for page in pages for row in page}
    assert values == {f"{tag}-{number}" for number in range(45)}
    assert all(row.version == "1" and row.last_updated for page in pages for row in page)


def test_a_search_too_long_for_a_url_goes_as_a_form(server: HttpFhirServer, tag: str) -> None:
    server.create(patient(f"{tag}-7"))
    wanted = ",".join(f"{SYSTEM}|{tag}-{number}" for number in range(200))
    assert len(wanted) > 10_000
    (page,) = server.search("Patient", {"identifier": wanted})
    assert [row.resource["identifier"][0]["value"] for row in page] == [f"{tag}-7"]


def test_a_search_never_sees_an_answer_from_before(server: HttpFhirServer, tag: str) -> None:
    asked = {"identifier": f"{SYSTEM}|{tag}"}
    assert list(server.search("Patient", asked)) == [[]]
    server.create(patient(tag))
    assert [len(page) for page in server.search("Patient", asked)] == [1]


def test_too_many_pages_stop(hapi: str, server: HttpFhirServer, tag: str) -> None:
    for _ in range(3):
        server.create(patient(tag))
    narrow = HttpFhirServer(hapi, limits=Limits(pages=2))
    pages = narrow.search("Patient", {"identifier": f"{SYSTEM}|{tag}", "_count": "1"})
    assert len(next(pages)) == len(next(pages)) == 1
    with pytest.raises(Unavailable, match="more than 2 pages"):
        next(pages)


def test_a_history_tells_every_version_newest_first(server: HttpFhirServer, tag: str) -> None:
    made = server.create(patient(tag, active=True))
    id_ = made.resource["id"]
    server.update({**made.resource, "active": False}, if_match="1")
    server.delete("Patient", id_)
    entries = [entry for page in server.history("Patient", id_) for entry in page]
    assert [entry["request"]["method"] for entry in entries] == ["DELETE", "PUT", "POST"]
    since = [entry for page in server.history("Patient", since=made.last_updated) for entry in page]
    assert sum(entry["fullUrl"].endswith(f"/Patient/{id_}") for entry in since) == 3


def test_a_history_of_what_was_never_there(server: HttpFhirServer, tag: str) -> None:
    with pytest.raises(NotFound):
        list(server.history("Patient", tag))


def test_a_transaction_ties_its_entries_together(server: HttpFhirServer, tag: str) -> None:
    whose = "urn:uuid:0b5c6cd4-5f3d-4a4b-9a8e-3a3f8f0f9a01"
    condition = {"resourceType": "Condition", "subject": {"reference": whose}, "code": {"text": "for a test"}}
    answer = server.transaction(
        {
            "resourceType": "Bundle",
            "type": "transaction",
            "entry": [
                {"fullUrl": whose, "resource": patient(tag), "request": {"method": "POST", "url": "Patient"}},
                {"resource": condition, "request": {"method": "POST", "url": "Condition"}},
            ],
        }
    )
    places = [entry["response"]["location"] for entry in answer["entry"]]
    stored = server.read("Condition", places[1].split("/")[1]).resource
    assert stored["subject"]["reference"] == "/".join(places[0].split("/")[:2])


def test_of_a_bad_transaction_nothing_is_stored(server: HttpFhirServer, tag: str) -> None:
    bad = {"resourceType": "Condition", "subject": {"reference": f"Patient/{tag}-missing"}}
    entries = [
        {"resource": patient(tag), "request": {"method": "POST", "url": "Patient"}},
        {"resource": bad, "request": {"method": "POST", "url": "Condition"}},
    ]
    with pytest.raises(ServerRefused) as caught:
        server.transaction({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    assert caught.value.status == 400
    assert "HAPI-1094" in str(caught.value)
    assert tag not in str(caught.value) + "".join(issue.text for issue in caught.value.issues)
    assert list(server.search("Patient", {"identifier": f"{SYSTEM}|{tag}"})) == [[]]


def test_a_batch_lands_what_can_land(server: HttpFhirServer, tag: str) -> None:
    bad = {"resourceType": "Condition", "subject": {"reference": f"Patient/{tag}-missing"}}
    entries = [
        {"resource": patient(tag), "request": {"method": "POST", "url": "Patient"}},
        {"resource": bad, "request": {"method": "POST", "url": "Condition"}},
    ]
    answer = server.transaction({"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert [entry["response"]["status"][:3] for entry in answer["entry"]] == ["201", "400"]


def test_a_stale_version_in_a_transaction_is_a_conflict(server: HttpFhirServer, tag: str) -> None:
    made = server.create(patient(tag)).resource
    server.update({**made, "active": True}, if_match="1")
    request = {"method": "PUT", "url": f"Patient/{made['id']}", "ifMatch": 'W/"1"'}
    entry = {"resource": {**made, "active": False}, "request": request}
    with pytest.raises(Conflict):
        server.transaction({"resourceType": "Bundle", "type": "transaction", "entry": [entry]})


def test_a_delete_of_what_is_referenced_is_refused_and_is_no_conflict(server: HttpFhirServer, tag: str) -> None:
    id_ = server.create(patient(tag)).resource["id"]
    server.create({"resourceType": "Condition", "subject": {"reference": f"Patient/{id_}"}})
    with pytest.raises(ServerRefused) as caught:
        server.delete("Patient", id_)
    assert caught.value.status == 409


def test_digits_come_back_as_they_were_sent(server: HttpFhirServer) -> None:
    sent = {"value": Decimal("1.50"), "unit": "mg"}
    made = server.create(
        {"resourceType": "Observation", "status": "final", "code": {"text": "for a test"}, "valueQuantity": sent}
    )
    assert str(made.resource["valueQuantity"]["value"]) == "1.50"
    assert str(server.read("Observation", made.resource["id"]).resource["valueQuantity"]["value"]) == "1.50"


def test_validate_gives_the_servers_verdict(server: HttpFhirServer, tag: str) -> None:
    fine = server.validate(patient(tag, gender="other"))
    assert not [issue for issue in fine["issue"] if issue["severity"] in {"error", "fatal"}]
    unknown_element = server.validate(
        {"resourceType": "CarePlan", "status": "active", "intent": "plan", "surprise": "x"}
    )
    assert [issue for issue in unknown_element["issue"] if issue["severity"] in {"error", "fatal"}]


def test_a_type_that_does_not_exist_is_refused_on_create(server: HttpFhirServer) -> None:
    with pytest.raises(ServerRefused) as caught:
        server.create({"resourceType": "Elephant"})
    assert caught.value.status in {400, 404}


def test_an_address_beside_the_server_is_unavailable(hapi: str) -> None:
    with pytest.raises(Unavailable):
        HttpFhirServer(hapi.removesuffix("/fhir") + "/elsewhere").capability()


def test_a_connection_that_the_server_closed_without_a_word_is_not_used_again(hapi: str, tag: str) -> None:
    with HttpFhirServer(hapi, limits=Limits(query=100_000)) as server:
        made = server.create(patient(tag))
        for _ in range(3):
            with pytest.raises(ServerRefused) as caught:
                list(server.search("Patient", {"identifier": "x" * 9000}))
            assert caught.value.status == 414
            assert server.update(made.resource).version == "1"
