"""Ids that never change: UUIDv5 of what a thing is, so that two runs, two machines and two packs agree.

https://www.rfc-editor.org/rfc/rfc9562#section-5.5
"""

from __future__ import annotations

import re
from hashlib import sha1
from uuid import NAMESPACE_URL, uuid5

NS = "https://careplan-adapter.org/fhir"
IDENTIFIER_SYSTEM = f"{NS}/identifier"
# The type of the resource that a kind of record is chiefly made to.
TYPE_OF_KIND = {
    "patient": "Patient",
    "form": "Questionnaire",
    "assessment": "QuestionnaireResponse",
    "diagnosis": "Condition",
    "plan": "CarePlan",
    "goal": "Goal",
    "care_team": "CareTeam",
    "request": "ServiceRequest",
    "consent": "Consent",
}
_NAMESPACE = uuid5(NAMESPACE_URL, IDENTIFIER_SYSTEM).bytes
_VARIANT = {digit: "89ab"[int(digit, 16) & 3] for digit in "0123456789abcdef"}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def resource_id(kind: str, record_id: str, part: str = "") -> str:
    """The FHIR id of the resource that a record makes; `part` is `Type/<item id>`, empty for its main resource."""
    return _uuid5(f"{kind}\n{record_id}\n{part}".encode())


def foreign_record_id(base: str, type_: str, id_: str) -> str:
    """The id of a record read from a foreign resource; `base` is the server's base URL, or "none"."""
    return _uuid5(f"{base or 'none'}\n{type_}\n{id_}".encode())


def content_id(canonical: bytes, ordinal: int) -> str:
    """The id of a thing that has none: from its canonical form and its ordinal among equal ones."""
    return _uuid5(b"%d\n%b" % (ordinal, canonical))


def _uuid5(name: bytes) -> str:
    # The text of uuid.uuid5, without the object in between: ids are made for every element that has none.
    digest = sha1(_NAMESPACE + name, usedforsecurity=False).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{_VARIANT[digest[16]]}{digest[17:20]}-{digest[20:32]}"


def is_uuid(text: object) -> bool:
    """Whether it is a UUID in its canonical lower-case form."""
    return isinstance(text, str) and len(text) == 36 and _UUID.fullmatch(text) is not None
