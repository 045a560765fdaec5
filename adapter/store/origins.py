"""Whose a resource is, where its record came from and whom it is about: asked of every tree before it leaves, so all of a
tree at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, and_, bindparam, select

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
    known = _found(connection, _BY_ID, keys)
    if server:
        known |= _found(connection, _BY_LINK, keys, server=server)
    strange = {name for key, some in zip(keys, names, strict=True) if key not in known for name in some}
    named = _by_name(connection, strange) if strange else {}
    selves = list(map(_itself, resources))
    records = _found(connection, _RECORDS, filter(None, selves))
    return [
        records.get(itself, _owner(*itself, None, None))
        if itself
        else known.get(key) or next((named[name] for name in some if name in named), Owner("real", ""))
        for itself, key, some in zip(selves, keys, names, strict=True)
    ]


def _itself(tree: Tree) -> Key | None:
    return (str(tree["kind"]), str(tree.get("id", ""))) if "kind" in tree and "resourceType" not in tree else None


def _owner(kind: str, id_: str, origin: str | None, patient: str | None) -> Owner:
    return Owner(origin or "real", f"{kind}/{id_}", patient or "")


def _own(tree: Tree) -> list[str]:
    found = tree.get("identifier")
    rows = found if isinstance(found, list) else [found]
    return [
        str(row.get("value")) for row in rows if isinstance(row, dict) and row.get("system") == IDENTIFIER_SYSTEM
    ]  # fmt: skip


def _found(connection: Connection, query: Select[Any], keys: Iterable[Key], **asked: str) -> dict[Key, Owner]:
    """By (type or kind, id)."""
    found: dict[Key, Owner] = {}
    for (type_,), some in by_head(key for key in keys if key[1]):
        rows = connection.execute(query, {**asked, "type": type_, "ids": some}).all()
        found |= {(type_, row[0]): _owner(*row[1:]) for row in rows}
    return found


def identified(connection: Connection, type_: str, names: Iterable[str]) -> dict[str, list[str]]:
    """The ids of the resources of a type that have these identifiers, exactly, by `system|value`."""
    vault = vault_of(connection.dialect)
    # What is longer is not kept whole, and so not told apart.
    split = {name: name.partition("|")[::2] for name in names}
    asked = {
        (system, vault.hashed(value)): name for name, (system, value) in split.items() if 0 < len(value) <= LONGEST
    }
    found: dict[str, list[str]] = {}
    for (system,), some in by_head(asked):
        for id_, value in connection.execute(_IDENTIFIED, {"system": system, "type": type_, "ids": some}):
            found.setdefault(asked[system, value], []).append(id_)
    return {name: sorted(ids) for name, ids in found.items()}


def _by_name(connection: Connection, names: Iterable[Key]) -> dict[Key, Owner]:
    """By (type, value of our identifier); what has been deleted here is nobody's by its name."""
    vault = vault_of(connection.dialect)
    hashed = {(type_, vault.hashed(value)): (type_, value) for type_, value in names}
    return {hashed[key]: owner for key, owner in _found(connection, _BY_NAME, hashed).items()}


_AT, _LINK, _OF, _INDEX = resource.c, link.c, record.c, resource_index.c
_TYPE: Any = bindparam("type")
_CAME = (_OF.origin, _OF.patient)
# Each with where its record came from, which is asked with it.
_BY_ID = (
    select(_AT.id, _AT.kind, _AT.record_id, *_CAME)
    .outerjoin(record, and_(_OF.kind == _AT.kind, _OF.id == _AT.record_id))
    .where(_AT.type == _TYPE, _AT.id.in_(IDS))
)
_BY_LINK = (
    select(_LINK.remote_id, _LINK.kind, _LINK.record_id, *_CAME)
    .outerjoin(record, and_(_OF.kind == _LINK.kind, _OF.id == _LINK.record_id))
    .where(_LINK.server == bindparam("server"), _LINK.type == _TYPE, _LINK.remote_id.in_(IDS))
)
_BY_NAME = (
    select(_INDEX.value, _AT.kind, _AT.record_id, *_CAME)
    .join(resource, and_(_AT.type == _INDEX.type, _AT.id == _INDEX.id, _AT.deleted.is_(False)))
    .outerjoin(record, and_(_OF.kind == _AT.kind, _OF.id == _AT.record_id))
    .where(_INDEX.param == "identifier", _INDEX.value.in_(IDS), _INDEX.system == IDENTIFIER_SYSTEM)
    .where(_INDEX.type == _TYPE)
)
_RECORDS = select(_OF.id, _OF.kind, _OF.id, *_CAME).where(_OF.kind == _TYPE, _OF.id.in_(IDS))
# Not sorted: SQLite would then read all of the type, to have them in the order of its key.
_IDENTIFIED = (
    select(_INDEX.id, _INDEX.value)
    .where(_INDEX.param == "identifier", _INDEX.value.in_(IDS), _INDEX.system == bindparam("system"))
    .where(_INDEX.type == _TYPE)
)
