"""patient: who it is about. https://hl7.org/fhir/R4/patient.html"""

from __future__ import annotations

from adapter.records.base import Concept, Period, Record, Shape, items, nested
from adapter.records.fields import Date, DateTime, Enum, Flag, Number, Text, item_id


class PatientIdentifier(Shape):
    id = item_id(required=True)
    some_of = ("system", "value")
    use = Enum("usual", "official", "temp", "secondary", "old")
    type = nested(Concept)
    system = Text()
    value = Text()


class Name(Shape):
    id = item_id(required=True)
    some_of = ("text", "family", "given", "prefix", "suffix", "use", "period")
    use = Enum("usual", "official", "temp", "nickname", "anonymous", "old", "maiden")
    text = Text()
    family = Text()
    given = items(Text())
    prefix = items(Text())
    suffix = items(Text())
    period = nested(Period)


class Telecom(Shape):
    id = item_id(required=True)
    some_of = ("system", "value", "use", "rank")
    system = Enum("phone", "fax", "email", "pager", "url", "sms", "other")
    value = Text()
    use = Enum("home", "work", "temp", "old", "mobile")
    rank = Number(1, 2147483647, whole=True)


class Address(Shape):
    id = item_id(required=True)
    some_of = ("text", "line", "city", "district", "state", "postal_code", "country", "use", "type", "period")
    use = Enum("home", "work", "temp", "old", "billing")
    type = Enum("postal", "physical", "both")
    text = Text()
    line = items(Text())
    city = Text()
    district = Text()
    state = Text()
    postal_code = Text()
    country = Text()
    period = nested(Period)


class Contact(Shape):
    id = item_id(required=True)
    some_of = ("relationship", "name", "telecom", "organization")
    relationship = items(Concept)
    name = Text()
    telecom = items(Telecom)
    organization = Text()


class Deceased(Shape):
    one_of = ("flag", "time")
    flag = Flag()
    time = DateTime()


class Patient(Record):
    identifiers = items(PatientIdentifier)
    active = Flag()
    names = items(Name)
    telecom = items(Telecom)
    gender = Enum("male", "female", "other", "unknown")
    birth_date = Date()
    deceased = nested(Deceased)
    addresses = items(Address)
    marital_status = nested(Concept)
    contacts = items(Contact)
    language = nested(Concept)
