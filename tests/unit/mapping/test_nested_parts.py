"""Items in items that are resources of their own: who belongs to whom, and what happens when that changes."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from adapter.fhir_json import copy, loads
from adapter.mapping import Mapper, load

Tree = dict[str, Any]
GOAL = "3f0c1f0e-6d2b-4c8e-9d57-0a9b6a3c1d20"


@pytest.fixture
def mapper() -> Mapper:
    return load("plan-problems")


@pytest.fixture
def plan(root: Path) -> Tree:
    example = root / "mappings/plan-problems/examples/alcohol-and-depression/records.json"
    record: Tree = loads(example.read_bytes())[0]
    return {"kind": "treatment_plan", **record}


def resources(bundle: Tree, type_: str) -> list[Tree]:
    return [entry["resource"] for entry in bundle["entry"] if entry["resource"]["resourceType"] == type_]


def written(mapper: Mapper, bundle: Tree, record: Tree) -> Tree:
    made = mapper.to_fhir([record], mapper.from_fhir(bundle).remainder)
    assert made.issues == []
    assert mapper.from_fhir(made.tree).records == [record]
    return made.tree


def test_each_level_says_itself_what_it_belongs_to(mapper: Mapper, plan: Tree) -> None:
    bundle = mapper.to_fhir([plan]).tree
    main = resources(bundle, "CarePlan")[0]
    names = {entry["fullUrl"]: entry["resource"] for entry in bundle["entry"]}
    goals = [names[row["reference"]] for row in main["goal"]]
    said = [goal["identifier"][1]["value"] for goal in goals]
    assert said == ["G1", "O1", "O2", "G2", "O3"]
    assert [len(goal.get("addresses", [])) for goal in goals] == [1, 0, 0, 1, 0]
    assert len(main["activity"]) == len(resources(bundle, "ServiceRequest")) == 4


def test_a_problem_that_goes_takes_all_that_belongs_to_it(mapper: Mapper, plan: Tree) -> None:
    less = {**plan, "problems": plan["problems"][:1]}
    bundle = written(mapper, mapper.to_fhir([plan]).tree, less)
    assert [len(resources(bundle, name)) for name in ("Condition", "Goal", "ServiceRequest")] == [1, 3, 3]
    assert len(resources(bundle, "CarePlan")[0]["goal"]) == 3


def test_foreign_goals_between_ours_stay(mapper: Mapper, plan: Tree) -> None:
    bundle = mapper.to_fhir([plan]).tree
    foreign = {"reference": "https://other.example.test/fhir/Goal/9"}
    resources(bundle, "CarePlan")[0]["goal"].insert(2, foreign)
    less = copy(plan)
    del less["problems"][0]["goals"][0]["objectives"][1]
    main = resources(written(mapper, bundle, less), "CarePlan")[0]
    assert main["goal"].index(foreign) == 2
    assert len(main["goal"]) == 5


def test_a_goal_that_moves_to_another_problem_is_listed_once(root: Path, tmp_path: Path, plan: Tree) -> None:
    place = shutil.copytree(root / "mappings/plan-problems", tmp_path / "plan-problems")
    schema = place / "schemas/treatment_plan.json"
    schema.write_text(schema.read_text("utf-8").replace('"pattern": "^G[0-9]{1,4}$"', '"minLength": 1'), "utf-8")
    mapper = load(str(place))
    plan["problems"][1]["goals"][0]["goal_no"] = GOAL
    bundle = mapper.to_fhir([plan]).tree
    moved = copy(plan)
    moved["problems"][0]["goals"].append(moved["problems"][1].pop("goals")[0])
    there = written(mapper, bundle, moved)
    assert len(resources(there, "CarePlan")[0]["goal"]) == 5
    back = written(mapper, there, plan)
    assert len(resources(back, "CarePlan")[0]["goal"]) == 5


def test_two_items_of_one_name_are_told(mapper: Mapper, plan: Tree) -> None:
    plan["problems"][1]["problem_no"] = plan["problems"][0]["problem_no"]
    assert [issue.message_id for issue in mapper.to_fhir([plan]).issues] == ["map-item-twice"]
    assert mapper.to_fhir([plan]).issues[0].is_error
