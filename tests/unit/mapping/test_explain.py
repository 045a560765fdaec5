"""The whole answer of `careplan explain --json`: the rule, the other side, each step between, and what is inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.fhir_json import loads
from adapter.services.explain import explain
from tests.unit.mapping.test_reasons import GOAL, ID, bundle, known

Tree = dict[str, Any]
ROOT = Path(__file__).resolve().parents[3]
PLAN: Tree = {
    "resourceType": "CarePlan",
    "id": "p",
    "status": "active",
    "intent": "plan",
    "text": {"status": "generated", "div": "<div/>"},
    "goal": [{"reference": "Goal/g", "display": "Rest"}],
    "contributor": [{"display": "Ana"}],
}
FHIR = bundle(PLAN, {**GOAL, "priority": {"coding": [{"system": "urn:x", "code": "zz"}]}})
RECORD: Tree = {
    "kind": "assessment",
    "id": ID,
    "patient": ID,
    "status": "completed",
    "questionnaire": "https://x.test|1",
    "instruments": [{"id": ID, "name": "phq-9", "total": 1}],
}
GOALS_RULE: Tree = {
    "file": "core/maps/plan.yaml",
    "map": "plan",
    "keyword": "parts",
    "record": ["goals"],
    "fhir": "CarePlan.goal",
    "how": "a resource of its own for each item",
}
INSIDE = "No rule owns it as a whole: the rules of what it holds do."


def shown(answer: Tree) -> Tree:
    """The answer without what it repeats of the question, and rules without their line."""
    bare = {key: value for key, value in answer.items() if key not in ("path", "side")}
    if bare["rule"]:
        assert (bare["rule"].pop("line"), bare["rule"].pop("column")) > (1, 1)
    for row in bare.get("inside", ()):
        row["rule"] = row["rule"].partition(":")[0]
    return bare


@pytest.mark.parametrize(
    ("tree", "path", "whole"),
    [
        (
            FHIR,
            "/entry/0/resource/goal",
            {
                "place": "Bundle.entry[0].resource.goal",
                "status": "holds",
                "text": INSIDE,
                "rule": None,
                "other": [],
                "inside": [
                    {
                        "path": "Bundle.entry[0].resource.goal[0]",
                        "other": ["records[0].goals[0]"],
                        "rule": "core/maps/plan.yaml",
                    },
                    {
                        "path": "Bundle.entry[0].resource.goal[0].display",
                        "other": ["records[0].goals[0].text"],
                        "rule": "core/maps/plan.yaml",
                    },
                ],
            },
        ),
        (
            FHIR,
            "/entry/0/resource/goal/0",
            {
                "place": "Bundle.entry[0].resource.goal[0]",
                "status": "mapped",
                "text": "Both ways.",
                "rule": GOALS_RULE,
                "other": ["records[0].goals[0]"],
                "inside": [
                    {
                        "path": "Bundle.entry[0].resource.goal[0].display",
                        "other": ["records[0].goals[0].text"],
                        "rule": "core/maps/plan.yaml",
                    }
                ],
            },
        ),
        (
            FHIR,
            "/entry/1/resource/priority",
            {
                "place": "Bundle.entry[1].resource.priority",
                "status": "mapped",
                "text": "Both ways. goal-priority has no such code: the record keeps it as the foreign code that it is.",
                "rule": {
                    "file": "core/maps/goal.yaml",
                    "map": "goal",
                    "keyword": "concept",
                    "record": ["priority"],
                    "fhir": "Goal.priority",
                    "how": "ConceptMap goal-priority",
                    "code_map": "goal-priority",
                },
                "other": ["records[0].goals[0].priority"],
                "steps": {
                    "from_fhir": [
                        {
                            "at": "Bundle.entry[1].resource.priority",
                            "value": {"coding": [{"system": "urn:x", "code": "zz"}]},
                        },
                        {"by": "ConceptMap goal-priority", "codes": ["urn:x|zz → no code of ours"]},
                        {"at": "records[0].goals[0].priority", "value": {"system": "urn:x", "code": "zz"}},
                    ],
                    "to_fhir": [
                        {"at": "records[0].goals[0].priority", "value": {"system": "urn:x", "code": "zz"}},
                        {"by": "ConceptMap goal-priority", "codes": ["urn:x|zz → no code of ours"]},
                        {"at": "Goal.priority", "value": {"coding": [{"system": "urn:x", "code": "zz"}]}},
                    ],
                },
            },
        ),
        (
            FHIR,
            "/entry/0/resource/contributor/0/display",
            {
                "place": "Bundle.entry[0].resource.contributor[0].display",
                "status": "mapped",
                "text": "Both ways.",
                "rule": {
                    "file": "core/maps/plan.yaml",
                    "map": "plan",
                    "keyword": "display",
                    "record": ["contributors"],
                    "fhir": "CarePlan.contributor",
                    "how": "the display of the Reference",
                },
                "other": ["records[0].contributors[0]"],
                "steps": {
                    "from_fhir": [
                        {"at": "Bundle.entry[0].resource.contributor[0]", "value": {"display": "Ana"}},
                        {"by": "the display of the Reference", "codes": []},
                        {"at": "records[0].contributors[0]", "value": "Ana"},
                    ],
                    "to_fhir": [
                        {"at": "records[0].contributors[0]", "value": "Ana"},
                        {"by": "the display of the Reference", "codes": []},
                        {"at": "CarePlan.contributor", "value": [{"display": "Ana"}]},
                    ],
                },
            },
        ),
        (
            FHIR,
            "/entry/0/resource/text/status",
            {
                "place": "Bundle.entry[0].resource.text.status",
                "status": "one-way",
                "text": "Written and never read: made from the record: narrative.",
                "rule": {
                    "file": "core/maps/plan.yaml",
                    "map": "plan",
                    "keyword": "derive",
                    "record": [
                        "title",
                        "description",
                        "status",
                        "problems",
                        "goals",
                        "interventions",
                        "patient_choices",
                        "preferences",
                        "relapse_prevention",
                        "recovery",
                    ],
                    "fhir": "CarePlan.text",
                    "how": "made from the record",
                    "one_way": "made from the record: narrative",
                },
                "other": [],
                "steps": {
                    "to_fhir": [
                        {"by": "made from the record", "codes": []},
                        {"at": "Bundle.entry[0].resource.text", "value": {"status": "generated", "div": "<div/>"}},
                    ]
                },
            },
        ),
        (
            FHIR,
            "goals[0]",
            {
                "place": "records[0].goals[0]",
                "status": "mapped",
                "text": "Both ways.",
                "rule": GOALS_RULE,
                "other": ["Bundle.entry[0].resource.goal[0]"],
                "inside": [
                    {
                        "path": "records[0].goals[0].text",
                        "other": ["Bundle.entry[0].resource.goal[0].display"],
                        "rule": "core/maps/plan.yaml",
                    },
                    {
                        "path": "records[0].goals[0].lifecycle",
                        "other": ["Bundle.entry[1].resource.lifecycleStatus"],
                        "rule": "core/maps/goal.yaml",
                    },
                    {
                        "path": "records[0].goals[0].priority",
                        "other": ["Bundle.entry[1].resource.priority"],
                        "rule": "core/maps/goal.yaml",
                    },
                    {
                        "path": "records[0].goals[0].statement",
                        "other": ["Bundle.entry[1].resource.description"],
                        "rule": "core/maps/goal.yaml",
                    },
                ],
            },
        ),
        (
            FHIR,
            "goals[0].statement.text",
            {
                "place": "records[0].goals[0].statement.text",
                "status": "mapped",
                "text": "Both ways.",
                "rule": {
                    "file": "core/maps/goal.yaml",
                    "map": "goal",
                    "keyword": "concept",
                    "record": ["statement"],
                    "fhir": "Goal.description",
                    "how": "codes as they are, no code map",
                },
                "other": ["Bundle.entry[1].resource.description"],
                "steps": {
                    "from_fhir": [
                        {"at": "Bundle.entry[1].resource.description", "value": {"text": "Sleep"}},
                        {"by": "codes as they are, no code map", "codes": []},
                        {"at": "records[0].goals[0].statement", "value": {"text": "Sleep"}},
                    ],
                    "to_fhir": [
                        {"at": "records[0].goals[0].statement", "value": {"text": "Sleep"}},
                        {"by": "codes as they are, no code map", "codes": []},
                        {"at": "Goal.description", "value": {"text": "Sleep"}},
                    ],
                },
            },
        ),
        (
            RECORD,
            "instruments",
            {
                "place": "instruments",
                "status": "holds",
                "text": INSIDE,
                "rule": None,
                "other": [],
                "inside": [
                    {
                        "path": "instruments[0]",
                        "other": ["Bundle.entry[0].resource.extension[0]"],
                        "rule": "core/maps/assessment.yaml",
                    },
                    {
                        "path": "instruments[0].name",
                        "other": ["Bundle.entry[1].resource.questionnaire"],
                        "rule": "core/maps/instrument.yaml",
                    },
                    {
                        "path": "instruments[0].total",
                        "other": ["Bundle.entry[2].resource.valueInteger"],
                        "rule": "core/maps/score.yaml",
                    },
                ],
            },
        ),
        (
            RECORD,
            "Observation.subject",
            {
                "place": "Bundle.entry[2].resource.subject",
                "status": "mapped",
                "text": "Both ways.",
                "rule": {
                    "file": "core/maps/score.yaml",
                    "map": "score",
                    "keyword": "inherit",
                    "record": ["instruments[].patient"],
                    "fhir": "Observation.subject",
                    "how": "from the record that the item belongs to",
                },
                "other": ["patient"],
                "steps": {
                    "from_fhir": [
                        {
                            "at": "Bundle.entry[2].resource.subject",
                            "value": {
                                "type": "Patient",
                                "identifier": {"system": "https://careplan-adapter.org/fhir/identifier", "value": ID},
                            },
                        },
                        {"by": "from the record that the item belongs to", "codes": []},
                        {"at": "patient", "value": ID},
                    ],
                    "to_fhir": [
                        {"at": "patient", "value": ID},
                        {"by": "from the record that the item belongs to", "codes": []},
                        {
                            "at": "Observation.subject",
                            "value": {
                                "type": "Patient",
                                "identifier": {"system": "https://careplan-adapter.org/fhir/identifier", "value": ID},
                            },
                        },
                    ],
                },
            },
        ),
        (
            RECORD,
            "Observation.code",
            {
                "place": "Bundle.entry[2].resource.code",
                "status": "one-way",
                "text": "Written and never read: the instrument is known by its answers.",
                "rule": {
                    "file": "core/maps/score.yaml",
                    "map": "score",
                    "keyword": "choice",
                    "record": ["instruments[].name"],
                    "fhir": "Observation.code",
                    "how": "code map totals",
                    "code_map": "totals",
                    "one_way": "the instrument is known by its answers",
                },
                "other": [],
                "steps": {
                    "to_fhir": [
                        {"by": "code map totals", "codes": ["http://loinc.org|44261-6 → phq-9 (equivalent)"]},
                        {
                            "at": "Bundle.entry[2].resource.code",
                            "value": {"coding": [{"system": "http://loinc.org", "code": "44261-6"}]},
                        },
                    ]
                },
            },
        ),
    ],
)
def test_the_whole_answer(tree: Tree, path: str, whole: Tree) -> None:
    assert shown(explain(known("core"), tree, path)) == whole


def example(place: str) -> Tree:
    """The other system's side of an example that people read."""
    tree: Tree = loads((ROOT / place / "fhir.json").read_bytes())
    return tree


