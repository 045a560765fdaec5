from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapter.definitions import definitions
from adapter.errors import UsageError

R4 = definitions("4.0.1")
DATA = Path(__file__).parents[3] / "adapter" / "definitions" / "data"


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


@pytest.mark.parametrize("version", ["4.0.1", "4.3.0", "5.0.0"])
def test_every_element_leads_to_a_type(version: str) -> None:
    defs = definitions(version)
    for name in defs.types:
        for part in defs.parts(name):
            for element in defs.type(part).elements.values():
                assert defs.type(element.type), (part, element.name)


ABSTRACT = {"Resource", "DomainResource", "CanonicalResource", "MetadataResource"}


@pytest.mark.parametrize("version", ["4.0.1", "4.3.0", "5.0.0"])
def test_resource_types_are_the_concrete_ones_that_the_version_lists(version: str) -> None:
    defs = definitions(version)
    listed = defs.codes("http://hl7.org/fhir/ValueSet/resource-types")
    assert listed is not None
    assert defs.resource_types == listed - ABSTRACT


def test_each_version_has_its_own_elements() -> None:
    r5 = definitions("5.0.0").type("CarePlan")
    assert "addresses" in r5.elements
    assert r5.elements["addresses"].type == "CodeableReference"
    assert "plannedActivityReference" in definitions("5.0.0").type("CarePlan.activity").elements
    assert "detail" in definitions("4.3.0").type("CarePlan.activity").elements
    assert "Ingredient" in definitions("4.3.0")
    assert "Ingredient" not in definitions("4.0.1")


def test_r4b_takes_from_r4_what_it_left_as_it_was() -> None:
    r4b = definitions("4.3.0")
    assert r4b.codes("http://hl7.org/fhir/ValueSet/request-status") == R4.codes(
        "http://hl7.org/fhir/ValueSet/request-status"
    )
    assert r4b.profile("http://hl7.org/fhir/us/core/StructureDefinition/us-core-patient") is not None


def test_a_hierarchy_is_kept() -> None:
    above = R4.hierarchy("http://terminology.hl7.org/CodeSystem/goal-achievement")
    assert above["improving"] == ["in-progress"]
    assert R4.hierarchy("http://hl7.org/fhir/request-status") == {}


@pytest.mark.parametrize("name", ["CarePlans", "CarePlan.activities", ""])
def test_an_unknown_type_is_a_key_error(name: str) -> None:
    with pytest.raises(KeyError):
        R4.type(name)


def test_an_unknown_version_is_said() -> None:
    with pytest.raises(UsageError, match=r"3\.0\.2"):
        definitions("3.0.2")


def test_the_types_are_those_that_were_published() -> None:
    """Copies of the definitions that servers ship have elements of their own."""
    assert set(R4.type("Meta").elements) == {
        "id", "extension", "versionId", "lastUpdated", "source", "profile", "security", "tag",
    }  # fmt: skip
    assert "label" not in R4.type("ResearchStudy").elements
    assert "url" not in R4.type("Binary").elements


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
    for name in R4.types:
        for part in R4.parts(name):
            for element in R4.type(part).elements.values():
                bound = element.binding
                if bound and bound.strength == "required" and R4.codes(bound.value_set) is None:
                    absent.add(bound.value_set.rpartition("/")[2])
    assert absent == {"mimetypes", "ucum-units", "LL379-9", "currencies"}


@pytest.mark.parametrize("folder", ["r4", "r4b", "r5", "us-core"])
def test_the_data_says_where_it_is_from(folder: str) -> None:
    source = json.loads((DATA / folder / "source.json").read_text("utf-8"))
    [package] = source["packages"]
    assert package["name"]
    assert package["version"]
    assert len(package["sha256"]) == 64


def test_the_data_is_small() -> None:
    assert sum(path.stat().st_size for path in DATA.rglob("*") if path.is_file()) < 4_000_000
