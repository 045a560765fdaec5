"""The consents of patients: asked before anything about them leaves, and what is looked at again when one changes."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, exists, select, update

from adapter.fhir_json import reloads
from adapter.ports import FOR_CONSENT, Tree
from adapter.store.rows import IDS, by_head
from adapter.store.tables import TODO, link, record

_OF = record.c
_CONSENTS = (
    select(_OF.patient, _OF.document)
    .where(_OF.patient.in_(IDS), _OF.kind == "consent", _OF.deleted.is_(False))
    .order_by(_OF.id)
)


def consents(connection: Connection, patients: Collection[str]) -> dict[str, list[Tree]]:
    """The records of kind consent about these patients, by patient."""
    found = dict[str, list[Tree]]()
    for _, some in by_head((None, patient) for patient in patients):
        for row in connection.execute(_CONSENTS, {"ids": some}).all():
            found.setdefault(row.patient, []).append(reloads(row.document))
    return found


def consents_changed(connection: Connection, patient: str) -> None:
    """What waits for a consent of this patient is due again."""
    at = record.c
    theirs = exists().where(at.kind == link.c.kind, at.id == link.c.record_id, at.patient == patient)
    due = update(link).where(TODO, link.c.reason.like(f"{FOR_CONSENT}%"), link.c.not_before != "", theirs)
    connection.execute(due.values(not_before=""))
