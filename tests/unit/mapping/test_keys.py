"""How an item of a list is known again: by its link, its own id, or what it holds."""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import canonical
from adapter.identity import IDENTIFIER_SYSTEM, content_id, foreign_record_id
from adapter.mapping.keys import NUMBER, Keys, keyed, number_of, settle_numbers
from adapter.mapping.links import Link
from adapter.mapping.scope import RelativeRefs, Scope

RECORD = "6e6f0bd2-3a6c-4a0e-8d0b-1c8a4f1f0001"
SCOPE = Scope(RelativeRefs(), "plan", RECORD, {}, {})
PLAIN = "24287d95-0365-5224-8deb-dfb00e7ba095"


def ids(keys: Keys, *elements: dict[str, Any]) -> list[str]:
    seen: dict[Any, int] = {}
    return [keys.of(element, SCOPE, seen) for element in elements]


def derived(element: dict[str, Any], ordinal: int = 1) -> str:
    return content_id(canonical(element), ordinal)


def to(record: str) -> dict[str, Any]:
    return {"type": "Condition", "identifier": {"system": IDENTIFIER_SYSTEM, "value": record}}


def test_its_own_id_is_taken_once() -> None:
    one, two, three = {"id": "a"}, {"id": "a", "x": 1}, {"id": "b"}
    assert ids(Keys(), one, two, three) == ["a", derived(two), "b"]


def test_an_id_that_is_none_is_not_taken() -> None:
    for id_ in ("a b", " ", "", "x" * 65, 5, None):
        assert ids(Keys(), {"id": id_}) == [derived({"id": id_})]
    assert ids(Keys(), {"id": "x" * 64}) == ["x" * 64]


def test_equal_elements_are_told_apart_by_their_number() -> None:
    same = {"text": "a"}
    assert ids(Keys(), same, {"text": "b"}, same, same) == [
        derived(same), derived({"text": "b"}), derived(same, 2), derived(same, 3),
    ]  # fmt: skip


def test_where_a_uuid_is_asked_for_another_id_gives_one() -> None:
    assert ids(Keys(uuid=True), {"id": PLAIN}, {"id": "a1"}) == [PLAIN, foreign_record_id(RECORD, "element", "a1")]
    assert ids(Keys(), {"id": "a1"}) == ["a1"]


def test_a_link_says_the_id_once() -> None:
    keys = Keys(link=Link("Condition"))
    twice = {**to(PLAIN), "id": "own"}
    assert ids(keys, to(PLAIN), twice) == [PLAIN, "own"]
    assert ids(Keys(link=Link("Condition"), at="ref"), {"ref": to(PLAIN)}) == [PLAIN]
    assert ids(keys, to(PLAIN), {"id": PLAIN, "text": "x"}) == [PLAIN, derived({"id": PLAIN, "text": "x"})]
    assert ids(Keys(link=Link("Goal")), to(PLAIN)) == [derived(to(PLAIN))]


def test_an_element_is_made_to_refer() -> None:
    element: dict[str, Any] = {}
    Keys(link=Link("Condition")).refer(element, PLAIN, SCOPE)
    assert element["identifier"]["value"] == PLAIN
    inside: dict[str, Any] = {}
    Keys(link=Link("Condition"), at="ref").refer(inside, PLAIN, SCOPE)
    assert inside["ref"]["identifier"]["value"] == PLAIN
    for keys, id_ in ((Keys(), PLAIN), (Keys(link=Link("Condition")), None)):
        untouched: dict[str, Any] = {}
        keys.refer(untouched, id_, SCOPE)
        assert untouched == {}


def test_a_column_s_number_is_its_id_or_the_next() -> None:
    assert ids(Keys(NUMBER), {"id": "2"}, {}, {"id": "1"}, {"id": "9"}) == ["2", "3", "4", "9"]
    for no_number in ("02", "1000", "x", "", "²", 5, None):
        assert number_of({"id": no_number}, 0) == 1
    assert number_of({"id": "999"}, 0) == 999


def test_numbers_are_written_where_the_place_does_not_say_them() -> None:
    elements: list[dict[str, Any]] = [{}, {}, {}]
    settle_numbers(zip(elements, ({"id": number} for number in "134"), strict=True))
    assert elements == [{}, {"id": "3"}, {}]


def test_equal_items_have_keys_by_occurrence() -> None:
    assert keyed([1, 2, 1], str) == [(("1", 1), 1), (("2", 1), 2), (("1", 2), 1)]
