"""Rows and the plain things that they stand for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from itertools import islice
from typing import Any

from msgspec import structs
from sqlalchemy import BindParameter, bindparam

from adapter.fhir_json import dumps, reloads
from adapter.ports import ORDER, Link, Options, Server, ServerState, StoredResource, Tree

ORIGINS = ("synthetic", "test", "real")
_TREES = ("seen", "theirs")
_LINK = Link.__struct_fields__
_RESOURCE = tuple(field.name for field in fields(StoredResource))
_TREE = _RESOURCE.index("tree")
# Of a version: what it was found valid by is said of the present one alone.
_VERSION = tuple(name for name in _RESOURCE if name != "valid")
# What `by_head` gives last, in statements that are built once: building one takes longer than carrying it out.
IDS: BindParameter[Any] = bindparam("ids", expanding=True)


def text_of(tree: Any) -> str:
    """A tree as it is kept."""
    return dumps(tree).decode()


def patient_of(record: Tree) -> str:
    """The id of the patient that a record is about; empty where it is about nobody."""
    return str(record.get("id" if record.get("kind") == "patient" else "patient", ""))


def plain(tree: Tree) -> Tree:
    """A resource without the version and time that the store itself gives."""
    meta = tree.get("meta")
    if not isinstance(meta, dict):
        return tree
    kept = {key: value for key, value in meta.items() if key not in {"versionId", "lastUpdated"}}
    return tree | {"meta": kept} if kept else {key: value for key, value in tree.items() if key != "meta"}


def stricter(one: str | None, other: str | None) -> str:
    """The origin that allows less; none given is real."""
    return max(one or "real", other or "real", key=ORIGINS.index)


def resource_of(row: Any) -> StoredResource:
    """A whole row of resource or resource_history, in the order of the tables; the former has one column more."""
    values: list[Any] = list(row)
    values[_TREE] = reloads(values[_TREE])
    return StoredResource(*values)


def row_of_version(stored: StoredResource) -> dict[str, Any]:
    """The row of a version of a resource."""
    row = {name: getattr(stored, name) for name in _VERSION}
    return {**row, "tree": text_of(stored.tree)}


def link_of(row: Any) -> Link:
    """A whole row of link, in the order of the table."""
    found = Link(*row[: len(_LINK)])
    if found.seen is None and found.theirs is None:
        return found
    return found.replace(**{name: given(getattr(found, name)) for name in _TREES})


def row_of_link(link: Link) -> dict[str, Any]:
    """The row of a link, what is derived included."""
    row = structs.asdict(link) | {name: kept(getattr(link, name)) for name in _TREES}
    rank = ORDER.index(link.kind) if link.kind in ORDER else len(ORDER)
    return {**row, "todo": int(link.todo), "rank": rank}


def server_of(row: Any) -> Server:
    """A row of server."""
    options = reloads(row["options"])
    options |= {name: tuple(options.get(name, ())) for name in ("kinds", "recipient")}
    options["rate"] = float(options.get("rate", 0))
    return Server(**{**row, "options": Options(**options)})


def row_of_server(server: Server) -> dict[str, Any]:
    """The row of a server."""
    row = {field.name: getattr(server, field.name) for field in fields(Server)}
    return {**row, "options": text_of(asdict(server.options))}


def state_of(row: Any) -> ServerState:
    """A row of server_state."""
    return ServerState(**{**row, "facts": reloads(row["facts"]), "sentinel": reloads(row["sentinel"])})


def values_of_state(values: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a server's state as they are kept."""
    return {name: text_of(value) if name in ("facts", "sentinel") else value for name, value in values.items()}


def by_head(keys: Iterable[tuple[Any, ...]], most: int = 400) -> Iterator[tuple[tuple[Any, ...], list[Any]]]:
    """(all but the last, some of the last) of keys: SQLite uses no index for `(a, b) IN (…)`, but for `a = … AND b IN (…)`."""
    found: dict[tuple[Any, ...], dict[Any, None]] = {}
    for *head, last in keys:
        found.setdefault(tuple(head), {})[last] = None
    for start, ends in found.items():
        rest = iter(ends)
        while some := list(islice(rest, most)):
            yield start, some


def kept(value: Any) -> str | None:
    """An element's value as it is kept; None stays None."""
    return None if value is None else text_of(value)


def given(text: str | None) -> Any:
    """A kept value of an element."""
    return None if text is None else reloads(text)


def row_of(one: Any, values: tuple[str, ...]) -> dict[str, Any]:
    """The row of a conflict, an entry of the journal, an arrival; `values` are its fields that hold JSON."""
    row = {field.name: getattr(one, field.name) for field in fields(one) if field.name != "number"}
    return {**row, **{name: kept(row[name]) for name in values}}
