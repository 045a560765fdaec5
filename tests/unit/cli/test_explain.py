"""careplan explain as an integrator calls it: FILE and PATH of either side, and why something is not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main

FIXTURES = Path(__file__).resolve().parent.parent.parent.parent / "fixtures"
DUAL = FIXTURES / "dual-diagnosis"
FOREIGN = FIXTURES / "foreign-activity-detail" / "fhir-in.json"
PATIENT = "24287d95-0365-5224-8deb-dfb00e7ba095"


def careplan(*words: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(main, ["explain", *map(str, words)], input=stdin)


def answer(*words: str | Path, stdin: str | None = None) -> dict[str, Any]:
    done = careplan(*words, "--json", stdin=stdin)
    assert done.exit_code == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def record(**fields: Any) -> str:
    return json.dumps({"kind": "diagnosis", "id": "6e6f0bd2-3a6c-4a0e-8d0b-1c8a4f1f0001", "patient": PATIENT, **fields})


def test_a_path_of_fhir_leads_to_its_field() -> None:
    found = answer(DUAL / "fhir.json", "Goal.target[0].dueDate")
    assert found["status"] == "mapped"
    assert found["other"] == ["records[4].goals[0].target[0].due"]
    assert found["rule"]["file"] == "core/maps/goal.yaml"
    assert found["rule"]["line"] > 1


def test_a_record_path_leads_to_its_element() -> None:
    found = answer(DUAL / "records.json", "goals[0].target[0].due")
    assert found["place"] == "[4].goals[0].target[0].due"
    assert found["other"] == ["Bundle.entry[10].resource.target[0].dueDate"]


def test_either_side_may_be_asked_of_either_file() -> None:
    assert answer(DUAL / "records.json", "Goal.target[0].dueDate")["other"] == ["[4].goals[0].target[0].due"]
    assert answer(DUAL / "fhir.json", "goals[0].target[0].due")["other"] == [
        "Bundle.entry[10].resource.target[0].dueDate"
    ]


@pytest.mark.parametrize(
    ("file", "pointer", "place"),
    [
        ("records.json", "/4/goals/0/target/0/due", "[4].goals[0].target[0].due"),
        ("fhir.json", "/entry/10/resource/target/0/dueDate", "Bundle.entry[10].resource.target[0].dueDate"),
    ],
)
def test_a_json_pointer_leads_into_the_file(file: str, pointer: str, place: str) -> None:
    found = answer(DUAL / file, pointer)
    assert (found["place"], found["status"]) == (place, "mapped")


def test_a_code_map_is_told_with_the_value_before_and_after() -> None:
    steps = answer(DUAL / "fhir.json", "Condition.severity")["steps"]
    before, by, after = steps["from_fhir"]
    assert before["value"]["coding"][0]["code"] == "24484000"
    assert by == {"by": "ConceptMap severity", "codes": ["http://snomed.info/sct|24484000 → severe (equivalent)"]}
    assert after == {"at": "records[1].severity", "value": {"code": "severe"}}
    assert steps["to_fhir"][-1] == {"at": "Condition.severity", "value": before["value"]}


def test_lists_parts_extensions_choices_and_answers_by_link_id() -> None:
    bundle = DUAL / "fhir.json"
    url = "https://careplan-adapter.org/fhir/StructureDefinition/preference"
    assert answer(bundle, "CarePlan.careTeam[0]")["other"] == ["records[4].care_team[0]"]
    assert answer(bundle, f"CarePlan.extension('{url}')")["other"] == ["records[4].preferences[0]"]
    assert answer(bundle, "Goal.target[0].detail")["other"] == ["records[4].goals[0].target[0].detail.integer"]
    item = "QuestionnaireResponse.item.where(linkId='substances').item.where(linkId='substances.route').answer.value"
    assert answer(bundle, item)["other"] == ["records[3].substances[0].route"]


def test_what_goes_one_way_says_so() -> None:
    found = answer(DUAL / "fhir.json", "CarePlan.text")
    assert (found["status"], found["other"]) == ("one-way", [])
    assert answer(DUAL / "fhir.json", "Observation.status")["rule"]["one_way"]


def test_ids_and_the_store_s_own_fields_have_no_rule() -> None:
    assert answer(DUAL / "fhir.json", "CarePlan.id")["status"] == "identity"
    assert answer(DUAL / "fhir.json", "CarePlan.identifier[0].value")["status"] == "identity"
    assert answer(DUAL / "records.json", "goals[0].id")["status"] == "identity"
    assert answer(DUAL / "records.json", "revision")["status"] == "envelope"
    assert answer(DUAL / "fhir.json", "Bundle.entry[0].fullUrl")["status"] == "bundle"


def test_what_no_rule_owns_is_remainder() -> None:
    plan = json.loads(FOREIGN.read_text())
    plan["goal"][0]["identifier"] = {"value": "x"}
    plan["contributor"] = [{"display": "Somebody"}]
    plan["author"] = {"display": "S. Invented", "identifier": {"assigner": {"display": "the state"}}}
    text = json.dumps(plan)
    assert answer("-", "CarePlan.implicitRules", stdin=json.dumps({**plan, "implicitRules": "http://x.test"}))[
        "status"
    ] == ("remainder")
    beside = answer("-", "CarePlan.author.identifier.assigner.display", stdin=text)
    assert (beside["status"], beside["rule"]["record"]) == ("remainder", ["author"])
    assert answer("-", "CarePlan.author.display", stdin=text)["status"] == "mapped"


def test_a_value_that_the_rule_cannot_read_is_said() -> None:
    plan = json.loads(FOREIGN.read_text())
    plan["activity"][1]["detail"]["status"] = "postponed"
    found = answer("-", "CarePlan.activity[1].detail.status", stdin=json.dumps(plan))
    assert found["status"] == "not-understood"
    assert "not in the table of the rule" in found["text"]


def test_a_type_without_a_map_is_said() -> None:
    found = answer("-", "Practitioner.name", stdin='{"resourceType": "Practitioner", "name": [{"text": "A"}]}')
    assert found["status"] == "type-not-mapped"
    assert found["text"].startswith("No map of this pack is for Practitioner")


def test_a_code_without_a_map_is_said_on_both_sides() -> None:
    ours = answer("-", "disorder", stdin=record(disorder={"code": "no-such-disorder"}))
    assert ours["status"] == "not-written"
    assert "not one of this pack's" in ours["text"]
    there = answer("-", "Condition.code", stdin=record(disorder={"code": "no-such-disorder"}))
    assert there["status"] == "absent"
    assert "It was not written" in there["text"]
    foreign = answer("-", "severity", stdin=record(severity={"system": "http://x.test", "code": "z"}))
    assert foreign["status"] == "mapped"
    assert "severity has no such code" in foreign["text"]


def test_what_is_not_there_names_the_rule_that_would_make_it() -> None:
    found = answer("-", "Condition.onsetAge.value", stdin=record())
    assert found["status"] == "absent"
    assert found["rule"]["record"] == ["onset.age"]
    assert answer("-", "abatement.age", stdin=record())["rule"]["fhir"].startswith("Condition.abatementAge")


def test_a_map_that_is_for_other_resources_is_said() -> None:
    tree = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://x.test/q", "status": "completed"}
    found = answer("-", "substances[0].route", stdin=json.dumps(tree))
    assert found["status"] == "absent"
    assert found["rule"]["map"] == "intake"


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("CarePlan.goals", "CarePlan has no goals; did you mean goal?"),
        ("goals[0].targt", "plan.goals has no targt; did you mean target?"),
        ("CarePlan.goal..x", "cannot be read at column 14"),
        ("CarePlan.goal.where(a > 1)", "only name = 'value'"),
        ("/records/zz", "did you mean"),
    ],
)
def test_a_path_that_is_wrong_is_a_wrong_call(path: str, said: str) -> None:
    done = careplan(DUAL / "fhir.json", path)
    assert (done.exit_code, done.stdout) == (2, "")
    if said != "did you mean":
        assert said in done.stderr


def test_input_that_is_nothing_is_refused() -> None:
    assert careplan("-", "a", stdin='{"x": 1}').exit_code == 1
    assert careplan("-", "a", stdin="[]").exit_code == 2
    assert careplan("-", "a", stdin="{").exit_code == 1
    assert careplan("no-such-file.json", "a").exit_code == 2


def test_values_stand_on_stdout_alone() -> None:
    done = careplan(DUAL / "records.json", "names[0].famly")
    assert done.exit_code == 2
    assert json.loads((DUAL / "records.json").read_text())[0]["names"][0]["family"] not in done.stderr


def test_for_people_it_reads_from_top_to_bottom() -> None:
    lines = careplan(DUAL / "fhir.json", "Condition.severity").stdout.splitlines()
    assert lines[0] == "Bundle.entry[1].resource.severity  (mapped)"
    assert any("core/maps/diagnosis.yaml:" in line for line in lines)
    assert lines.index("  FHIR → record") < lines.index("  record → FHIR")
