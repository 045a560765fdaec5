"""A store with one case in it, a server in memory, and the exchange between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from adapter import fhir_json
from adapter.bootstrap.gate import asking, recipient_of
from adapter.exchange.memory import MemoryFhirServer
from adapter.issues import Issue
from adapter.mapping import load
from adapter.ports import Link, Options, Server
from adapter.privacy import let_out
from adapter.records import check
from adapter.services.conflicts import Desk
from adapter.store import Store, open_store
from adapter.store.applying import apply
from adapter.sync.partner import Partner, Report
from adapter.sync.pull import pull
from adapter.sync.receive import Plan
from adapter.sync.run import push

CASE = Path(__file__).resolve().parents[3] / "fixtures" / "dual-diagnosis" / "records.json"
NAME = "partner"


class Ticking:
    """A clock that goes on by a millisecond at every look."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        self.at += timedelta(milliseconds=1)
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@dataclass
class Scene:
    store: Store
    client: MemoryFhirServer
    clock: Ticking
    gated: list[dict[str, Any]] = field(default_factory=list)
    faults: dict[str, str] = field(default_factory=dict)

    def partner(self) -> Partner:
        server = self.store.server(NAME)
        return Partner(server, self.client, self.store, load("core"), self.clock, self.validate, check, self.carry_out)

    def carry_out(self, plan: Plan, links: Sequence[Link]) -> None:
        writes = [(one.record, one.parts) for one in plan.writes]
        apply(self.store, self.clock.now(), writes, plan.deletes, plan.expect, links)

    def validate(self, tree: Any) -> list[Issue]:
        faulty = tree["resourceType"] in self.faults
        return [Issue("error", "invalid", "made-up", "Not valid.", expression=tree["resourceType"])] if faulty else []

    def push(self, **options: Any) -> Report:
        return push(self.partner(), **options)

    def pull(self) -> Report:
        return pull(self.partner())

    def sync(self) -> Report:
        return self.pull().join(self.push())

    def set(self, **options: Any) -> None:
        server = self.store.server(NAME)
        self.store.set_server(replace(server, options=replace(server.options, **options)))

    def desk(self) -> Desk:
        return Desk(self.store, load("core"), check, self.carry_out, self.validate)

    def links(self, *types: str) -> list[Link]:
        return [link for link in self.store.links(NAME) if not types or link.type in types]

    def goal(self, index: int = 0) -> dict[str, Any]:
        return self.remote("Goal", self.plan()["goals"][index]["id"])

    def edit_there(self, type_: str = "Goal", **values: Any) -> None:
        tree = self.goal() if type_ == "Goal" else self.remote(type_)
        self.client.update({**tree, **values})

    def edit_goal(self, **values: Any) -> None:
        record = fhir_json.copy(self.plan())
        record["goals"][0].update(values)
        self.write(record)

    def plan(self) -> dict[str, Any]:
        return next(self.store.records("plan"))

    def write(self, record: dict[str, Any]) -> None:
        onto = {part: row.tree for part, row in self.store.parts(record["kind"], record["id"]).items()}
        parts, _ = load("core").parts(record, onto)
        self.store.save(record, parts)

    def remote(self, type_: str, text: str = "") -> dict[str, Any]:
        rows = [row.resource for page in self.client.search(type_, {}) for row in page]
        return next(row for row in rows if text in fhir_json.pretty(row))


def scene(tmp_path: Path, *, options: Options | None = None, patients: Sequence[str] = (), **how: Any) -> Scene:
    clock = Ticking()
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}", clock=clock)
    made = Scene(store, None, clock)  # type: ignore[arg-type]

    def gate(tree: dict[str, Any]) -> dict[str, Any]:
        made.gated.append(tree)
        recipient = recipient_of(store.server(NAME))
        return let_out(tree, recipient, asking(store, recipient, server=NAME, clock=clock))

    made.client = MemoryFhirServer(clock=clock, gate=gate, **how)
    store.add_server(Server(NAME, made.client.base, "own", options=options or Options()), patients)
    for record in fhir_json.loads(CASE.read_bytes()):
        made.write(record)
    return made
