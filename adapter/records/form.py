"""Kind `form`: a questionnaire. Items are known by their linkId. https://hl7.org/fhir/R4/questionnaire.html"""

from __future__ import annotations

from adapter.records import fields as f
from adapter.records.base import Base, exactly_one, rule
from adapter.records.shared import (
    AnswerCoding,
    Coding,
    Concept,
    OwnIdentifier,
    Period,
    Quantity,
    Range,
    Record,
    Reference,
    Telecom,
    Value,
)


class Condition(Base):
    """When an item is shown: a question, an operator and exactly one value to compare its answer with."""

    rules = (
        exactly_one(
            *("boolean", "decimal", "integer", "date", "date_time", "time", "string"),
            *("coding", "quantity", "reference"),
        ),
    )
    question = f.text(required=True)
    operator = f.choice("exists", "=", "!=", ">", "<", ">=", "<=", required=True)
    boolean = f.flag()
    decimal = f.decimal()
    integer = f.integer()
    date = f.date()
    date_time = f.datetime()
    time = f.time()
    string = f.text()
    coding = f.One(AnswerCoding)
    quantity = f.One(Quantity)
    reference = f.One(Reference)


class Option(Base):
    """One permitted answer."""

    rules = (exactly_one("integer", "date", "time", "string", "coding", "reference"),)
    integer = f.integer()
    date = f.date()
    time = f.time()
    string = f.text()
    coding = f.One(AnswerCoding)
    reference = f.One(Reference)
    selected = f.flag()


class Item(Base):
    """A question, a group of them, or a text to show."""

    linkId = f.text(required=True)  # noqa: N815
    definition = f.text()
    codes = f.items(Coding, ids=False)
    prefix = f.text()
    text = f.text()
    type = f.choice(
        *("group", "display", "boolean", "decimal", "integer", "date", "dateTime", "time", "string", "text", "url"),
        *("choice", "open-choice", "attachment", "reference", "quantity"),
        required=True,
    )
    enable_when = f.items(Condition, ids=False)
    enable_behavior = f.choice("all", "any")
    required = f.flag()
    repeats = f.flag()
    read_only = f.flag()
    max_length = f.integer(0)
    answer_value_set = f.text()
    options = f.items(Option, ids=False)
    initial = f.items(Value, ids=False)
    items = f.items(lambda: Item, ids=False)


class FormContact(Base):
    """Whom to ask about the form."""

    id = f.item_id(required=True)
    name = f.text()
    telecom = f.items(Telecom)


class UseContext(Base):
    """Whom or what the form is for: the kind of statement, and what it says."""

    rules = (exactly_one("concept", "quantity", "range", "reference"),)
    about = f.One(AnswerCoding, required=True)
    concept = f.One(Concept)
    quantity = f.One(Quantity)
    range = f.One(Range)
    reference = f.One(Reference)


class Form(Record):
    """A form that assessments answer."""

    rules = (rule({}, "link_ids_differ"),)
    kind = f.constant("form")
    url = f.text()
    version = f.text()
    name = f.text()
    title = f.text()
    status = f.choice("draft", "active", "retired", "unknown", required=True)
    date = f.datetime()
    publisher = f.text()
    description = f.text()
    purpose = f.text()
    language = f.text()
    experimental = f.flag()
    identifiers = f.items(OwnIdentifier)
    contacts = f.items(FormContact)
    contexts = f.items(UseContext, ids=False)
    jurisdictions = f.items(Concept, ids=False)
    copyright = f.text()
    derived_from = f.texts()
    approved = f.date()
    last_reviewed = f.date()
    subject_types = f.texts()
    codes = f.items(Coding, ids=False)
    effective = f.One(Period)
    items = f.items(Item, ids=False)
