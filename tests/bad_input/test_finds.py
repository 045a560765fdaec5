"""What the fuzzer (tools/fuzz) once found, each as a small case: every one of them ended in a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.definitions import definitions
from adapter.validation import Validator
from adapter.validation.fhirpath.compiling import Unsupported, compile_path

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
    "codes that are no text where slices are told apart by them": {
        "resourceType": "Condition",
        "meta": {"profile": [US_CORE + "condition-problems-health-concerns"]},
        "category": [{"coding": [{"system": [1], "code": {"a": 1}}]}, {"coding": [{"system": {}, "code": []}]}],
    },
}


@pytest.mark.parametrize("name", TREES)
def test_trees(name: str) -> None:
    assert Validator().validate(TREES[name])


@pytest.mark.parametrize("expression", ["id>is()", "ofType()", "as(Patient, Patient)"])
def test_expressions(expression: str) -> None:
    with pytest.raises(Unsupported):
        compile_path(definitions("4.0.1"), expression, "Patient")
