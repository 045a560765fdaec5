"""What the inside asks of the outside, as Protocols. The ones who answer stand on higher floors; bootstrap joins them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

Tree = dict[str, Any]


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
