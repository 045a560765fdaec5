"""What HAPI 8.8.0 does that the adapter relies on, or guards against. A row that changes here changes the adapter.

Plain `requests` on purpose: these tests speak of the server, not of our client.
"""

from __future__ import annotations

import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

JSON = {"Content-Type": "application/fhir+json"}
FRESH = {"Cache-Control": "no-cache"}
SYSTEM = "https://careplan-adapter.org/fhir/identifier"


class Http:
    """Requests to one base."""

    def __init__(self, base: str) -> None:
        self.base = base

    def __call__(self, method: str, path: str, tree: Any = None, **headers: str) -> requests.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.request(
            method,
            f"{self.base}/{path}".rstrip("/"),
            json=tree,
            headers={**named, **(JSON if tree else {})},
            timeout=60,
        )

    def bundle(self, kind: str, *entries: dict[str, Any]) -> requests.Response:
        return self("POST", "", {"resourceType": "Bundle", "type": kind, "entry": list(entries)})

    def make(self, tree: dict[str, Any]) -> dict[str, Any]:
        answer = self("POST", tree["resourceType"], tree)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())


@pytest.fixture
def http(hapi: str) -> Http:
    return Http(hapi)


def patient(tag: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "identifier": [{"system": SYSTEM, "value": tag}], **more}


def codes(answer: requests.Response) -> set[str]:
    return set(re.findall(r"HAPI-(\d{4})", answer.text))


def put(tree: dict[str, Any], url: str) -> dict[str, Any]:
    return {"resource": tree, "request": {"method": "PUT", "url": url}}


# --- ids and versions


def test_an_id_of_digits_only_is_refused(http: Http, tag: str) -> None:
    answer = http("PUT", "Patient/123456", patient(tag, id="123456"))
    assert answer.status_code == 400
    assert "0960" in codes(answer)


def test_ids_of_ours_are_taken_though_the_capability_statement_does_not_say_so(http: Http, tag: str) -> None:
    rows = http("GET", "metadata").json()["rest"][0]["resource"]
    assert not any("updateCreate" in row for row in rows)
    assert http("PUT", f"Patient/{tag}", patient(tag, id=tag)).status_code == 201


def test_an_unchanged_put_makes_no_version(http: Http, tag: str) -> None:
    first = http("PUT", f"Patient/{tag}", patient(tag, id=tag, active=True))
    again = http("PUT", f"Patient/{tag}", {"active": True, "id": tag, **patient(tag)})
    assert again.status_code == 200
    assert again.headers["ETag"] == first.headers["ETag"] == 'W/"1"'
    assert again.json()["meta"]["lastUpdated"] == first.json()["meta"]["lastUpdated"]


def test_a_put_under_a_version_that_never_was_creates_what_never_was_there(http: Http, tag: str) -> None:
    guarded = {"If_Match": 'W/"0"'}
    first = http("PUT", f"Patient/{tag}", patient(tag, id=tag), **guarded)
    assert (first.status_code, first.headers["ETag"]) == (201, 'W/"1"')
    again = http("PUT", f"Patient/{tag}", patient(tag, id=tag), **guarded)
    assert (again.status_code, codes(again)) == (409, {"0550", "0989"})
    http("DELETE", f"Patient/{tag}")
    assert http("PUT", f"Patient/{tag}", patient(tag, id=tag), **guarded).status_code == 409
    assert http("GET", f"Patient/{tag}").status_code == 410


def test_a_transaction_with_one_such_that_is_there_lands_not_at_all(http: Http, tag: str) -> None:
    def guarded(name: str) -> dict[str, Any]:
        row = put(patient(name, id=name), f"Patient/{name}")
        return {**row, "request": {**row["request"], "ifMatch": 'W/"0"'}}

    assert http.bundle("transaction", guarded(tag)).status_code == 200
    assert http.bundle("transaction", guarded(f"{tag}-2"), guarded(tag)).status_code == 409
    assert http("GET", f"Patient/{tag}-2").status_code == 404


