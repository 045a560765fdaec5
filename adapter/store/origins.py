"""Whose a resource is, where its record came from and whom it is about: asked of every tree before it leaves, so all of a
tree at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, select

from adapter.identity import IDENTIFIER_SYSTEM
from adapter.ports import Owner, Tree
from adapter.store.indexing import LONGEST
from adapter.store.rows import IDS, by_head
from adapter.store.tables import link, record, resource, resource_index
from adapter.store.vault import vault_of

Key = tuple[str, str]


def owners(connection: Connection, resources: Sequence[Tree], server: str) -> list[Owner]:
    """The record that each belongs to: by its link, its id or our identifier, a record by its kind; a real one without name
    where none is known.
    """
    keys = [(str(tree.get("resourceType", "")), str(tree.get("id", ""))) for tree in resources]
    names = [[(key[0], value) for value in _own(tree)] for key, tree in zip(keys, resources, strict=True)]
    known = _by_id(connection, keys)
    if server:
        known |= _by_link(connection, keys, server)
    strange = {name for key, some in zip(keys, names, strict=True) if key not in known for name in some}
    named = _by_name(connection, strange) if strange else {}
    found = [
        _itself(tree) or known.get(key) or next((named[name] for name in some if name in named), None)
        for tree, key, some in zip(resources, keys, names, strict=True)
    ]
    came = _origins(connection, {owner for owner in found if owner is not None})
    return [_owner(owner, *came.get(owner, ("", ""))) if owner else Owner("real", "") for owner in found]


def _itself(tree: Tree) -> Key | None:
    return (str(tree["kind"]), str(tree.get("id", ""))) if "kind" in tree and "resourceType" not in tree else None


def _owner(key: Key, origin: str, patient: str) -> Owner:
    return Owner(origin or "real", f"{key[0]}/{key[1]}", patient)


def _own(tree: Tree) -> list[str]:
    found = tree.get("identifier")
    rows = found if isinstance(found, list) else [found]
    return [
        str(row.get("value")) for row in rows if isinstance(row, dict) and row.get("system") == IDENTIFIER_SYSTEM
    ]  # fmt: skip


def _by_id(connection: Connection, keys: Iterable[Key]) -> dict[Key, Key]:
    found: dict[Key, Key] = {}
    for (type_,), some in by_head(key for key in keys if key[1]):
        rows = connection.execute(_BY_ID, {"type": type_, "ids": some}).all()
        found |= {(type_, id_): (kind, record_id) for id_, kind, record_id in rows}
    return found


def _by_link(connection: Connection, keys: Iterable[Key], server: str) -> dict[Key, Key]:
    found: dict[Key, Key] = {}
    for (type_,), some in by_head(key for key in keys if key[1]):
        rows = connection.execute(_BY_LINK, {"server": server, "type": type_, "ids": some}).all()
        found |= {(type_, id_): (kind, record_id) for id_, kind, record_id in rows}
    return found


def identified(connection: Connection, type_: str, names: Iterable[str]) -> dict[str, list[str]]:
    """The ids of the resources of a type that have these identifiers, exactly, by `system|value`."""
    vault = vault_of(connection.dialect)
    # What is longer is not kept whole, and so not told apart.
    split = {name: name.partition("|")[::2] for name in names}
    asked = {
        (system, vault.hashed(value)): name for name, (system, value) in split.items() if 0 < len(value) <= LONGEST
    }
    at, found = resource_index.c, dict[str, list[str]]()
    for (system,), some in by_head(asked):
        where = (at.param == "identifier", at.value.in_(some), at.system == system, at.type == type_)
        for row in connection.execute(select(at.id, at.value).where(*where).order_by(at.id)):
            found.setdefault(asked[system, row.value], []).append(row.id)
    return found


def _by_name(connection: Connection, names: Iterable[Key]) -> dict[Key, Key]:
    """By (type, value of our identifier); what has been deleted here is nobody's by its name."""
    vault = vault_of(connection.dialect)
    hashed = {(type_, vault.hashed(value)): (type_, value) for type_, value in names}
    found: dict[Key, Key] = {}
    for (type_,), some in by_head(hashed):
        rows = connection.execute(_BY_NAME, {"type": type_, "ids": some}).all()
        found |= {hashed[type_, value]: (kind, record_id) for value, kind, record_id in rows}
    return found


def _origins(connection: Connection, owners: Iterable[Key]) -> dict[Key, tuple[str, str]]:
    found: dict[Key, tuple[str, str]] = {}
    for (kind,), some in by_head(owners):
        rows = connection.execute(_ORIGINS, {"kind": kind, "ids": some}).all()
        found |= {(kind, id_): (origin, patient) for id_, origin, patient in rows}
    return found


_AT, _LINK, _OF, _INDEX = resource.c, link.c, record.c, resource_index.c
_TYPE: Any = bindparam("type")
_BY_ID = select(_AT.id, _AT.kind, _AT.record_id).where(_AT.type == _TYPE, _AT.id.in_(IDS))
_BY_LINK = select(_LINK.remote_id, _LINK.kind, _LINK.record_id).where(
    _LINK.server == bindparam("server"), _LINK.type == _TYPE, _LINK.remote_id.in_(IDS)
)
_BY_NAME = (
    select(_INDEX.value, _AT.kind, _AT.record_id)
    .join(resource, and_(_AT.type == _INDEX.type, _AT.id == _INDEX.id, _AT.deleted.is_(False)))
    .where(_INDEX.param == "identifier", _INDEX.value.in_(IDS), _INDEX.system == IDENTIFIER_SYSTEM)
    .where(_INDEX.type == _TYPE)
)
_ORIGINS = select(_OF.id, _OF.origin, _OF.patient).where(_OF.kind == bindparam("kind"), _OF.id.in_(IDS))
