"""A small world for whole histories: two adapters, two servers, lines between them that lose and delay, processes that die.

Everything is in this process and in memory, so that a history of a dozen steps takes a moment. The parts are the real
ones: store, maps, plan, merge, rounds. Only the wire and the clocks are ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any, Literal
from unittest.mock import patch
from uuid import UUID

from adapter.exchange.memory import MemoryFhirServer
from adapter.mapping import load
from adapter.ports import Capability, Link, Options, Server, Take
from adapter.records import check
from adapter.services.conflicts import Desk
from adapter.services.exchange import How, Ran, exchange
from adapter.services.servers import resume
from adapter.store import Store, open_store
from adapter.store.applying import apply
from adapter.sync import placing, pull
from adapter.sync.brake import reconcile
from adapter.sync.partner import Partner
from adapter.sync.receive import Plan
from tests.sync.wire import Clock, Died, Life, Mortal, Site, Time, Wire

Tree = dict[str, Any]
Removal = Literal["withdraw", "delete"]
LEASE = 300
TYPES = frozenset({"Patient", "Condition", "CarePlan", "Goal"})
SERVERS = {"west": ("north", "south"), "east": ("north",)}


def name_of(number: int) -> str:
    """A UUID for a number."""
    return str(UUID(int=(0xFEED << 112) + (4 << 76) + (8 << 60) + number))


PATIENT, DIAGNOSIS, PLAN, *GOALS, LATER = (name_of(number) for number in range(1, 7))


def goal(id_: str, text: str) -> Tree:
    """A goal of the plan."""
    return {"id": id_, "lifecycle": "active", "statement": {"text": text}}


def records() -> list[Tree]:
    """A patient, a diagnosis, a plan with two goals; one more, `LATER`, may come."""
    goals = [goal(id_, "as it began") for id_ in GOALS]
    plan = {
        "kind": "plan",
        "id": PLAN,
        "status": "active",
        "intent": "plan",
        "patient": PATIENT,
        "title": "as it began",
    }
    return [
        {"kind": "patient", "id": PATIENT, "gender": "other", "birth_date": "1984-03-02"},
        {"kind": "diagnosis", "id": DIAGNOSIS, "patient": PATIENT, "course": "active",
         "disorder": {"text": "Alcohol dependence"}},
        {**plan, "problems": [{"id": DIAGNOSIS}], "goals": goals},
    ]  # fmt: skip


@dataclass
class Adapter:
    """An adapter with a store of its own, and a line to each of its servers."""

    name: str
    clock: Clock
    store: Store
    wires: dict[str, Wire]

    def run(self, server: str, how: How, life: Life | None = None) -> Ran | None:
        """One run of the exchange; None where the process died in it."""
        life = life or Life()
        try:
            return exchange(self._partner(server, life), how)
        except Died:
            return None

    def _partner(self, name: str, life: Life) -> Partner:
        wire = self.wires[name]

        def carry_out(plan: Plan, links: Sequence[Link]) -> None:
            if life.dead:
                raise Died
            self.carry_out(plan, links)

        return Partner(
            self.store.server(name), Mortal(wire.site.server, life, wire), Mortal(self.store, life), load("core"),  # type: ignore[arg-type]
            self.clock, lambda _: [], check, carry_out, lease=LEASE, point=life.point,
        )  # fmt: skip

    def carry_out(self, plan: Plan, links: Sequence[Link] = ()) -> None:
        """Writes what came in."""
        writes = [(one.record, one.parts) for one in plan.writes]
        apply(self.store, self.clock.now(), writes, plan.deletes, plan.expect, links)

    def resume(self, server: str, *, send: bool) -> None:
        """A person looked, and goes on."""
        resume(self.store, server)
        reconcile(self._partner(server, Life()), send=send)

    @property
    def desk(self) -> Desk:
        """Where a person decides."""
        return Desk(self.store, load("core"), check, self.carry_out, lambda _: [])

    def record(self, kind: str, id_: str) -> Tree | None:
        """A record that is there."""
        return next((one for one in self.store.records(kind) if one["id"] == id_), None)

    def write(self, record: Tree) -> None:
        """A person's edit."""
        present = self.store.parts(record["kind"], record["id"])
        parts, _ = load("core").parts(record, {part: row.tree for part, row in present.items()})
        self.store.save(record, parts)

    def delete(self, kind: str, id_: str) -> None:
        """A person deletes a record, as it now stands."""
        expect = {(row.type, row.id): str(row.version) for row in self.store.parts(kind, id_).values()}
        self.store.delete(kind, id_, expect=expect)

    def links(self) -> Iterator[Link]:
        """Every link to every server."""
        for server in self.wires:
            yield from self.store.links(server)