def test_of_two_rules_for_one_element_the_one_that_gave_something_is_shown() -> None:
    tree = example("fixtures/alcohol-depression")
    answer = explain(known("core"), tree, "/entry/11/resource/participant/0/member")
    assert (answer["rule"]["keyword"], answer["other"]) == ("display", ["records[4].care_team[0].members[0].name"])


def test_a_field_that_a_row_begins_with_is_shown_by_its_own_rule_and_everywhere_it_goes() -> None:
    tree = example("mappings/intake-flat/examples/columns-with-gaps")
    answer = explain(known("intake-flat"), tree, "dx3_code")
    assert answer["rule"]["fhir"] == "Condition.code.coding[system=$icd10cm].code"
    assert answer["other"] == ["Bundle.entry[1].resource.code.coding[0].code", "Bundle.entry[0].resource.extension[0]"]


def test_fields_that_share_an_element_are_each_shown_once() -> None:
    tree = example("mappings/plan-problems/examples/alcohol-and-depression")
    answer = explain(known("plan-problems"), tree, "/entry/5/resource/code")
    place = "records[0].problems[0].goals[0].objectives[0].interventions[0]"
    assert answer["other"] == [f"{place}.modality", f"{place}.what"]
    plan = explain(known("plan-problems"), tree, "problems[0].goals[0].objectives[0].interventions[0]")
    (row,) = [row for row in plan["inside"] if row["other"] == ["Bundle.entry[5].resource.code"]]
    assert row["path"] == f"{place}.modality, {place}.what"


