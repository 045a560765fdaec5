"""What counts as covered, of small packs that leave most of it out, and of those that come with the adapter."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from adapter.mapping.coverage import Entry, share
from adapter.services.coverage import by_definition
from adapter.services.knowledge import Knowledge

Tree = dict[str, Any]


@pytest.fixture(scope="module")
def core() -> Tree:
    """Both sides of the pack for our own records."""
    return by_definition(Knowledge.of())


def by_path(found: Tree, side: str, owner: str) -> dict[str, Tree]:
    """The rows of a type or kind, without where their rules stand."""
    return {
        row["path"]: {name: value for name, value in row.items() if name not in ("owner", "path", "rules")}
        for row in found[side]
        if row["owner"] == owner
    }


@pytest.fixture
def of(tmp_path: Path) -> Callable[..., Tree]:
    """Both sides of a pack of these maps: `of(goal="…rules…", plan="…")`."""
    resources = {"goal": "Goal", "plan": "CarePlan", "request": "MedicationRequest"}

    def made(**maps: str) -> Tree:
        (tmp_path / "maps").mkdir()
        (tmp_path / "pack.yaml").write_text("name: odd\nversion: 1.0.0\nprefixes: {cs: 'https://x.test/cs'}\n")
        for kind, rules in maps.items():
            rows = "".join(f"  - {rule}\n" for rule in rules.strip().splitlines())
            text = f"map: {kind}\nrecord: {kind}\nresource: {resources[kind]}\nrules:\n{rows}"
            (tmp_path / "maps" / f"{kind}.yaml").write_text(text)
        return by_definition(Knowledge.of(str(tmp_path)))

    return made


BOTH, REMAINDER = {"status": "both"}, {"status": "remainder"}


def test_what_goes_one_way_is_covered_and_what_is_carried_along_is_not() -> None:
    entries = [Entry("Goal", "Goal.x", status) for status in ("both", "one-way", "remainder", "never")]
    assert [entry.covered for entry in entries] == [True, True, False, False]
    assert (share(entries), share([])) == (0.5, 1.0)


def test_the_element_of_our_identifier_is_covered_without_a_rule(of: Callable[..., Tree], core: Tree) -> None:
    goal = by_path(of(goal="{record: lifecycle, fhir: lifecycleStatus}"), "fhir", "Goal")
    assert goal["Goal.identifier"] == {
        "status": "both",
        "reason": "ours holds the id of the record; others are carried along",
    }
    assert goal["Goal.category"] == REMAINDER
    # With a rule it is like any other.
    assert by_path(core, "fhir", "Goal")["Goal.identifier.value"] == BOTH


def test_parts_are_counted_by_what_they_hold_and_ask_for_something_only_where_a_rule_is(
    of: Callable[..., Tree], core: Tree
) -> None:
    plan = by_path(of(plan="{record: status, fhir: status}"), "fhir", "CarePlan")
    assert "CarePlan.activity" not in plan
    assert "CarePlan.activity.detail" not in plan
    assert plan["CarePlan.activity.detail.status"] == REMAINDER
    assert plan["CarePlan.intent"]["required"]
    assert by_path(core, "fhir", "CarePlan")["CarePlan.activity.detail.status"] == BOTH | {"required": True}


def test_what_a_rule_takes_whole_is_one_element(of: Callable[..., Tree]) -> None:
    rules = (
        "{record: statement, fhir: description, concept: none}\n{record: start, fhir: description.text, one_way: said}"
    )
    goal = by_path(of(goal=rules), "fhir", "Goal")
    assert goal["Goal.description"] == BOTH | {"required": True, "must_support": True}
    assert "Goal.description.text" not in goal


def test_what_is_only_written_has_each_reason_once(of: Callable[..., Tree]) -> None:
    rules = (
        "{record: start, fhir: startDate, one_way: one}\n{record: status_date, fhir: startDate, one_way: two}\n"
        "{record: lifecycle, fhir: lifecycleStatus}"
    )
    goal = by_path(of(goal=rules), "fhir", "Goal")
    assert goal["Goal.startDate"] == {"status": "one-way", "reason": "one; two", "must_support": True}


def test_of_a_choice_without_a_rule_every_type_is_asked_for(of: Callable[..., Tree]) -> None:
    found = by_path(
        of(request="{record: notes, fhir: supportingInformation, display: 'yes'}"), "fhir", "MedicationRequest"
    )
    assert found["MedicationRequest.medicationReference"]["required"]
    assert found["MedicationRequest.medicationCodeableConcept"]["required"]


def test_profiles_demand_more_than_the_type_does(core: Tree) -> None:
    plan, goal = by_path(core, "fhir", "CarePlan"), by_path(core, "fhir", "Goal")
    # A slice of the category is demanded, and the profile that the map declares marks it.
    condition = by_path(core, "fhir", "Condition")
    assert (
        plan["CarePlan.category"] == condition["Condition.category"] == BOTH | {"required": True, "must_support": True}
    )
    assert condition["Condition.code"] == BOTH | {"required": True, "must_support": True}
    assert goal["Goal.startDate"] == BOTH | {"must_support": True}
    assert goal["Goal.statusDate"] == BOTH


@pytest.mark.parametrize("side", ["fhir", "records"])
def test_what_is_marked_comes_first_then_what_is_required(side: str, core: Tree) -> None:
    rows = [row for row in core[side] if row["owner"] in ("Goal", "goal")]
    marks = [(not row.get("must_support"), not row.get("required")) for row in rows]
    assert marks == sorted(marks)
    assert len(set(marks)) > 1


def test_extensions_that_rules_are_for_are_counted_by_what_selects_them(of: Callable[..., Tree], core: Tree) -> None:
    words = "Goal.extension[url=https://x.test/words].valueString"
    rules = '{record: patient_words, fhir: "extension[url=https://x.test/words].valueString"}'
    assert by_path(of(goal=rules), "fhir", "Goal")[words] == BOTH
    plan = by_path(core, "fhir", "CarePlan")
    assert plan["CarePlan.extension[url=$ext/change-reason].valueString"] == BOTH
    # What only holds others is counted by them.
    assert "CarePlan.extension[url=$ext/patient-choice]" not in plan
    assert "CarePlan.extension[url=$ext/patient-choice].extension[url=decision].valueCode" in plan


def test_a_field_is_covered_by_the_rules_of_its_own_kind(of: Callable[..., Tree]) -> None:
    narrative = (
        "{derive: narrative, fhir: text, names: [lifecycle, statement]}\n{record: lifecycle, fhir: lifecycleStatus}"
    )
    found = of(
        goal=narrative,
        plan="{derive: narrative, fhir: text, names: [notes]}\n{record: patient, fhir: subject, link: Patient}\n{record: title, fhir: title}",
    )
    goal = by_path(found, "records", "goal")
    assert goal["lifecycle"] == BOTH
    assert goal["statement"] == {"status": "one-way", "reason": "told in the narrative alone", "required": True}
    assert goal["patient"] == {"status": "never", "required": True}
    assert goal["notes"] == {"status": "never"}
    plan = by_path(found, "records", "plan")
    assert (plan["patient"]["status"], plan["title"], plan["description"]) == ("both", BOTH, {"status": "never"})


def test_lists_are_counted_by_the_fields_of_their_items(core: Tree) -> None:
    goal = by_path(core, "records", "goal")
    assert goal["target[].measure"] == BOTH
    assert goal["target[].due_in.value"] == BOTH | {"required": True}
    assert "target" not in goal
    # A list of links has no fields.
    assert goal["problems"] == BOTH
    # Rows of a name and a value, which rules select, in their order.
    assert set(by_path(by_definition(Knowledge.of("intake-eav")), "records", "participant")) == {
        "record_id", "site", "rows[].name", "rows[].value", "rows[].unit", "visits",
    }  # fmt: skip
