"""Leaves are counted once, by path, and a reference by what it leads to."""

from __future__ import annotations

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


def test_tallies_add_up() -> None:
    tally = Tally()
    tally.add(understood(MAPPER, GOAL))
    tally.add(understood(MAPPER, {**GOAL, "language": "en"}))
    assert sum(tally.total.values()) == 11
    assert Tally().share() == 1.0


def test_digits_count() -> None:
    from adapter.fhir_json import loads

    tree = loads(b'{"resourceType": "Goal", "target": [{"detailQuantity": {"value": 1.50}}]}')
    assert list(leaves(MAPPER, tree)) == [("Goal.target.detailQuantity.value", "Decimal 1.50")]
