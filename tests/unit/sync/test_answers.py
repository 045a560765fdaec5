"""Answers of a Bundle belong to the requests that they name, whatever their order and number."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapter.identity import IDENTIFIER_SYSTEM
from adapter.sync.answers import outcomes

BASE = "http://localhost/fhir"


def post(value: str) -> Any:
    resource = {"resourceType": "Goal", "identifier": [{"system": IDENTIFIER_SYSTEM, "value": value}]}
    return {"resource": resource, "request": {"method": "POST", "url": "Goal", "ifNoneExist": "x"}}


def put(id_: str) -> Any:
    return {"resource": {"resourceType": "Goal", "id": id_}, "request": {"method": "PUT", "url": f"Goal/{id_}"}}


def answer(id_: str, value: str = "", status: str = "201 Created", base: str = "") -> Any:
    row: Any = {"response": {"status": status, "location": f"{base}Goal/{id_}/_history/1", "etag": 'W/"1"'}}
    if value:
        row["resource"] = {**post(value)["resource"], "id": id_}
    return row


@given(st.permutations(range(6)), st.sets(st.integers(0, 5)))
def test_those_that_name_themselves_are_found_in_any_order(order: list[int], lost: set[int]) -> None:
    requests = [put(str(n)) if n % 2 else post(str(n)) for n in range(6)]
    rows = [answer(f"{n}", "" if n % 2 else str(n)) for n in order if n not in lost]
    found = outcomes(requests, {"entry": rows}, BASE)
    assert [one.id if one else None for one in found] == [None if n in lost else str(n) for n in range(6)]


def test_place_counts_only_where_nothing_contradicts() -> None:
    assert [one.id for one in outcomes([post("a"), post("b")], {"entry": [answer("1"), answer("2")]}, BASE) if one] == [
        "1",
        "2",
    ]
    assert outcomes([post("a"), put("7")], {"entry": [answer("1"), answer("8")]}, BASE)[1] is None


def test_one_answer_for_two_requests_is_nobody_s_by_place() -> None:
    assert outcomes([post("a"), post("b")], {"entry": [answer("1")]}, BASE) == [None, None]


def test_a_refusal_among_others_stays_with_its_own() -> None:
    rows = [answer("1", "a"), {"response": {"status": "400 Bad Request"}}, answer("3", "c")]
    found = outcomes([post("a"), post("b"), post("c")], {"entry": rows}, BASE)
    assert [one.status if one else None for one in found] == [201, 400, 201]


def test_absolute_places_and_nonsense() -> None:
    assert outcomes([put("7")], {"entry": [answer("7", base=f"{BASE}/")]}, BASE)[0] is not None
    for nonsense in (
        {},
        {"entry": None},
        {"entry": [None, 7]},
        {"entry": [{}]},
        {"entry": [{"response": {"status": "200"}}]},
    ):
        assert outcomes([put("7")], nonsense, BASE) == [None]
