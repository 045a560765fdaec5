"""The exchange with FHIR servers, held against raw replays of ready-made requests into the same server, and against two clients
that send one by one, by themselves and with what an integrator writes around them.

A person is a patient, two diagnoses and a plan with one goal: four records, five resources. Records were mapped and validated
before the clock starts, where nothing else is said; every server is emptied between two measurements. Rates are by the
clock, and what is held against each other was measured in turn in the same run; a client's cost is its processor time.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.frame import Bar, Row, cost, rated
from bench.syncing import idle, ours, raw, servers, speed, workers
from bench.syncing.clients import clients
from bench.syncing.people import RECORDS, RESOURCES

PEOPLE = int(os.environ.get("BENCH_PEOPLE", "2500"))
_NOTED = Bar(0.0, 0.0, "resources/s")
_notes: list[str] = []
_JOBS = (
    (
        "Peers that send alone: each resource by a request of its own, as both clients do, without a condition; nothing is checked "
        "or kept. Those that check and keep: each resource is checked as it is sent (fhir.resources beside fhirpy; fhirclient's own "
        "models), sent under If-None-Exist with its references as the server has them, and its id and version are in SQLite "
        "before the next goes. Ours checks each by all tiers but profiles, sends under the same conditions, and keeps the same. In all, "
        "the records were mapped before the clock starts. Neither client has a call that makes a transaction of many resources."
    ),
    (
        "Peers that only parse what they pull keep nothing. Those that check and keep (bench/peers/keeping.py) check each "
        "resource as above, look for what is here already by every identifier, turn each into its record by hand (bench/peers/"
        "people_back.py), and keep in SQLite, a page in a transaction, WAL as ours: records and their revisions, whom they are "
        "about, identifiers, ids, versions, and of every version the tree. So a second pull asks for what changed since, knows what "
        "it has seen, sets aside what was changed here too, and an earlier state can be brought back. Those that keep unchecked "
        "trust what they read. Ours reads by the maps, keeps what no rule owns, checks the record that comes of it (the resource by "
        "its shape alone, as far as the maps read it), and keeps besides every search parameter of the FHIR face (fifteen rows a "
        "resource), the leases, and what restores from a backup are told by. Numbers it keeps digit by digit, as neither client does."
    ),
)


def run() -> Iterator[Row]:
    """On a real HAPI, on a stub, and what an idle exchange costs."""
    _notes[:] = [f"{PEOPLE} people: {PEOPLE * RECORDS} records, {PEOPLE * RESOURCES} resources."]
    with tempfile.TemporaryDirectory(prefix="careplan-bench-") as name:
        folder = Path(name)
        full = ours.filled(folder, PEOPLE)
        yield from _hapi(folder, full)
        yield from _stub(folder, full)
        yield from _idle(folder)
        yield from _workers(folder)


def notes() -> list[str]:
    """Sizes, what is missing, and what the rows cannot say."""
    return _notes


def _hapi(folder: Path, full: Path) -> Iterator[Row]:
    from tests.hapi.launch import CannotLaunch

    try:
        with servers.hapi() as hapi:
            yield from _first_push(hapi, folder, full)
            yield from _first_pull(hapi, folder)
            yield from _edit(hapi, folder)
    except CannotLaunch as error:
        _notes.append(f"HAPI: missing, {error}")


def _first_push(hapi: servers.Hapi, folder: Path, full: Path) -> Iterator[Row]:
    best, figures = speed.best_way(hapi, PEOPLE)
    _notes.append(
        "Raw replays into HAPI: " + "; ".join(f"{way} {figure:,.0f}/s" for way, figure in figures.items()) + "."
    )
    found = speed.first_push(hapi, folder, full, PEOPLE, best)
    peers = {f"raw: {best}": found.raw}
    yield rated("sync", "first push to HAPI", found.ours, peers, Bar(0.75, 0.9))
    yield rated("sync", "the same, the whole way from records", found.whole, peers, _NOTED)
    yield cost(
        "sync", "client's processor time, first push to HAPI", found.cpu, {"allowed": 0.5}, Bar(unit="ms/resource")
    )


def _first_pull(hapi: servers.Hapi, folder: Path) -> Iterator[Row]:
    found = speed.first_pull(hapi, folder, PEOPLE)
    yield rated("sync", "first pull from HAPI", found.ours, {"raw: pages of 200": found.raw}, Bar(0.5, 0.8))
    yield cost("sync", "client's processor time, first pull", found.cpu, {"noted": found.cpu}, Bar(0, 0, "ms/resource"))


def _edit(hapi: servers.Hapi, folder: Path) -> Iterator[Row]:
    found = idle.edit_to_commit(hapi, folder)
    yield cost(
        "sync",
        "edit to commit on HAPI, 95th percentile",
        found.ours,
        {"twice one request": 2 * found.request},
        Bar(unit="ms"),
    )


def _stub(folder: Path, full: Path) -> Iterator[Row]:
    missing: dict[str, str] = {}
    for delay in (0.002, 0.0):
        with servers.stub() as stub, clients(stub.base, folder, raw.bundles(min(PEOPLE, 100)), missing) as peers:
            found = speed.beside(stub, folder, full, PEOPLE, peers, delay)
        told = f"a stub that takes {delay * 1000:.0f} ms"
        if peers:
            yield from _beside(found, told)
    _notes.extend(f"{name}: missing, {why}" for name, why in missing.items())
    _notes.extend(_JOBS)
    with servers.stub() as stub:
        calm, faulty = speed.with_faults(stub, folder, full, PEOPLE)
    yield rated("sync", "first push with 5 % of requests failing", faulty, {"none failing": calm}, Bar(0.6, 0.6))


def _beside(found: speed.Beside, told: str) -> Iterator[Row]:
    """What is the same job has a limit; what is less is shown beside it."""
    bar, peers = Bar(3.0, 3.0), found.peers
    yield rated("sync", f"first push to {told}", found.pushed, peers["push alone"], bar)
    yield rated("sync", f"first push to {told}, peers that check and keep", found.pushed, peers["push kept"], bar)
    yield rated("sync", f"first pull from {told}, peers that check and keep", found.pulled, peers["pull kept"], bar)
    yield rated(
        "sync", f"first pull from {told}, peers that keep unchecked", found.pulled, peers["pull trusting"], _NOTED
    )
    yield rated("sync", f"first pull from {told}, peers that only parse", found.pulled, peers["pull alone"], _NOTED)
    yield rated("sync", f"reading alone from {told}", found.read, peers["pull alone"], _NOTED)


def _idle(folder: Path) -> Iterator[Row]:
    with servers.stub() as stub:
        found = idle.cycles(stub, folder, PEOPLE)
    yield cost("sync", f"requests of an idle cycle, {found.links} links", found.requests, {"allowed": found.allowed}, Bar(unit="requests"))  # fmt: skip
    yield cost("sync", "writes of an idle cycle", found.writes, {"allowed": 0.0}, Bar(0, 0, "writes"))
    yield cost("sync", "a changed resource in a cycle of 1000, processor time", found.thousand, {"in one of 100": found.hundred}, Bar(0.67, 1, "ms"))  # fmt: skip
    grown = idle.memory(folder)
    yield cost("sync", "memory of 1,000,000 links above that of 10,000", grown, {"allowed": 64.0}, Bar(unit="MiB"))


def _workers(folder: Path) -> Iterator[Row]:
    try:
        one, two = workers.one_and_two(folder)
    except workers.Missing as error:
        _notes.append(f"workers: missing, {error}")
        return
    yield rated("sync", "two workers, 50 ms a request", two, {"one worker": one}, Bar(1.7, 1.7))
