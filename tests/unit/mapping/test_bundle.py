"""Resources of one input among each other: what they are called, whose they are, and how the input is put together again."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import BadInput
from adapter.fhir_json import copy, same
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.mapping import load
from tests.unit.mapping.test_by_rules import kept
from tests.unit.mapping.test_reasons import GOAL

Tree = dict[str, Any]
core, visits = kept("core", "R4").mapper, load("intake-eav")
PLAN: Tree = {
    "resourceType": "CarePlan",
    "id": "p",
    "status": "active",
    "intent": "plan",
    "goal": [{"reference": "Goal/g"}],
}
VISIT: Tree = {"event": "screening", "date": "2025-11-03", "complete": "2"}
TWIN: Tree = {"resourceType": "Patient", "gender": "male"}


def bundle(*resources: Tree, **urls: str) -> Tree:
    """A Bundle of resources; `urls` gives the fullUrl of some by their id."""
    entries = [{"resource": row} for row in copy(list(resources))]
    for entry in entries:
        if entry["resource"].get("id") in urls:
            entry["fullUrl"] = urls[entry["resource"]["id"]]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def edited(tree: Tree, index: int = 0, **fields: Any) -> Tree:
    """The input with an edit of one of its records, which reads back as that record."""
    read = core.from_fhir(tree)
    read.records[index] |= fields
    made = core.to_fhir(read.records, read.remainder)
    assert core.from_fhir(made.tree).records == read.records
    return made.tree


def resource(tree: Tree, index: int) -> Tree:
    found: Tree = tree["entry"][index]["resource"]
    return found


# -- what a resource is called


def with_visit(tree: Tree) -> Tree:
    read = visits.from_fhir(tree)
    made = visits.to_fhir([{**read.records[0], "visits": [VISIT]}], read.remainder)
    again = visits.from_fhir(made.tree).records[0]["visits"]
    assert [{key: value for key, value in row.items() if key != "id"} for row in again] == [VISIT]
    return made.tree


def test_a_contained_resource_refers_to_the_one_around_it() -> None:
    assert with_visit({"resourceType": "Patient"})["contained"][0]["subject"] == {"reference": "#"}
    assert with_visit({"resourceType": "Patient", "id": "x"})["contained"][0]["subject"] == {"reference": "Patient/x"}


def test_a_new_resource_calls_one_of_the_bundle_what_the_bundle_calls_it() -> None:
    url = "https://other.test/fhir/Patient/x"
    made = with_visit(bundle({"resourceType": "Patient", "id": "x"}, x=url))
    assert resource(made, 1)["subject"] == {"reference": url}


def test_a_changed_reference_names_the_resource_that_it_leads_to_mapped_or_not() -> None:
    patient, visit = {"resourceType": "Patient", "id": "x"}, {"resourceType": "Encounter", "id": "e"}
    tree = bundle(PLAN, GOAL, patient, visit, x="urn:uuid:0ab81b1e-9a0c-4bc1-9e2c-3a4f6d1c7e01")
    person = core.from_fhir(tree).records[1]["id"]
    met = core.from_fhir(bundle({**PLAN, "encounter": {"reference": "Encounter/e"}}, visit)).records[0]["encounter"]
    made = edited(tree, patient=person, encounter=met)
    assert resource(made, 0)["subject"] == {"reference": "urn:uuid:0ab81b1e-9a0c-4bc1-9e2c-3a4f6d1c7e01"}
    assert resource(made, 0)["encounter"] == {"reference": "Encounter/e"}


def test_a_resource_that_has_no_name_is_named_by_identifier() -> None:
    tree = bundle(PLAN, GOAL, {"resourceType": "Patient"})
    person = core.from_fhir(tree).records[1]["id"]
    named = {"type": "Patient", "identifier": {"system": IDENTIFIER_SYSTEM, "value": person}}
    assert resource(edited(tree, patient=person), 0)["subject"] == named


def test_what_has_no_type_has_no_name() -> None:
    tree = bundle({"id": "x"}, {**PLAN, "goal": [{"reference": "None/x"}]})
    assert core.from_fhir(tree).records[0]["goals"] == core.from_fhir(bundle(resource(tree, 1))).records[0]["goals"]


def test_a_reference_out_of_the_bundle_is_one_of_the_server_that_it_came_from() -> None:
    tree = bundle({**PLAN, "goal": [], "subject": {"reference": "Patient/9"}})
    alone = core.from_fhir(resource(tree, 0), base="https://one.test/fhir").records[0]
    here, there = (core.from_fhir(tree, base=f"https://{name}.test/fhir").records[0] for name in ("one", "two"))
    assert here["patient"] == alone["patient"] != there["patient"]


# -- whose it is


def test_a_reference_says_the_version_and_leads_all_the_same() -> None:
    found = core.from_fhir(bundle({**PLAN, "goal": [{"reference": "Goal/g/_history/2"}]}, GOAL)).records
    assert [row["statement"] for row in found[0]["goals"]] == [{"text": "Sleep"}]
    assert len(found) == 1


def test_what_leads_nowhere_or_to_what_is_no_goal_keeps_nothing_from_the_others() -> None:
    rows = [
        {"reference": literal} for literal in ("Goal/none", "Patient/x", "CarePlan/p", "Goal/g", "Goal/g", "Goal/h")
    ]
    tree = bundle({**PLAN, "goal": rows}, {**GOAL, "id": "h"}, GOAL, {**TWIN, "id": "x"})
    found = core.from_fhir(tree).records
    assert [record["kind"] for record in found] == ["plan", "patient"]
    assert [row["id"] for row in found[0]["goals"] if "statement" in row] == [
        core.from_fhir(row).records[0]["id"] for row in (GOAL, {**GOAL, "id": "h"})
    ]
    assert same(edited(tree), tree)


def test_the_issues_of_a_record_are_those_of_the_input() -> None:
    odd = {**GOAL, "target": [{"dueDate": 5}], "description": 7}
    issues = core.from_fhir(bundle(odd)).issues
    assert [issue.message_id for issue in issues] == ["map-not-understood"] * len(issues)
    assert [issue.expression for issue in issues] == [issue.expression for issue in core.from_fhir(odd).issues] != []


def test_the_id_of_a_resource_that_is_said_twice_stays_what_it_is() -> None:
    """Records are stored under it: it must be the same tomorrow."""
    found = [record["id"] for record in core.from_fhir(bundle(TWIN, TWIN, TWIN)).records]
    assert found == [
        "38247adf-9fe5-56ca-a331-fa723314a7d0",
        "e7a85fd0-4b0c-59f0-a485-b31a121aeff8",
        "97e6b484-a1a9-5c8f-8e0f-9aebf84d7a74",
    ]


def test_what_no_map_reads_is_told_by_its_place_or_by_its_name() -> None:
    odd = {"resourceType": "Encounter", "id": "e"}
    assert [issue.expression for issue in core.from_fhir(odd).issues] == ["Encounter"]
    assert [issue.expression for issue in core.from_fhir(bundle(GOAL, odd)).issues] == ["Bundle.entry[1].resource"]


# -- the input, put together again


def test_a_remainder_is_the_input_with_its_shape() -> None:
    """It is kept by whoever converts: one of today must be read by the adapter of tomorrow."""
    tree = {**bundle(GOAL), "id": "b"}
    tree["entry"].insert(0, {"link": [{"relation": "self"}]})
    assert core.from_fhir(tree, base="https://one.test/fhir").remainder == {
        "v": 1,
        "pack": f"core@{core.version}",
        "fhirVersion": "4.0.1",
        "shape": {
            "base": "https://one.test/fhir",
            "bundle": {"resourceType": "Bundle", "type": "collection", "id": "b", "entry": [tree["entry"][0], {}]},
            "entries": [-1, 0],
        },
        "resources": [GOAL],
    }


def test_a_remainder_without_a_base_is_of_none() -> None:
    read = core.from_fhir(GOAL)
    remainder = {**read.remainder, "shape": {}}
    assert (
        core.to_fhir([{**read.records[0], "lifecycle": "completed"}], remainder).tree["lifecycleStatus"] == "completed"
    )


@pytest.mark.parametrize(
    "entries", [[0], [0, 0], [0, 1, -1], [1, 2], [True, 0], ["0", 1], [0, 2], "01", None],
)  # fmt: skip
def test_a_remainder_whose_entries_are_not_its_resources_is_refused(entries: Any) -> None:
    remainder = copy(core.from_fhir(bundle(GOAL, PLAN)).remainder)
    remainder["shape"]["entries"] = entries
    with pytest.raises(BadInput, match="remainder"):
        core.to_fhir([], remainder)


def test_a_resource_stands_in_an_entry_that_is_an_object() -> None:
    remainder = copy(core.from_fhir(bundle(GOAL, PLAN)).remainder)
    remainder["shape"]["bundle"]["entry"][1] = "odd"
    with pytest.raises(BadInput, match="remainder"):
        core.to_fhir([], remainder)
    remainder["shape"]["entries"], remainder["resources"] = [0, -1], [GOAL]
    records = core.from_fhir(bundle(GOAL)).records
    assert core.to_fhir(records, remainder).tree["entry"] == [{"resource": GOAL}, "odd"]
