"""Types: the invariants of each resource type, and what the items of a Questionnaire must hold to."""

from __future__ import annotations

import json
import random

from tests.conformance.mutations.core import OPERATORS, Operator, Tree, nodes
from tests.conformance.mutations.rules import STRUCTURE

# Invariants of single types: a change to the resource that breaks or keeps one.
CHANGES: list[tuple[str, str, Tree]] = [
    ("Patient", "contact_empty", {"contact": [{"gender": "male"}]}),
    ("Patient", "deceased_both", {"deceasedBoolean": True, "deceasedDateTime": "2020"}),
    ("Patient", "link", {"link": [{"other": {"reference": "Patient/2"}, "type": "refer"}]}),
    ("Patient", "link_no_type", {"link": [{"other": {"reference": "Patient/2"}}]}),
    ("Patient", "telecom_no_system", {"telecom": [{"value": "1"}]}),
    ("Patient", "photo_no_type", {"photo": [{"data": "AAAA"}]}),
    ("Patient", "photo_bad_base64", {"photo": [{"contentType": "image/png", "data": "A-A"}]}),
    ("Patient", "photo_size", {"photo": [{"contentType": "image/png", "data": "AAAA", "size": 9}]}),
    (
        "Patient",
        "language_unknown",
        {"communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "zz-q"}]}}]},
    ),
    (
        "Patient",
        "language_rare",
        {"communication": [{"language": {"coding": [{"system": "urn:ietf:bcp:47", "code": "yue"}]}}]},
    ),
    ("Patient", "resource_language", {"language": "xx-nothing"}),
    ("Patient", "identifier_urn", {"identifier": [{"system": "urn:ietf:rfc:3986", "value": "1.2.3"}]}),
    ("Patient", "identifier_value_only", {"identifier": [{"value": "x"}]}),
    ("Patient", "multiple_birth", {"multipleBirthInteger": "2"}),
    (
        "Patient",
        "marital_unknown",
        {
            "maritalStatus": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus", "code": "ZZ"}]
            }
        },
    ),
    ("Condition", "no_clinical", {"clinicalStatus": None}),
    (
        "Condition",
        "inactive_abated",
        {
            "clinicalStatus": {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "resolved"}]
            },
            "abatementDateTime": "2020",
        },
    ),
    (
        "Condition",
        "entered_in_error",
        {
            "verificationStatus": {
                "coding": [
                    {"system": "http://terminology.hl7.org/CodeSystem/condition-ver-status", "code": "entered-in-error"}
                ]
            }
        },
    ),
    ("Condition", "stage_empty", {"stage": [{"type": {"text": "x"}}]}),
    ("Condition", "evidence_empty", {"evidence": [{"extension": [{"url": "http://a.org/x", "valueString": "x"}]}]}),
    (
        "Condition",
        "onset_age",
        {"onsetAge": {"value": 5, "unit": "years", "system": "http://unitsofmeasure.org", "code": "a"}},
    ),
    (
        "Condition",
        "onset_age_unit",
        {"onsetAge": {"value": 5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}},
    ),
    (
        "Condition",
        "onset_age_negative",
        {"onsetAge": {"value": -5, "system": "http://unitsofmeasure.org", "code": "a"}},
    ),
    ("Condition", "onset_range", {"onsetRange": {"low": {"value": 5}, "high": {"value": 2}}}),
    ("Condition", "clinical_system", {"clinicalStatus": {"coding": [{"system": "http://a.org", "code": "active"}]}}),
    ("Condition", "clinical_text", {"clinicalStatus": {"text": "active"}}),
    ("Goal", "due_no_measure", {"target": [{"dueDate": "2020-01-01"}]}),
    ("Goal", "detail_no_measure", {"target": [{"detailString": "x"}]}),
    ("Goal", "start_both", {"startDate": "2020-01-01", "startCodeableConcept": {"text": "x"}}),
    ("Goal", "achievement", {"achievementStatus": {"coding": [{"system": "http://a.org", "code": "x"}]}}),
    ("CarePlan", "activity_empty", {"activity": [{}]}),
    ("CarePlan", "activity_detail_only_extension", {"activity": [{"detail": {"status": "x"}}]}),
    ("CarePlan", "activity_no_status", {"activity": [{"detail": {"description": "x"}}]}),
    (
        "CarePlan",
        "timing_bad",
        {
            "activity": [
                {"detail": {"status": "scheduled", "scheduledTiming": {"repeat": {"period": -1, "periodUnit": "d"}}}}
            ]
        },
    ),
    (
        "CarePlan",
        "timing_no_unit",
        {"activity": [{"detail": {"status": "scheduled", "scheduledTiming": {"repeat": {"period": 1}}}}]},
    ),
    (
        "CarePlan",
        "timing_count",
        {"activity": [{"detail": {"status": "scheduled", "scheduledTiming": {"repeat": {"countMax": 2}}}}]},
    ),
    (
        "CarePlan",
        "timing_when",
        {
            "activity": [
                {
                    "detail": {
                        "status": "scheduled",
                        "scheduledTiming": {"repeat": {"timeOfDay": ["10:00:00"], "when": ["MORN"]}},
                    }
                }
            ]
        },
    ),
    (
        "CarePlan",
        "timing_offset",
        {"activity": [{"detail": {"status": "scheduled", "scheduledTiming": {"repeat": {"offset": 5}}}}]},
    ),
    (
        "CarePlan",
        "timing_duration",
        {"activity": [{"detail": {"status": "scheduled", "scheduledTiming": {"repeat": {"duration": 5}}}}]},
    ),
    ("CarePlan", "kind_wrong", {"activity": [{"detail": {"status": "scheduled", "kind": "Patient"}}]}),
    ("CarePlan", "intent_wrong", {"intent": "original-order"}),
    ("CarePlan", "canonical", {"instantiatesCanonical": ["PlanDefinition/1"]}),
    (
        "CareTeam",
        "on_behalf",
        {"participant": [{"member": {"reference": "Patient/1"}, "onBehalfOf": {"reference": "Organization/1"}}]},
    ),
    (
        "CareTeam",
        "on_behalf_right",
        {"participant": [{"member": {"reference": "Practitioner/1"}, "onBehalfOf": {"reference": "Organization/1"}}]},
    ),
    ("ServiceRequest", "order_detail", {"orderDetail": [{"text": "x"}], "code": None}),
    ("ServiceRequest", "quantity", {"quantityQuantity": {"value": 1, "code": "kg"}}),
    ("ServiceRequest", "priority", {"priority": "high"}),
    ("ServiceRequest", "as_needed", {"asNeededBoolean": True, "asNeededCodeableConcept": {"text": "x"}}),
    ("Consent", "policy", {"policy": None, "policyRule": None}),
    (
        "Consent",
        "scope",
        {"scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "x"}]}},
    ),
    ("Consent", "provision_type", {"provision": {"type": "maybe"}}),
    ("Questionnaire", "name_bad", {"name": "a name with blanks"}),
    ("Questionnaire", "url_relative", {"url": "Questionnaire/1"}),
    ("Questionnaire", "url_none", {"url": None}),
    ("Questionnaire", "version_bar", {"version": "1|2"}),
    ("Questionnaire", "subject_type", {"subjectType": ["Nothing"]}),
    ("QuestionnaireResponse", "status", {"status": "done"}),
    ("QuestionnaireResponse", "authored", {"authored": "2020-01-01T10:00"}),
    ("Observation", "value_and_absent", {"dataAbsentReason": {"text": "x"}}),
    (
        "Observation",
        "component_same_code",
        {"component": [{"code": {"coding": [{"system": "http://loinc.org", "code": "1-8"}]}}] * 2},
    ),
    ("Observation", "range_empty", {"referenceRange": [{"type": {"text": "x"}}]}),
]


