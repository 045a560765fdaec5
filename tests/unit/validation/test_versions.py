"""R4, R4B and R5: each version's own elements, codes and rules."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import UsageError
from adapter.validation import Validator

Tree = dict[str, Any]
SUBJECT = {"reference": "Patient/1"}
R5_PLAN: Tree = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": SUBJECT,
    "addresses": [{"reference": {"reference": "Condition/1"}}],
    "activity": [{"plannedActivityReference": {"reference": "ServiceRequest/1"}}],
}
R4_PLAN: Tree = {
    "resourceType": "CarePlan",
    "status": "active",
    "intent": "plan",
    "subject": SUBJECT,
    "addresses": [{"reference": "Condition/1"}],
    "activity": [{"detail": {"status": "in-progress"}}],
}


def errors(tree: Tree, version: str) -> list[tuple[str, str]]:
    return [(one.expression, one.message_id) for one in Validator(version).validate(tree) if one.is_error]


@pytest.mark.parametrize(
    ("tree", "version", "found"),
    [
        (R5_PLAN, "5.0.0", []),
        (R4_PLAN, "4.0.1", []),
        (R4_PLAN, "4.3.0", []),
        (
            R4_PLAN,
            "5.0.0",
            [("CarePlan.addresses[0].reference", "element-not-object"), ("CarePlan.activity[0]", "element-unknown")],
        ),
        (
            {"resourceType": "Condition", "subject": SUBJECT},
            "5.0.0",
            [("Condition", "element-missing")],
        ),
        ({"resourceType": "Condition", "subject": SUBJECT}, "4.3.0", []),
        ({"resourceType": "Ingredient", "status": "active"}, "4.0.1", [("", "resource-type-unknown")]),
        ({**R5_PLAN, "status": "unknown to all"}, "5.0.0", [("CarePlan.status", "binding-required")]),
    ],
)
def test_each_version_has_its_own_rules(tree: Tree, version: str, found: list[tuple[str, str]]) -> None:
    assert errors(tree, version) == found


@pytest.mark.parametrize(
    ("size", "found"),
    [("1024", []), ("9223372036854775808", ["primitive-integer64"]), (1024, ["primitive-not-string"])],
)
def test_a_number_of_64_bits_is_a_string(size: Any, found: list[str]) -> None:
    tree = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": {"size": size}}]}
    assert [message for _, message in errors(tree, "5.0.0")] == found


@pytest.mark.parametrize(
    ("low", "high", "fails"),
    [("5", "4.6", False), ("5.0", "4.6", True), ("5", "6", False), ("6", "5", False), ("7", "5", True)],
)
def test_a_range_of_r5_is_in_order_as_far_as_its_digits_tell(low: str, high: str, fails: bool) -> None:
    from decimal import Decimal

    value = {"low": {"value": Decimal(low)}, "high": {"value": Decimal(high)}}
    tree = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "x"},
        "valueRange": value,
    }
    assert (("Observation.value.ofType(Range)", "invariant-failed") in errors(tree, "5.0.0")) is fails


def test_old_versions_are_refused_by_name() -> None:
    with pytest.raises(UsageError, match="STU3"):
        Validator("3.0.2")
