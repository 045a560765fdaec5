"""The record as classes of the form that MaLaC-HD reads: the annotations of a constructor are the types of its fields.

What is a dateTime in FHIR is a string here: from one dateTime to another MaLaC-HD writes a day as midnight.
"""

from __future__ import annotations

from typing import Any
from typing import List as List_  # noqa: F401, UP035 - what the annotations say

from malac.models.fhir.r4 import (  # noqa: F401 - the types of fields, and those by which it knows a FHIR model
    CodeableConcept,
    GeneratedsSuper,
    Period,
    Quantity,
    ResourceContainer,
    base64Binary,
    boolean,
    code,
    date,
    dateTime,
    decimal,
    integer,
    markdown,
    string,
    time,
    uri,
)

_PART = {"fhirId": "string", "id": "string"}
FIELDS: dict[str, dict[str, Any]] = {
    "PlanConcept": {"system": "uri", "code": "code", "display": "string", "text": "string"},
    "PlanDetail": {"quantity": "Quantity"},
    "PlanTarget": {"id": "string", "measure": "PlanConcept", "due": "date", "detail": "PlanDetail"},
    "PlanGoal": {
        **_PART,
        "statement": "PlanConcept",
        "patient_words": "string",
        "priority": "PlanConcept",
        "start": "date",
        "target": ["PlanTarget"],
        "lifecycle": "code",
        "achievement": "PlanConcept",
        "status_date": "date",
        "expressed_by": "string",
        "problems": ["string"],
    },
    "PlanSchedule": {"text": "string"},
    "PlanRequest": {
        **_PART,
        "activity": "PlanConcept",
        "status": "code",
        "intent": "code",
        "priority": "code",
        "goals": ["string"],
        "schedule": "PlanSchedule",
        "authored": "string",
        "performers": ["string"],
        "reason": "string",
        "problems": ["string"],
    },
    "PlanMember": {"id": "string", "role": "PlanConcept", "name": "string", "organization": "string"},
    "PlanTeam": {**_PART, "status": "code", "name": "string", "period": "Period", "members": ["PlanMember"]},
    "PlanProblem": {"id": "string", "text": "string"},
    "PlanNote": {"id": "string", "author": "string", "time": "string", "text": "string"},
    "Plan": {
        "kind": "code",
        **_PART,
        "patient": "string",
        "status": "code",
        "intent": "code",
        "title": "string",
        "description": "string",
        "period": "Period",
        "created": "string",
        "author": "string",
        "care_team": ["PlanTeam"],
        "goals": ["PlanGoal"],
        "interventions": ["PlanRequest"],
        "problems": ["PlanProblem"],
        "notes": ["PlanNote"],
    },
}


def _source(name: str, fields: dict[str, Any]) -> str:
    """The class as Python: what reads it looks at text, not at values."""
    types = {
        field: f"List_['{type_[0]}']" if isinstance(type_, list) else f"'{type_}'" for field, type_ in fields.items()
    }
    arguments = ", ".join(f"{field}: {type_} = None" for field, type_ in types.items())
    body = [
        f"self.{field} = {'[] if ' + field + ' is None else ' if isinstance(type_, list) else ''}{field}"
        for field, type_ in fields.items()
    ]
    lines = "\n        ".join(body)
    return (
        f"class {name}(GeneratedsSuper):\n    subclass = None\n"
        f"    def __init__(self, {arguments}, gds_collector_=None, **_):\n        {lines}\n"
    )


for _name, _fields in FIELDS.items():
    # Annotations of this module are put off, those of the classes must not be.
    exec(compile(_source(_name, _fields), _name, "exec", dont_inherit=True))  # noqa: S102 - of the table above
