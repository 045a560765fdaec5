"""Kind `plan`: a care plan with its goals, interventions and team. https://hl7.org/fhir/R4/careplan.html"""

from __future__ import annotations

from adapter.records import fields as f
from adapter.records.base import Base
from adapter.records.care_team import CareTeamItem
from adapter.records.goal import GoalItem
from adapter.records.parties import parties, party
from adapter.records.request import Intervention
from adapter.records.shared import Concept, Note, OwnIdentifier, Period, Record


class Problem(Base):
    """A diagnosis that the plan addresses; the id is its record's."""

    id = f.item_id(required=True)
    text = f.text()


class PlanAssessment(Base):
    """An assessment that the plan rests on; the id is its record's."""

    id = f.uuid(required=True)
    text = f.text()


class PatientChoice(Base):
    """An option that was offered, and what the patient decided."""

    id = f.item_id(required=True)
    option_offered = f.One(Concept, required=True)
    decision = f.choice("accepted", "declined", "deferred", required=True)
    reason = f.text()
    time = f.datetime()


class EmergencyContact(Base):
    """Whom to call in a crisis."""

    id = f.item_id(required=True)
    name = f.text(required=True)
    phone = f.text()
    relation = f.text()


class RelapsePrevention(Base):
    """What leads to a lapse, how it shows, what helps, and what to do after one."""

    triggers = f.texts()
    warning_signs = f.texts()
    coping_strategies = f.texts()
    supports = f.texts()
    emergency_contacts = f.items(EmergencyContact)
    naloxone_available = f.flag()
    steps_after_lapse = f.texts()


class Milestone(Base):
    """A step on the way."""

    id = f.item_id(required=True)
    text = f.text(required=True)
    due = f.date()
    reached = f.date()


class Recovery(Base):
    """Milestones, and when the plan is looked at again."""

    milestones = f.items(Milestone)
    review_date = f.date()


class Plan(Record):
    """A care plan."""

    kind = f.constant("plan")
    patient = f.uuid(required=True)
    patient_name = f.text()
    identifiers = f.items(OwnIdentifier)
    status = f.choice(
        "draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown", required=True
    )
    intent = f.choice("proposal", "plan", "order", "option", required=True)
    title = f.text()
    description = f.text()
    category = f.items(Concept, ids=False)
    period = f.One(Period)
    created = f.datetime()
    author = party()
    contributors = parties()
    encounter = party()
    guidelines = f.texts()
    guideline_addresses = f.texts()
    based_on = parties()
    part_of = parties()
    problems = f.items(Problem)
    goals = f.items(GoalItem)
    interventions = f.items(Intervention)
    care_team = f.items(CareTeamItem)
    assessments = f.items(PlanAssessment)
    patient_choices = f.items(PatientChoice)
    preferences = f.texts()
    relapse_prevention = f.One(RelapsePrevention)
    recovery = f.One(Recovery)
    revision_of = f.uuid()
    change_reason = f.text()
    approved_by_patient_at = f.datetime()
    consent = f.uuid()
    notes = f.items(Note)
