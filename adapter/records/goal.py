"""Kind `goal`: what the patient wants to reach, alone or in a plan. https://hl7.org/fhir/R4/goal.html"""

from __future__ import annotations

from typing import ClassVar

from adapter.records import fields as f
from adapter.records.base import Base, Rule, exactly_one, needs, unless_alone
from adapter.records.shared import Concept, Note, Quantity, Range, Record


class TargetDetail(Base):
    """The value to reach: exactly one."""

    rules = (exactly_one("quantity", "text", "boolean", "integer", "concept", "range"),)
    quantity = f.One(Quantity)
    text = f.text()
    boolean = f.flag()
    integer = f.integer()
    concept = f.One(Concept)
    range = f.One(Range)


class Target(Base):
    """A measure, the value it should reach, and by when."""

    # gol-1: https://hl7.org/fhir/R4/goal.html#invs
    rules = (needs("detail", "measure"),)
    id = f.item_id(required=True)
    measure = f.One(Concept)
    due = f.date()
    detail = f.One(TargetDetail)


class GoalItem(Base):
    """A goal in a plan; `{id}` alone is a goal held elsewhere."""

    rules: ClassVar[tuple[Rule, ...]] = (unless_alone("statement"),)
    id = f.uuid(required=True)
    statement = f.One(Concept)
    patient_words = f.text()
    priority = f.One(Concept)
    category = f.items(Concept, ids=False)
    start = f.date()
    target = f.items(Target)
    lifecycle = f.choice(
        *("proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled"),
        *("entered-in-error", "rejected"),
    )
    achievement = f.One(Concept)
    status_date = f.date()
    status_reason = f.text()
    expressed_by = f.text()
    problems = f.uuids()
    outcomes = f.texts()
    outcome_codes = f.items(Concept, ids=False)
    notes = f.items(Note)
    extra = f.extra()


class Goal(Record, GoalItem):
    """A goal that is a record of its own."""

    rules = ()
    kind = f.constant("goal")
    patient = f.uuid(required=True)
    statement = f.One(Concept, required=True)
