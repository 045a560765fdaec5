"""Kind `request`: a service or a medication, alone or as a plan's intervention.

https://hl7.org/fhir/R4/servicerequest.html, https://hl7.org/fhir/R4/medicationrequest.html
"""

from __future__ import annotations

from typing import ClassVar

from adapter.fhir_json import Tree
from adapter.records import fields as f
from adapter.records.base import Base, Rule, rule
from adapter.records.between import OTHER_TYPES, WITHIN, WITHIN_ONLY
from adapter.records.parties import parties, party, related
from adapter.records.shared import Concept, Note, OwnIdentifier, Period, Quantity, Record, SimpleQuantity, Timing


class Dose(Base):
    """How much, how and when."""

    text = f.text()
    route = f.One(Concept)
    timing_text = f.text()
    quantity = f.One(Quantity)


_ONE_WAY_TO_SAY: Tree = {
    "oneOf": [
        {"required": ["time"]},
        {"required": ["period"]},
        {"anyOf": [{"required": ["text"]}, {"required": ["timing"]}]},
    ]
}


class Schedule(Base):
    """When it is to happen: exactly one, or a text beside the times of a timing."""

    rules = (rule(_ONE_WAY_TO_SAY, "one_way_to_say"),)
    text = f.text()
    time = f.datetime()
    period = f.One(Period)
    timing = f.One(Timing)


_OF_ITS_TYPE = rule(
    {
        "if": {"properties": {"type": {"const": "medication"}}, "required": ["type"]},
        "then": {"properties": {"activity": False}},
        "else": {"properties": {"medication": False}},
    },
    "of_its_type",
)


class RequestItem(Base):
    """What a request and an intervention have in common."""

    rules: ClassVar[tuple[Rule, ...]] = (_OF_ITS_TYPE,)
    id = f.uuid(required=True)
    identifiers = f.items(OwnIdentifier)
    type = f.choice("service", "medication", default="service")
    do_not_perform = f.flag()
    activity = f.One(Concept)
    medication = f.One(Concept)
    dose = f.One(Dose)
    status = f.choice(
        *("draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown"),
        *("stopped", "scheduled"),
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
    performers = parties()
    reason = f.text()
    problems = related()
    goals = related()
    authored = f.datetime()
    requester = party()
    encounter = party()
    notes = f.items(Note)
    patient_instruction = f.text()
    extra = f.extra()


class Request(Record, RequestItem):
    """A request that is a record of its own."""

    kind = f.constant("request")
    patient = f.uuid(required=True)
    patient_name = f.text()


_WITHIN_PLAN = rule(
    {
        "anyOf": [
            {
                "properties": {
                    **dict.fromkeys(sorted(WITHIN), True),
                    "within_plan": {"const": True},
                    "schedule": {"properties": {"time": False}, "maxProperties": 1},
                },
                "required": ["within_plan", "status"],
                "additionalProperties": False,
            },
            {
                "properties": {
                    **dict.fromkeys(WITHIN_ONLY, False),
                    "within_plan": {"const": False},
                    "type": {"enum": ["service", "medication"]},
                }
            },
        ]
    },
    "within_plan",
)


class Intervention(RequestItem):
    """A request in a plan: a service (as shipped) or a medication; `{id}` alone is a request held elsewhere.

    With `within_plan` it is described in the plan and nowhere else: no order of its own.
    """

    rules = (_OF_ITS_TYPE, _WITHIN_PLAN)
    type = f.choice("service", "medication", *OTHER_TYPES, default="service")
    text = f.text()
    within_plan = f.flag(default=False)
    amount = f.One(SimpleQuantity)
    daily_amount = f.One(SimpleQuantity)
    location = party()
    guidelines = f.texts()
    guideline_addresses = f.texts()
    progress = f.items(Note)
    outcomes = parties()
    outcome_codes = f.items(Concept, ids=False)
