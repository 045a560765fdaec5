"""Kind `diagnosis`: one disorder of one patient. https://hl7.org/fhir/R4/condition.html"""

from __future__ import annotations

from adapter.records import fields as f
from adapter.records.base import Base, rule
from adapter.records.parties import parties, party
from adapter.records.shared import Concept, Note, OtherCoding, OwnIdentifier, Record, When

PROBLEM_LIST = {
    "system": "http://terminology.hl7.org/CodeSystem/condition-category",
    "code": "problem-list-item",
}


class Evidence(Base):
    """What the diagnosis rests on."""

    id = f.item_id(required=True)
    code = f.One(Concept)
    detail = party()


class Stage(Base):
    """How far the disorder has come, by which assessment, on which scale."""

    id = f.item_id(required=True)
    summary = f.One(Concept)
    assessments = parties()
    type = f.One(Concept)


class Diagnosis(Record):
    """A diagnosis."""

    rules = (
        rule(
            {
                "dependentSchemas": {
                    "codes": {"properties": {"disorder": {"required": ["code"]}}, "required": ["disorder"]},
                    "disorder": {"properties": {"disorder": {"properties": {"also": False}}}},
                }
            },
            "codes_beside_code",
        ),
    )
    kind = f.constant("diagnosis")
    patient = f.uuid(required=True)
    patient_name = f.text()
    identifiers = f.items(OwnIdentifier)
    category = f.items(Concept, ids=False, default=[PROBLEM_LIST])
    disorder = f.One(Concept)
    codes = f.items(OtherCoding, ids=False)
    severity = f.One(Concept)
    body_sites = f.items(Concept, ids=False)
    stages = f.items(Stage)
    encounter = party()
    course = f.choice(
        *("active", "recurrence", "relapse", "inactive"),
        *("remission", "early-remission", "sustained-remission", "resolved"),
    )
    verification = f.choice("unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error")
    onset = f.One(When)
    abatement = f.One(When)
    in_controlled_environment = f.flag()
    on_agonist_therapy = f.flag()
    recorded = f.datetime()
    recorder = party()
    asserter = party()
    evidence = f.items(Evidence)
    related = f.uuids()
    due_to = f.uuid()
    notes = f.items(Note)
