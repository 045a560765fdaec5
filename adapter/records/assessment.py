"""Kind `assessment`: the answers to a form. https://hl7.org/fhir/R4/questionnaireresponse.html"""

from __future__ import annotations

from adapter.fhir_json import Tree
from adapter.records import fields as f
from adapter.records.base import Base, rule
from adapter.records.between import INTAKE, INTAKE_ONLY, OURS
from adapter.records.parties import parties, party
from adapter.records.shared import Concept, Record, Value


class Answer(Value):
    """Exactly one answer value, and the questions that it leads to."""

    items = f.items(lambda: Node, ids=False)


class Node(Base):
    """The answers to one question, or a group of questions."""

    linkId = f.text(required=True)  # noqa: N815
    definition = f.text()
    text = f.text()
    answers = f.items(Answer, ids=False)
    items = f.items(lambda: Node, ids=False)


class Substance(Base):
    """The use of one substance."""

    id = f.item_id(required=True)
    substance = f.One(Concept, required=True)
    role = f.choice("primary", "secondary")
    age_first_use = f.integer(0, 120)
    years_regular_use = f.decimal(0)
    frequency = f.One(Concept)
    days_used_last_30 = f.integer(0, 30)
    route = f.One(Concept)
    last_use = f.date()


class FamilyHistory(Base):
    """A relation, and what they live or lived with."""

    id = f.item_id(required=True)
    relation = f.One(Concept, required=True)
    condition = f.One(Concept)
    note = f.text()


class Social(Base):
    """The world around the patient."""

    peer_pressure = f.choice("none", "some", "strong")
    availability = f.choice("none", "some", "easy")
    recovery_supports = f.texts()
    housing = f.One(Concept)
    employment = f.One(Concept)


class Personality(Base):
    """How the patient is: never a disorder."""

    traits = f.texts()
    coping_style = f.text()
    impulsivity = f.choice("low", "moderate", "high")


class MentalHealth(Base):
    """What was found beside the use of substances."""

    symptoms = f.items(Concept, ids=False)
    trauma_history = f.text()
    suicide_risk = f.choice("none", "low", "moderate", "high")


class Readiness(Base):
    """How important change is to the patient, and how sure they are to manage it: 0 to 10."""

    importance = f.integer(0, 10)
    confidence = f.integer(0, 10)


class AsamDimension(Base):
    """The rating of one dimension."""

    id = f.item_id(required=True)
    dimension = f.integer(1, 6, required=True)
    rating = f.integer(0, 4, required=True)
    note = f.text()


class Asam(Base):
    """Ratings and level of care by the ASAM criteria, numbers only."""

    edition = f.choice("3", "4", required=True)
    dimensions = f.items(AsamDimension)
    level_recommended = f.text()
    level_placed = f.text()
    difference_reason = f.text()


class InstrumentAnswer(Base):
    """The answer to one item, by our code."""

    linkId = f.text(required=True)  # noqa: N815
    value = f.text(required=True)


class Instrument(Base):
    """An instrument with its answers, and the total and band that were recorded."""

    id = f.uuid(required=True)
    name = f.choice("phq-9", "gad-7", "audit", "audit-c", "dast-10", "pc-ptsd-5", required=True)
    version = f.text()
    authored = f.datetime()
    answers = f.items(InstrumentAnswer, ids=False)
    total = f.integer(0)
    band = f.text()
    complete = f.flag(required=True)


def _demanding(questionnaire: Tree) -> Tree:
    return {"properties": {"questionnaire": questionnaire}, "required": ["questionnaire"]}


_BY_QUESTIONNAIRE: Tree = {
    "dependentSchemas": {
        **{name: _demanding({"const": INTAKE}) for name in INTAKE_ONLY},
        "instruments": _demanding({"pattern": "^" + OURS.replace(".", r"\.")}),
    }
}


class Assessment(Record):
    """An assessment; what stands beside `answers` is the intake form's, read from its fixed linkIds."""

    rules = (rule(_BY_QUESTIONNAIRE, "by_questionnaire"),)
    kind = f.constant("assessment")
    patient = f.uuid()
    questionnaire = f.text()
    status = f.choice("in-progress", "completed", "amended", "entered-in-error", "stopped", required=True)
    authored = f.datetime()
    author = party()
    informant = party()
    patient_name = f.text()
    encounter = party()
    based_on = parties()
    part_of = parties()
    language = f.text()
    answers = f.items(Node, ids=False)
    substances = f.items(Substance)
    exposure_origin = f.items(Concept, ids=False)
    family_history = f.items(FamilyHistory)
    social = f.One(Social)
    personality = f.One(Personality)
    mental_health = f.One(MentalHealth)
    readiness = f.One(Readiness)
    asam = f.One(Asam)
    instruments = f.items(Instrument)
