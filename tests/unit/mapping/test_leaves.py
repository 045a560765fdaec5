"""Leaves are counted once, by path, and a reference by what it leads to."""

from __future__ import annotations

from collections import Counter
from typing import Any

from adapter import mapping
from adapter.mapping.leaves import Tally, leaves, understood

MAPPER = mapping.load("core")
GOAL = {
    "resourceType": "Goal",
    "id": "g",
    "meta": {"versionId": "3"},
    "text": {"status": "generated", "div": "<div/>"},
    "extension": [{"url": "https://other.example/x", "valueString": "theirs"}],
    "lifecycleStatus": "active",
    "_lifecycleStatus": {"extension": [{"url": "https://other.example/x", "valueString": "theirs"}]},
    "description": {"text": "Sleep through"},
    "subject": {"reference": "Patient/p"},
    "target": [{"dueDate": "2026-01-01"}, {"dueDate": "2026-02-01"}],
}


def test_what_is_counted_is_content_of_ours_or_of_fhir() -> None:
    paths = sorted(path for path, _ in leaves(MAPPER, GOAL))
    assert paths == [
        "Goal.description.text",
        "Goal.lifecycleStatus",
        "Goal.subject.reference",
        "Goal.target.dueDate",
        "Goal.target.dueDate",
    ]


def test_extensions_of_ours_count() -> None:
    ours = {"url": "https://careplan-adapter.org/fhir/StructureDefinition/patient-words", "valueString": "I rest"}
    rows = list(leaves(MAPPER, {"resourceType": "Goal", "extension": [ours]}))
    assert [path for path, _ in rows] == ["Goal.extension.url", "Goal.extension.valueString"]


def test_a_reference_that_leads_to_the_same_record_is_given_back() -> None:
    tally = understood(MAPPER, GOAL)
    assert tally.back["Goal.subject.reference"] == 1
    assert tally.share() == 1.0
    assert tally.lost() == []


def test_what_no_rule_reads_is_lost_and_named() -> None:
    tally = understood(MAPPER, {**GOAL, "language": "en", "implicitRules": "https://other.example"})
    assert tally.lost() == [("Goal.language", 1)]
    assert tally.share() == 5 / 6
    assert tally.share("Goal.target") == 1.0


def test_what_lost_most_stands_first_and_what_lost_as_much_by_name() -> None:
    lost = Tally(total=Counter(b=1, a=1, c=3, d=1), back=Counter(c=1, d=1))
    assert lost.lost() == [("c", 2), ("a", 1), ("b", 1)]


def counted(type_: str, **fields: Any) -> list[tuple[str, str]]:
    return list(leaves(MAPPER, {"resourceType": type_, "id": "x", **fields}))


def test_an_extension_in_one_of_ours_counts() -> None:
    ours = "https://careplan-adapter.org/fhir/StructureDefinition/relapse-prevention"
    inner = {"url": "trigger", "valueString": "Noise"}
    assert [path for path, _ in counted("CarePlan", extension=[{"url": ours, "extension": [inner]}])] == [
        "CarePlan.extension.url",
        "CarePlan.extension.extension.url",
        "CarePlan.extension.extension.valueString",
    ]
    assert counted("CarePlan", extension=[{"url": 5, "extension": [inner]}, {"extension": [inner]}]) == []
    assert counted("CarePlan", modifierExtension=[{"url": "https://other.example/x", "extension": [inner]}]) == []


def test_a_reference_is_one_leaf_and_what_it_calls_its_target_another() -> None:
    (goal,) = MAPPER.from_fhir({"resourceType": "Goal", "id": "g"}).records
    found = counted("CarePlan", goal=[{"reference": "Goal/g", "display": "Sleep"}])
    assert found == [("CarePlan.goal.reference", goal["id"]), ("CarePlan.goal.display", "str Sleep")]
    assert counted("CarePlan", goal=[{"reference": "odd", "display": "Sleep"}])[0] == ("CarePlan.goal.reference", "odd")
    activity = counted("CarePlan", activity=[{"reference": {"reference": "Goal/g"}}])
    assert activity == [("CarePlan.activity.reference.reference", goal["id"])]


def test_a_reference_to_what_is_contained_leads_to_an_item_of_the_record() -> None:
    inner = ["odd", {"resourceType": "Goal", "id": "b"}, {"resourceType": "Goal", "id": "a"}]
    ((path, one),) = counted("CarePlan", contained=inner, goal=[{"reference": "#a"}])
    ((_, other),) = counted("CarePlan", contained=inner, goal=[{"reference": "#b"}])
    assert path == "CarePlan.goal.reference"
    assert len({one, other, "#a", "#b"}) == 4
    for contained in (inner[:2], {"id": "a"}, None):
        assert counted("CarePlan", contained=contained, goal=[{"reference": "#a"}]) == [(path, "#a")]
    read = MAPPER.from_fhir(
        {"resourceType": "CarePlan", "id": "x", "contained": inner[2:], "goal": [{"reference": "#a"}]}
    )
    assert [row["id"] for row in read.records[0]["goals"]] == [one]


def test_tallies_add_up() -> None:
    tally = Tally()
    tally.add(understood(MAPPER, GOAL))
    tally.add(understood(MAPPER, {**GOAL, "language": "en"}))
    assert (sum(tally.total.values()), sum(tally.back.values())) == (11, 10)
    assert Tally().share() == 1.0


def test_digits_count() -> None:
    from adapter.fhir_json import loads

    tree = loads(b'{"resourceType": "Goal", "target": [{"detailQuantity": {"value": 1.50}}]}')
    assert list(leaves(MAPPER, tree)) == [("Goal.target.detailQuantity.value", "Decimal 1.50")]
