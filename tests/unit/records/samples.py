"""One full record of each kind, with every field that the kind has."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from adapter.fhir_json import copy

Tree = dict[str, Any]
PATIENT = "11111111-1111-4111-8111-111111111111"
RECORD = "22222222-2222-4222-8222-222222222222"
PROBLEM = "33333333-3333-4333-8333-333333333333"
GOAL = "44444444-4444-4444-8444-444444444444"
OTHER = "55555555-5555-4555-8555-555555555555"
TEAM = "66666666-6666-4666-8666-666666666666"
NS = "https://careplan-adapter.org/fhir"
INTAKE = f"{NS}/Questionnaire/intake|1.0.0"

CONCEPT: Tree = {
    "system": "urn:x",
    "version": "1",
    "code": "c",
    "display": "d",
    "text": "t",
    "also": [{"system": "urn:y", "version": "1", "code": "e", "display": "f"}],
}
CODING: Tree = {"system": "urn:x", "version": "1", "code": "c", "display": "d"}
QUANTITY: Tree = {"value": Decimal("1.50"), "comparator": "<=", "unit": "mg", "system": "urn:u", "code": "mg"}
SIMPLE: Tree = {key: value for key, value in QUANTITY.items() if key != "comparator"}
PERIOD: Tree = {"start": "2026-01-02T08:00:00-05:00", "end": "2026-02"}
PARTY: Tree = {"text": "t", "reference": "A/1", "type": "A", "identifier": {"system": "urn:x", "value": "v"}}
NOTE: Tree = {"id": "n", "text": "t", "author": "a", "time": "2026-01-02"}
NOTES: list[Tree] = [NOTE, {"id": "o", "text": "t", "writer": PARTY}]
IDENTIFIER: Tree = {"id": "i", "system": "urn:x", "value": "v", "use": "usual", "type": CONCEPT}
TELECOM: Tree = {"id": "t", "system": "phone", "value": "1", "use": "home", "rank": 1}
REFERENCE: Tree = {"reference": "A/1", "type": "A", "display": "d", "identifier": {"system": "urn:x", "value": "v"}}
ATTACHMENT: Tree = {
    "content_type": "text/plain",
    "language": "en",
    "data": "SGk=",
    "url": "urn:a",
    "size": 2,
    "hash": "h",
    "title": "t",
    "creation": "2026",
}
VALUES: dict[str, Any] = {
    "boolean": False,
    "decimal": Decimal("1.50"),
    "integer": 0,
    "date": "2026-01",
    "date_time": "2026-01-02T08:00:00.120Z",
    "time": "08:00:00",
    "string": "s",
    "uri": "urn:z",
    "coding": {"system": "urn:x", "version": "1", "code": "c", "display": "d"},
    "quantity": QUANTITY,
    "reference": REFERENCE,
    "attachment": ATTACHMENT,
}
ENVELOPE: Tree = {
    "revision": 1,
    "recorded_at": "2026-01-02T08:00:00Z",
    "recorded_by": "x",
    "origin": "synthetic",
    "pack": "core",
    "extra": {"core": {"a": [1, None]}},
}
_WHENS: list[Tree] = [{"time": "2020-03"}, {"age": Decimal("38.5")}, {"text": "t"}, {"period": PERIOD}]

_PATIENT: Tree = {
    "identifiers": [IDENTIFIER],
    "names": [
        {
            "id": "n",
            "use": "official",
            "text": "t",
            "family": "f",
            "given": ["g", "g"],
            "prefix": ["p"],
            "suffix": ["s"],
            "period": PERIOD,
        }
    ],
    "birth_date": "1984-02-29",
    "gender": "female",
    "telecom": [TELECOM],
    "addresses": [
        {
            "id": "a",
            "use": "home",
            "type": "both",
            "text": "t",
            "line": ["l"],
            "city": "c",
            "district": "d",
            "state": "s",
            "postal_code": "01067",
            "country": "DE",
            "period": PERIOD,
        }
    ],
    "language": {"system": "urn:ietf:bcp:47", "code": "en"},
    "deceased": {"flag": False},
    "active": True,
    "marital_status": CONCEPT,
    "contacts": [{"id": "c", "relationship": [CONCEPT], "name": "n", "telecom": [TELECOM], "organization": PARTY}],
}
_ITEM: Tree = {
    "linkId": "1.1",
    "type": "choice",
    "definition": "urn:d",
    "codes": [CODING],
    "prefix": "A",
    "text": "t",
    "required": True,
    "repeats": False,
    "read_only": True,
    "max_length": 10,
    "answer_value_set": "urn:v",
    "enable_behavior": "all",
    "enable_when": [
        {"question": "1", "operator": "=", name: value}
        for name, value in VALUES.items()
        if name not in ("uri", "attachment")
    ],
    "options": [
        {name: VALUES[name], "selected": True} for name in ("integer", "date", "time", "string", "coding", "reference")
    ],
    "initial": [{name: value} for name, value in VALUES.items()],
}
_FORM: Tree = {
    "url": "urn:f",
    "version": "1",
    "name": "n",
    "title": "t",
    "status": "active",
    "date": "2026-01-15",
    "publisher": "p",
    "description": "d",
    "purpose": "p",
    "language": "en",
    "experimental": False,
    "identifiers": [IDENTIFIER],
    "contacts": [{"id": "c", "name": "n", "telecom": [TELECOM]}],
    "contexts": [
        {"about": CODING, "concept": CONCEPT},
        {"about": CODING, "quantity": QUANTITY},
        {"about": CODING, "range": {"low": SIMPLE, "high": SIMPLE}},
        {"about": CODING, "reference": REFERENCE},
    ],
    "jurisdictions": [CONCEPT],
    "copyright": "c",
    "derived_from": ["urn:g"],
    "approved": "2026-01-15",
    "last_reviewed": "2026-01-15",
    "subject_types": ["Patient"],
    "codes": [CODING],
    "effective": PERIOD,
    "items": [{"linkId": "1", "type": "group", "items": [_ITEM]}],
}
_ASSESSMENT: Tree = {
    "patient": PATIENT,
    "questionnaire": INTAKE,
    "status": "completed",
    "authored": "2026-01-02",
    "author": PARTY,
    "informant": "i",
    "patient_name": "n",
    "encounter": PARTY,
    "based_on": ["b", PARTY],
    "part_of": [PARTY],
    "language": "en",
    "answers": [
        {
            "linkId": "1",
            "text": "t",
            "definition": "urn:d",
            "answers": [
                {name: value, "items": [{"linkId": "1.1", "answers": [{"integer": 1}]}]}
                for name, value in VALUES.items()
            ],
        },
        {"linkId": "2", "items": [{"linkId": "2.1"}]},
    ],
    "substances": [
        {
            "id": "s",
            "substance": {"code": "heroin"},
            "role": "primary",
            "age_first_use": 0,
            "years_regular_use": Decimal("4.25"),
            "frequency": {"code": "daily"},
            "days_used_last_30": 30,
            "route": {"code": "oral"},
            "last_use": "2026-01",
        }
    ],
    "exposure_origin": [{"code": "peers"}, {"code": "peers"}],
    "family_history": [{"id": "f", "relation": {"code": "mother"}, "condition": CONCEPT, "note": "n"}],
    "social": {
        "peer_pressure": "none",
        "availability": "easy",
        "recovery_supports": ["r"],
        "housing": {"code": "stable"},
        "employment": {"code": "retired"},
    },
    "personality": {"traits": ["t"], "coping_style": "c", "impulsivity": "low"},
    "mental_health": {"symptoms": [{"code": "anxiety"}], "trauma_history": "t", "suicide_risk": "none"},
    "readiness": {"importance": 0, "confidence": 10},
    "asam": {
        "edition": "4",
        "dimensions": [{"id": "d", "dimension": 6, "rating": 0, "note": "n"}],
        "level_recommended": "2.5",
        "level_placed": "2.1",
        "difference_reason": "r",
    },
    "instruments": [
        {
            "id": OTHER,
            "name": "pc-ptsd-5",
            "version": "1.0.0",
            "authored": "2026-01-02",
            "answers": [{"linkId": f"pcptsd5-{item}", "value": "yes"} for item in range(1, 6)],
            "total": 5,
            "band": "positive",
            "complete": True,
        }
    ],
}
_DIAGNOSIS: Tree = {
    "patient": PATIENT,
    "patient_name": "n",
    "identifiers": [IDENTIFIER],
    "category": [CONCEPT],
    "body_sites": [CONCEPT],
    "stages": [{"id": "s", "summary": CONCEPT, "assessments": ["a", PARTY], "type": CONCEPT}],
    "encounter": PARTY,
    "asserter": PARTY,
    "disorder": {"code": "alcohol-dependence"},
    "codes": [CODING],
    "severity": {"code": "mild"},
    "course": "active",
    "verification": "confirmed",
    "onset": {"age": Decimal("38.5")},
    "abatement": {"period": PERIOD},
    "in_controlled_environment": False,
    "on_agonist_therapy": True,
    "recorded": "2026-01-02",
    "recorder": "r",
    "evidence": [{"id": "e", "code": CONCEPT, "detail": PARTY}],
    "related": [OTHER],
    "due_to": OTHER,
    "notes": NOTES,
}
_DETAILS: dict[str, Any] = {
    "quantity": QUANTITY,
    "text": "t",
    "boolean": False,
    "integer": 0,
    "concept": CONCEPT,
    "range": {"low": SIMPLE, "high": SIMPLE},
    "ratio": {"numerator": QUANTITY, "denominator": QUANTITY},
}
_GOAL: Tree = {
    "identifiers": [IDENTIFIER],
    "statement": {"text": "t"},
    "patient_words": "w",
    "priority": {"code": "high-priority"},
    "category": [CONCEPT],
    "start": "2026-01-02",
    "target": [
        {"id": name, "measure": CONCEPT, "due": "2026-02", "detail": {name: value}} for name, value in _DETAILS.items()
    ],
    "lifecycle": "active",
    "achievement": {"code": "improving"},
    "status_date": "2026-01-02",
    "status_reason": "r",
    "expressed_by": PARTY,
    "problems": [PROBLEM],
    "outcomes": ["o", PARTY],
    "outcome_codes": [CONCEPT],
    "notes": NOTES,
}
_TEAM: Tree = {
    "name": "n",
    "status": "active",
    "period": PERIOD,
    "category": [CONCEPT],
    "members": [{"id": "m", "role": {"code": "nurse"}, "name": "n", "organization": PARTY, "period": PERIOD}],
    "identifiers": [IDENTIFIER],
    "encounter": PARTY,
    "reasons": [CONCEPT],
    "reason_records": ["r", PARTY],
    "organizations": [PARTY],
    "telecom": [TELECOM],
    "notes": NOTES,
}
_REQUEST: Tree = {
    "type": "medication",
    "medication": {"code": "x"},
    "dose": {"text": "t", "route": CONCEPT, "timing_text": "t", "quantity": QUANTITY},
    "status": "active",
    "intent": "order",
    "priority": "routine",
    "category": [CONCEPT],
    "setting": CONCEPT,
    "schedule": {"period": PERIOD},
    "performer_role": {"code": "nurse"},
    "performers": ["p", PARTY],
    "identifiers": [IDENTIFIER],
    "do_not_perform": False,
    "encounter": PARTY,
    "reason": "r",
    "problems": [PROBLEM],
    "goals": [GOAL],
    "authored": "2026-01-02",
    "requester": PARTY,
    "notes": NOTES,
    "patient_instruction": "p",
}
_RANGE: Tree = {"low": SIMPLE, "high": SIMPLE}
_TIMING: Tree = {
    "times": ["2026-01-02"],
    "bounds": {"range": _RANGE},
    "count": 1,
    "count_max": 2,
    "duration": Decimal("0.5"),
    "duration_max": 1,
    "duration_unit": "h",
    "frequency": 1,
    "frequency_max": 2,
    "period": 1,
    "period_max": Decimal("1.5"),
    "period_unit": "wk",
    "days_of_week": ["mon"],
    "times_of_day": ["08:00:00"],
    "when": ["MORN"],
    "offset": 30,
}
_SERVICE: Tree = {"activity": {"code": "cbt"}, "schedule": {"text": "t", "timing": _TIMING}, "text": "t"}
_BESIDE: Tree = {"progress": NOTES, "outcomes": ["o", PARTY], "outcome_codes": [CONCEPT]}
_WITHIN: Tree = {
    "within_plan": True,
    "type": "task",
    "activity": {"code": "cbt"},
    "status": "scheduled",
    "problems": [PROBLEM, {"id": OTHER, "text": "t"}, PARTY],
    "schedule": {"timing": {"bounds": {"duration": QUANTITY}}},
    "amount": SIMPLE,
    "daily_amount": SIMPLE,
    "location": PARTY,
    "guidelines": ["urn:g"],
    "guideline_addresses": ["urn:g"],
    **_BESIDE,
}
_PLAN: Tree = {
    "patient": PATIENT,
    "status": "active",
    "intent": "plan",
    "title": "t",
    "description": "d",
    "category": [CONCEPT],
    "period": PERIOD,
    "created": "2026-01-02",
    "author": PARTY,
    "patient_name": "n",
    "identifiers": [IDENTIFIER],
    "contributors": ["c", PARTY],
    "encounter": PARTY,
    "guidelines": ["urn:g"],
    "guideline_addresses": ["urn:g"],
    "based_on": [PARTY],
    "part_of": [PARTY],
    "problems": [{"id": PROBLEM, "text": "t"}],
    "goals": [{"id": GOAL, **_GOAL}, {"id": OTHER, "text": "t"}],
    "interventions": [
        {"id": GOAL, **_REQUEST, **_BESIDE},
        {"id": TEAM, **_SERVICE},
        {"id": OTHER},
        {"id": PROBLEM, **_WITHIN},
    ],
    "care_team": [{"id": TEAM, **_TEAM}, {"id": OTHER, "text": "t"}],
    "assessments": [{"id": OTHER, "text": "t"}],
    "patient_choices": [
        {"id": "c", "option_offered": {"code": "cbt"}, "decision": "declined", "reason": "r", "time": "2026-01-02"}
    ],
    "preferences": ["p", "p"],
    "relapse_prevention": {
        "triggers": ["t"],
        "warning_signs": ["w"],
        "coping_strategies": ["c"],
        "supports": ["s"],
        "emergency_contacts": [{"id": "e", "name": "n", "phone": "1", "relation": "r"}],
        "naloxone_available": False,
        "steps_after_lapse": ["s"],
    },
    "recovery": {
        "milestones": [{"id": "m", "text": "t", "due": "2026-02", "reached": "2026-02-03"}],
        "review_date": "2026-03-01",
    },
    "revision_of": OTHER,
    "change_reason": "r",
    "approved_by_patient_at": "2026-01-02",
    "consent": OTHER,
    "notes": NOTES,
}
_PROVISION: Tree = {
    "decision": "deny",
    "period": PERIOD,
    "actors": [{"id": "a", "role": CONCEPT, "who": PARTY}],
    "actions": [CONCEPT],
    "labels": [CODING],
    "purposes": [CODING],
    "classes": [CODING],
    "codes": [CONCEPT],
    "data_period": PERIOD,
    "data": [{"id": "d", "meaning": "instance", "what": PARTY}],
}
_CONSENT: Tree = {
    "patient": PATIENT,
    "patient_name": "n",
    "identifiers": [IDENTIFIER],
    "status": "active",
    "scope": CONCEPT,
    "category": [CONCEPT],
    "given": "2026-01-02T08:00:00-05:00",
    "performers": ["p", PARTY],
    "organizations": [PARTY],
    "document": ATTACHMENT,
    "policies": [{"id": "p", "authority": "urn:a", "uri": "urn:p"}],
    "policy_rule": CONCEPT,
    "verifications": [{"id": "v", "verified": True, "by": PARTY, "time": "2026-01-02"}],
    "provision": {**_PROVISION, "provisions": [_PROVISION]},
}
_CONTENT: dict[str, Tree] = {
    "patient": _PATIENT,
    "form": _FORM,
    "assessment": _ASSESSMENT,
    "diagnosis": _DIAGNOSIS,
    "plan": _PLAN,
    "consent": _CONSENT,
    "goal": {
        "patient": PATIENT,
        "patient_name": "n",
        **_GOAL,
        "problems": [PROBLEM, {"id": OTHER, "text": "t"}, PARTY],
    },
    "care_team": {"patient": PATIENT, "patient_name": "n", **_TEAM},
    "request": {"patient": PATIENT, "patient_name": "n", **_REQUEST, "schedule": {"timing": _TIMING}}
    | {"problems": [{"id": OTHER, "text": "t"}, PARTY]},
}


def full(kind: str) -> Tree:
    """A record of a kind with every field; a copy of its own."""
    tree: Tree = copy({"kind": kind, "id": RECORD, **ENVELOPE, **_CONTENT[kind]})
    return tree


def whens() -> list[Tree]:
    """Every form of onset and abatement."""
    trees: list[Tree] = copy(_WHENS)
    return trees


def put(tree: Any, path: str, value: Any) -> Any:
    """The tree with a value at a JSON pointer (~1 and ~0 as in RFC 6901); DROP removes what is there."""
    *steps, last = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    node = tree
    for step in steps:
        node = node[int(step)] if isinstance(node, list) else node[step]
    if value is DROP:
        del node[last]
    elif isinstance(node, list):
        node[int(last)] = value
    else:
        node[last] = value
    return tree


DROP = object()
