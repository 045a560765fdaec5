"""What references say by themselves, and what a fault is said of."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.identity import foreign_record_id
from adapter.mapping.scope import RelativeRefs, Scope, link_of, split_reference, target_of

Tree = dict[str, Any]


@pytest.mark.parametrize(
    ("literal", "found"),
    [
        ("Goal/g", ("none", "Goal", "g")),
        ("https://x.test/fhir/Goal/g", ("https://x.test/fhir", "Goal", "g")),
        ("Goal/g/_history/2", ("none", "Goal", "g")),
        ("https://x.test/fhir/Goal/g/_history/2/_history/3", ("https://x.test/fhir", "Goal", "g")),
        ("Goal/g|1.0|2", ("none", "Goal", "g")),
        ("Goal/g#part#other", ("none", "Goal", "g")),
        ("urn:uuid:x", None),
        ("goal/g", None),
        ("Goal/", None),
        ("Goal", None),
        ("", None),
    ],
)
def test_a_literal_says_its_server_type_and_id(literal: str, found: Any) -> None:
    assert split_reference(literal) == found


def test_a_reference_into_a_server_is_a_record_of_it() -> None:
    assert link_of({"reference": "Goal/g"}, "b") == ("Goal", foreign_record_id("b", "Goal", "g"))
    assert link_of({"reference": "urn:x", "type": "Goal"}, "b") == ("Goal", foreign_record_id("b", "urn", "urn:x"))
    assert link_of({"reference": "urn:x", "type": 5}, "b") == ("", foreign_record_id("b", "urn", "urn:x"))
    assert link_of({"display": "x"}, "b") is None


def test_a_resource_is_named_in_whatever_version() -> None:
    targets = {"Goal/g": 0, "Goal/h/_history/1": 1}
    assert [target_of(f"Goal/{rest}", targets) for rest in ("g", "g/_history/2", "h/_history/1", "h", "none/_history/1")] == [
        0, 0, 1, None, None,
    ]  # fmt: skip


def scope(root: Tree) -> Scope:
    return Scope(RelativeRefs(), "plan", "1", {"": root}, root)


@pytest.mark.parametrize("literal", ["xa", "a", "##a", "#b", 5, None, ["#a"]])
def test_only_a_fragment_leads_to_a_contained_resource(literal: Any) -> None:
    here = scope({"resourceType": "CarePlan", "contained": ["#a", {"resourceType": "Goal", "id": "a"}]})
    assert here.contained({"reference": literal}) is None
    assert here.contained({"reference": "#a"}) == ("Goal", foreign_record_id("1", "Goal", "#aa"))


def test_a_fault_is_said_of_its_element() -> None:
    for root, path, said in (
        ({"resourceType": "CarePlan"}, "goal", "CarePlan.goal"),
        ({"resourceType": "CarePlan"}, "", ""),
        ({}, "goal", "goal"),
        ({"resourceType": 5}, "goal", "goal"),
    ):
        here = scope(root)
        here.say("error", "value", "x", "words", source="f:1:1", path=path)
        assert [issue.expression for issue in here.issues] == [said]
