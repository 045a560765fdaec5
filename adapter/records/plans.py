"""diagnosis, and plan with its goals, care team and requests.

https://hl7.org/fhir/R4/condition.html https://hl7.org/fhir/R4/careplan.html https://hl7.org/fhir/R4/goal.html
"""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import ValidationError

from adapter.records.base import Coding, Concept, Note, Period, Quantity, Range, Record, Shape, items, nested
from adapter.records.fields import Date, DateTime, Enum, Flag, Number, Text, item_id, uuid


class Onset(Shape):
    one_of = ("time", "age", "text", "period")
    time = DateTime()
    age = Number(0)
    text = Text()
    period = nested(Period)


class Evidence(Shape):
    id = item_id(required=True)
    some_of = ("code", "detail")
    code = nested(Concept)
    detail = Text()


class Diagnosis(Record):
    patient = uuid(required=True)
    disorder = nested(Concept)
    codes = items(Coding)
    severity = nested(Concept)
    course = Enum(
        "active", "recurrence", "relapse", "inactive", "remission", "early-remission", "sustained-remission", "resolved"
    )
    verification = Enum("unconfirmed", "provisional", "differential", "confirmed", "refuted", "entered-in-error")
    onset = nested(Onset)
    abatement = nested(Onset)
    in_controlled_environment = Flag()
    on_agonist_therapy = Flag()
    recorded = DateTime()
    recorder = Text()
    evidence = items(Evidence)
    related = items(uuid())
    due_to = uuid()
    notes = items(Note)

    def across(self, data: dict[str, Any]) -> None:
        concept = data.get("disorder")
        if "codes" in data and not (isinstance(concept, dict) and "code" in concept):
            raise ValidationError("record-code|Further codes stand beside a disorder with a code.", "codes")


class TargetDetail(Shape):
    one_of = ("quantity", "range", "concept", "text", "boolean", "integer")
    quantity = nested(Quantity)
    range = nested(Range)
    concept = nested(Concept)
    text = Text()
    boolean = Flag()
    integer = Number(-2147483648, 2147483647, whole=True)


class Target(Shape):
    id = item_id(required=True)
    some_of = ("measure", "detail", "due")
    measure = nested(Concept)
    detail = nested(TargetDetail)
    due = Date()


class GoalItem(Shape):
    """A goal of a plan; `{id}` alone is one that is held elsewhere."""

    needs: ClassVar[tuple[str, ...]] = ("statement",)
    id = uuid(required=True)
    statement = nested(Concept)
    patient_words = Text()
    category = items(Concept)
    priority = nested(Concept)
    start = Date()
    target = items(Target)
    lifecycle = Enum(
        "proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled", "entered-in-error", "rejected"
    )
    achievement = nested(Concept)
    status_date = Date()
    status_reason = Text()
    expressed_by = Text()
    problems = items(uuid())
    outcome_codes = items(Concept)
    outcomes = items(Text())
    notes = items(Note)

    def across(self, data: dict[str, Any]) -> None:
        if data.keys() - {"id"}:
            missing = [name for name in self.needs if name not in data]
            if missing:
                raise ValidationError({name: ["record-required|The field is missing."] for name in missing})


class Member(Shape):
    id = item_id(required=True)
    some_of = ("role", "name", "organization")
    role = nested(Concept)
    name = Text()
    organization = Text()
    period = nested(Period)


class CareTeamItem(Shape):
    """A care team of a plan; `{id}` alone is one that is held elsewhere."""

    id = uuid(required=True)
    name = Text()
    status = Enum("proposed", "active", "suspended", "inactive", "entered-in-error")
    category = items(Concept)
    period = nested(Period)
    members = items(Member)
    notes = items(Note)


class Dose(Shape):
    some_of = ("text", "route", "timing_text", "quantity")
    text = Text()
    route = nested(Concept)
    timing_text = Text()
    quantity = nested(Quantity)


class Schedule(Shape):
    one_of = ("text", "time", "period")
    text = Text()
    time = DateTime()
    period = nested(Period)


class RequestItem(Shape):
    """An intervention of a plan; `{id}` alone is one that is held elsewhere."""

    id = uuid(required=True)
    type = Enum("service", "medication")
    activity = nested(Concept)
    medication = nested(Concept)
    dose = nested(Dose)
    status = Enum(
        "draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown", "cancelled", "stopped"
    )
    intent = Enum(
        "proposal", "plan", "directive", "order", "original-order", "reflex-order", "filler-order", "instance-order",
        "option",
    )  # fmt: skip
    priority = Enum("routine", "urgent", "asap", "stat")
    category = items(Concept)
    setting = nested(Concept)
    schedule = nested(Schedule)
    performer_role = nested(Concept)
    performers = items(Text())
    reason = Text()
    problems = items(uuid())
    goals = items(uuid())
    authored = DateTime()
    requester = Text()
    notes = items(Note)
    patient_instruction = Text()

    def across(self, data: dict[str, Any]) -> None:
        medication = data.get("type") == "medication"
        if medication and "activity" in data:
            raise ValidationError("record-type|An intervention of type medication has no activity.", "activity")
        if not medication and "medication" in data:
            raise ValidationError("record-type|Only an intervention of type medication has one.", "medication")


class Problem(Shape):
    id = item_id(required=True)
    text = Text()


class AssessmentLink(Shape):
    id = uuid(required=True)
    text = Text()


class PatientChoice(Shape):
    id = item_id(required=True)
    option_offered = nested(Concept, required=True)
    decision = Enum("accepted", "declined", "deferred", required=True)
    reason = Text()
    time = DateTime()


class EmergencyContact(Shape):
    id = item_id(required=True)
    name = Text(required=True)
    phone = Text()
    relation = Text()


class RelapsePrevention(Shape):
    some_of = (
        "triggers", "warning_signs", "coping_strategies", "supports", "emergency_contacts", "naloxone_available",
        "steps_after_lapse",
    )  # fmt: skip
    triggers = items(Text())
    warning_signs = items(Text())
    coping_strategies = items(Text())
    supports = items(Text())
    emergency_contacts = items(EmergencyContact)
    naloxone_available = Flag()
    steps_after_lapse = items(Text())


class Milestone(Shape):
    id = item_id(required=True)
    text = Text(required=True)
    due = Date()
    reached = Date()


class Recovery(Shape):
    some_of = ("milestones", "review_date")
    milestones = items(Milestone)
    review_date = Date()


class Plan(Record):
    patient = uuid(required=True)
    status = Enum(
        "draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown", required=True
    )
    intent = Enum("proposal", "plan", "order", "option", required=True)
    title = Text()
    description = Text()
    category = items(Concept)
    period = nested(Period)
    created = DateTime()
    author = Text()
    problems = items(Problem)
    goals = items(GoalItem)
    interventions = items(RequestItem)
    care_team = items(CareTeamItem)
    assessments = items(AssessmentLink)
    patient_choices = items(PatientChoice)
    preferences = items(Text())
    relapse_prevention = nested(RelapsePrevention)
    recovery = nested(Recovery)
    revision_of = uuid()
    change_reason = Text()
    approved_by_patient_at = DateTime()
    consent = uuid()
    notes = items(Note)


class Goal(Record, GoalItem):
    patient = uuid(required=True)

    def across(self, data: dict[str, Any]) -> None:
        GoalItem.across(self, data)


class CareTeam(Record, CareTeamItem):
    """A team that stands by itself."""

    patient = uuid()


class Request(Record, RequestItem):
    """An order that stands by itself."""

    patient = uuid(required=True)

    def across(self, data: dict[str, Any]) -> None:
        RequestItem.across(self, data)
