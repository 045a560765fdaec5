"""Kind `request`: a service or a medication, alone or as a plan's intervention.

https://hl7.org/fhir/R4/servicerequest.html, https://hl7.org/fhir/R4/medicationrequest.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from adapter.fhir_json import Tree
from adapter.records import fields as f
from adapter.records.base import Base, Rule
from adapter.records.faults import REQUIRED, Fault
from adapter.records.parties import parties, party, related
from adapter.records.shared import Concept, Note, OwnIdentifier, Period, Quantity, Record, SimpleQuantity, Timing

_NOT_A_SERVICE = Fault("invariant", "record-misplaced", "Only a request of type medication has this field.")
_NOT_A_MEDICATION = Fault("invariant", "record-misplaced", "A request of type medication has no activity.")


class Dose(Base):
    """How much, how and when."""

    text = f.text()
    route = f.One(Concept)
    timing_text = f.text()
    quantity = f.One(Quantity)


_ONE_OF = Fault("invariant", "record-one-of", "Exactly one of these fields must be given: text, time, period, timing.")
_ONE_WAY_TO_SAY: Tree = {
    "oneOf": [
        {"required": ["time"]},
        {"required": ["period"]},
        {"anyOf": [{"required": ["text"]}, {"required": ["timing"]}]},
    ]
}


def _one_way_to_say(tree: Tree) -> Iterator[Fault]:
    if ("time" in tree) + ("period" in tree) + ("text" in tree or "timing" in tree) != 1:
        yield _ONE_OF


class Schedule(Base):
    """When it is to happen: exactly one, or a text beside the times of a timing."""

    rules = (Rule(_one_way_to_say, _ONE_WAY_TO_SAY),)
    text = f.text()
    time = f.datetime()
    period = f.One(Period)
    timing = f.One(Timing)


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


_OTHER_TYPES = ("appointment", "communication", "device", "nutrition", "task", "vision")
_BOTH = ("id", "type", "activity", "medication", "status", "do_not_perform", "reason", "problems", "goals")
_BOTH_TOO = ("schedule", "performers", "patient_instruction", "progress", "outcomes", "outcome_codes", "extra")
_WITHIN_ONLY = ("amount", "daily_amount", "location", "guidelines", "guideline_addresses")
_WITHIN = frozenset((*_BOTH, *_BOTH_TOO, *_WITHIN_ONLY, "within_plan"))
_NOT_WITHIN = Fault("invariant", "record-misplaced", "What is described within the plan alone has no such field.")
_ONLY_WITHIN = Fault("invariant", "record-misplaced", "Only what is described within the plan alone may say this.")


def _within_plan(tree: Tree) -> Iterator[Fault]:
    if tree.get("within_plan") is True:
        yield from (_NOT_WITHIN.at(name) for name in tree if name not in _WITHIN)
        if "status" not in tree:
            yield REQUIRED.at("status")
        schedule = tree.get("schedule")
        if type(schedule) is dict and ("time" in schedule or len(schedule) > 1):
            yield _NOT_WITHIN.at("schedule")
    else:
        yield from (_ONLY_WITHIN.at(name) for name in _WITHIN_ONLY if name in tree)
        if tree.get("type") in _OTHER_TYPES:
            yield _ONLY_WITHIN.at("type")


_WITHIN_PLAN = Rule(
    _within_plan,
    {
        "anyOf": [
            {
                "properties": {
                    **dict.fromkeys(sorted(_WITHIN), True),
                    "within_plan": {"const": True},
                    "schedule": {"properties": {"time": False}, "maxProperties": 1},
                },
                "required": ["within_plan", "status"],
                "additionalProperties": False,
            },
            {
                "properties": {
                    **dict.fromkeys(_WITHIN_ONLY, False),
                    "within_plan": {"const": False},
                    "type": {"enum": ["service", "medication"]},
                }
            },
        ]
    },
)


class Intervention(RequestItem):
    """A request in a plan: a service (as shipped) or a medication; `{id}` alone is a request held elsewhere.

    With `within_plan` it is described in the plan and nowhere else: no order of its own.
    """

    rules = (_OF_ITS_TYPE, _WITHIN_PLAN)
    type = f.choice("service", "medication", *_OTHER_TYPES, default="service")
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
