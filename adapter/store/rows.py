"""Rows and the plain things that they stand for."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from adapter.fhir_json import canonical, dumps, loads
from adapter.fhir_json import copy as copied
from adapter.ports import Link, Server, StoredResource, Tree

ENVELOPE = ("revision", "recorded_at", "recorded_by", "origin", "pack")
ORIGINS = ("synthetic", "test", "real")
_TREES = ("base_sent", "base_seen")


def instant(moment: datetime) -> str:
    """A FHIR instant in UTC, to milliseconds: as text in the order of time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def text_of(tree: Any) -> str:
    """A tree as it is kept."""
    return dumps(tree).decode()


def same_tree(one: Any, other: Any) -> bool:
    """Whether they are one JSON value, digits included."""
    return canonical(one) == canonical(other)


def content_of(record: Tree) -> Tree:
    """A record without its envelope."""
    return {key: value for key, value in record.items() if key not in ENVELOPE}


def plain(tree: Tree) -> Tree:
    """A resource without the version and time that the store itself gives."""
    out: Tree = copied(tree)
    meta = out.get("meta")
    if isinstance(meta, dict):
        meta.pop("versionId", None)
        meta.pop("lastUpdated", None)
        if not meta:
            del out["meta"]
    return out


def stricter(one: str | None, other: str | None) -> str:
    """The origin that allows less; none given is real."""
    return max(one or "real", other or "real", key=ORIGINS.index)


def resource_of(row: Any) -> StoredResource:
    """A row of resource or resource_history."""
    return StoredResource(**{**row, "tree": loads(row["tree"])})


def row_of_resource(stored: StoredResource) -> dict[str, Any]:
    """The row of a resource."""
    row = {field.name: getattr(stored, field.name) for field in fields(StoredResource)}
    return {**row, "tree": text_of(stored.tree)}


def link_of(row: Any) -> Link:
    """A row of link."""
    values = dict(row)
    for name in _TREES:
        values[name] = loads(values[name]) if values[name] is not None else None
    values["details"] = tuple(loads(values["details"])) if values["details"] else ()
    return Link(**values)


def row_of_link(link: Link) -> dict[str, Any]:
    """The row of a link."""
    row = {field.name: getattr(link, field.name) for field in fields(Link)}
    for name in _TREES:
        row[name] = text_of(row[name]) if row[name] is not None else None
    row["details"] = text_of(list(link.details)) if link.details else None
    return row


def server_of(row: Any) -> Server:
    """A row of server."""
    return Server(**row)


def row_of_server(server: Server) -> dict[str, Any]:
    """The row of a server."""
    return {field.name: getattr(server, field.name) for field in fields(Server)}
