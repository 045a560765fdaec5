"""A provider's own kinds of record: how one is known, named, checked and given back."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.fhir_json import canonical
from adapter.identity import content_id, is_uuid
from adapter.mapping import load
from adapter.mapping.kinds import OwnKinds
from adapter.packs import Kind

VISIT = {
    "type": "object",
    "required": ["no"],
    "additionalProperties": False,
    "properties": {
        "no": {"type": ["string", "integer"]},
        "sex": {"enum": ["M", "F"]},
        "day": {"type": "string", "pattern": "^[0-9]{2}$", "description": "two digits."},
        "age": {"type": "integer", "minimum": 0},
    },
}
PLAN = {"type": "object", "required": ["plan"], "properties": {"plan": {"type": "string"}}}
ONE = OwnKinds({"visit": Kind("visit", VISIT, "no", "https://example.test/no")})
TWO = OwnKinds({**ONE.kinds, "plan": Kind("plan", PLAN, "plan")})


def test_a_record_without_kind_is_of_the_only_one() -> None:
    named = ONE.named({"no": "7"})
    assert (named["kind"], named["no"], is_uuid(named["id"])) == ("visit", "7", True)
    assert ONE.plain(named) == {"kind": "visit", "no": "7"}


def test_a_record_that_comes_without_the_id_that_is_its_key_keeps_the_one_that_was_made() -> None:
    kinds = OwnKinds({"visit": Kind("visit", VISIT, "id")})
    named = kinds.named({"sex": "M"})
    assert kinds.plain(named) == {"kind": "visit", "id": named["id"], "sex": "M"}
    assert kinds.plain({**named, "id": "7"}) == {"kind": "visit", "id": "7", "sex": "M"}


def test_of_several_kinds_the_one_that_fits_is_meant() -> None:
    assert TWO.named({"plan": "P"})["kind"] == "plan"
    assert TWO.named({"no": "7", "sex": "M"})["kind"] == "visit"
    neither: dict[str, Any] = {"other": 1}
    assert TWO.named(neither) is neither


def test_the_same_key_gives_the_same_id_and_another_system_another() -> None:
    other = OwnKinds({"visit": Kind("visit", VISIT, "no", "https://example.test/other")})
    assert ONE.named({"no": "7"})["id"] == ONE.named({"no": "7", "sex": "F"})["id"]
    assert ONE.named({"no": "7"})["id"] != other.named({"no": "7"})["id"]
    assert ONE.named({"no": 7})["id"] == ONE.named({"no": "7"})["id"]


def test_a_key_that_is_a_uuid_is_the_id() -> None:
    key = "3f0c1f0e-6d2b-4c8e-9d57-0a9b6a3c1d20"
    assert ONE.named({"no": key})["id"] == key
    assert ONE.plain({"kind": "visit", "id": key, "no": key}) == {"kind": "visit", "no": key}


def test_an_id_that_the_key_does_not_say_stays() -> None:
    foreign = {"kind": "visit", "id": "b3b2b5a0-0000-5000-8000-000000000000", "no": "7"}
    assert ONE.plain(foreign) == foreign
    assert ONE.named(foreign) is foreign


@pytest.mark.parametrize(
    ("field", "value", "pointer", "words"),
    [
        ("sex", "Q", "/sex", "expected M, F"),
        ("day", "zz9", "/day", "expected two digits"),
        ("age", -1, "/age", "expected minimum 0"),
        ("age", "old", "/age", "Expected integer"),
        ("sexe", "M", "/sexe", "no such field"),
    ],
)
def test_faults_say_what_was_expected_and_never_the_value(field: str, value: Any, pointer: str, words: str) -> None:
    found = ONE.faults({"kind": "visit", "no": "7", field: value}, frozenset())
    assert [(issue.pointer, issue.severity) for issue in found] == [(pointer, "error")]
    assert words in found[0].text
    assert str(value) not in found[0].text.replace("minimum 0", "")


def test_a_missing_field_is_told_where_it_should_be() -> None:
    assert [issue.pointer for issue in ONE.faults({"kind": "visit"}, frozenset())] == ["/no"]


def test_added_fields_are_checked_by_their_type() -> None:
    mapper = load("ecare")
    goal: dict[str, Any] = {"kind": "goal", "id": "3f0c1f0e-6d2b-4c8e-9d57-0a9b6a3c1d20", "lifecycle": "active"}
    goal |= {"statement": {"text": "x"}, "patient": "3f0c1f0e-6d2b-4c8e-9d57-0a9b6a3c1d21"}
    assert mapper.check({**goal, "extra": {"ecare": {"confidence": 3}}}) == []
    assert [i.pointer for i in mapper.check({**goal, "extra": {"ecare": {"confidence": "3"}}})] == [
        "/extra/ecare/confidence"
    ]
    assert [i.pointer for i in mapper.check({**goal, "extra": {"ecare": {"nope": 1}}})] == ["/extra/ecare/nope"]


ENVELOPE = frozenset({"origin"})


def told(record: dict[str, Any], kinds: OwnKinds = ONE) -> list[tuple[str, str, str, str | None]]:
    return [(row.severity, row.code, row.message_id, row.pointer) for row in kinds.faults(record, ENVELOPE)]


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ({}, ("error", "required", "record-required", "/no")),
        ({"no": "7", "x/y": 1}, ("error", "structure", "record-unknown-field", "/x~1y")),
        ({"no": "7", "Anna Sample": 1}, ("error", "structure", "record-unknown-field", "")),
        ({"no": []}, ("error", "structure", "record-type", "/no")),
        ({"no": "7", "sex": "X"}, ("error", "value", "record-schema", "/sex")),
        ({"no": "7", "age": -1}, ("error", "value", "record-schema", "/age")),
    ],
)
def test_what_the_schema_says_against_a_record(record: dict[str, Any], fault: tuple[str, str, str, str]) -> None:
    assert told({"kind": "visit", "id": "x", "origin": "test", **record}) == [fault]


def test_the_envelope_kind_and_id_are_no_faults() -> None:
    assert told({"kind": "visit", "id": "x", "origin": "test", "no": "7"}) == []
    by_id = {**VISIT, "properties": {**VISIT["properties"], "id": {"type": "string"}}}  # type: ignore[dict-item]
    kinds = OwnKinds({"visit": Kind("visit", by_id, "id")})
    assert told({"kind": "visit", "id": 5, "no": "7"}, kinds) == [("error", "structure", "record-type", "/id")]
    assert kinds.plain({"kind": "visit", "id": "x", "no": "7"}) == {"kind": "visit", "id": "x", "no": "7"}


def test_what_is_expected_is_said_in_the_schema_s_words() -> None:
    schema = {
        "type": "object",
        "properties": {
            "one": {"const": "A"},
            "many": {"enum": [f"c{number}" for number in range(20)]},
            "day": {"pattern": "^[0-9]$", "description": "one digit."},
            "bare": {"pattern": "^[0-9]$", "description": ""},
            "odd": {"not": {"const": "x"}},
        },
    }
    kinds = OwnKinds({"visit": Kind("visit", schema)})
    record = {"kind": "visit", "one": "B", "many": "x", "day": "x", "bare": "x", "odd": "x"}
    said = {issue.pointer: issue.text for issue in kinds.faults(record, ENVELOPE)}
    assert said["/one"].endswith("allows: expected A.")
    assert said["/many"].endswith("allows: expected c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11 and others.")
    assert said["/day"].endswith("allows: expected one digit.")
    assert said["/bare"].endswith("allows: expected pattern ^[0-9]$.")
    assert said["/odd"].endswith("allows: not.")


def test_where_nothing_names_a_record_its_content_does() -> None:
    kinds = OwnKinds({"visit": Kind("visit", VISIT)})
    one, other = kinds.named({"sex": "M"}), kinds.named({"sex": "F"})
    assert is_uuid(one["id"])
    assert one["id"] != other["id"]
    assert one == kinds.named({"sex": "M"})
    assert kinds.plain(one) == {"kind": "visit", "sex": "M"}


def test_what_is_meant_by_a_record() -> None:
    assert OwnKinds().named({"no": "7"}) == {"no": "7"}
    assert ONE.named("text") == "text"
    assert ONE.named({"kind": "patient", "no": "7"}) == {"kind": "patient", "no": "7"}
    assert ONE.named({"kind": 5, "no": "7"}) == {"kind": 5, "no": "7"}
    assert ONE.named({"kind": "visit", "no": "7"}) == ONE.named({"no": "7"})
    assert ONE.named({"id": "x", "no": "7"}) == {"kind": "visit", "id": "x", "no": "7"}
    assert ONE.named({"anything": 1})["kind"] == "visit"
    assert TWO.named({"id": "x", "no": "7"})["kind"] == "visit"
    assert TWO.named({"no": "7", "sex": "M", "day": "01", "age": 1})["kind"] == "visit"
    assert "kind" not in TWO.named({"sex": "M"})
    assert "kind" not in TWO.named({"no": "7", "plan": "P"})
    assert ONE.plain({"kind": "patient", "id": "x"}) == {"kind": "patient", "id": "x"}
    assert list(ONE.plain({"kind": "visit", "id": "x", "z": 1, "age": 2, "no": "7"})) == [
        "kind",
        "id",
        "no",
        "age",
        "z",
    ]


def test_fields_that_a_pack_adds_are_held_to_their_schema() -> None:
    mapper = load("ecare")
    plan = {"kind": "plan", "extra": {"ecare": {"care_setting": 5}}}
    assert [(row.message_id, row.pointer) for row in mapper.own.extra_faults(plan)] != []
    assert mapper.own.extra_faults({"kind": "plan"}) == []
    assert mapper.own.extra_faults({"kind": "patient", "extra": 5}) == []
    assert mapper.own.extra_faults("text") == []
    assert [row.pointer for row in mapper.own.extra_faults({"kind": "plan", "extra": 5})] == ["/extra"]


def test_a_record_with_every_field_and_an_id_fits() -> None:
    whole = {"id": "x", "no": "7", "sex": "M", "day": "01", "age": 1}
    assert TWO.named(whole)["kind"] == "visit"


def test_the_id_of_a_record_without_a_key_is_that_of_its_content() -> None:
    kinds = OwnKinds({"visit": Kind("visit", VISIT)})
    assert kinds.named({"sex": "M"})["id"] == content_id(canonical({"sex": "M"}), 0)
