"""Kind `care_team`: who takes part, alone or in a plan. https://hl7.org/fhir/R4/careteam.html"""

from __future__ import annotations

from adapter.records import fields as f
from adapter.records.base import Base
from adapter.records.parties import parties, party
from adapter.records.shared import Concept, Note, OwnIdentifier, Period, Record, Telecom


class Member(Base):
    """One of the team: role, name, organization, and when."""

    id = f.item_id(required=True)
    role = f.One(Concept)
    name = party()
    organization = party()
    period = f.One(Period)


class CareTeamContent(Base):
    """What a team and a plan's team have in common."""

    id = f.uuid(required=True)
    identifiers = f.items(OwnIdentifier)
    name = f.text()
    status = f.choice("proposed", "active", "suspended", "inactive", "entered-in-error")
    period = f.One(Period)
    category = f.items(Concept, ids=False)
    members = f.items(Member)
    encounter = party()
    reasons = f.items(Concept, ids=False)
    reason_records = parties()
    organizations = parties()
    telecom = f.items(Telecom)
    notes = f.items(Note)
    extra = f.extra()


class CareTeamItem(CareTeamContent):
    """A team in a plan; `{id}` alone, with the words of the plan for it, is a team held elsewhere."""

    text = f.text()


class CareTeam(Record, CareTeamContent):
    """A team that is a record of its own."""

    kind = f.constant("care_team")
    patient = f.uuid(required=True)
    patient_name = f.text()