def test_one_of_several_such_at_once_creates(http: Http, tag: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        asked = [pool.submit(http, "PUT", f"Patient/{tag}", patient(tag, id=tag), If_Match='W/"0"') for _ in range(6)]
    statuses = sorted(one.result().status_code for one in asked)
    assert statuses == [201, 409, 409, 409, 409, 409]


def test_a_put_brings_back_what_was_deleted(http: Http, tag: str) -> None:
    http("PUT", f"Patient/{tag}", patient(tag, id=tag))
    http("DELETE", f"Patient/{tag}")
    back = http("PUT", f"Patient/{tag}", patient(tag, id=tag))
    assert (back.status_code, back.headers["ETag"]) == (201, 'W/"3"')


def test_delete_ignores_if_match(http: Http, tag: str) -> None:
    http("PUT", f"Patient/{tag}", patient(tag, id=tag))
    http("PUT", f"Patient/{tag}", patient(tag, id=tag, active=True))
    assert http("DELETE", f"Patient/{tag}", If_Match='W/"1"').status_code == 200


def test_an_if_match_that_is_no_version_is_a_500(http: Http, tag: str) -> None:
    http("PUT", f"Patient/{tag}", patient(tag, id=tag))
    answer = http("PUT", f"Patient/{tag}", patient(tag, id=tag, active=True), If_Match="*")
    assert answer.status_code == 500
    assert http("GET", f"Patient/{tag}").headers["ETag"] == 'W/"1"'


def test_a_stale_if_match_is_409_with_a_code(http: Http, tag: str) -> None:
    http("PUT", f"Patient/{tag}", patient(tag, id=tag))
    answer = http("PUT", f"Patient/{tag}", patient(tag, id=tag, active=True), If_Match='W/"9"')
    assert (answer.status_code, codes(answer)) == (409, {"0550", "0989"})


def test_a_delete_of_what_is_referenced_is_409_without_a_code(http: Http, tag: str) -> None:
    id_ = http.make(patient(tag))["id"]
    http.make({"resourceType": "Condition", "subject": {"reference": f"Patient/{id_}"}})
    answer = http("DELETE", f"Patient/{id_}")
    assert (answer.status_code, codes(answer)) == (409, set())


def test_what_is_deleted_is_410_and_deleting_again_succeeds(http: Http, tag: str) -> None:
    http("PUT", f"Patient/{tag}", patient(tag, id=tag))
    assert [http("DELETE", f"Patient/{tag}").status_code for _ in range(2)] == [200, 200]
    assert http("GET", f"Patient/{tag}").status_code == 410
    assert http("DELETE", f"Patient/{tag}-never").status_code == 200


# --- transactions


def test_of_two_conditional_puts_to_one_target_one_is_dropped_without_a_word(http: Http, tag: str) -> None:
    url = f"Patient?identifier={SYSTEM}|{tag}"
    entries = [put(patient(tag, gender=gender), url) for gender in ("male", "other")]
    for entry in entries:
        entry["fullUrl"] = f"urn:uuid:{uuid.uuid4()}"
    answer = http.bundle("transaction", *entries)
    assert answer.status_code == 200
    assert len(answer.json()["entry"]) == 1


def test_without_full_urls_two_conditional_puts_to_one_target_are_refused(http: Http, tag: str) -> None:
    url = f"Patient?identifier={SYSTEM}|{tag}"
    answer = http.bundle("transaction", *(put(patient(tag, gender=gender), url) for gender in ("male", "other")))
    assert (answer.status_code, codes(answer)) == (400, {"2008"})


def test_one_bad_code_refuses_a_whole_batch(http: Http, tag: str) -> None:
    good = {"resource": patient(tag), "request": {"method": "POST", "url": "Patient"}}
    bad = {"resource": patient(tag, gender="perhaps"), "request": {"method": "POST", "url": "Patient"}}
    answer = http.bundle("batch", good, bad)
    assert answer.status_code == 400
    assert "1821" in codes(answer)
    assert http("GET", f"Patient?identifier={SYSTEM}|{tag}", **FRESH).json()["total"] == 0


def test_a_batch_does_not_resolve_urn_uuid(http: Http, tag: str) -> None:
    whose = "urn:uuid:0b5c6cd4-5f3d-4a4b-9a8e-3a3f8f0f9a02"
    condition = {"resourceType": "Condition", "subject": {"reference": whose}}
    answer = http.bundle(
        "batch",
        {"fullUrl": whose, "resource": patient(tag), "request": {"method": "POST", "url": "Patient"}},
        {"resource": condition, "request": {"method": "POST", "url": "Condition"}},
    )
    statuses = sorted(entry["response"]["status"][:3] for entry in answer.json()["entry"])
    assert statuses == ["201", "400"]


def test_an_entry_tells_its_version_without_the_w_of_an_etag(http: Http, tag: str) -> None:
    answer = http.bundle("transaction", put(patient(tag, id=tag), f"Patient/{tag}"))
    assert answer.json()["entry"][0]["response"]["etag"] == "1"


# --- what is stored


def test_a_missing_target_and_an_absolute_reference_are_refused(http: Http, tag: str) -> None:
    missing = http("POST", "Condition", {"resourceType": "Condition", "subject": {"reference": f"Patient/{tag}"}})
    assert (missing.status_code, "1094" in codes(missing)) == (400, True)
    away = {"reference": f"https://elsewhere.example/fhir/Patient/{tag}"}
    absolute = http("POST", "Condition", {"resourceType": "Condition", "subject": away})
    assert (absolute.status_code, "0507" in codes(absolute)) == (400, True)


def test_unknown_elements_vanish_with_a_201(http: Http, tag: str) -> None:
    assert "surprise" not in http.make(patient(tag, surprise="x"))


def test_tags_are_merged_and_profiles_replaced(http: Http, tag: str) -> None:
    def meta(word: str) -> dict[str, Any]:
        return {"tag": [{"system": SYSTEM, "code": word}], "profile": [f"{SYSTEM}/{word}"]}

    http("PUT", f"Patient/{tag}", patient(tag, id=tag, meta=meta("one")))
    stored = http("PUT", f"Patient/{tag}", patient(tag, id=tag, meta=meta("two"))).json()["meta"]
    assert {row["code"] for row in stored["tag"]} == {"one", "two"}
    assert stored["profile"] == [f"{SYSTEM}/two"]


def test_primitive_extensions_element_ids_and_contained_survive(http: Http, tag: str) -> None:
    sent = patient(
        tag,
        contained=[{"resourceType": "Organization", "id": "o", "name": "for a test"}],
        managingOrganization={"reference": "#o"},
        birthDate="1980",
        _birthDate={"id": "b", "extension": [{"url": f"{SYSTEM}/x", "valueString": "y"}]},
    )
    stored = http.make(sent)
    assert {key: stored[key] for key in sent} == sent


def test_digits_are_kept_and_exponents_are_not(http: Http) -> None:
    def stored(number: str) -> str:
        body = '{"resourceType":"Observation","status":"final","code":{"text":"t"},"valueQuantity":{"value":%s}}'
        answer = requests.post(f"{http.base}/Observation", data=body % number, headers=JSON, timeout=60)
        return re.search(r'"value":\s*([^,}\s]+)', answer.text)[1]  # type: ignore[index]

    assert [stored(number) for number in ("1.50", "0.010", "1.0E2")] == ["1.50", "0.010", "100"]


# --- searches


def test_a_search_is_remembered_for_a_minute_unless_told_otherwise(http: Http, tag: str) -> None:
    path = f"Patient?identifier={SYSTEM}|{tag}"
    assert http("GET", path).json()["total"] == 0
    http.make(patient(tag))
    assert http("GET", path).json()["total"] == 0
    assert http("GET", path, **FRESH).json()["total"] == 1


def test_the_next_link_is_the_base_and_a_query(http: Http, tag: str) -> None:
    for _ in range(2):
        http.make(patient(tag))
    links = http("GET", f"Patient?identifier={SYSTEM}|{tag}&_count=1", **FRESH).json()["link"]
    following = next(link["url"] for link in links if link["relation"] == "next")
    assert following.startswith(f"{http.base}?_getpages=")


def test_an_expired_page_is_410(http: Http) -> None:
    answer = http("GET", "?_getpages=00000000-0000-0000-0000-000000000000&_getpagesoffset=20&_count=20")
    assert (answer.status_code, codes(answer)) == (410, {"0417"})


def test_an_unknown_search_parameter_is_refused(http: Http) -> None:
    answer = http("GET", "Patient?surprise=x", Prefer="handling=lenient")
    assert (answer.status_code, "0524" in codes(answer)) == (400, True)


def test_last_updated_is_exact_to_the_millisecond_and_ge_includes(http: Http, tag: str) -> None:
    stamp = http.make(patient(tag))["meta"]["lastUpdated"].replace("+", "%2B")
    both = f"Patient?identifier={SYSTEM}|{tag}&_lastUpdated="
    assert http("GET", f"{both}ge{stamp}", **FRESH).json()["total"] == 1
    assert http("GET", f"{both}gt{stamp}", **FRESH).json()["total"] == 0


def test_a_long_query_gets_a_page_of_html(http: Http) -> None:
    answer = http("GET", f"Patient?identifier={'x' * 9000}")
    assert answer.status_code == 414
    assert "json" not in answer.headers.get("Content-Type", "")


def test_a_refusal_has_two_dates(http: Http, tag: str) -> None:
    dates = http("GET", f"Patient/{tag}").headers["Date"]
    assert dates.count("GMT") == 2
