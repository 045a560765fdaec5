"""Items that stand in the plan itself, beside those that are resources: each stays what it is, where it is."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.fhir_json import copy, same
from adapter.identity import resource_id
from adapter.mapping.keys import NUMBER
from adapter.mapping.parts import PartKeys
from adapter.mapping.scope import RelativeRefs, Scope
from tests.unit.mapping.test_by_rules import kept

Tree = dict[str, Any]
core = kept("core", "R4").mapper
PLAN_ID, WALK, TALK, SLEEP = (f"0b5e7c1e-1111-4111-8111-00000000000{number}" for number in range(1, 5))
MARK = {"url": "https://other.test/mark", "valueString": "stays"}


def plan(*interventions: Tree, **more: Any) -> Tree:
    rows = {"interventions": list(interventions)} if interventions else {}
    return {"kind": "plan", "id": PLAN_ID, "status": "active", "intent": "plan", **rows, **more}


def within(id_: str, text: str, **more: Any) -> Tree:
    return {"id": id_, "status": "active", "activity": {"text": text}, "within_plan": True, **more}


def apart(id_: str, text: str, **more: Any) -> Tree:
    return {"id": id_, "status": "active", "activity": {"text": text}, **more}


def put(record: Tree, onto: dict[str, Tree] | None = None) -> dict[str, Tree]:
    parts, issues = core.parts(record, onto)
    assert not [issue for issue in issues if issue.is_error], issues
    assert same(core.record("plan", parts)[0], record)
    return parts


def activities(parts: dict[str, Tree]) -> list[Any]:
    """What each activity is: its words, or the key of the request that it leads to."""
    keys = {f"{tree['resourceType']}/{tree['id']}": key for key, tree in parts.items()}
    return [
        keys[row["reference"]["reference"]] if "reference" in row else row["detail"]["code"]["text"]
        for row in parts[""].get("activity", [])
    ]


def test_both_kinds_stand_in_the_order_of_the_record() -> None:
    parts = put(plan(within(WALK, "Walk"), apart(TALK, "Talk"), within(SLEEP, "Sleep")))
    assert activities(parts) == ["Walk", f"ServiceRequest/{TALK}", "Sleep"]
    assert [row.get("id") for row in parts[""]["activity"]] == [WALK, None, SLEEP]


def test_an_edit_within_the_plan_keeps_what_is_foreign_and_its_place() -> None:
    parts = put(plan(within(WALK, "Walk"), apart(TALK, "Talk"), within(SLEEP, "Sleep")))
    for row in parts[""]["activity"]:
        row["extension"] = [MARK]
    parts[""]["activity"].insert(1, {"extension": [MARK], "note": "theirs"})
    written = put(plan(within(WALK, "Run"), apart(TALK, "Talk"), within(SLEEP, "Sleep")), parts)
    assert [row["extension"] for row in written[""]["activity"]] == [[MARK]] * 4
    assert written[""]["activity"][1] == {"extension": [MARK], "note": "theirs"}
    assert written[""]["activity"][0]["detail"]["code"] == {"text": "Run"}


def test_items_of_both_kinds_are_turned_around_and_keep_what_is_foreign() -> None:
    first, second, third = within(WALK, "Walk"), apart(TALK, "Talk"), within(SLEEP, "Sleep")
    parts = put(plan(first, second, third))
    for number, row in enumerate(parts[""]["activity"]):
        row["extension"] = [{**MARK, "valueString": str(number)}]
    written = put(plan(third, first, second), parts)
    assert activities(written) == ["Sleep", "Walk", f"ServiceRequest/{TALK}"]
    assert [row["extension"][0]["valueString"] for row in written[""]["activity"]] == ["2", "0", "1"]


def test_an_item_within_the_plan_comes_and_goes_alone() -> None:
    parts = put(plan(apart(TALK, "Talk")))
    more = put(plan(within(WALK, "Walk"), apart(TALK, "Talk")), parts)
    assert activities(more) == ["Walk", f"ServiceRequest/{TALK}"]
    less = put(plan(within(WALK, "Walk")), more)
    assert activities(less) == ["Walk"]
    assert less.keys() == {""}
    none = put(plan(), less)
    assert "activity" not in none[""]


def test_an_item_becomes_a_resource_and_back() -> None:
    parts = put(plan(within(WALK, "Walk")))
    out = put(plan(apart(WALK, "Walk")), parts)
    assert activities(out) == [f"ServiceRequest/{WALK}"]
    back = put(plan(within(WALK, "Walk")), out)
    assert (activities(back), back.keys()) == (["Walk"], {""})


def test_a_foreign_activity_in_the_plan_is_one_of_its_items_and_comes_back_as_it_was() -> None:
    tree = {
        "resourceType": "CarePlan",
        "id": "p",
        "activity": [{"detail": {"status": "in-progress", "code": {"text": "Walk"}, "x": 1}, "y": 2}],
    }
    read = core.from_fhir(copy(tree))
    assert [row["within_plan"] for row in read.records[0]["interventions"]] == [True]
    assert same(core.to_fhir(read.records, read.remainder).tree, tree)


def test_items_of_one_name_are_an_error_and_the_first_counts() -> None:
    parts, issues = core.parts(plan(goals=[{"id": WALK, "lifecycle": "active"}, {"id": WALK, "lifecycle": "proposed"}]))
    told = [(issue.severity, issue.code, issue.message_id, issue.expression) for issue in issues]
    assert told == [("error", "duplicate", "map-item-twice", "CarePlan.goal")]
    assert issues[0].source.startswith("core/maps/plan.yaml:")
    assert parts[f"Goal/{WALK}"]["lifecycleStatus"] == "active"


# -- items that are known by their id alone


def goal(id_: str, text: str = "", **more: Any) -> Tree:
    return {"id": id_, **({"statement": {"text": text}, "lifecycle": "active"} if text else {}), **more}


def test_an_item_that_is_elsewhere_is_a_reference_with_what_the_plan_calls_it() -> None:
    parts = put(plan(goals=[goal(WALK, text=""), {**goal(TALK), "text": "Talk more"}]))
    assert parts.keys() == {""}
    assert [row.get("display") for row in parts[""]["goal"]] == [None, "Talk more"]
    parts[""]["goal"][1]["extension"] = [MARK]
    written = put(plan(goals=[{**goal(TALK), "text": "Talk less"}]), parts)
    assert [row["display"] for row in written[""]["goal"]] == ["Talk less"]
    assert written[""]["goal"][0]["extension"] == [MARK]


@pytest.mark.parametrize("back", [False, True])
def test_an_item_that_was_elsewhere_is_told_here_and_the_other_way_around(back: bool) -> None:
    bare, full = plan(goals=[goal(WALK)]), plan(goals=[goal(WALK, "Walk")])
    parts = put(full if back else bare)
    written = put(bare if back else full, parts)
    assert (f"Goal/{WALK}" in written) is not back
    assert len(written[""]["goal"]) == 1


def test_an_item_said_twice_is_one() -> None:
    parts = put(plan(goals=[goal(WALK, "Walk")]))
    parts[""]["goal"].append(copy(parts[""]["goal"][0]))
    assert core.record("plan", parts)[0] == plan(goals=[goal(WALK, "Walk")])


def test_the_patient_of_a_plan_is_that_of_its_items() -> None:
    parts = put(plan(goals=[goal(WALK, "Walk")], patient=SLEEP))
    moved = put(plan(goals=[goal(WALK, "Walk")], patient=TALK), parts)
    assert moved[f"Goal/{WALK}"]["subject"] == moved[""]["subject"] != parts[""]["subject"]


# -- items that are contained resources


CONTAINED = {
    "resourceType": "CarePlan",
    "id": "p",
    "contained": [
        {"resourceType": "Goal", "id": "a", "lifecycleStatus": "active", "description": {"text": "Walk"}, "x": 1},
        "odd",
        {"resourceType": "Goal", "id": "b", "lifecycleStatus": "active", "description": {"text": "Talk"}},
        {"resourceType": "Basic", "id": "c"},
    ],
    "goal": [{"reference": "#a"}, {"reference": "#b"}, {"reference": "#c"}, {"reference": "#nobody"}],
}


def test_contained_items_are_read_written_and_taken_away_where_they_are() -> None:
    read = core.from_fhir(copy(CONTAINED))
    record = read.records[0]
    assert [row.get("statement") for row in record["goals"]] == [{"text": "Walk"}, {"text": "Talk"}]
    assert same(core.to_fhir(read.records, read.remainder).tree, CONTAINED)
    walk, talk = record["goals"]
    run = {**walk, "statement": {"text": "Run"}}
    edited = core.to_fhir([{**record, "goals": [run, talk]}], read.remainder).tree
    assert edited["contained"][0]["description"] == {"text": "Run"}
    assert edited["contained"][0]["x"] == 1
    assert edited["contained"][1:] == CONTAINED["contained"][1:]
    fewer = core.to_fhir([{**record, "goals": [talk]}], read.remainder).tree
    assert fewer["contained"] == CONTAINED["contained"][1:]
    assert fewer["goal"] == CONTAINED["goal"][1:]
    none = core.to_fhir([{key: value for key, value in record.items() if key != "goals"}], read.remainder).tree
    assert none["contained"] == ["odd", CONTAINED["contained"][3]]
    assert none["goal"] == CONTAINED["goal"][2:]


def test_the_last_contained_item_takes_the_list_along() -> None:
    alone = {**CONTAINED, "contained": CONTAINED["contained"][:1], "goal": [{"reference": "#a"}]}
    read = core.from_fhir(copy(alone))
    bare = {key: value for key, value in read.records[0].items() if key != "goals"}
    none = core.to_fhir([bare], read.remainder).tree
    assert "contained" not in none
    assert "goal" not in none


# -- what an item is known by


HERE = Scope(RelativeRefs(), "visit", "r", {}, {}, part="Condition/1")


def test_an_item_is_known_by_its_id_by_a_field_or_by_its_number() -> None:
    by_id, by_field, by_number = PartKeys(), PartKeys("no", ("plan", "goals")), PartKeys(NUMBER, ("dx#_*",))
    assert by_id.id_of({"id": "x", "no": "G"}, HERE) == "x"
    assert by_field.id_of({"id": "x", "no": "G"}, HERE) == "x"
    assert by_field.id_of({"no": "G"}, HERE) == resource_id("visit", "r", "Condition/1/plan.goals/G")
    assert by_field.id_of({"no": WALK}, HERE) == WALK
    assert by_number.id_of({"id": "2", "no": "G"}, HERE) == resource_id("visit", "r", "Condition/1/dx#_*/2")


def test_an_item_keeps_an_id_that_its_field_does_not_say() -> None:
    keys = PartKeys("no", ("goals",))
    own = keys.id_of({"no": "G"}, HERE)
    assert keys.plain(own, {"id": "old", "no": "G"}, HERE) == {"no": "G"}
    assert keys.plain("x", {"id": "old", "no": "G"}, HERE) == {"id": "x", "no": "G"}
    assert keys.plain("x", {"text": "t"}, HERE) == {"id": "x", "text": "t"}
    assert PartKeys().plain("x", {"id": "old", "no": "G"}, HERE) == {"id": "x", "no": "G"}


def test_without_a_change_of_the_patient_items_are_left_alone() -> None:
    parts = put(plan(goals=[goal(WALK, "Walk")], patient=SLEEP))
    parts[f"Goal/{WALK}"]["subject"]["display"] = "theirs"
    again = core.parts(plan(goals=[goal(WALK, "Walk")], patient=SLEEP, title="Other"), parts)[0]
    assert again[f"Goal/{WALK}"] == parts[f"Goal/{WALK}"]


# -- whole maps


def test_a_map_reads_what_it_matches_and_no_more() -> None:
    intake = core.maps["intake"]
    response = {"resourceType": "QuestionnaireResponse"}
    value = intake.match[0][1]
    assert intake.reads({**response, "questionnaire": value}) is True
    assert intake.reads({**response, "questionnaire": "https://other.test|1"}) is False
    assert intake.reads(response) is False
    assert intake.reads({"resourceType": "Goal", "questionnaire": value}) is False
    assert intake.reads("QuestionnaireResponse") is False
    assert core.maps["goal"].reads({"resourceType": "Goal"}) is True


def test_a_member_that_leaves_the_team_takes_the_contained_person_along() -> None:
    members = [{"id": WALK, "name": "Ana"}, {"id": TALK, "name": "Eva"}]
    team = {"kind": "care_team", "id": SLEEP, "status": "active", "members": members}
    parts = core.parts(team)[0]
    assert [row["name"][0]["text"] for row in parts[""]["contained"]] == ["Ana", "Eva"]
    less = core.parts({**team, "members": members[1:]}, parts)[0]
    assert [row["name"][0]["text"] for row in less[""]["contained"]] == ["Eva"]
    bare = {key: value for key, value in team.items() if key != "members"}
    assert "contained" not in core.parts(bare, less)[0][""]
