"""Kind `request`: a service or a medication, alone or as a plan's intervention.

https://hl7.org/fhir/R4/servicerequest.html, https://hl7.org/fhir/R4/medicationrequest.html
"""

from __future__ import annotations

from collections.abc import Iterator

from adapter.fhir_json import Tree
from adapter.records import fields as f
from adapter.records.base import Base, Rule, exactly_one
from adapter.records.faults import Fault
from adapter.records.shared import Concept, Note, Period, Quantity, Record

_NOT_A_SERVICE = Fault("invariant", "record-misplaced", "Only a request of type medication has this field.")
_NOT_A_MEDICATION = Fault("invariant", "record-misplaced", "A request of type medication has no activity.")


class Dose(Base):
    """How much, how and when."""

    text = f.text()
    route = f.One(Concept)
    timing_text = f.text()
    quantity = f.One(Quantity)


class Schedule(Base):
    """When it is to happen: exactly one."""

    rules = (exactly_one("text", "time", "period"),)
    text = f.text()
    time = f.datetime()
    period = f.One(Period)


def _of_its_type(tree: Tree) -> Iterator[Fault]:
    medication = tree.get("type") == "medication"
    if "medication" in tree and not medication:
        yield _NOT_A_SERVICE.at("medication")
    if "activity" in tree and medication:
        yield _NOT_A_MEDICATION.at("activity")


_OF_ITS_TYPE = Rule(
    _of_its_type,
    {
        "if": {"properties": {"type": {"const": "medication"}}, "required": ["type"]},
        "then": {"properties": {"activity": False}},
        "else": {"properties": {"medication": False}},
    },
)


class Intervention(Base):
    """A request in a plan: a service (as shipped) or a medication; `{id}` alone is a request held elsewhere."""

    rules = (_OF_ITS_TYPE,)
    id = f.uuid(required=True)
    type = f.choice("service", "medication", default="service")
    activity = f.One(Concept)
    medication = f.One(Concept)
    dose = f.One(Dose)
    status = f.choice(
        *("draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"),
        "stopped",
    )
    intent = f.choice(
        *("proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order"),
        *("instance-order", "option"),
        default="plan",
    )
    priority = f.choice("routine", "urgent", "asap", "stat")
    category = f.items(Concept, ids=False)
    setting = f.One(Concept)
    schedule = f.One(Schedule)
    performer_role = f.One(Concept)
    performers = f.texts()
    reason = f.text()
    problems = f.uuids()
    goals = f.uuids()
    authored = f.datetime()
    requester = f.text()
    notes = f.items(Note)
    patient_instruction = f.text()
    extra = f.extra()


class Request(Record, Intervention):
    """A request that is a record of its own."""

    kind = f.constant("request")
    patient = f.uuid(required=True)