def _changed(type_: str, change: Tree) -> Operator:
    def work(tree: Tree, chance: random.Random) -> bool:
        if tree.get("resourceType") != type_:
            return False
        for key, value in json.loads(json.dumps(change)).items():
            if value is None:
                tree.pop(key, None)
            else:
                tree[key] = value
        return True

    return work


OPERATORS.update({f"{type_}_{name}": _changed(type_, change) for type_, name, change in CHANGES})
ITEMS: dict[str, Tree] = {
    "display_required": {"type": "display", "required": True},
    "display_repeats": {"type": "display", "repeats": True},
    "display_items": {"type": "display", "item": [{"linkId": "x.1", "type": "string"}]},
    "display_code": {"type": "display", "code": [{"system": "http://loinc.org", "code": "1-8"}]},
    "display_read_only": {"type": "display", "readOnly": True},
    "group_empty": {"type": "group"},
    "group_initial": {
        "type": "group",
        "initial": [{"valueString": "x"}],
        "item": [{"linkId": "x.1", "type": "string"}],
    },
    "group_max_length": {"type": "group", "maxLength": 5, "item": [{"linkId": "x.1", "type": "string"}]},
    "options_and_value_set": {
        "type": "choice",
        "answerOption": [{"valueString": "x"}],
        "answerValueSet": "http://hl7.org/fhir/ValueSet/yesnodontknow",
    },
    "options_of_boolean": {"type": "boolean", "answerOption": [{"valueString": "x"}]},
    "options_of_integer": {"type": "integer", "answerOption": [{"valueInteger": 1}]},
    "options_initial": {
        "type": "choice",
        "answerOption": [{"valueString": "x", "initialSelected": True}],
        "initial": [{"valueString": "x"}],
    },
    "initial_of_display": {"type": "display", "initial": [{"valueString": "x"}]},
    "initial_type": {"type": "integer", "initial": [{"valueString": "x"}]},
    "initial_twice": {"type": "string", "initial": [{"valueString": "x"}, {"valueString": "y"}]},
    "max_length_of_boolean": {"type": "boolean", "maxLength": 5},
    "max_length_of_integer": {"type": "integer", "maxLength": 5},
    "enable_unknown": {
        "type": "string",
        "enableWhen": [{"question": "nowhere", "operator": "exists", "answerBoolean": True}],
    },
    "enable_self": {"type": "string", "enableWhen": [{"question": "x", "operator": "exists", "answerBoolean": True}]},
    "enable_exists_text": {
        "type": "string",
        "enableWhen": [{"question": "x", "operator": "exists", "answerString": "a"}],
    },
    "enable_twice_no_behaviour": {
        "type": "string",
        "enableWhen": [
            {"question": "x", "operator": "=", "answerBoolean": True},
            {"question": "x", "operator": "=", "answerBoolean": False},
        ],
    },
    "no_type": {},
    "type_question": {"type": "question"},
    "type_unknown": {"type": "table"},
    "no_link_id": {"linkId": None, "type": "string"},
    "definition_relative": {"type": "string", "definition": "Patient#name"},
    "value_set_relative": {"type": "choice", "answerValueSet": "ValueSet/x"},
    "value_set_contained_missing": {"type": "choice", "answerValueSet": "#nothing"},
    "value_set_of_string": {"type": "string", "answerValueSet": "http://hl7.org/fhir/ValueSet/yesnodontknow"},
    "right": {"type": "choice", "answerOption": [{"valueCoding": {"system": "http://a.org", "code": "a"}}]},
    "hidden": {"type": "string", "extension": [{"url": STRUCTURE + "questionnaire-hidden", "valueBoolean": True}]},
    "control": {
        "type": "choice",
        "extension": [
            {
                "url": STRUCTURE + "questionnaire-itemControl",
                "valueCodeableConcept": {
                    "coding": [{"system": "http://hl7.org/fhir/questionnaire-item-control", "code": "drop-down"}]
                },
            }
        ],
    },
    "control_unknown": {
        "type": "choice",
        "extension": [
            {
                "url": STRUCTURE + "questionnaire-itemControl",
                "valueCodeableConcept": {
                    "coding": [{"system": "http://hl7.org/fhir/questionnaire-item-control", "code": "nothing"}]
                },
            }
        ],
    },
    "min_value": {"type": "integer", "extension": [{"url": STRUCTURE + "minValue", "valueInteger": 1}]},
    "min_value_text": {"type": "integer", "extension": [{"url": STRUCTURE + "minValue", "valueString": "1"}]},
    "unit": {
        "type": "quantity",
        "extension": [
            {
                "url": STRUCTURE + "questionnaire-unit",
                "valueCoding": {"system": "http://unitsofmeasure.org", "code": "kg"},
            }
        ],
    },
    "unit_of_string": {
        "type": "string",
        "extension": [
            {
                "url": STRUCTURE + "questionnaire-unit",
                "valueCoding": {"system": "http://unitsofmeasure.org", "code": "kg"},
            }
        ],
    },
}


def _item(row: Tree) -> Operator:
    def work(tree: Tree, chance: random.Random) -> bool:
        if tree.get("resourceType") != "Questionnaire":
            return False
        holder = chance.choice([tree, *[node for node in nodes(tree) if node.get("type") == "group"]])
        made = {"linkId": "x", "text": "x", **json.loads(json.dumps(row))}
        rows = holder.setdefault("item", [])
        rows.append({key: value for key, value in made.items() if value is not None})
        return True

    return work


OPERATORS.update({f"item_{name}": _item(row) for name, row in ITEMS.items()})
