"""Kind `care_team`: who takes part, alone or in a plan. https://hl7.org/fhir/R4/careteam.html"""

from __future__ import annotations

from adapter.records import fields as f
from adapter.records.base import Base
from adapter.records.shared import Concept, Note, Period, Record


class Member(Base):
    """One of the team: role, name, organization, and when."""

    id = f.item_id(required=True)
    role = f.One(Concept)
    name = f.text()
    organization = f.text()
    period = f.One(Period)


class CareTeamItem(Base):
    """A team in a plan; `{id}` alone is a team held elsewhere."""

    id = f.uuid(required=True)
    name = f.text()
    status = f.choice("proposed", "active", "suspended", "inactive", "entered-in-error")
    period = f.One(Period)
    category = f.items(Concept, ids=False)
    members = f.items(Member)
    notes = f.items(Note)
    extra = f.extra()


class CareTeam(Record, CareTeamItem):
    """A team that is a record of its own."""

    kind = f.constant("care_team")
    patient = f.uuid(required=True)
