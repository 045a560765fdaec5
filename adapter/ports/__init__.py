"""What the inside asks of the outside, as Protocols. The ones who answer stand on higher floors; bootstrap joins them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Protocol

from adapter.issues import Issue
from adapter.ports.rows import Capability, HostClass, Link, Page, Saved, Server, StoredResource, Tree, Versioned

__all__ = [
    "Capability",
    "Clock",
    "FhirServer",
    "HostClass",
    "Link",
    "Mapper",
    "Page",
    "RecordStore",
    "Saved",
    "Server",
    "StoredResource",
    "SyncLedger",
    "SystemClock",
    "Tree",
    "Versioned",
]


class Clock(Protocol):
    """Time, so that tests can hold it still."""

    def now(self) -> datetime:
        """The present instant, in UTC."""

    def monotonic(self) -> float:
        """Seconds that only grow, for deadlines."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        import time

        return time.monotonic()


class FhirServer(Protocol):
    """A FHIR server, R4. Every call has a total deadline and a cap on bytes.

    Raises `NotFound`, `Gone`, `Conflict` (409 or 412 on a version), `ServerRefused` (other 4xx, with issues),
    `Unavailable` (not reached, 5xx, not FHIR), `UnknownOutcome` (a write was sent and no answer understood).
    """

    base: str

    def capability(self) -> Capability:
        """Its CapabilityStatement, read once."""

    def read(self, type_: str, id_: str) -> Versioned:
        """The present version."""

    def vread(self, type_: str, id_: str, version: str) -> Versioned:
        """One version."""

    def search(self, type_: str, params: Mapping[str, str | Sequence[str]]) -> Iterator[list[Versioned]]:
        """Matches, a page at a time; links are held to the server's own origin and base path."""

    def history(self, type_: str, id_: str | None = None, *, since: str | None = None) -> Iterator[list[Tree]]:
        """`Bundle.entry` of a history, a page at a time, newest first."""

    def create(self, resource: Tree, *, if_none_exist: str | None = None) -> Versioned:
        """POST; with `if_none_exist` (a query such as `identifier=system|value`) at most one comes to be."""

    def update(self, resource: Tree, *, if_match: str | None = None) -> Versioned:
        """PUT Type/id; with `if_match` only where that is still the present version."""

    def delete(self, type_: str, id_: str) -> None:
        """DELETE; absent is success."""

    def transaction(self, bundle: Tree) -> Tree:
        """POST of a transaction or batch Bundle; the response Bundle."""

    def validate(self, resource: Tree, *, profile: str | None = None) -> Tree:
        """$validate; the OperationOutcome."""


class Mapper(Protocol):
    """A pack's maps, as far as store and sync need them; `adapter.mapping.load` gives one."""

    def parts(
        self, record: Tree, onto: Mapping[str, Tree] | None = None, refs: Any = None
    ) -> tuple[dict[str, Tree], list[Issue]]:
        """Record → its resources by part key ("" main, else `Type/<item id>`), written onto copies of `onto`."""

    def record(
        self,
        kind: str,
        parts: Mapping[str, Tree],
        previous: Tree | None = None,
        *,
        record_id: str | None = None,
        refs: Any = None,
        base: str = "none",
    ) -> tuple[Tree, list[Issue]]:
        """Resources by part key → the record."""

    def kind_of(self, resource: Any) -> str | None:
        """The kind of record that a resource is by itself."""

    def main_type(self, kind: str) -> str:
        """The FHIR type of a kind's main resource."""


class RecordStore(Protocol):
    """Records and their resources. Every write is one transaction, the wanted revisions of all servers in it.

    Raises NotFound, Gone, and Conflict where a version or revision that the caller expects is not the present one.
    """

    def save(
        self,
        record: Tree,
        parts: Mapping[str, Tree],
        *,
        expect: Mapping[tuple[str, str], str | None] | None = None,
        expect_revision: int | None = None,
        recorded_by: str = "",
        links: Sequence[Link] = (),
    ) -> Saved:
        """Writes a record and all its parts; only what changed gets a new revision or version.

        A part that is not given is deleted. `expect` holds the version that a resource must have (None: must not
        exist), `links` the state of exchange that belongs to the same write.
        """

    def record(self, kind: str, id_: str) -> Tree:
        """The record with its envelope."""

    def records(self, kind: str | None = None) -> Iterator[Tree]:
        """Every record that is not deleted, by kind and id."""

    def revisions(self, kind: str, id_: str) -> list[Tree]:
        """Every revision of a record, the newest first."""

    def parts(self, kind: str, id_: str) -> dict[str, StoredResource]:
        """The present resources of a record by part key; none where there is no such record."""

    def delete(self, kind: str, id_: str, *, expect: Mapping[tuple[str, str], str | None] | None = None) -> None:
        """Deletes a record and its parts; its history stays."""

    def resource(self, type_: str, id_: str) -> StoredResource:
        """The present version."""

    def vread(self, type_: str, id_: str, version: str) -> StoredResource:
        """One version."""

    def history(
        self, type_: str, id_: str | None = None, *, since: str | None = None, limit: int = 100, offset: int = 0
    ) -> Page:
        """Versions, the newest first, deletions included (`deleted`)."""

    def search(self, type_: str, params: Sequence[tuple[str, str]], *, limit: int = 50, offset: int = 0) -> Page:
        """Matches by `_id`, `identifier`, `patient`, `subject`, `_lastUpdated`. Raises DataError for anything else."""

    def origin_of(self, resource: Tree, server: str = "") -> tuple[str, str]:
        """(origin, "kind/id") of the record that a resource belongs to, by its id, its link or our identifier.

        ("real", "") where no record is known.
        """


class SyncLedger(Protocol):
    """Servers, and the state of exchange with each."""

    def add_server(self, server: Server) -> None:
        """A new server; everything in the store is wanted there. Raises UsageError where the name is taken."""

    def servers(self) -> list[Server]:
        """All, by name."""

    def server(self, name: str) -> Server:
        """One. Raises UsageError where there is none of that name."""

    def remove_server(self, name: str) -> None:
        """Forgets a server and its links; nothing on it changes."""

    def links(self, server: str, *, pending: bool = False) -> list[Link]:
        """The links of a server; only those with something to send where `pending`."""

    def link_of(self, server: str, type_: str, *, local_id: str = "", remote_id: str = "") -> Link | None:
        """By the id on either side."""

    def put_links(self, links: Sequence[Link], *, fence: int | None = None) -> None:
        """Records the state of links, all or none. Raises Conflict where the fence has moved on."""

    def lease(self, links: Sequence[Link], *, seconds: float) -> list[Link]:
        """Those of the links that nobody else works on, ours until the lease runs out, each with a new fence."""

    def watermark(self, server: str, type_: str) -> str:
        """The last instant of that server's clock up to which its changes were read; empty at first."""

    def set_watermark(self, server: str, type_: str, value: str) -> None:
        """Moves it."""

    def journal(self, server: str, link: Link, verb: str, reason: str) -> None:
        """Adds a line to what can only grow."""
