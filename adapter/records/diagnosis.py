"""Kind `diagnosis`: one disorder of one patient. https://hl7.org/fhir/R4/condition.html"""

from __future__ import annotations

from adapter.records import fields as f
from adapter.records.base import Base
from adapter.records.shared import Coding, Concept, Note, Record, When


class Evidence(Base):
    """What the diagnosis rests on."""

    id = f.item_id(required=True)
    code = f.One(Concept)
    detail = f.text()


class Diagnosis(Record):
    """A diagnosis."""

    kind = f.constant("diagnosis")
    patient = f.uuid(required=True)
    disorder = f.One(Concept)
    codes = f.items(Coding, ids=False)
    severity = f.One(Concept)
    course = f.choice(
        *("active", "recurrence", "relapse", "inactive"),
        *("remission", "early-remission", "sustained-remission", "resolved"),
    )
    verification = f.choice(
        "unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error"
    )
    onset = f.One(When)
    abatement = f.One(When)
    in_controlled_environment = f.flag()
    on_agonist_therapy = f.flag()
    recorded = f.datetime()
    recorder = f.text()
    evidence = f.items(Evidence)
    related = f.uuids()
    due_to = f.uuid()
    notes = f.items(Note)
