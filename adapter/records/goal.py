"""Kind `goal`: what the patient wants to reach, alone or in a plan. https://hl7.org/fhir/R4/goal.html"""

from __future__ import annotations

from typing import ClassVar

from adapter.records import fields as f
from adapter.records.base import Base, Rule, exactly_one, needs, not_both, unless_alone
from adapter.records.parties import parties, party, related
from adapter.records.shared import Concept, Note, OwnIdentifier, Quantity, Range, Ratio, Record


class TargetDetail(Base):
    """The value to reach: exactly one."""

    rules = (exactly_one("quantity", "text", "boolean", "integer", "concept", "range", "ratio"),)
    quantity = f.One(Quantity)
    text = f.text()
    boolean = f.flag()
    integer = f.integer()
    concept = f.One(Concept)
    range = f.One(Range)
    ratio = f.One(Ratio)


class Target(Base):
    """A measure, the value it should reach, and by when."""

    # gol-1: https://hl7.org/fhir/R4/goal.html#invs
    rules = (needs(detail="measure"), not_both("due", "due_in"))
    id = f.item_id(required=True)
    measure = f.One(Concept)
    due = f.date()
    due_in = f.One(Quantity)
    detail = f.One(TargetDetail)


class GoalContent(Base):
    """What a goal and a plan's goal have in common."""

    rules: ClassVar[tuple[Rule, ...]] = (not_both("start", "start_event"),)
    id = f.uuid(required=True)
    identifiers = f.items(OwnIdentifier)
    statement = f.One(Concept)
    patient_words = f.text()
    priority = f.One(Concept)
    category = f.items(Concept, ids=False)
    start = f.date()
    start_event = f.One(Concept)
    target = f.items(Target)
    lifecycle = f.choice(
        *("proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled"),
        *("entered-in-error", "rejected"),
    )
    achievement = f.One(Concept)
    status_date = f.date()
    status_reason = f.text()
    expressed_by = party()
    problems = related()
    outcomes = parties()
    outcome_codes = f.items(Concept, ids=False)
    notes = f.items(Note)
    extra = f.extra()


class GoalItem(GoalContent):
    """A goal in a plan; `{id}` alone, with the words of the plan for it, is a goal held elsewhere."""

    rules = (unless_alone("statement"), not_both("start", "start_event"))
    text = f.text()


class Goal(Record, GoalContent):
    """A goal that is a record of its own."""

    kind = f.constant("goal")
    patient = f.uuid(required=True)
    patient_name = f.text()
    statement = f.One(Concept, required=True)
