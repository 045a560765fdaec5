"""What a conversion says, word for word of what programs read: severity, FHIR's code, our id, the place; and its Bundles."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import DataError
from adapter.fhir_json import copy, loads, same
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.issues import Issue
from adapter.mapping import load

Tree = dict[str, Any]
core = load("core")
ID, OTHER = "11111111-1111-4111-8111-111111111111", "44444444-4444-4444-8444-444444444444"
PATIENT = {"kind": "patient", "id": ID, "gender": "female"}
GOAL = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "x"}}


def told(issues: Any) -> list[tuple[str, str, str, str, str]]:
    return [(row.severity, row.code, row.message_id, row.pointer or "", row.expression or "") for row in issues]


def refusal(work: Any) -> tuple[list[tuple[str, str, str, str, str]], str]:
    with pytest.raises(DataError) as caught:
        work()
    return told(caught.value.issues), caught.value.place


def bundle(*resources: Tree, **more: Any) -> Tree:
    rows = [
        {"fullUrl": f"https://x.test/{row.get('resourceType')}/{row.get('id')}", "resource": row} for row in resources
    ]
    return {"resourceType": "Bundle", "type": "collection", **more, "entry": rows}


def types(tree: Tree) -> Counter[str]:
    return Counter(row["resource"]["resourceType"] for row in tree["entry"])


# -- refused


def test_what_is_no_resource() -> None:
    assert refusal(lambda: core.from_fhir({})) == ([("fatal", "structure", "fhir-no-type", "", "")], "")


def test_what_is_no_record() -> None:
    assert refusal(lambda: core.to_fhir([{"kind": "goal"}])) == ([("fatal", "structure", "record-no-kind", "", "")], "")
    unknown = refusal(lambda: core.to_fhir([{"kind": "no", "id": "x"}]))
    assert unknown == ([("fatal", "not-supported", "record-unknown-kind", "", "")], "")


def test_a_record_that_stands_twice() -> None:
    other = {**PATIENT, "kind": "patient", "id": OTHER}
    twice = refusal(lambda: core.to_fhir([other, PATIENT, PATIENT]))
    assert twice == ([("fatal", "duplicate", "record-twice", "/2/id", "")], "/2/id")


@pytest.mark.parametrize("records", [[], [PATIENT]])
def test_a_single_resource_stays_one_record(records: list[Tree]) -> None:
    read = core.from_fhir(copy(GOAL))
    rows = [*read.records, *records] if records else []
    word = "added" if records else "removed"
    with pytest.raises(DataError, match=word) as caught:
        core.to_fhir(rows, read.remainder)
    assert told(caught.value.issues) == [("error", "invalid", "remainder-single", "", "")]


BROKEN: list[Any] = [
    {"v": 2},
    {"resources": {}},
    {"resources": [5]},
    {"resources": [GOAL, GOAL], "shape": {}},
    {"shape": {"bundle": {"entry": [{}]}, "entries": [True]}},
    {"shape": {"bundle": {"entry": [{}]}, "entries": [1]}},
    {"shape": {"bundle": {"entry": [5]}, "entries": [0]}},
    {"shape": {"bundle": {"entry": [{}, {}]}, "entries": [0]}},
    {"shape": {"bundle": {"entry": {}}, "entries": [0]}},
    {"shape": {"bundle": {}, "entries": [0]}},
    {"shape": 5},
]


@pytest.mark.parametrize("change", BROKEN)
def test_a_remainder_that_is_none_of_ours(change: Tree) -> None:
    whole = core.from_fhir(copy(GOAL))
    found = refusal(lambda: core.to_fhir(whole.records, {**whole.remainder, **change}))
    assert found == ([("fatal", "structure", "remainder-broken", "", "")], "/remainder")


# -- said


def test_a_remainder_of_another_version_is_a_warning_at_its_place() -> None:
    read = core.from_fhir(copy(GOAL))
    issues = core.to_fhir(read.records, {**read.remainder, "pack": "core@0.9.0"}).issues
    assert told(issues) == [("warning", "business-rule", "remainder-pack", "/remainder/pack", "")]


@pytest.mark.parametrize(
    ("type_", "name"), [("Encounter", "Encounter"), ("<b>", "this type"), ("A" * 64, "this type"), ("A" * 63, "A" * 63)]
)
def test_a_type_that_no_map_reads_is_said_and_odd_names_are_not_repeated(type_: str, name: str) -> None:
    (issue,) = core.from_fhir({"resourceType": type_, "id": "e"}).issues
    assert (issue.severity, issue.code, issue.message_id) == ("information", "not-supported", "type-not-mapped")
    assert name in issue.text


def places(issues: list[Issue]) -> list[str | None]:
    return [issue.expression for issue in issues]


def test_where_a_type_that_no_map_reads_stands() -> None:
    read = core.from_fhir(bundle(GOAL, {"resourceType": "Encounter", "id": "e"}))
    assert places(read.issues) == ["Bundle.entry[1].resource"]


# -- what comes of a remainder


def test_what_is_untouched_is_told() -> None:
    read = core.from_fhir(bundle(copy(GOAL), {"resourceType": "Patient", "id": "p", "gender": "male"}))
    goal, patient = read.records
    done = core.to_fhir([goal, {**patient, "gender": "female"}], read.remainder)
    assert done.untouched == {("goal", goal["id"])}
    assert done.issues == []


def test_records_come_and_go_and_the_total_with_them() -> None:
    tree = bundle(copy(GOAL), {"resourceType": "Patient", "id": "p"}, type="searchset", total=2)
    read = core.from_fhir(tree)
    more = core.to_fhir([*read.records, PATIENT], read.remainder).tree
    assert (more["total"], len(more["entry"])) == (3, 3)
    fewer = core.to_fhir(read.records[:1], read.remainder).tree
    assert (fewer["total"], len(fewer["entry"])) == (1, 1)
    none = core.to_fhir([], read.remainder).tree
    assert (none["total"], "entry" in none) == (0, False)
    odd = core.from_fhir({**tree, "total": "2"})
    assert core.to_fhir([], odd.remainder).tree["total"] == "2"


@pytest.mark.parametrize(
    ("type_", "asked"), [("transaction", True), ("batch", True), ("collection", False), ("searchset", False)]
)
def test_what_is_added_says_what_to_do_where_the_bundle_does(type_: str, asked: bool) -> None:
    read = core.from_fhir(bundle(copy(GOAL), type=type_))
    entry = core.to_fhir([*read.records, PATIENT], read.remainder).tree["entry"][-1]
    patient = entry["resource"]
    assert entry["fullUrl"] == f"urn:uuid:{patient['id']}"
    assert entry.get("request") == ({"method": "PUT", "url": f"Patient/{patient['id']}"} if asked else None)


def test_a_transaction_that_creates_names_the_type() -> None:
    made = core.to_fhir([PATIENT], bundle_type="transaction", create="conditional").tree
    assert made["entry"][0]["request"] == {
        "method": "POST",
        "url": "Patient",
        "ifNoneExist": f"identifier={IDENTIFIER_SYSTEM}|{ID}",
    }


def test_entries_that_hold_no_resource_stay_where_they_are() -> None:
    tree = bundle(copy(GOAL))
    tree["entry"][:0] = [5, {"fullUrl": "urn:x", "resource": "odd"}, {"response": {"status": "200"}}]
    read = core.from_fhir(tree)
    edited = core.to_fhir([{**read.records[0], "lifecycle": "completed"}], read.remainder).tree
    assert edited["entry"][:3] == tree["entry"][:3]
    assert edited["entry"][3]["resource"]["lifecycleStatus"] == "completed"
    odd = {"resourceType": "Bundle", "type": "collection", "entry": {"resource": GOAL}}
    assert core.from_fhir(copy(odd)).records == []
    assert same(core.to_fhir([], core.from_fhir(copy(odd)).remainder).tree, odd)


def test_a_remainder_remembers_its_base_and_is_not_changed_by_its_use() -> None:
    read = core.from_fhir(copy(GOAL), base="https://x.test/fhir")
    assert read.records[0]["id"] != core.from_fhir(copy(GOAL)).records[0]["id"]
    assert read.remainder["v"] == 1
    before = copy(read.remainder)
    core.to_fhir([{**read.records[0], "lifecycle": "completed"}], read.remainder)
    assert same(read.remainder, before)
    assert same(core.to_fhir(read.records, read.remainder).tree, GOAL)


def test_three_of_one_id_are_three_records() -> None:
    """The second and third have ids of their own, the same ones every time."""
    tree = bundle(copy(GOAL), copy(GOAL), copy(GOAL))
    ids = [record["id"] for record in core.from_fhir(copy(tree)).records]
    assert len(set(ids)) == 3
    assert ids == [record["id"] for record in core.from_fhir(copy(tree)).records]
    assert ids[0] == core.from_fhir(bundle(copy(GOAL))).records[0]["id"]


def test_a_part_that_is_new_to_a_single_resource_is_contained_and_named_so() -> None:
    plan = {"resourceType": "CarePlan", "id": "p", "status": "active", "intent": "plan"}
    read = core.from_fhir(plan)
    goals = [{"id": OTHER, "statement": {"text": "Sleep"}, "lifecycle": "active"}]
    out = core.to_fhir([{**read.records[0], "goals": goals}], read.remainder).tree
    assert out["goal"] == [{"reference": f"#{out['contained'][0]['id']}"}]


# -- one record and its resources


def test_resources_of_a_record_by_themselves() -> None:
    assert core.kind_of({"resourceType": "Goal"}) == "goal"
    assert core.kind_of({"resourceType": "Encounter"}) is None
    assert core.kind_of(5) is None
    assert core.main_type("goal") == "Goal"
    assert core.main_type("request") == "ServiceRequest"
    with pytest.raises(DataError, match="must be of type Goal"):
        core.record("goal", {"": {"resourceType": "Patient"}})
    with pytest.raises(DataError, match="must be of type Goal"):
        core.record("goal", {"": {"resourceType": "Encounter"}})


def test_the_id_of_a_record_is_what_it_was() -> None:
    goal = {**GOAL, "identifier": [{"system": IDENTIFIER_SYSTEM, "value": ID}]}
    assert core.record("goal", {"": goal})[0]["id"] == ID
    assert core.record("goal", {"": goal}, {"id": OTHER})[0]["id"] == OTHER
    assert core.record("goal", {"": goal}, {"id": OTHER}, record_id="x")[0]["id"] == "x"
    assert core.record("goal", {"": GOAL}, base="b")[0]["id"] != core.record("goal", {"": GOAL})[0]["id"]


def test_a_record_that_becomes_another_resource_keeps_the_id() -> None:
    request = {"kind": "request", "id": ID, "status": "active", "intent": "order", "patient": OTHER}
    service = core.parts({**request, "activity": {"text": "Walk"}})[0]
    drug = core.parts({**request, "type": "medication", "medication": {"text": "Naltrexone"}}, service)[0]
    assert service[""]["resourceType"] == "ServiceRequest"
    assert drug[""]["resourceType"] == "MedicationRequest"
    assert drug[""]["id"] == service[""]["id"]
    bare = {"": {"resourceType": "Basic"}}
    made = core.parts(request, bare)[0][""]
    assert made["id"] == service[""]["id"]


def test_a_resource_of_others_keeps_its_id_when_it_becomes_another() -> None:
    request = {"kind": "request", "id": ID, "status": "active", "patient": OTHER}
    there = {"": {"resourceType": "ServiceRequest", "id": "theirs"}}
    drug = core.parts({**request, "type": "medication", "medication": {"text": "Naltrexone"}}, there)[0]
    assert (drug[""]["resourceType"], drug[""]["id"]) == ("MedicationRequest", "theirs")


def test_what_is_the_store_s_makes_no_record_another() -> None:
    read = core.from_fhir(copy(GOAL))
    held = {**read.records[0], "origin": "test", "revision": 3}
    assert core.to_fhir([held], read.remainder).untouched == {("goal", held["id"])}
    assert core.to_fhir([{**PATIENT, "origin": "test"}]).tree == core.to_fhir([PATIENT]).tree


# -- a second resource of the same record


def test_a_second_resource_that_went_comes_back_with_the_fields_that_it_holds() -> None:
    flat = load("intake-flat")
    record = {"client_no": "C-1", "last_name": "Reyes", "intake_dt": "02/01/2026", "status": "C"}
    made = flat.to_fhir([record]).tree
    assert [row["resource"]["resourceType"] for row in made["entry"]] == ["QuestionnaireResponse", "Patient"]
    alone = {**made, "entry": made["entry"][:1]}
    del alone["entry"][0]["resource"]["subject"]
    read = flat.from_fhir(copy(alone))
    assert "last_name" not in read.records[0]
    status = flat.to_fhir([{**read.records[0], "status": "A"}], read.remainder).tree
    assert [row["resource"]["resourceType"] for row in status["entry"]] == ["QuestionnaireResponse"]
    named = flat.to_fhir([{**read.records[0], "last_name": "Reyes"}], read.remainder).tree
    patient = named["entry"][1]["resource"]
    assert patient["name"][0]["family"] == "Reyes"
    assert named["entry"][0]["resource"]["subject"]["reference"] == named["entry"][1]["fullUrl"]


# -- references inside an input


def test_of_two_resources_of_one_id_the_first_is_meant() -> None:
    patient = {"resourceType": "Patient", "id": "p", "identifier": [{"system": IDENTIFIER_SYSTEM, "value": ID}]}
    goal = {**GOAL, "subject": {"reference": "Patient/p"}}
    read = core.from_fhir(bundle(copy(patient), {**patient, "identifier": []}, copy(goal)))
    assert read.records[2]["patient"] == ID
    assert read.records[2]["patient"] == read.records[0]["id"] != read.records[1]["id"]


def test_a_new_record_refers_to_what_is_there_by_its_name() -> None:
    tree = bundle({"resourceType": "Patient", "id": "p"}, {"resourceType": "Basic", "id": "b"})
    read = core.from_fhir(tree)
    goal = {
        "kind": "goal",
        "id": OTHER,
        "patient": read.records[0]["id"],
        "statement": {"text": "x"},
        "lifecycle": "active",
    }
    out = core.to_fhir([*read.records, goal], read.remainder).tree
    assert out["entry"][2]["resource"]["subject"] == {"reference": "https://x.test/Patient/p"}
    assert core.from_fhir(out).records[1] == goal


def test_an_instrument_that_goes_takes_its_score_along_and_a_total_that_comes_brings_one(root: Path) -> None:
    records = loads((root / "fixtures/dual-diagnosis/records.json").read_bytes())
    record = next(row for row in records if row["kind"] == "assessment")
    first = record["instruments"][0]
    made = core.to_fhir([{**record, "instruments": [first]}]).tree
    assert types(made) == {"QuestionnaireResponse": 2, "Observation": 1}
    read = core.from_fhir(made)
    bare = {key: value for key, value in read.records[0].items() if key != "instruments"}
    assert types(core.to_fhir([bare], read.remainder).tree) == {"QuestionnaireResponse": 1}
    open_ = {key: value for key, value in first.items() if key not in ("total", "band")}
    without = {**made, "entry": [row for row in made["entry"] if row["resource"]["resourceType"] != "Observation"]}
    read = core.from_fhir(without)
    assert read.records[0]["instruments"] == [open_]
    other = core.to_fhir([{**read.records[0], "instruments": [{**open_, "complete": False}]}], read.remainder).tree
    assert types(other) == {"QuestionnaireResponse": 2}
    total = core.to_fhir([{**read.records[0], "instruments": [{**open_, "total": 5}]}], read.remainder).tree
    assert types(total) == {"QuestionnaireResponse": 2, "Observation": 1}