class _Compiled(dict[Any, Any]):
    """Statements that were once put together for one store, for all: SQLAlchemy's key begins with the store's own dialect."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(key[1:], default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(key[1:], value)


COMPILED = _Compiled()


class Small(MemoryFhirServer):
    """A server of the few types that the records need: a look at it takes as few steps."""

    def capability(self) -> Capability:
        return replace(super().capability(), types=TYPES)


class World:
    """The adapter `west` has the records and exchanges with both servers, `east` with one; `policy` says who wins between
    `west` and `south`, `removal` how `west` tells the servers of a deletion, `few` below how many new resources each is
    looked for. `folder` is made and removed.
    """

    def __init__(
        self, *, synced: bool, policy: Take = "ask", removal: Removal = "withdraw", few: int = placing._FEW
    ) -> None:
        # Pages one after the other: so a history is the same each time.
        self._patches = [patch.object(placing, "_FEW", few), patch.object(pull, "ahead", iter)]
        for one in self._patches:
            one.start()
        self.folder = Path(mkdtemp(prefix="careplan-world-"))
        self.time = Time()
        west, east, held = _synced() if synced else (*_databases(), {})
        if synced:
            self.later(86_400.0)
        self.sites = {name: self._site(name, held.get(name, {})) for name in SERVERS["west"]}
        self.adapters = {name: self._adapter(name, data) for name, data in (("west", west), ("east", east))}

        self._set("south", policies={"*": policy})
        for name in SERVERS["west"]:
            self._set(name, removal=removal)

    def _set(self, name: str, **options: Any) -> None:
        store = self.adapters["west"].store
        server = store.server(name)
        store.set_server(replace(server, options=replace(server.options, **options)))

    def _site(self, name: str, held: Mapping[Any, Any]) -> Site:
        clock = Clock(self.time)
        made = Site(name, clock, Small(f"http://localhost/{name}", clock=clock, own_ids=name == "north"))
        made.server._held = {key: list(rows) for key, rows in held.items()}
        made.save()
        return made

    def _adapter(self, name: str, data: bytes) -> Adapter:
        path = self.folder / f"{name}.db"
        path.write_bytes(data)
        clock = Clock(self.time)
        store = open_store(f"sqlite:///{path}", clock=clock, migrate=False)
        store.engine = store.engine.execution_options(compiled_cache=COMPILED)
        return Adapter(name, clock, store, {server: Wire(self.sites[server]) for server in SERVERS[name]})

    @property
    def pairs(self) -> list[tuple[Adapter, str]]:
        """Every adapter with each of its servers."""
        return [(one, server) for one in self.adapters.values() for server in one.wires]

    def later(self, seconds: float) -> None:
        """Time goes on for all."""
        self.time.at += timedelta(seconds=seconds)

    def close(self) -> None:
        """Nothing is left."""
        for one in self.adapters.values():
            one.store.close()
        rmtree(self.folder)
        for one in self._patches:
            one.stop()


@lru_cache(maxsize=1)
def _databases() -> tuple[bytes, bytes]:
    """The database of `west`, with the records, and of `east`, with none."""
    folder = Path(mkdtemp(prefix="careplan-world-"))
    for name, servers in SERVERS.items():
        store = open_store(f"sqlite:///{folder / name}")
        for server in servers:
            store.add_server(Server(server, f"http://localhost/{server}", "own", options=Options(patients="all")))
        for record in records() if name == "west" else []:
            store.save(record, load("core").parts(record)[0])
        store.close()
    west, east = ((folder / name).read_bytes() for name in SERVERS)
    rmtree(folder)
    return west, east


@lru_cache(maxsize=1)
def _synced() -> tuple[bytes, bytes, Mapping[str, Any]]:
    """The same after everything has arrived everywhere, and what the servers then hold."""
    world = World(synced=False)
    for _ in range(2):
        for one, server in world.pairs:
            one.run(server, "both")
    for one in world.adapters.values():
        one.store.close()
    west, east = ((world.folder / f"{name}.db").read_bytes() for name in SERVERS)
    held = {name: site.server._held for name, site in world.sites.items()}
    world.close()
    return west, east, held
