"""Kind `patient`: who the records are about."""

from __future__ import annotations

from adapter.records import fields as f
from adapter.records.base import Base, exactly_one
from adapter.records.parties import party
from adapter.records.shared import Concept, OwnIdentifier, Period, Record, Telecom


class Name(Base):
    """A name of the patient. https://hl7.org/fhir/R4/datatypes.html#HumanName"""

    id = f.item_id(required=True)
    use = f.choice("usual", "official", "temp", "nickname", "anonymous", "old", "maiden")
    text = f.text()
    family = f.text()
    given = f.texts()
    prefix = f.texts()
    suffix = f.texts()
    period = f.One(Period)


class Address(Base):
    """An address of the patient. https://hl7.org/fhir/R4/datatypes.html#Address"""

    id = f.item_id(required=True)
    use = f.choice("home", "work", "temp", "old", "billing")
    type = f.choice("postal", "physical", "both")
    text = f.text()
    line = f.texts()
    city = f.text()
    district = f.text()
    state = f.text()
    postal_code = f.text()
    country = f.text()
    period = f.One(Period)


class Deceased(Base):
    """Whether, or when, the patient died."""

    rules = (exactly_one("flag", "time"),)
    flag = f.flag()
    time = f.datetime()


class Contact(Base):
    """Somebody to call."""

    id = f.item_id(required=True)
    relationship = f.items(Concept, ids=False)
    name = f.text()
    telecom = f.items(Telecom)
    organization = party()


class Patient(Record):
    """A patient."""

    kind = f.constant("patient")
    identifiers = f.items(OwnIdentifier)
    names = f.items(Name)
    birth_date = f.date()
    gender = f.choice("male", "female", "other", "unknown")
    telecom = f.items(Telecom)
    addresses = f.items(Address)
    language = f.One(Concept)
    deceased = f.One(Deceased)
    active = f.flag()
    marital_status = f.One(Concept)
    contacts = f.items(Contact)
