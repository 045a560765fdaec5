"""Fields of a record that stand on a second resource, and items that are contained: edited where they are."""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import copy
from adapter.mapping.resources import lookup
from adapter.mapping.scope import RelativeRefs, Scope
from tests.unit.mapping.test_by_rules import kept

Tree = dict[str, Any]
core, flat = kept("core", "R4").mapper, kept("intake-flat", "R4").mapper
ID, SCORED = (f"0b5e7c1e-1111-4111-8111-00000000000{number}" for number in (1, 2))
MARK = {"url": "https://other.test/mark", "valueString": "stays"}
INSTRUMENT = {"id": SCORED, "name": "phq-9", "complete": True, "total": 12}
CLIENT = {"client_no": "C-31007", "last_name": "Roe", "first_name": "Ana"}


def intake(**fields: Any) -> Tree:
    return flat.own.named({"kind": "intake", "id": ID, "status": "C", **fields})


def assessment(**fields: Any) -> Tree:
    instrument = {key: value for key, value in {**INSTRUMENT, **fields}.items() if value is not None}
    return {
        "kind": "assessment",
        "id": ID,
        "questionnaire": "https://x.test|1",
        "status": "completed",
        "instruments": [instrument],
    }


def written(mapper: Any, record: Tree, onto: dict[str, Tree] | None = None) -> dict[str, Tree]:
    parts, issues = mapper.parts(record, onto)
    assert not [issue for issue in issues if issue.is_error], issues
    assert mapper.record(record["kind"], parts)[0] == record
    return parts  # type: ignore[no-any-return]


def of_type(parts: dict[str, Tree], type_: str) -> list[Tree]:
    return [tree for tree in parts.values() if tree["resourceType"] == type_]


def test_an_edit_of_a_field_on_the_second_resource_keeps_what_is_foreign_there() -> None:
    parts = written(flat, intake(**CLIENT))
    (client,) = of_type(parts, "Patient")
    client["extension"] = [MARK]
    again = written(flat, intake(**{**CLIENT, "last_name": "Doe"}), parts)
    (changed,) = of_type(again, "Patient")
    assert changed["name"] == [{"use": "official", "family": "Doe", "given": ["Ana"]}]
    assert (changed["id"], changed["extension"]) == (client["id"], [MARK])


def test_an_edit_of_the_first_resource_leaves_the_second_as_it_is() -> None:
    parts = written(flat, intake(**CLIENT))
    of_type(parts, "Patient")[0]["text"] = {"status": "additional", "div": "theirs"}
    again = written(flat, intake(**CLIENT, remarks="x"), parts)
    assert of_type(again, "Patient") == of_type(parts, "Patient")


def test_a_second_resource_is_made_when_an_edit_brings_what_stands_on_it() -> None:
    parts = written(flat, intake(**CLIENT))
    del parts[""]["subject"]
    alone = {"": parts[""]}
    assert of_type(written(flat, intake(remarks="x"), alone), "Patient") == []
    (client,) = of_type(written(flat, intake(**CLIENT), alone), "Patient")
    assert client["name"] == [{"use": "official", "family": "Roe", "given": ["Ana"]}]


def test_a_score_comes_with_its_answers_changes_and_goes_with_them() -> None:
    parts = written(core, assessment())
    (score,) = of_type(parts, "Observation")
    assert score["valueInteger"] == 12
    more = written(core, assessment(total=13), parts)
    assert [row["valueInteger"] for row in of_type(more, "Observation")] == [13]
    none = {key: value for key, value in assessment().items() if key != "instruments"}
    assert written(core, none, more).keys() == {""}


# -- contained resources among each other


PLAN = {
    "resourceType": "CarePlan",
    "id": "p",
    "contained": [
        {"resourceType": "Condition", "id": "c", "code": {"text": "Pain"}},
        {"resourceType": "Goal", "id": "a", "description": {"text": "Walk"}, "addresses": [{"reference": "#c"}]},
    ],
    "goal": [{"reference": "#a"}],
}


def test_a_contained_goal_addresses_a_contained_condition() -> None:
    read = core.from_fhir(copy(PLAN))
    (goal,) = read.records[0]["goals"]
    assert len(goal["problems"]) == 1
    goal["statement"] = {"text": "Run"}
    made = core.to_fhir(read.records, read.remainder).tree
    assert made["contained"][1]["addresses"] == [{"reference": "#c"}]
    goal.pop("problems")
    made = core.to_fhir(read.records, read.remainder).tree
    assert "addresses" not in made["contained"][1]


def test_a_resource_of_the_record_that_is_not_at_hand_is_not_found() -> None:
    root: Tree = {"resourceType": "CarePlan", "id": "p"}
    refs = RelativeRefs(parts={"Goal/a": f"Goal/{SCORED}", "CarePlan/p": ""})
    scope, goals, plans = Scope(refs, "plan", ID, {"": root}, root), [core.maps["goal"]], [core.maps["plan"]]
    assert lookup(goals, {"reference": "Goal/a"}, scope) is None
    assert lookup(plans, {"reference": "CarePlan/p"}, scope) is None
    scope.parts[f"Goal/{SCORED}"] = {"resourceType": "Goal", "id": "a"}
    found = lookup(goals, {"reference": "Goal/a"}, scope)
    assert found is not None
    assert (found.item_id, found.map.name) == (SCORED, "goal")
