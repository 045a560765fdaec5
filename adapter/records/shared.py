"""Objects that several kinds of record hold: concepts, quantities, periods, notes, answers."""

from __future__ import annotations

from adapter.records import fields as f
from adapter.records.base import IN_ORDER, Base, at_least_one, exactly_one, needs, not_both, rule
from adapter.records.parties import Identifier, Writer


class Coding(Base):
    """A code of a system. https://hl7.org/fhir/R4/datatypes.html#Coding"""

    system = f.text()
    version = f.text()
    code = f.text(required=True)
    display = f.text()


class OtherCoding(Base):
    """A code of another system that says the same as the concept it stands in."""

    system = f.text(required=True)
    version = f.text()
    code = f.text(required=True)
    display = f.text()


class AnswerCoding(Base):
    """A coding as an answer: anything of it may be missing, not all."""

    rules = (at_least_one("system", "version", "code", "display"),)
    system = f.text()
    version = f.text()
    code = f.text()
    display = f.text()


_CODED_DISPLAY = rule(
    {"if": {"required": ["code", "display"]}, "then": {"required": ["system"]}},
    "display_with_system",
)


class Concept(Base):
    """`{code}` of ours, or what somebody else calls it: `{system, code, display, text}`; `also` in other systems."""

    # A display belongs to the code of a system; ours have their displays in the code system. A system without a code
    # would not be read again.
    rules = (
        at_least_one("code", "text", "display"),
        _CODED_DISPLAY,
        needs(also="code", version="system", system="code"),
    )
    system = f.text()
    version = f.text()
    code = f.text()
    display = f.text()
    text = f.text()
    also = f.items(OtherCoding, ids=False)


class Quantity(Base):
    """An amount with a unit; the value keeps its digits. https://hl7.org/fhir/R4/datatypes.html#Quantity"""

    value = f.decimal(required=True)
    comparator = f.choice("<", "<=", ">=", ">")
    unit = f.text()
    system = f.text()
    code = f.text()


class SimpleQuantity(Base):
    """A quantity without comparator."""

    value = f.decimal(required=True)
    unit = f.text()
    system = f.text()
    code = f.text()


class Ratio(Base):
    """One amount for another: three drinks a week."""

    rules = (at_least_one("numerator", "denominator"),)
    numerator = f.One(Quantity)
    denominator = f.One(Quantity)


class Range(Base):
    """From a low to a high quantity, one of them may be open."""

    rules = (at_least_one("low", "high"),)
    low = f.One(SimpleQuantity)
    high = f.One(SimpleQuantity)


class Period(Base):
    """From start to end (both inclusive), either may be open or partial."""

    rules = (IN_ORDER,)
    start = f.datetime()
    end = f.datetime()


class Note(Base):
    """A remark with its author, by name or as others keep them, and its time."""

    rules = (not_both("author", "writer"),)
    id = f.item_id(required=True)
    text = f.text(required=True)
    author = f.text()
    writer = f.One(Writer)
    time = f.datetime()


class OwnIdentifier(Base):
    """A number that somebody knows the record by. https://hl7.org/fhir/R4/datatypes.html#Identifier"""

    id = f.item_id(required=True)
    system = f.text()
    value = f.text()
    use = f.choice("usual", "official", "temp", "secondary", "old")
    type = f.One(Concept)


class Bounds(Base):
    """How long something goes on: exactly one."""

    rules = (exactly_one("period", "duration", "range"),)
    period = f.One(Period)
    duration = f.One(Quantity)
    range = f.One(Range)


_UNITS = ("s", "min", "h", "d", "wk", "mo", "a")


class Timing(Base):
    """When, again and again: three times a week, 30 minutes each. https://hl7.org/fhir/R4/datatypes.html#Timing"""

    times = f.Many(f.datetime())
    bounds = f.One(Bounds)
    count = f.integer(1)
    count_max = f.integer(1)
    duration = f.decimal(0)
    duration_max = f.decimal(0)
    duration_unit = f.choice(*_UNITS)
    frequency = f.integer(1)
    frequency_max = f.integer(1)
    period = f.decimal(0)
    period_max = f.decimal(0)
    period_unit = f.choice(*_UNITS)
    days_of_week = f.Many(f.choice("mon", "tue", "wed", "thu", "fri", "sat", "sun"))
    times_of_day = f.Many(f.time())
    when = f.texts()
    offset = f.integer(0)


class Reference(Base):
    """A reference to something that is no record. https://hl7.org/fhir/R4/references.html"""

    reference = f.text()
    type = f.text()
    display = f.text()
    identifier = f.One(Identifier)


class Attachment(Base):
    """A document by its address or in base64. https://hl7.org/fhir/R4/datatypes.html#Attachment"""

    content_type = f.text()
    language = f.text()
    data = f.text()
    url = f.text()
    size = f.integer(0)
    hash = f.text()
    title = f.text()
    creation = f.datetime()


class Value(Base):
    """Exactly one answer value; its field says its type."""

    rules = (
        exactly_one(
            *("boolean", "decimal", "integer", "date", "date_time", "time", "string", "uri"),
            *("coding", "quantity", "reference", "attachment"),
        ),
    )
    boolean = f.flag()
    decimal = f.decimal()
    integer = f.integer()
    date = f.date()
    date_time = f.datetime()
    time = f.time()
    string = f.text()
    uri = f.text()
    coding = f.One(AnswerCoding)
    quantity = f.One(Quantity)
    reference = f.One(Reference)
    attachment = f.One(Attachment)


class When(Base):
    """Exactly one of: a time, an age in years, a text, a period, from one age to another."""

    rules = (exactly_one("time", "age", "text", "period", "range"),)
    time = f.datetime()
    age = f.decimal(0)
    text = f.text()
    period = f.One(Period)
    range = f.One(Range)


class Record(Base):
    """What every record has: its id, the store's envelope, and what packs declare."""

    id = f.uuid(required=True)
    revision = f.integer(1)
    recorded_at = f.instant()
    recorded_by = f.text()
    origin = f.choice("synthetic", "test", "real")
    pack = f.text()
    extra = f.extra()


class Telecom(Base):
    """A phone number, a mail address. https://hl7.org/fhir/R4/datatypes.html#ContactPoint"""

    id = f.item_id(required=True)
    system = f.choice("phone", "fax", "email", "pager", "url", "sms", "other")
    value = f.text()
    use = f.choice("home", "work", "temp", "old", "mobile")
    rank = f.integer(1)
