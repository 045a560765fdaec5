from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.validation import validate

Tree = dict[str, Any]


def faults(tree: Any) -> list[tuple[str, str]]:
    """(place, message id) of what structure alone finds."""
    return [(issue.expression, issue.message_id) for issue in validate(tree, tiers=["structure"])]


def test_a_clean_resource_has_no_issue(plan: Tree, condition: Tree) -> None:
    assert faults(plan) == []
    assert faults(condition) == []


@pytest.mark.parametrize(
    ("tree", "message_id"),
    [
        (None, "resource-not-object"),
        ([], "resource-not-object"),
        ("x", "resource-not-object"),
        ({}, "resource-type-missing"),
        ({"resourceType": 1}, "resource-type-missing"),
        ({"resourceType": "Plan"}, "resource-type-unknown"),
        ({"resourceType": "DomainResource"}, "resource-type-unknown"),
    ],
)
def test_what_is_no_resource(tree: Any, message_id: str) -> None:
    assert [row[1] for row in faults(tree)] == [message_id]


def test_an_unknown_element_is_said_with_the_nearest(plan: Tree) -> None:
    plan["activty"] = []
    (issue,) = validate(plan, tiers=["structure"])
    assert (issue.expression, issue.message_id) == ("CarePlan", "element-unknown")
    assert "Is activity meant?" in issue.text


def test_what_is_missing_stands_at_the_parent(plan: Tree) -> None:
    del plan["status"]
    del plan["activity"][0]["detail"]["status"]
    assert faults(plan) == [("CarePlan.activity[0].detail", "element-missing"), ("CarePlan", "element-missing")]


def test_an_extension_stands_in_for_a_required_value(plan: Tree) -> None:
    del plan["status"]
    plan["_status"] = {"extension": [{"url": "http://example.org/x", "valueCode": "unknown"}]}
    assert faults(plan) == []


@pytest.mark.parametrize(
    ("key", "value", "found"),
    [
        ("status", ["active"], ("CarePlan.status", "element-is-list")),
        ("status", None, ("CarePlan.status", "element-null")),
        ("status", "", ("CarePlan.status", "primitive-empty")),
        ("status", " active", ("CarePlan.status", "primitive-code")),
        ("status", True, ("CarePlan.status", "primitive-not-string")),
        ("subject", [], ("CarePlan.subject", "element-is-list")),
        ("subject", {}, ("CarePlan.subject", "object-empty")),
        ("subject", {"id": "x"}, ("CarePlan.subject", "object-empty")),
        ("subject", "Patient/p", ("CarePlan.subject", "element-not-object")),
        ("category", {}, ("CarePlan.category", "element-not-list")),
        ("category", [], ("CarePlan.category", "array-empty")),
        ("category", [None], ("CarePlan.category[0]", "element-null")),
        ("instantiatesUri", "x", ("CarePlan.instantiatesUri", "element-not-list")),
        ("instantiatesUri", [None], ("CarePlan.instantiatesUri[0]", "element-null")),
        ("instantiatesCanonical", ["Plan/1"], ("CarePlan.instantiatesCanonical[0]", "primitive-canonical-relative")),
        ("contained", [1], ("CarePlan.contained[0]", "resource-not-object")),
        ("contained", [{"resourceType": "X"}], ("CarePlan.contained[0]", "resource-type-unknown")),
        ("_subject", {}, ("CarePlan", "sibling-not-primitive")),
        ("_status", [], ("CarePlan.status", "sibling-list")),
        ("_status", {"value": 1}, ("CarePlan.status", "element-unknown")),
        ("_status", {}, ("CarePlan.status", "object-empty")),
        ("_instantiatesUri", [None], ("CarePlan.instantiatesUri[0]", "element-null")),
        ("created", "2023-02-29", ("CarePlan.created", "primitive-date-does-not-exist")),
        ("created", "2023-02-28T10:00:00", ("CarePlan.created", "primitive-date-time")),
        ("id", "a_b", ("CarePlan.id", "primitive-id")),
    ],
)
def test_faults_of_an_element(plan: Tree, key: str, value: Any, found: tuple[str, str]) -> None:
    plan[key] = value
    assert faults(plan) == [found]


def test_a_choice_is_given_once(condition: Tree) -> None:
    condition["onsetString"] = "early"
    assert faults(condition) == [("Condition", "choice-twice")]


def test_the_place_of_a_choice_names_its_type(condition: Tree) -> None:
    condition["onsetDateTime"] = "soon"
    assert faults(condition) == [("Condition.onset.ofType(dateTime)", "primitive-date-time")]


def test_null_padding_beside_extensions() -> None:
    extension = {"extension": [{"url": "http://example.org/x", "valueString": "y"}]}
    name = {"given": ["A", None], "_given": [None, extension]}
    assert faults({"resourceType": "Patient", "name": [name]}) == []
    name["_given"] = [None, None]
    assert faults({"resourceType": "Patient", "name": [name]}) == [("Patient.name[0].given[1]", "element-null")]


def test_inside_a_bundle_and_inside_its_contained(plan: Tree) -> None:
    plan["contained"][0]["recordedDate"] = "2020-13"
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"fullUrl": "urn:x:1", "resource": plan}]}
    assert faults(bundle) == [("Bundle.entry[0].resource.contained[0].recordedDate", "primitive-date-time")]


@pytest.mark.parametrize(
    ("type_", "good", "bad"),
    [
        ("Boolean", [True, False], ["true", 1, None]),
        ("Integer", [0, -5, 2147483647], [2147483648, Decimal("1.0"), "1", True]),
        ("PositiveInt", [1], [0, -1]),
        ("UnsignedInt", [0], [-1]),
        ("Decimal", [1, Decimal("1.50"), Decimal("-0.0")], ["1.5", True, Decimal("NaN")]),
        ("Date", ["2024", "2024-02", "2024-02-29"], ["2023-02-29", "2024-2-1", "24", "0000", "2024-01-01T00:00:00Z"]),
        ("DateTime", ["2024", "2024-02-29T23:59:60+14:00"], ["2024-01-01T24:00:00Z", "2024-01-01T10:00Z"]),
        ("Instant", ["2024-01-01T00:00:00.123Z"], ["2024-01-01", "2024-02-30T00:00:00Z"]),
        ("Time", ["23:59:59.1"], ["24:00:00", "10:00"]),
        (
            "Uri",
            ["urn:oid:1.2.3", "a", "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"],
            ["a b", "urn:oid:1.02", "oid:1"],
        ),
        ("Uri", ["http://x"], ["urn:uuid:C757873D-ec9a-4326-a141-556f43239520", "uuid:x"]),
        ("Canonical", ["http://x|1", "#a"], ["x", ""]),
        ("Code", ["a", "a b"], [" a", "a  b", ""]),
        ("Id", ["A.b-1"], ["a" * 65, "a_b", ""]),
        ("Oid", ["urn:oid:2.16.840"], ["2.16"]),
        ("Uuid", ["urn:uuid:c757873d-ec9a-4326-a141-556f43239520"], ["c757873d"]),
        ("String", ["a", " a "], ["", "  ", 1]),
        ("Base64Binary", ["YQ==", "Y Q=="], ["YQ=", "é"]),
    ],
)
def test_primitives(type_: str, good: list[Any], bad: list[Any]) -> None:
    def tree(value: Any) -> Tree:
        return {
            "resourceType": "Basic",
            "code": {"text": "x"},
            "extension": [{"url": "http://e", "value" + type_: value}],
        }

    for value in good:
        assert faults(tree(value)) == [], value
    for value in bad:
        assert len(faults(tree(value))) == 1, value
