"""Whole inputs: shapes, remainders, records added and removed, references, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import BadInput, DataError, UsageError
from adapter.fhir_json import same
from adapter.identity import IDENTIFIER_SYSTEM, resource_id
from adapter.mapping import load

PATIENT = {"kind": "patient", "id": "11111111-1111-4111-8111-111111111111", "gender": "female"}
PLAN: dict[str, Any] = {
    "kind": "plan",
    "id": "22222222-2222-4222-8222-222222222222",
    "patient": PATIENT["id"],
    "status": "active",
    "intent": "plan",
    "goals": [
        {"id": "33333333-3333-4333-8333-333333333333", "statement": {"text": "Sleep"}, "lifecycle": "active"},
    ],
}
core = load("core")


def by_type(bundle: dict[str, Any]) -> dict[str, Any]:
    return {entry["resource"]["resourceType"]: entry["resource"] for entry in bundle["entry"]}


def test_references_inside_a_bundle_are_urns() -> None:
    bundle = core.to_fhir([PATIENT, PLAN]).tree
    found = by_type(bundle)
    patient = f"urn:uuid:{resource_id('patient', PATIENT['id'])}"
    assert bundle["entry"][0]["fullUrl"] == patient
    assert found["CarePlan"]["subject"] == {"reference": patient}
    assert found["Goal"]["subject"] == {"reference": patient}
    assert found["CarePlan"]["goal"] == [{"reference": f"urn:uuid:{found['Goal']['id']}"}]


def test_the_id_of_what_is_made_is_that_of_its_record_wherever_it_is_made() -> None:
    alone, found = core.parts(PLAN)[0], by_type(core.to_fhir([PLAN]).tree)
    assert alone[""]["id"] == found["CarePlan"]["id"] == resource_id("plan", PLAN["id"])
    bare = {key: value for key, value in found["CarePlan"].items() if key != "id"}
    changed = core.parts(PLAN, {"": {"resourceType": "Basic", "id": "b"}})[0]
    assert (changed[""]["id"], changed[""]["resourceType"]) == ("b", "CarePlan")
    assert core.parts(PLAN, {"": {"resourceType": "Basic"}})[0][""]["id"] == resource_id("plan", PLAN["id"])
    assert "id" not in core.parts(PLAN, {"": bare})[0][""]


def test_a_target_that_is_not_given_is_named_by_identifier() -> None:
    found = by_type(core.to_fhir([PLAN]).tree)
    identifier = {"system": IDENTIFIER_SYSTEM, "value": PATIENT["id"]}
    assert found["CarePlan"]["subject"] == {"type": "Patient", "identifier": identifier}


@pytest.mark.parametrize(("create", "method"), [("put", "PUT"), ("conditional", "POST")])
def test_a_transaction_says_what_to_do(create: Any, method: str) -> None:
    bundle = core.to_fhir([PATIENT], bundle_type="transaction", create=create).tree
    request = bundle["entry"][0]["request"]
    assert request["method"] == method
    if method == "POST":
        assert request["ifNoneExist"] == f"identifier={IDENTIFIER_SYSTEM}|{PATIENT['id']}"


def test_a_single_resource_comes_back_single() -> None:
    tree = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "x"}, "x": [1]}
    read = core.from_fhir(tree)
    assert [record["kind"] for record in read.records] == ["goal"]
    assert same(core.to_fhir(read.records, read.remainder).tree, tree)


def test_an_edit_changes_nothing_else() -> None:
    tree = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "_lifecycleStatus": {"id": "s"}, "y": {}}
    read = core.from_fhir(tree)
    edited = [{**read.records[0], "lifecycle": "completed"}]
    out = core.to_fhir(edited, read.remainder).tree
    del out["text"]
    assert same(out, {**tree, "lifecycleStatus": "completed"})


def test_a_new_goal_of_a_single_plan_is_contained_and_read_again() -> None:
    tree = {"resourceType": "CarePlan", "id": "p", "status": "active", "intent": "plan", "subject": {"display": "A"}}
    read = core.from_fhir(tree)
    edited = {**read.records[0], "goals": PLAN["goals"]}
    out = core.to_fhir([edited], read.remainder).tree
    assert out["resourceType"] == "CarePlan"
    assert core.from_fhir(out).records == [edited]


def test_records_are_added_to_and_removed_from_a_bundle() -> None:
    bundle = core.to_fhir([PATIENT, PLAN]).tree
    read = core.from_fhir(bundle)
    other = {**PATIENT, "id": "44444444-4444-4444-8444-444444444444"}
    out = core.to_fhir([read.records[0], other], read.remainder).tree
    assert [entry["resource"]["resourceType"] for entry in out["entry"]] == ["Patient", "Patient"]


@pytest.mark.parametrize("records", [[], [PATIENT, PLAN]])
def test_a_single_resource_takes_and_gives_no_record(records: list[Any]) -> None:
    read = core.from_fhir({"resourceType": "Patient", "id": "x"})
    mine = [*read.records, *records] if records else []
    with pytest.raises(DataError, match=f"single resource: a record cannot be {'added' if records else 'removed'}[.]"):
        core.to_fhir(mine, read.remainder)


def test_a_goal_of_two_plans_stays_by_itself() -> None:
    goal = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "x"}}
    plans = [
        {
            "resourceType": "CarePlan",
            "id": name,
            "status": "active",
            "intent": "plan",
            "goal": [{"reference": "Goal/g"}],
        }
        for name in ("a", "b")
    ]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in [goal, *plans]]}
    records = core.from_fhir(bundle).records
    assert [record["kind"] for record in records] == ["goal", "plan", "plan"]
    assert records[1]["goals"] == [{"id": records[0]["id"]}]


def test_a_goal_of_one_plan_joins_it() -> None:
    goal = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "x"}}
    plan = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "goal": [{"reference": "Goal/g"}]}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in [goal, plan]]}
    records = core.from_fhir(bundle).records
    assert [record["kind"] for record in records] == ["plan"]
    assert records[0]["goals"][0]["statement"] == {"text": "x"}


def test_what_is_not_mapped_is_said_and_kept() -> None:
    tree = {"resourceType": "Encounter", "id": "e", "n": 1}
    read = core.from_fhir(tree)
    assert read.records == []
    assert [issue.message_id for issue in read.issues] == ["type-not-mapped"]
    assert core.to_fhir([], read.remainder).tree == tree


@pytest.mark.parametrize("tree", [None, [], "x", 5, {}, {"resourceType": 5}, {"resourceType": ""}])
def test_what_is_no_resource_is_refused(tree: Any) -> None:
    with pytest.raises(BadInput):
        core.from_fhir(tree)


@pytest.mark.parametrize(
    "record", [None, [], "x", {}, {"kind": "plan"}, {"kind": 5, "id": "x"}, {"kind": "no", "id": "x"}]
)
def test_what_is_no_record_is_refused(record: Any) -> None:
    with pytest.raises(DataError):
        core.to_fhir([record])


def test_two_records_of_one_id_are_refused() -> None:
    with pytest.raises(BadInput, match="same kind and id"):
        core.to_fhir([PATIENT, PATIENT])


@pytest.mark.parametrize(
    "broken",
    [
        5,
        {},
        {"v": 2},
        {"v": 1, "shape": {}, "resources": []},
        {"v": 1, "shape": {"bundle": {"entry": []}, "entries": [0]}, "resources": [{}]},
        {"v": 1, "shape": {"bundle": {"entry": [{}]}, "entries": [3]}, "resources": [{}]},
    ],
)
def test_a_broken_remainder_is_refused(broken: Any) -> None:
    with pytest.raises(BadInput, match="remainder"):
        core.to_fhir([], broken)


def test_the_shape_of_a_remainder_wins() -> None:
    read = core.from_fhir({"resourceType": "Patient", "id": "x"})
    with pytest.raises(UsageError, match="--type"):
        core.to_fhir(read.records, read.remainder, bundle_type="transaction")


@pytest.mark.parametrize(("version", "name"), [("3.0.2", "STU3"), ("1.0", "DSTU2"), ("9", "9")])
def test_old_versions_are_refused_by_name(version: str, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        core.from_fhir({"resourceType": "Patient"}, fhir=version)


def test_a_remainder_of_another_pack_version_is_said() -> None:
    read = core.from_fhir({"resourceType": "Patient", "id": "x"})
    issues = core.to_fhir(read.records, {**read.remainder, "pack": "core@0.9.0"}).issues
    assert [issue.message_id for issue in issues] == ["remainder-pack"]


def test_resources_without_id_are_told_apart() -> None:
    twin = {"resourceType": "Patient", "gender": "male"}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": twin}, {"resource": dict(twin)}]}
    records = core.from_fhir(bundle).records
    assert len({record["id"] for record in records}) == 2
    assert [record["id"] for record in core.from_fhir(bundle).records] == [record["id"] for record in records]
