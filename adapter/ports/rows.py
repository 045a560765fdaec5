"""The plain things that the Protocols speak of: rows of the store, of the ledger, of a server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Tree = dict[str, Any]

HostClass = Literal["own", "partner", "public"]


@dataclass(frozen=True, slots=True)
class Versioned:
    """A resource as a server holds it: its tree, version id and lastUpdated (an instant as the server wrote it)."""

    resource: Tree
    version: str = ""
    last_updated: str = ""


@dataclass(frozen=True, slots=True)
class Capability:
    """What a FHIR server says it can do, as far as the exchange needs it."""

    software: str = ""
    software_version: str = ""
    fhir_version: str = "4.0.1"
    transaction: bool = False
    types: frozenset[str] = frozenset()
    conditional_create: frozenset[str] = frozenset()
    update_create: frozenset[str] = frozenset()
    history_type: frozenset[str] = frozenset()
    history_instance: frozenset[str] = frozenset()
    search_params: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tree: Tree = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class StoredResource:
    """A row of the resource table: a part of a record as FHIR. `last_updated` is an instant in UTC, to milliseconds."""

    type: str
    id: str
    version: int
    last_updated: str
    tree: Tree
    kind: str
    record_id: str
    part: str
    deleted: bool = False
    method: str = "PUT"

    @property
    def served(self) -> Tree:
        """The tree with `meta.versionId` and `meta.lastUpdated`, as the FHIR face answers it."""
        meta = {**self.tree.get("meta", {}), "versionId": str(self.version), "lastUpdated": self.last_updated}
        head = {"resourceType": self.type, "id": self.id, "meta": meta}
        return head | {key: value for key, value in self.tree.items() if key not in head}


@dataclass(frozen=True, slots=True)
class Saved:
    """What a write did: the record as it now stands, and whether anything changed; `parts` are those written."""

    record: Tree
    changed: bool
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Matches of a search and how many there are in all."""

    rows: list[StoredResource]
    total: int


@dataclass(frozen=True, slots=True)
class Server:
    """A FHIR server that the store exchanges with.

    `auth` is "none", "bearer" or "basic"; `auth_env` names the environment variables that hold the secret: TOKEN for a
    bearer token, USER:PASSWORD's one variable for basic. The secret itself is never stored.
    """

    name: str
    url: str
    host_class: HostClass = "public"
    auth: str = "none"
    auth_env: str = ""
    run_tag: str = ""
    paused: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """One part of a record at one server (reference: docs/sync.md).

    `base_sent` is the part as we last agreed on it, with local ids; `base_seen` the same as the server returned it.
    `wanted` counts the local writes, `acked` those that the server has. State: waiting, linked, refused, conflict, gone, closed.
    """

    server: str
    kind: str
    record_id: str
    part: str
    type: str
    local_id: str
    remote_id: str = ""
    remote_version: str = ""
    base_sent: Tree | None = None
    base_seen: Tree | None = None
    wanted: int = 0
    acked: int = 0
    in_flight: str = ""
    lease_until: str = ""
    fence: int = 0
    not_before: str = ""
    attempts: int = 0
    state: str = "waiting"
    reason: str = ""
    details: tuple[Tree, ...] = ()

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What no two links share."""
        return self.server, self.kind, self.record_id, self.part
