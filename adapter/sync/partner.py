"""One server as the exchange sees it, and what each step of the exchange reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from operator import is_not
from random import random
from typing import Any, Protocol

from adapter.errors import Gone, NotFound
from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.mapping import Mapper
from adapter.mapping.scope import own_identifier
from adapter.ports import (
    ENDED,
    Clock,
    FhirServer,
    Link,
    RecordStore,
    Server,
    StoredResource,
    SyncLedger,
    Versioned,
    instant,
)
from adapter.privacy import Refusal
from adapter.sync.receive import Plan

Key = tuple[str, str]
# Seconds until what waits for a consent is looked at again by itself: one may begin or end with time.
LOOK_AT_CONSENT = 3600.0
# Seconds until what waits for another part is looked at again, where that has not got there before.
WAIT = 60.0


def backoff(attempts: int) -> float:
    """How many seconds to wait after so many attempts: twice as long each time, up to an hour, and not in step."""
    return min(3600.0, 5.0 * 2.0 ** min(attempts, 12)) * (0.5 + random() / 2)  # noqa: S311 - jitter


class Store(RecordStore, SyncLedger, Protocol):
    """Records and ledger on one database."""


@dataclass(frozen=True, slots=True)
class Partner:
    """A server and all that an exchange with it needs. `validate` gives the issues of a resource, `check` of a record.

    `carry_out` writes what came in, with the links that belong to it, in one transaction. `overlap` and `lease` are in
    seconds; `most` is how many requests it may have under way here, whatever the server's options allow; `point` is called
    at named points of a run, so that a test can end the process there; `known` says whether a resource was found valid when
    it was written, by the validation that now holds; `withheld` says why the gate would keep a resource of ours here (None:
    it may leave), for what is only said and not done; `stopping` whether this process is to end.
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
    most: int = 64
    point: Callable[[str], None] = lambda _: None
    withheld: Callable[[Tree], Refusal | None] = lambda _: None
    known: Callable[[StoredResource], bool] = lambda _: False
    stopping: Callable[[], bool] = lambda: False

    @property
    def name(self) -> str:
        """The server's name."""
        return self.server.name

    @property
    def at_once(self) -> int:
        """How many requests may be under way."""
        return max(1, min(self.server.options.connections, self.most))

    def look(self, type_: str, remote_id: str) -> Versioned | None:
        """What is there, None where nothing is, or nothing any more. Raises Unavailable, ServerRefused."""
        try:
            return self.client.read(type_, remote_id)
        except (NotFound, Gone):
            return None

    def later(self, seconds: float = 0) -> str:
        """The instant so many seconds from now, as the ledger writes it."""
        return instant(self.clock.now() + timedelta(seconds=seconds))


class Names:
    """Whose id is whose at one server; what was looked up is remembered for one round."""

    def __init__(self, partner: Partner) -> None:
        self._partner = partner
        self._local: dict[Key, Link | None] = {}
        self._remote: dict[Key, Link | None] = {}

    def load(self, keys: set[Key]) -> None:
        """Looks these (type, id) of ours up together."""
        found = self._partner.store.local(self._partner.name, keys - self._local.keys())
        for key in keys - self._local.keys():
            self.learn(found[key]) if key in found else self._local.setdefault(key, None)

    def load_remote(self, keys: set[Key]) -> None:
        """Looks these (type, id) of theirs up together."""
        found = self._partner.store.remote(self._partner.name, keys - self._remote.keys())
        for key in keys - self._remote.keys():
            self.learn(found[key]) if key in found else self._remote.setdefault(key, None)

    def learn(self, link: Link) -> None:
        """What is known of a link now."""
        self._local[link.local] = link
        if link.remote_id:
            self._remote[link.remote] = link

    def placed(self, link: Link) -> None:
        """Where ours is said to be, so that others can refer to it; whether that is another's place is still to be seen."""
        self._local[link.local] = link

    def link(self, type_: str, local_id: str) -> Link | None:
        """The link of a resource of ours."""
        if (type_, local_id) not in self._local:
            self.load({(type_, local_id)})
        return self._local[type_, local_id]

    def remote_id(self, type_: str, local_id: str) -> str | None:
        """The id that a resource of ours has there, or None where it is not there."""
        link = self.link(type_, local_id)
        return link.remote_id if link is not None and link.remote_id and link.state != "gone" else None

    @property
    def base(self) -> str:
        """The server's own address."""
        return self._partner.client.base

    def parts(self, link: Link) -> Sequence[Link]:
        """The links of all parts of the record that one belongs to."""
        parts = self._partner.store.parts(link.kind, link.record_id).values()
        return list(self._partner.store.local(link.server, {(part.type, part.id) for part in parts}).values())

    def local_id(self, type_: str, remote_id: str) -> str | None:
        """The id that a resource of theirs has here, or None."""
        link = self._meant(type_, remote_id)
        return link.local_id if link is not None else None

    def is_anothers(self, link: Link, remote_id: str) -> bool:
        """Whether what has this id there is another part's of ours, of which it has not ended."""
        other = self._meant(link.type, remote_id)
        return other is not None and other.local_id != link.local_id and other.state not in ENDED

    def _meant(self, type_: str, remote_id: str) -> Link | None:
        if (type_, remote_id) not in self._remote:
            self.load_remote({(type_, remote_id)})
        return self._remote[type_, remote_id]


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
    """All steps of one run; of what waited and was then done, the last."""

    done: list[Step] = field(default_factory=list)
    waiting: dict[tuple[str, str, str, str], Step] = field(default_factory=dict)

    @property
    def steps(self) -> list[Step]:
        """What was done, then what waits."""
        return [*self.done, *self.waiting.values()]

    def add(self, link: Link, verb: str, reason: str = "") -> None:
        """One more step."""
        step = Step.of(link, verb, reason)
        if verb == "waiting":
            self.waiting[link.key] = step
        else:
            self.waiting.pop(link.key, None)
            self.done.append(step)

    def join(self, other: Report) -> Report:
        """Both."""
        return Report([*self.done, *other.done], {**self.waiting, **other.waiting})

    @property
    def troubled(self) -> bool:
        """Whether something in the data waits for a person: refused, in conflict, in quarantine."""
        return any(step.verb in ("refused", "conflict", "quarantine") for step in self.steps)

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
    """Without the literal of what is also named by our identifier; what has none such is not copied."""
    kind = type(node)
    if kind is list:
        made = list(map(_by_identifier, node))
        return made if any(map(is_not, made, node)) else node
    if kind is not dict:
        return node
    changed = {}
    for key, value in node.items():
        kind = type(value)
        if (kind is dict or kind is list) and (new := _by_identifier(value)) is not value:
            changed[key] = new
    named = "reference" in node and own_identifier({"identifier": node.get("identifier")}) is not None
    if not changed and not named:
        return node
    return {key: value for key, value in (node | changed).items() if not (named and key == "reference")}
