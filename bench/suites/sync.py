"""The exchange with FHIR servers, held against raw replays of ready-made requests into the same server, and against two clients
that send one by one.

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
            pushed, pulled, read = speed.beside(stub, folder, full, PEOPLE, peers, delay)
        told = f"a stub that takes {delay * 1000:.0f} ms"
        if peers:
            yield rated("sync", f"first push to {told}", pushed.pop(""), pushed, Bar(3.0, 3.0))
            yield rated("sync", f"first pull from {told}", pulled.pop(""), pulled, Bar(3.0, 3.0))
            yield rated("sync", f"reading alone from {told}", read.pop(""), read, _NOTED)
    _notes.extend(f"{name}: missing, {why}" for name, why in missing.items())
    _notes.append(
        "fhirpy and fhirclient send without a condition, and what they read they only parse: nothing is mapped, checked or kept. "
        "A first pull does all that, and ends with records, their histories, an index and links on the disk, so beside them it "
        "is another job; what compares is reading alone."
    )
    with servers.stub() as stub:
        calm, faulty = speed.with_faults(stub, folder, full, PEOPLE)
    yield rated("sync", "first push with 5 % of requests failing", faulty, {"none failing": calm}, Bar(0.6, 0.6))


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
