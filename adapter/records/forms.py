"""form: a questionnaire; assessment: its answers, and what the intake form asks.

https://hl7.org/fhir/R4/questionnaire.html https://hl7.org/fhir/R4/questionnaireresponse.html
"""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError

from adapter.identity import NS
from adapter.records.base import (
    Attachment,
    Coding,
    Concept,
    FormCoding,
    Period,
    Quantity,
    Record,
    Reference,
    Shape,
    items,
    nested,
)
from adapter.records.fields import Date, DateTime, Enum, Flag, Number, Text, Time, item_id, uuid

INTAKE = f"{NS}/Questionnaire/intake|1.0.0"
ITEM_TYPES = (
    "group display boolean decimal integer date dateTime time string text url choice open-choice "
    "attachment reference quantity"
).split()
ANSWERS = (
    "boolean decimal integer date date_time time string uri attachment coding quantity reference".split()
)


class Answer(Shape):
    """Exactly one value, named by its type."""

    one_of = tuple(ANSWERS)
    boolean = Flag()
    decimal = Number()
    integer = Number(-2147483648, 2147483647, whole=True)
    date = Date()
    date_time = DateTime()
    time = Time()
    string = Text()
    uri = Text()
    attachment = nested(Attachment)
    coding = nested(Coding)
    quantity = nested(Quantity)
    reference = nested(Reference)


class Condition(Shape):
    one_of = ("boolean", "decimal", "integer", "date", "date_time", "time", "string", "coding", "quantity", "reference")
    question = Text(required=True)
    operator = Enum("exists", "=", "!=", ">", "<", ">=", "<=", required=True)
    boolean = Flag()
    decimal = Number()
    integer = Number(-2147483648, 2147483647, whole=True)
    date = Date()
    date_time = DateTime()
    time = Time()
    string = Text()
    coding = nested(Coding)
    quantity = nested(Quantity)
    reference = nested(Reference)


class Option(Shape):
    one_of = ("integer", "date", "time", "string", "coding", "reference")
    integer = Number(-2147483648, 2147483647, whole=True)
    date = Date()
    time = Time()
    string = Text()
    coding = nested(Coding)
    reference = nested(Reference)
    selected = Flag()


class Item(Shape):
    linkId = Text(required=True)  # noqa: N815 — FHIR's own name
    definition = Text()
    codes = items(FormCoding)
    prefix = Text()
    text = Text()
    type = Enum(*ITEM_TYPES, required=True)
    enable_when = items(Condition)
    enable_behavior = Enum("all", "any")
    required = Flag()
    repeats = Flag()
    read_only = Flag()
    max_length = Number(0, 2147483647, whole=True)
    answer_value_set = Text()
    options = items(Option)
    initial = items(Answer)
    items = items(lambda: Item())


class Form(Record):
    url = Text()
    version = Text()
    name = Text()
    title = Text()
    status = Enum("draft", "active", "retired", "unknown", required=True)
    subject_types = items(Text())
    date = DateTime()
    publisher = Text()
    description = Text()
    purpose = Text()
    effective = nested(Period)
    codes = items(FormCoding)
    items = items(Item)


class NodeAnswer(Answer):
    items = items(lambda: Node())


class Node(Shape):
    linkId = Text(required=True)  # noqa: N815 — FHIR's own name
    definition = Text()
    text = Text()
    answers = items(NodeAnswer)
    items = items(lambda: Node())


class Substance(Shape):
    id = item_id(required=True)
    substance = nested(Concept, required=True)
    role = Enum("primary", "secondary")
    age_first_use = Number(0, 120, whole=True)
    years_regular_use = Number(0)
    frequency = nested(Concept)
    days_used_last_30 = Number(0, 30, whole=True)
    route = nested(Concept)
    last_use = Date()


class Relative(Shape):
    id = item_id(required=True)
    relation = nested(Concept, required=True)
    condition = nested(Concept)
    note = Text()


class Social(Shape):
    some_of = ("peer_pressure", "availability", "recovery_supports", "housing", "employment")
    peer_pressure = Enum("none", "some", "strong")
    availability = Enum("none", "some", "easy")
    recovery_supports = items(Text())
    housing = nested(Concept)
    employment = nested(Concept)


class Personality(Shape):
    some_of = ("traits", "coping_style", "impulsivity")
    traits = items(Text())
    coping_style = Text()
    impulsivity = Enum("low", "moderate", "high")


class MentalHealth(Shape):
    some_of = ("symptoms", "trauma_history", "suicide_risk")
    symptoms = items(Concept)
    trauma_history = Text()
    suicide_risk = Enum("none", "low", "moderate", "high")


class Readiness(Shape):
    some_of = ("importance", "confidence")
    importance = Number(0, 10, whole=True)
    confidence = Number(0, 10, whole=True)


class Dimension(Shape):
    id = item_id(required=True)
    dimension = Number(1, 6, whole=True, required=True)
    rating = Number(0, 4, whole=True, required=True)
    note = Text()


class Asam(Shape):
    edition = Enum("3", "4", required=True)
    dimensions = items(Dimension)
    level_recommended = Text()
    level_placed = Text()
    difference_reason = Text()


class InstrumentAnswer(Shape):
    linkId = Text(required=True)  # noqa: N815 — FHIR's own name
    value = Text(required=True)


class Instrument(Shape):
    id = uuid(required=True)
    name = Enum("phq-9", "gad-7", "audit", "audit-c", "dast-10", "pc-ptsd-5", required=True)
    version = Text()
    authored = DateTime()
    answers = items(InstrumentAnswer)
    total = Number(0, 1000, whole=True)
    band = Text()
    complete = Flag(required=True)


INTAKE_FIELDS = (
    "substances", "exposure_origin", "family_history", "social", "personality", "mental_health", "readiness", "asam",
)  # fmt: skip


class Assessment(Record):
    patient = uuid()
    questionnaire = Text()
    status = Enum("in-progress", "completed", "amended", "entered-in-error", "stopped", required=True)
    authored = DateTime()
    author = Text()
    informant = Text()
    substances = items(Substance)
    exposure_origin = items(Concept)
    family_history = items(Relative)
    social = nested(Social)
    personality = nested(Personality)
    mental_health = nested(MentalHealth)
    readiness = nested(Readiness)
    asam = nested(Asam)
    instruments = items(Instrument)
    answers = items(Node)

    def across(self, data: dict[str, Any]) -> None:
        if data.get("questionnaire") == INTAKE:
            return
        found = [name for name in INTAKE_FIELDS if name in data]
        if found:
            text = "record-form|This field belongs to the intake form; the questionnaire is another."
            raise ValidationError({name: [text] for name in found})
