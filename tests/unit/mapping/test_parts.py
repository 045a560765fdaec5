"""A list whose items are resources of their own: which are its items, and that an edit of one touches that one alone."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.fhir_json import copy
from adapter.mapping import load
from adapter.mapping.codecs import Copy, is_text
from adapter.mapping.keys import Keys
from adapter.mapping.lists import Items
from adapter.mapping.maps import ResourceMap
from adapter.mapping.parts import Parts
from adapter.mapping.paths import parse
from adapter.mapping.rules import Leaf
from adapter.mapping.scope import RelativeRefs, Scope
from tests.unit.mapping.test_inline_parts import MARK, PLAN_ID, TALK, WALK, apart, goal, plan, put

Tree = dict[str, Any]


def text(name: str, path: str) -> Leaf:
    return Leaf(f"f:{name}", (name,), parse(path, {}), Copy(is_text))


# -- an edit of one item


def test_an_item_of_one_field_is_edited_where_it_is() -> None:
    parts = put(plan(goals=[{"id": WALK, "lifecycle": "proposed"}]))
    parts[f"Goal/{WALK}"]["extension"] = [MARK]
    written = put(plan(goals=[{"id": WALK, "lifecycle": "active"}]), parts)
    assert written[f"Goal/{WALK}"]["extension"] == [MARK]


def test_what_the_plan_calls_an_item_is_edited_with_it() -> None:
    parts = put(plan(goals=[{**goal(WALK, "Walk"), "text": "first"}]))
    parts[""]["goal"][0]["extension"] = [MARK]
    written = put(plan(goals=[{**goal(WALK, "Walk"), "text": "second"}]), parts)
    assert written[""]["goal"][0] == {**parts[""]["goal"][0], "display": "second"}
    assert written[f"Goal/{WALK}"] == parts[f"Goal/{WALK}"]


def test_an_edit_of_the_plan_alone_leaves_its_items_as_they_are() -> None:
    record = plan(apart(TALK, "Talk"), goals=[goal(WALK, "Walk")], patient=PLAN_ID, patient_name="Ana")
    parts = put(record)
    parts[""]["goal"].append({"display": "theirs"})
    parts[""]["goal"][0]["_reference"] = {"extension": [MARK]}
    written = put({**record, "title": "Other"}, parts)
    assert written[""]["goal"] == parts[""]["goal"]
    assert {key: tree for key, tree in written.items() if key} == {key: tree for key, tree in parts.items() if key}


@pytest.mark.parametrize(
    "moved", [{"patient_name": "Eva"}, {"patient": TALK}, {"patient": TALK, "patient_name": "Eva"}]
)
def test_the_patient_and_the_name_of_a_plan_are_those_of_its_items(moved: Tree) -> None:
    record = plan(goals=[goal(WALK, "Walk")], patient=PLAN_ID, patient_name="Ana")
    written = put({**record, **moved}, put(record))
    assert written[f"Goal/{WALK}"]["subject"] == written[""]["subject"]
    assert written[""]["subject"]["display"] == moved.get("patient_name", "Ana")


# -- whose items they are


GOAL = ResourceMap("goal", "plan", "Goal", [text("text", "description.text")], part_only=True)
UNDER = parse("addresses[!]", {})
HERE, THERE = "Condition/1", "Condition/2"


def goals(**keys: Any) -> Parts:
    return Parts("f:goals", ("goals",), parse("goal", {}), [GOAL], **keys)


def read(rule: Parts, part: str = HERE) -> list[Any]:
    """The texts of the items that a list of goals holds: `a` belongs here, `b` elsewhere, `c` to nobody."""
    owners = {"a": "Condition/x", "b": "Condition/y", "c": "Condition/z"}
    trees = {
        f"Goal/{id_}": {
            "resourceType": "Goal", "id": id_, "description": {"text": id_}, "addresses": [{"reference": owner}],
        }
        for id_, owner in owners.items()
    }  # fmt: skip
    listed = {"goal": [{"reference": key} for key in trees]}
    node: Tree = {"resourceType": "Condition", "id": "x", **({} if rule.from_main else listed)}
    main: Tree = {"resourceType": "CarePlan", "id": "p", **(listed if rule.from_main else {})}
    refs = RelativeRefs(parts={"Condition/x": HERE, "Condition/y": THERE, **{key: key for key in trees}})
    out: Tree = {}
    rule.read(node, out, Scope(refs, "plan", PLAN_ID, {"": main, part: node, **trees}, node, part))
    return [row.get("text") for row in out.get("goals", [])]


def test_of_an_array_of_the_main_resource_those_are_items_that_say_so() -> None:
    assert read(goals(under=UNDER, from_main=True)) == ["a"]
    assert read(goals(under=UNDER, from_main=True), THERE) == ["b"]


def test_of_an_array_of_its_own_all_are_items_whatever_they_say() -> None:
    assert read(goals(under=UNDER)) == ["a", "b", "c"]


def test_of_an_array_of_the_main_resource_all_are_items_where_none_can_say_so() -> None:
    assert read(goals(from_main=True)) == ["a", "b", "c"]


def test_goals_that_the_plan_contains_are_found_from_a_problem_that_stands_beside_it() -> None:
    mapper = load("plan-problems")
    goal_ = {
        "resourceType": "Goal",
        "id": "g",
        "lifecycleStatus": "active",
        "description": {"text": "Walk"},
        "addresses": [{"reference": "Condition/c"}],
    }
    tree = {
        "resourceType": "CarePlan",
        "id": "p",
        "status": "active",
        "intent": "plan",
        "contained": [goal_],
        "addresses": [{"reference": "Condition/c"}],
        "goal": [{"reference": "#g"}],
    }
    problem = {"resourceType": "Condition", "id": "c", "code": {"text": "Pain"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": tree}, {"resource": problem}]}
    read_ = mapper.from_fhir(copy(bundle))
    (found,) = read_.records[0]["problems"]
    assert [(row["statement"], row["status"]) for row in found["goals"]] == [("Walk", "active")]
    found["goals"][0]["statement"] = "Run"
    made = mapper.to_fhir(read_.records, read_.remainder).tree
    assert made["entry"][0]["resource"]["contained"][0]["description"] == {"text": "Run"}


# -- items that the element holds itself


INLINE = Items("f:inline", ("goals",), parse("goal", {}), Keys(uuid=True), [text("text", "words")])


def test_an_item_within_the_list_keeps_its_id_when_it_changes() -> None:
    rule = goals(inline=INLINE)
    node: Tree = {
        "resourceType": "CarePlan",
        "id": "p",
        "goal": [{"words": "Walk", "mark": "theirs"}, {"words": "Talk"}],
    }
    scope = Scope(RelativeRefs(), "plan", PLAN_ID, {"": node}, node)
    before: Tree = {}
    rule.read(node, before, scope)
    after = copy(before)
    after["goals"][0]["text"] = "Run"
    rule.write(node, after, before, scope)
    assert node["goal"] == [{"id": before["goals"][0]["id"], "words": "Run", "mark": "theirs"}, {"words": "Talk"}]
    again: Tree = {}
    rule.read(node, again, scope)
    assert again == after
