"""What the fuzzer (tools/fuzz) once found, each as a small case: every one of them ended in a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.definitions import definitions
from adapter.errors import UsageError
from adapter.validation import Validator
from adapter.validation.fhirpath.compiling import Env, Unsupported, compile_path

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
TREES: dict[str, Any] = {
    "an empty profile": {"resourceType": "Patient", "meta": {"profile": [""]}},
    "a list where a profile binds a code": {
        "resourceType": "Patient",
        "meta": {"profile": [US_CORE + "patient"]},
        "communication": [{"language": {"text": "x"}}],
        "telecom": [{"system": [["phone"]], "use": {"a": 1}}],
        "address": [{"state": ["x"], "use": [1]}],
        "gender": ["male"],
    },
    "an extension whose url is an object": {
        "resourceType": "Patient",
        "meta": {"profile": [US_CORE + "patient"]},
        "extension": [{"url": {"a": 1}}],
    },
    "linkIds and questions that are no text": {
        "resourceType": "Questionnaire",
        "status": "active",
        "item": [{"linkId": {"a": 1}, "type": "group", "enableWhen": [{"question": ["x"], "operator": "exists"}]}],
    },
    "codes that are no text where slices are told apart by them": {
        "resourceType": "Condition",
        "meta": {"profile": [US_CORE + "condition-problems-health-concerns"]},
        "category": [{"coding": [{"system": [1], "code": {"a": 1}}]}, {"coding": [{"system": {}, "code": []}]}],
    },
}


@pytest.mark.parametrize("name", TREES)
def test_trees(name: str) -> None:
    assert Validator().validate(TREES[name])


@pytest.mark.parametrize("expression", ["id>is()", "ofType()", "as(Patient, Patient)", r"`\u12`"])
def test_expressions(expression: str) -> None:
    with pytest.raises(Unsupported):
        compile_path(definitions("4.0.1"), expression, "Patient")


def test_half_an_escape_is_the_letter() -> None:
    assert compile_path(definitions("4.0.1"), r"'\u' & '\u0041'")({}, Env({}, {})) == ["uA"]


@pytest.mark.parametrize(
    "row",
    [
        {
            "type": "Extension",
            "context": [{"type": "element", "expression": ["Patient"]}],
            "snapshot": {"element": [{}]},
        },
        {"type": "Patient", "differential": {"element": [{"id": {"a": 1}, "path": "Patient"}]}},
        {"type": "Patient", "differential": {"element": [{"id": "Patient.name", "max": "many"}]}},
        {"type": ["Patient"], "differential": {"element": []}},
        {"resourceType": "CodeSystem", "content": "complete", "concept": [{"code": "a", "display": {"x": 1}}]},
    ],
)
def test_definitions_of_another_shape_are_refused(row: dict[str, Any]) -> None:
    whole = {"resourceType": "StructureDefinition", "url": "http://example.org/x", "derivation": "constraint", **row}
    with pytest.raises(UsageError, match=r"http://example\.org/x"):
        Validator().with_resources([whole])
