"""Ids that never change: UUIDv5 of what a thing is, so that two runs, two machines and two packs agree.

https://www.rfc-editor.org/rfc/rfc9562#section-5.5
"""

from __future__ import annotations

import re
from uuid import NAMESPACE_URL, uuid5

NS = "https://careplan-adapter.org/fhir"
IDENTIFIER_SYSTEM = f"{NS}/identifier"
_NAMESPACE = uuid5(NAMESPACE_URL, IDENTIFIER_SYSTEM)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def resource_id(kind: str, record_id: str, part: str = "") -> str:
    """The FHIR id of the resource that a record makes; `part` is `Type/<item id>`, empty for its main resource."""
    return str(uuid5(_NAMESPACE, f"{kind}\n{record_id}\n{part}"))


def foreign_record_id(base: str, type_: str, id_: str) -> str:
    """The id of a record read from a foreign resource; `base` is the server's base URL, or "none"."""
    return str(uuid5(_NAMESPACE, f"{base or 'none'}\n{type_}\n{id_}"))


def content_id(canonical: bytes, ordinal: int) -> str:
    """The id of a thing that has none: from its canonical form and its ordinal among equal ones."""
    return str(uuid5(_NAMESPACE, f"{ordinal}\n{canonical.decode()}"))


def is_uuid(text: object) -> bool:
    """Whether it is a UUID in its canonical lower-case form."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None
