"""One server as the exchange sees it, and what each step of the exchange reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.mapping import Mapper
from adapter.mapping.scope import own_identifier
from adapter.ports import Clock, FhirServer, Link, RecordStore, Server, SyncLedger
from adapter.services.receive import Plan

# Parents before children: what is referred to goes first.
ORDER = ("patient", "form", "diagnosis", "goal", "care_team", "request", "assessment", "plan")
STOPPED = frozenset({"refused", "conflict", "gone", "closed"})


class Store(RecordStore, SyncLedger, Protocol):
    """Records and ledger on one database."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A server and all that an exchange with it needs. `validate` gives the issues of a resource, `check` of a record.

    `carry_out` writes what came in, with the links that belong to it, in one transaction.
    """

    server: Server
    client: FhirServer
    store: Store
    mapper: Mapper
    clock: Clock
    validate: Callable[[Any], list[Issue]]
    check: Callable[[Any], list[Issue]]
    carry_out: Callable[[Plan, Sequence[Link]], None]
    overlap: int = 120
    lease: int = 300

    def remote_id(self, type_: str, local_id: str) -> str | None:
        """The id that a resource of ours has there, or None where it is not there."""
        link = self.store.link_of(self.server.name, type_, local_id=local_id)
        return link.remote_id if link is not None and link.remote_id else None

    def local_id(self, type_: str, remote_id: str) -> str | None:
        """The id that a resource of theirs has here, or None."""
        link = self.store.link_of(self.server.name, type_, remote_id=remote_id)
        return link.local_id if link is not None else None


@dataclass(frozen=True, slots=True)
class Step:
    """What was done with one part, and why."""

    server: str
    record: str
    part: str
    verb: str
    reason: str = ""

    @classmethod
    def of(cls, link: Link, verb: str, reason: str = "") -> Step:
        """The step of a link."""
        return cls(link.server, f"{link.kind}/{link.record_id}", link.part, verb, reason)


@dataclass(slots=True)
class Report:
    """All steps of one run."""

    steps: list[Step] = field(default_factory=list)

    def add(self, link: Link, verb: str, reason: str = "") -> None:
        """One more step."""
        self.steps.append(Step.of(link, verb, reason))

    @property
    def troubled(self) -> bool:
        """Whether something in the data waits for a person: refused or in conflict."""
        return any(step.verb in ("refused", "conflict") for step in self.steps)

    def counts(self) -> Mapping[str, int]:
        """How many steps of each verb."""
        found: dict[str, int] = {}
        for step in self.steps:
            found[step.verb] = found.get(step.verb, 0) + 1
        return found


def first_error(issues: list[Issue]) -> str:
    """The first error as a sentence without values; empty where there is none."""
    errors = [issue for issue in issues if issue.is_error]
    if not errors:
        return ""
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{errors[0].message_id} at {errors[0].place or 'the resource'}{more}"


def bare(tree: Tree) -> Tree:
    """A resource without what servers add by habit (id, meta, text); references by our identifier where they have it."""
    return {key: _by_identifier(value) for key, value in tree.items() if key not in ("id", "meta", "text")}


def _by_identifier(node: Any) -> Any:
    if isinstance(node, dict):
        named = own_identifier({"identifier": node.get("identifier")}) is not None
        return {key: _by_identifier(value) for key, value in node.items() if not (named and key == "reference")}
    return [_by_identifier(value) for value in node] if isinstance(node, list) else node
