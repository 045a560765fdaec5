"""What is between an adapter and a server in `world`: clocks, processes that die, lines that lose and delay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from adapter.errors import AdapterError, Unavailable, UnknownOutcome
from adapter.exchange.memory import MemoryFhirServer
from adapter.mapping.scope import own_identifier

Tree = dict[str, Any]
WRITES = frozenset({"transaction", "create", "update", "delete"})
FAULTS = ("lost request", "lost answer", "late", "down", "short", "mixed")
# Those that the exchange names, and before each request.
POINTS = ("leased", "in flight", "answered", "recorded", "page", "withdrawn", "writing", "reading")
GONE = "gone"


class Died(BaseException):
    """The process was killed: nothing after it runs, not even what cleans up."""


@dataclass
class Time:
    """What all clocks are set by; it goes on by a millisecond at every look."""

    at: datetime = datetime(2026, 3, 1, 12, tzinfo=UTC)


@dataclass
class Clock:
    """A clock that may be wrong by so many seconds; one that is held stands still."""

    time: Time
    off: float = 0.0
    held: datetime | None = None

    def now(self) -> datetime:
        if self.held is not None:
            return self.held
        self.time.at += timedelta(milliseconds=1)
        return self.time.at + timedelta(seconds=self.off)

    def monotonic(self) -> float:
        return self.time.at.timestamp()


@dataclass
class Site:
    """A FHIR server, and everything that people did to it."""

    name: str
    clock: Clock
    server: MemoryFhirServer
    backup: Any = None
    # The highest number that a version of each had before a backup came back: up to that they are given twice.
    numbers: dict[Any, int] = field(default_factory=dict)

    def here(self, type_: str, record_id: str) -> list[Tree]:
        """Every live resource that bears our identifier."""
        rows = [row.resource for page in self.server.search(type_, {}) for row in page]
        return [row for row in rows if own_identifier(row) == record_id]

    def now(self, type_: str, id_: str) -> Tree | None:
        """A resource as it is, None where it is not."""
        rows = self.server._held.get((type_, id_))
        return rows[-1].resource if rows else None

    def dead(self) -> dict[str, str]:
        """What was there and is deleted, as references name it."""
        return {"/".join(key): GONE for key, rows in self.server._held.items() if rows[-1].resource is None}

    def update(self, resource: Tree, *, since: datetime | None = None) -> bool:
        """A person writes there, in a transaction that began at a time: that is what it is stamped with. Says whether its
        number was another version's before a backup came back: whoever knows that one writes over it without a word.
        """
        self.clock.held = since
        new = self.server.update(resource)
        self.clock.held = None
        return int(new.version) <= self.numbers.get((resource["resourceType"], resource["id"]), 0)

    def save(self) -> None:
        """Takes a backup."""
        self.backup = {key: list(rows) for key, rows in self.server._held.items()}

    def restore(self) -> None:
        """Goes back to the backup."""
        for key, rows in self.server._held.items():
            self.numbers[key] = max(rows[-1].number, self.numbers.get(key, 0))
        self.server._held = {key: list(rows) for key, rows in self.backup.items()}

    def versions(self) -> list[Any]:
        """Every version of every resource."""
        return [row.resource for rows in self.server._held.values() for row in rows]


@dataclass
class Life:
    """Whether a process still runs, and where it is to die; or, instead, what happens elsewhere while it is there."""

    die_at: str = ""
    skip: int = 0
    meanwhile: Callable[[], object] | None = None
    dead: bool = False

    def point(self, here: str) -> None:
        """A named point of a run."""
        if here != self.die_at:
            return
        self.skip -= 1
        if self.skip >= 0:
            return
        if self.meanwhile is None:
            self.dead = True
            raise Died
        self.die_at = ""
        self.meanwhile()


class Mortal:
    """Something outside the process: the database, the server. The dead reach neither."""

    def __init__(self, inner: Any, life: Life, wire: Wire | None = None) -> None:
        self._inner, self._life, self._wire = inner, life, wire

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if not callable(found):
            return found
        asks = self._wire is not None and name != "capability"
        if self._wire is not None and asks:
            found = self._wire.bent(name, found)

        def call(*given: Any, **more: Any) -> Any:
            if self._life.dead:
                raise Died
            if asks:
                self._life.point("writing" if name in WRITES else "reading")
            return found(*given, **more)

        return call


@dataclass
class Wire:
    """The line between an adapter and a server; `faults` are the fates of the next calls."""

    site: Site
    faults: list[str] = field(default_factory=list)
    late: list[Callable[[], object]] = field(default_factory=list)
    sick: bool = False

    def bent(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call under whatever fault is due."""

        def made(*given: Any, **more: Any) -> Any:
            if self.sick:
                raise Unavailable("The server is away.")
            fault = self.faults.pop(0) if self.faults and name in WRITES else ""
            if fault == "down":
                raise Unavailable("The server is away.")
            if fault == "late":
                self.late.append(lambda: call(*given, **more))
            elif fault != "lost request":
                answer = call(*given, **more)
                if fault != "lost answer":
                    return _garbled(answer, fault) if name == "transaction" else answer
            raise UnknownOutcome("The request was sent, and no answer came.")

        return made

    def deliver(self) -> None:
        """What was on its way arrives, and may be refused."""
        late, self.late = self.late, []
        for call in late:
            try:
                call()
            except AdapterError:
                continue


def _garbled(answer: Tree, fault: str) -> Tree:
    """The answer to a Bundle, without its first entry or the other way round."""
    entries = answer["entry"]
    return {**answer, "entry": {"short": entries[1:], "mixed": entries[::-1]}.get(fault, entries)}


def as_there(tree: Any, names: dict[str, str], base: str) -> Any:
    """A tree of ours with references as that server has them, without those to what is not there."""
    if isinstance(tree, dict):
        literal = tree.get("reference")
        if isinstance(literal, str):
            return {**tree, "reference": names.get(literal, literal).removeprefix(f"{base}/")}
        found = {key: as_there(value, names, base) for key, value in tree.items()}
        return {key: value for key, value in found.items() if value not in ([], {})}
    if not isinstance(tree, list):
        return tree
    return [item for item in (as_there(item, names, base) for item in tree) if not _leads_nowhere(item)]


def _leads_nowhere(item: Any) -> bool:
    """Whether it is a reference to what is not there: by its literal, or by our identifier alone."""
    if not isinstance(item, dict):
        return False
    by_name = own_identifier(item) is not None and "reference" not in item and item.keys() <= {"type", "identifier"}
    return item.get("reference") == GONE or by_name


def references(tree: Any) -> list[tuple[str, str]]:
    """Every relative reference in a tree."""
    if isinstance(tree, dict):
        literal = tree.get("reference")
        own = [tuple(literal.split("/"))] if isinstance(literal, str) and literal.count("/") == 1 else []
        return own + [one for value in tree.values() for one in references(value)]  # type: ignore[return-value]
    return [one for value in tree for one in references(value)] if isinstance(tree, list) else []
