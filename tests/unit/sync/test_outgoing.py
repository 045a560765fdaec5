"""A part as it goes out."""

from __future__ import annotations

from uuid import UUID, uuid4

from adapter.ports import Link
from adapter.sync.outgoing import urn


def test_the_name_of_what_is_created_in_the_same_bundle_is_a_uuid() -> None:
    """Of a name that is none (an id that came in by the FHIR face may be any) some servers make no reference."""
    known = str(uuid4())
    names = [
        urn(Link("ward", "goal", "g", "", type_, id_)) for type_ in ("Goal", "Patient") for id_ in ("p1", "p2", known)
    ]
    assert all(str(UUID(name.removeprefix("urn:uuid:"))) in name for name in names)
    assert f"urn:uuid:{known}" in names
    assert len(set(names)) == 5
