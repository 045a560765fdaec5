"""The plain things that the Protocols speak of: rows of the store and of a FHIR server; those of the ledger are in `ledger`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

Tree = dict[str, Any]

HostClass = Literal["own", "partner", "public"]


class Owner(NamedTuple):
    """The record that a resource belongs to: its origin, its "kind/id", and the patient's record id (empty: of nobody)."""

    origin: str
    record: str
    patient: str = ""


@dataclass(frozen=True, slots=True)
class Versioned:
    """A resource as a server holds it: its tree, version id and lastUpdated (an instant as the server wrote it); `created`
    where it is the answer to a create that made it.
    """

    resource: Tree
    version: str = ""
    last_updated: str = ""
    created: bool = field(default=False, compare=False)


class Rows(list[Versioned]):
    """A page of a search: resources, and `stamp`, the server's own time when it answered (empty where it did not say)."""

    def __init__(self, rows: Iterable[Versioned] = (), stamp: str = "") -> None:
        super().__init__(rows)
        self.stamp = stamp


@dataclass(frozen=True, slots=True)
class Capability:
    """What a FHIR server says it can do, as far as the exchange needs it."""

    software: str = ""
    software_version: str = ""
    fhir_version: str = "4.0.1"
    transaction: bool = False
    batch: bool = False
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
    # By what it was found valid when it was written; empty where that was not asked.
    valid: str = ""

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
class Token:
    """A bearer token of the service: the SHA-256 of its secret, whose it is, whether it may change anything, and the
    instants from and until which it is good (`until` empty: always).
    """

    name: str
    digest: str
    host_class: HostClass
    writes: bool
    made: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """A question to a terminology server: is this a code of its system, or, with one, in that value set?"""

    system: str
    code: str
    value_set: str = ""


@dataclass(frozen=True, slots=True)
class CodeVerdict:
    """Its answer; `display` is the code's own, where the server told it."""

    valid: bool
    display: str = ""
