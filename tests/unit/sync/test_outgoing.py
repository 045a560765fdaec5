"""A part as it goes out."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

from adapter.ports import Link
from adapter.sync.outgoing import Send, name


def sent(type_: str, id_: str) -> Send:
    tree = {"resourceType": type_, "id": id_}
    return Send(Link("ward", "goal", "g", "", type_, id_), 1, tree, tree)


def test_the_name_of_what_is_created_in_the_same_bundle_is_a_uuid() -> None:
    """Of a name that is none (an id that came in by the FHIR face may be any) some servers make no reference."""
    known = str(uuid4())
    names = [name(sent(type_, id_)) for type_ in ("Goal", "Patient") for id_ in ("p1", "p2", known)]
    assert all(str(UUID(one.removeprefix("urn:uuid:"))) in one for one in names)
    assert f"urn:uuid:{known}" in names
    assert len(set(names)) == 5


def test_what_is_created_at_our_id_is_named_by_its_place() -> None:
    assert name(replace(sent("Goal", "p1"), placed=True)) == "Goal/p1"
