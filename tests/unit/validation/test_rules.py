"""Invariants, bindings, references, Bundles and extensions: one fault each, one issue each, at its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from adapter.definitions import definitions
from adapter.validation import Quirks, Validator, validate
from adapter.validation.fhirpath.compiling import Unsupported, compile_boolean
from adapter.validation.invariants import BROKEN, BY_HAND, ELSEWHERE

Tree = dict[str, Any]
VER = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"


def errors(tree: Tree, quirks: Quirks | None = None) -> list[tuple[str, str]]:
    """(place, message id, or the key of the invariant) of every error."""
    found = Validator(quirks=quirks).validate(tree)
    return [
        (issue.expression, issue.text.partition(":")[0] if issue.message_id == "invariant-failed" else issue.message_id)
        for issue in found
        if issue.is_error
    ]


def set_(*path: Any) -> Callable[[Tree], None]:
    """A change: the last of the path is the value to put where the others lead."""

    def change(tree: Tree) -> None:
        node: Any = tree
        for step in path[:-2]:
            node = node[step]
        node[path[-2]] = path[-1]

    return change


def test_clean_resources_have_no_error(plan: Tree, condition: Tree) -> None:
    assert errors(plan) == []
    assert errors(condition) == []


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (set_("activity", 0, "reference", {"reference": "Task/t"}), ("CarePlan.activity[0]", "cpl-3")),
        (set_("period", {"start": "2024-02", "end": "2024-01"}), ("CarePlan.period", "per-1")),
        (set_("extension", [{"url": "http://e"}]), ("CarePlan.extension[0]", "ext-1")),
        (set_("contained", 0, "meta", {"versionId": "1"}), ("CarePlan", "dom-4")),
        (set_("contained", 0, "meta", {"security": [{"code": "x"}]}), ("CarePlan", "dom-5")),
        (set_("addresses", [{"reference": "Condition/1"}]), None),
        (set_("addresses", [{"reference": "#d"}]), ("CarePlan.addresses[0]", "reference-contained-missing")),
        (set_("addresses", [{"reference": "Goal/1"}]), ("CarePlan.addresses[0]", "reference-target-type")),
        (set_("subject", {"reference": "#c"}), ("CarePlan.subject", "reference-target-type")),
        (set_("subject", {"reference": "http://h/fhir/Goal/1"}), ("CarePlan.subject", "reference-target-type")),
        (set_("status", "begun"), ("CarePlan.status", "binding-required")),
        (
            set_("identifier", [{"system": "x", "value": "1"}]),
            ("CarePlan.identifier[0]", "identifier-system-relative"),
        ),
        (set_("text", "div", "<div>x</div>"), ("CarePlan.text.div", "narrative-root")),
    ],
)
def test_faults_of_a_plan(plan: Tree, change: Callable[[Tree], None], found: tuple[str, str] | None) -> None:
    change(plan)
    assert errors(plan) == ([found] if found else [])


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (set_("abatementString", "gone"), ("Condition", "con-4")),
        (set_("verificationStatus", "coding", 0, "code", "entered-in-error"), ("Condition", "con-5")),
        (set_("stage", [{"type": {"text": "x"}}]), ("Condition.stage[0]", "con-1")),
        (set_("clinicalStatus", {"text": "x"}), ("Condition.clinicalStatus", "binding-no-code")),
        (
            set_("clinicalStatus", "coding", 0, "code", "on"),
            ("Condition.clinicalStatus", "code-unknown"),
        ),
        (set_("onsetDateTime", "2020"), None),
    ],
)
def test_faults_of_a_condition(condition: Tree, change: Callable[[Tree], None], found: tuple[str, str] | None) -> None:
    change(condition)
    got = errors(condition)
    assert (found in got) if found else got == []


@pytest.mark.parametrize(
    ("tree", "found"),
    [
        ({"item": [{"linkId": "a", "type": "group"}]}, "que-1"),
        ({"item": [{"linkId": "a", "type": "string"}, {"linkId": "a", "type": "string"}]}, "que-2"),
        ({"item": [{"linkId": "a", "type": "display", "code": [{"code": "x"}]}]}, "que-3"),
        ({"item": [{"linkId": "a", "type": "boolean", "answerOption": [{"valueString": "x"}]}]}, "que-5"),
        ({"item": [{"linkId": "a", "type": "display", "required": True}]}, "que-6"),
        ({"item": [{"linkId": "a", "type": "date", "maxLength": 5}]}, "que-10"),
        (
            {"item": [{"linkId": "a", "type": "string", "initial": [{"valueString": "x"}, {"valueString": "y"}]}]},
            "que-13",
        ),
        (
            {
                "item": [
                    {
                        "linkId": "a",
                        "type": "string",
                        "enableWhen": [{"question": "b", "operator": "exists", "answerString": "x"}],
                    }
                ]
            },
            "que-7",
        ),
        (
            {
                "item": [
                    {
                        "linkId": "a",
                        "type": "string",
                        "enableWhen": [
                            {"question": "b", "operator": "exists", "answerBoolean": True},
                            {"question": "c", "operator": "exists", "answerBoolean": True},
                        ],
                    }
                ]
            },
            "que-12",
        ),
    ],
)
def test_questionnaire_invariants(tree: Tree, found: str) -> None:
    validator = Validator(tiers=["structure", "invariants", "bindings"])
    issues = validator.validate({"resourceType": "Questionnaire", "status": "active", **tree})
    assert [issue.source.partition("#")[2] for issue in issues if issue.is_error] == [found]


def test_conditions_of_a_questionnaire_can_be_met() -> None:
    def item(link_id: str, question: str, **more: Any) -> Tree:
        condition = {"question": question, "operator": "exists", "answerBoolean": True}
        return {"linkId": link_id, "type": "group", "text": "x", "enableWhen": [condition], **more}

    inner = {"linkId": "b.1", "type": "string", "text": "x"}
    items = [
        item("a", "a"),
        item("b", "b.1", item=[inner]),
        item("c", "nowhere"),
        item("d", "a", item=[{**inner, "linkId": "e"}]),
    ]
    tree = {"resourceType": "Questionnaire", "status": "active", "item": items}
    found = [row for row in errors(tree) if row[1].startswith("enable")]
    assert found == [
        ("Questionnaire.item[0]", "enable-when-self"),
        ("Questionnaire.item[1]", "enable-when-inner"),
        ("Questionnaire.item[2]", "enable-when-nowhere"),
    ]


def test_other_invariants() -> None:
    goal = {
        "resourceType": "Goal",
        "lifecycleStatus": "active",
        "description": {"text": "x"},
        "subject": {"reference": "Patient/1"},
        "target": [{"detailString": "x"}],
    }
    assert errors(goal) == [("Goal.target[0]", "gol-1")]
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "item": [{"linkId": "a", "answer": [{"valueString": "x"}], "item": [{"linkId": "b"}]}],
    }
    assert errors(response) == [("QuestionnaireResponse.item[0]", "qrs-1")]


@pytest.mark.parametrize("version", ["4.0.1", "4.3.0", "5.0.0"])
def test_every_invariant_of_every_type_compiles(version: str) -> None:
    defs = definitions(version)
    broken = set()
    for name in defs.types:
        for part in defs.parts(name):
            facts = defs.type(part)
            rows = [(each, facts.name) for each in facts.constraints]
            rows += [(each, element.type) for element in facts.elements.values() for each in element.constraints]
            for constraint, type_name in rows:
                if constraint.key in ELSEWHERE or constraint.key in BY_HAND:
                    continue
                try:
                    compile_boolean(defs, constraint.expression, type_name)
                except Unsupported:
                    broken.add((facts.name, constraint.key))
    assert broken <= BROKEN


def test_extensible_and_unchecked_codes_are_no_errors(condition: Tree) -> None:
    condition["category"] = [{"coding": [{"system": "http://example.org/s", "code": "x"}]}]
    condition["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "1"}] * 3}
    found = [(issue.severity, issue.message_id) for issue in validate(condition)]
    assert found == [
        ("warning", "binding-extensible"),
        ("information", "code-not-checked"),
        ("information", "code-not-checked"),
    ]


def test_a_wrong_display_is_a_warning_or_what_is_asked(condition: Tree) -> None:
    condition["clinicalStatus"]["coding"][0]["display"] = "Idle"
    assert [issue.message_id for issue in validate(condition)] == ["code-display"]
    assert errors(condition, Quirks(displays="error")) == [
        ("Condition.clinicalStatus.coding[0].display", "code-display")
    ]


def bundle(*entries: Tree, kind: str = "collection") -> Tree:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_references_inside_a_bundle(condition: Tree) -> None:
    goal = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "x"}}
    goal["subject"] = {"reference": "urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0"}
    tree = bundle(
        {"fullUrl": "urn:uuid:0c3201bd-1cbf-4d64-b04d-cd9187a4c6e0", "resource": condition},
        {"fullUrl": "http://h/Goal/g", "resource": goal},
    )
    assert errors(tree) == [("Bundle.entry[1].resource.subject", "reference-target-type")]


def test_rules_over_a_bundle(condition: Tree) -> None:
    condition["id"] = "c"
    assert errors(bundle({"resource": condition})) == [("Bundle.entry[0]", "bundle-no-full-url")]
    assert errors(bundle({"fullUrl": "http://h/Condition/d", "resource": condition})) == [
        ("Bundle.entry[0]", "bundle-full-url-id")
    ]
    assert errors(bundle({"fullUrl": "Condition/c", "resource": condition})) == [
        ("Bundle.entry[0]", "bundle-relative-full-url")
    ]
    twice = {"fullUrl": "http://h/Condition/c", "resource": condition}
    assert errors(bundle(twice, dict(twice))) == [("Bundle", "bundle-full-url-twice")]
    assert errors(bundle(twice, kind="transaction")) == [("Bundle", "bdl-3")]


def test_contained_resources(plan: Tree) -> None:
    plan["contained"].append({"resourceType": "Patient", "id": "q"})
    assert errors(plan) == [("CarePlan.contained[1]", "contained-unreferenced")]
    plan["contained"][1] = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}}
    assert errors(plan) == [("CarePlan.contained[1]", "contained-same-id")]


URL = "http://hl7.org/fhir/StructureDefinition/"


@pytest.mark.parametrize(
    ("extension", "found"),
    [
        ({"url": URL + "patient-congregation", "valueString": "x"}, None),
        ({"url": URL + "patient-congregation", "valueInteger": 1}, "extension-type"),
        (
            {
                "url": URL + "goal-acceptance",
                "extension": [{"url": "individual", "valueReference": {"reference": "Patient/1"}}],
            },
            "extension-context",
        ),
        ({"url": URL + "patient-citizenship", "valueString": "x"}, "extension-value"),
        ({"url": URL + "patient-citizenship", "extension": [{"url": "nation", "valueString": "x"}]}, "extension-part"),
        ({"url": "congregation", "valueString": "x"}, "extension-relative"),
        ({"url": "http://example.org/other", "valueString": "x"}, None),
    ],
)
def test_extensions(extension: Tree, found: str | None) -> None:
    got = errors({"resourceType": "Patient", "extension": [extension]})
    places = {"extension-context": "Patient", "extension-part": "Patient.extension[0].extension[0]"}
    assert got == ([(places.get(found, "Patient.extension[0]"), found)] if found else [])


def test_an_extension_on_a_datatype_may_be_meant_for_its_owner() -> None:
    extension = {"url": URL + "patient-preferenceType", "valueCodeableConcept": {"text": "x"}}
    assert [
        row for row in errors({"resourceType": "Patient", "extension": [extension]}) if row[1] == "extension-context"
    ]
    ordinal = {"url": URL + "ordinalValue", "valueDecimal": 1}
    coding = {"code": "x", "system": "http://e", "extension": [ordinal]}
    tree = {"resourceType": "Condition", "subject": {"display": "x"}, "code": {"coding": [coding]}}
    assert errors(tree) == []