def test_what_lies_between_a_rule_and_those_inside_it_holds_them() -> None:
    tree = {**PLAN, "activity": [{"detail": {"status": "in-progress", "code": {"text": "Walk"}}}]}
    answer = explain(known("core"), tree, "/activity/0/detail")
    assert (answer["status"], answer["text"], answer["rule"]) == ("holds", INSIDE, None)
    assert [row["path"] for row in answer["inside"]] == [
        "CarePlan.activity[0].detail.code",
        "CarePlan.activity[0].detail.status",
    ]


def test_a_part_of_an_element_that_the_record_has_no_place_for_is_remainder() -> None:
    text = "The rule owns the element, and the record has no place for this part of it: it is carried as remainder."
    answer = explain(known("core"), {**GOAL, "description": {"text": "Sleep", "x": "y"}}, "/description/x")
    assert (answer["status"], answer["text"], answer["other"]) == ("remainder", text, [])


def test_what_a_rule_did_not_understand_is_followed_as_far_as_it_was_read() -> None:
    answer = explain(known("core"), {**GOAL, "statusReason": 5}, "/statusReason")
    read = [{"at": "Goal.statusReason", "value": 5}, {"by": answer["rule"]["how"], "codes": []}]
    assert answer["steps"] == {"from_fhir": read}


def test_a_code_that_the_pack_has_is_not_called_foreign() -> None:
    system = "http://terminology.hl7.org/CodeSystem/goal-priority"
    tree = {**GOAL, "priority": {"coding": [{"system": system, "code": "high-priority"}], "text": "soon"}}
    assert explain(known("core"), tree, "/priority")["text"] == "Both ways."
