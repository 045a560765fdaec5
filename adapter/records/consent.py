"""Kind `consent`: what a patient allows and forbids, to whom and for what. https://hl7.org/fhir/R4/consent.html

Consents to the disclosure of addiction records (42 CFR Part 2) name who may send and who may receive, for which purpose,
until when.
"""

from __future__ import annotations

from adapter.records import fields as f
from adapter.records.base import Base, at_least_one, not_both
from adapter.records.parties import parties, party
from adapter.records.shared import AnswerCoding, Attachment, Concept, OwnIdentifier, Period, Record


class Actor(Base):
    """Whom a provision is about, and as what: who sends, who receives."""

    id = f.item_id(required=True)
    role = f.One(Concept)
    who = party()


class ConsentData(Base):
    """Data that a provision is about: this very thing, what belongs to it, or what depends on it."""

    id = f.item_id(required=True)
    meaning = f.choice("instance", "related", "dependents", "authoredby")
    what = party()


class Provision(Base):
    """What is permitted or denied; `provisions` inside it are its exceptions."""

    decision = f.choice("permit", "deny")
    period = f.One(Period)
    actors = f.items(Actor)
    actions = f.items(Concept, ids=False)
    labels = f.items(AnswerCoding, ids=False)
    purposes = f.items(AnswerCoding, ids=False)
    classes = f.items(AnswerCoding, ids=False)
    codes = f.items(Concept, ids=False)
    data_period = f.One(Period)
    data = f.items(ConsentData)
    provisions = f.items(lambda: Provision, ids=False)


class Policy(Base):
    """A policy that the consent is made under."""

    rules = (at_least_one("authority", "uri"),)
    id = f.item_id(required=True)
    authority = f.text()
    uri = f.text()


class Verification(Base):
    """Whether the patient, or who speaks for them, confirmed it."""

    id = f.item_id(required=True)
    verified = f.flag(required=True)
    by = party()
    time = f.datetime()


class Consent(Record):
    """A consent of a patient."""

    rules = (not_both("document", "document_record"),)
    kind = f.constant("consent")
    patient = f.uuid(required=True)
    patient_name = f.text()
    identifiers = f.items(OwnIdentifier)
    status = f.choice("draft", "proposed", "active", "rejected", "inactive", "entered-in-error", required=True)
    scope = f.One(Concept, required=True)
    category = f.items(Concept, ids=False, required=True)
    given = f.datetime()
    performers = parties()
    organizations = parties()
    document = f.One(Attachment)
    document_record = party()
    policies = f.items(Policy)
    policy_rule = f.One(Concept)
    verifications = f.items(Verification)
    provision = f.One(Provision)
