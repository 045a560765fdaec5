"""What the inside asks of the outside, as Protocols. The ones who answer stand on higher floors; bootstrap joins them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from adapter.issues import Issue
from adapter.ports.ledger import (
    ACCESS,
    ENDED,
    FARTHEST,
    FOR_CONSENT,
    ORDER,
    STOPPED,
    THIS_WRITE,
    Arrival,
    Conflict,
    Entry,
    Link,
    LinkKey,
    Options,
    Server,
    ServerState,
    Take,
)
from adapter.ports.ledgers import SyncLedger
from adapter.ports.rows import (
    Capability,
    Code,
    CodeVerdict,
    HostClass,
    Owner,
    Page,
    Rows,
    Saved,
    StoredResource,
    Token,
    Tree,
    Versioned,
)

__all__ = [
    "ACCESS",
    "ENDED",
    "FARTHEST",
    "FOR_CONSENT",
    "ORDER",
    "STOPPED",
    "THIS_WRITE",
    "Arrival",
    "Capability",
    "Clock",
    "Code",
    "CodeVerdict",
    "Conflict",
    "Entry",
    "FhirServer",
    "HostClass",
    "Link",
    "LinkKey",
    "Mapper",
    "Options",
    "Owner",
    "Page",
    "RecordStore",
    "RemoteValidator",
    "Rows",
    "Saved",
    "Server",
    "ServerState",
    "StoredResource",
    "SyncLedger",
    "SystemClock",
    "Take",
    "TerminologyServer",
    "Token",
    "Tree",
    "Versioned",
    "instant",
    "is_past",
    "moment",
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


def instant(at: datetime) -> str:
    """A FHIR instant in UTC, to milliseconds: as text in the order of time."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def moment(text: str) -> datetime:
    """The point in time of a FHIR instant; one without a zone is of UTC. Raises ValueError for what is none."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo is not None else found.replace(tzinfo=UTC)


def is_past(text: str, now: datetime) -> bool:
    """Whether an instant of ours (empty: none) has passed, or was never meant: see `FARTHEST`."""
    return text <= instant(now) or text > instant(now + timedelta(seconds=FARTHEST))


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

    def search(self, type_: str, params: Mapping[str, str | Sequence[str]]) -> Iterator[Rows]:
        """Matches, a page at a time, with the server's time of each; links are held to the server's own origin and base path."""

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


class RemoteValidator(Protocol):
    """A server that validates. Raises `Refused` where a resource may not leave for it, ServerRefused, Unavailable."""

    def validate(self, resource: Tree, *, profile: str | None = None) -> Tree:
        """$validate; the OperationOutcome."""


class TerminologyServer(Protocol):
    """A server that knows code systems which are not at hand. https://hl7.org/fhir/R4/terminology-service.html"""

    def verdicts(self, source: Tree, codes: Sequence[Code]) -> list[CodeVerdict | None]:
        """What it says of each code of a resource, None where it gives no verdict.

        Raises `Refused` where nothing of the resource may leave for it, Unavailable where it answers nothing at all.
        """


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
        valid: str = "",
    ) -> Saved:
        """Writes a record and all its parts; only what changed gets a new revision or version.

        A part that is not given is deleted. `expect` holds the version that a resource must have (None: must not
        exist), `links` the state of exchange that belongs to the same write, `valid` by what all parts were found valid.
        """

    def record(self, kind: str, id_: str) -> Tree:
        """The record with its envelope."""

    def records_of(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Tree]:
        """Those of these records (kind, id) that there are, with their envelopes."""

    def records(self, kind: str | None = None) -> Iterator[Tree]:
        """Every record that is not deleted, by kind and id."""

    def revisions(self, kind: str, id_: str) -> list[Tree]:
        """Every revision of a record, the newest first; `deleted` is true in one that is a deletion."""

    def parts(self, kind: str, id_: str) -> dict[str, StoredResource]:
        """The present resources of a record by part key; none where there is no such record."""

    def around(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], StoredResource]:
        """The present resources of all records that one of these (type, id) is part of."""

    def places(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], tuple[str, str, str]]:
        """(kind, record id, part) of those of these resources (type, id) that are present."""

    def delete(
        self,
        kind: str,
        id_: str,
        *,
        expect: Mapping[tuple[str, str], str | None] | None = None,
        ending: str = "",
        recorded_by: str = "",
    ) -> None:
        """Deletes a record and its parts; its history stays. `ending` says how servers are told (see `Link`)."""

    def resource(self, type_: str, id_: str) -> StoredResource:
        """The present version."""

    def resources(self, keys: Iterable[tuple[str, str]]) -> dict[tuple[str, str], StoredResource]:
        """The present versions of those (type, id) that there are, deleted ones too."""

    def versions(self, keys: Iterable[tuple[str, str, int]]) -> dict[tuple[str, str], Tree]:
        """The trees of those versions (type, id, version) that there are, by (type, id)."""

    def vread(self, type_: str, id_: str, version: str) -> StoredResource:
        """One version."""

    def history(
        self, type_: str, id_: str | None = None, *, since: str | None = None, limit: int = 100, offset: int = 0
    ) -> Page:
        """Versions, the newest first, deletions included (`deleted`)."""

    def search(self, type_: str, params: Sequence[tuple[str, str]], *, limit: int = 50, offset: int = 0) -> Page:
        """Matches by the search parameters of R4 for the type, `_id` and `_lastUpdated`. Raises DataError for others."""

    def owners(self, resources: Sequence[Tree], server: str = "") -> list[Owner]:
        """The record that each belongs to, by its id, its link at the server or our identifier; where none is known, one
        without a name, of origin real.
        """

    def identified(self, type_: str, names: Collection[str]) -> dict[str, list[str]]:
        """The ids of the present resources of a type with these identifiers (`system|value`), exactly; by identifier."""

    def consents(self, patients: Collection[str]) -> dict[str, list[Tree]]:
        """The records of kind consent about these patients, by patient; a patient without any is not in it."""
