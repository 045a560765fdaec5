"""How fast: first push, first pull, beside other clients, with faults."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from adapter.exchange import HttpFhirServer
from adapter.sync.beginning import COUNT
from bench.peers.process import Peer
from bench.syncing import ours, raw
from bench.syncing.people import RESOURCES
from bench.syncing.servers import Hapi, Stub

TURNS = 2
TRIAL = 400
# What a peer can be asked to do, see bench/peers/clients.py; so many people it is asked to pull.
PUSHES = ("push alone", "push kept")
PULLS = ("pull alone", "pull kept", "pull trusting")
PULLED = 500
TYPES = ("Patient", "Condition", "Goal", "CarePlan")


@dataclass(frozen=True, slots=True)
class Found:
    """Resources a second, ours and raw; processor time in ms a resource; `whole` is the whole way from records."""

    ours: float
    raw: float
    cpu: float
    whole: float = 0.0


def best_way(hapi: Hapi, number: int) -> tuple[raw.Way, dict[raw.Way, float]]:
    """The quickest of the ways, each on an empty server; what came before only warms it up."""
    persons = raw.bundles(min(TRIAL, number))
    for way in (raw.WAYS[4], raw.WAYS[1]):
        raw.replay(hapi.base, way, persons)
        hapi.empty()
    figures = {}
    for way in raw.WAYS:
        figures[way] = raw.replay(hapi.base, way, persons)
        hapi.empty()
    return max(figures, key=lambda way: figures[way]), figures


def first_push(hapi: Hapi, folder: Path, full: Path, number: int, way: raw.Way) -> Found:
    """Ours and the raw replay in turn."""
    persons = raw.bundles(number)
    rates: dict[str, list[float]] = {"ours": [], "raw": [], "cpu": []}
    for _ in range(TURNS):
        rates["raw"].append(raw.replay(hapi.base, way, persons))
        hapi.empty()
        with ours.store(folder, hapi.base, full):
            spent = ours.apart(folder, "push")
        hapi.empty()
        rates["ours"].append(number * RESOURCES / spent.wall)
        rates["cpu"].append(1000 * spent.cpu / (number * RESOURCES))
    some = min(TRIAL, number)
    with ours.store(folder, hapi.base):
        whole = some * RESOURCES / ours.apart(folder, "push", taking_in=some).wall
    hapi.empty()
    return Found(median(rates["ours"]), median(rates["raw"]), median(rates["cpu"]), whole)


def first_pull(hapi: Hapi, folder: Path, number: int) -> Found:
    """Everything that is there, by pages, and into an empty store."""
    raw.replay(hapi.base, raw.WAYS[7], raw.bundles(number))
    expected = number * RESOURCES
    rates: dict[str, list[float]] = {"ours": [], "raw": [], "cpu": []}
    for _ in range(TURNS):
        read, seconds = raw.read(hapi.base, TYPES)
        _assert_all(read, expected)
        rates["raw"].append(read / seconds)
        spent = _pulled(folder, hapi.base, expected)
        rates["ours"].append(expected / spent.wall)
        rates["cpu"].append(1000 * spent.cpu / expected)
    hapi.empty()
    return Found(median(rates["ours"]), median(rates["raw"]), median(rates["cpu"]))


def _pulled(folder: Path, base: str, expected: int) -> ours.Spent:
    with ours.store(folder, base, patients="all") as services:
        spent = ours.apart(folder, "pull")
        _assert_all(services.store().counts(ours.NAME).get("linked", 0), expected)
    return spent


def _assert_all(found: int, expected: int) -> None:
    if found != expected:
        raise AssertionError(f"{found} of {expected} resources were read")


@dataclass(frozen=True, slots=True)
class Beside:
    """Resources a second: ours pushed, pulled, and read page by page and no more; and of each peer what it was asked to do."""

    pushed: float
    pulled: float
    read: float
    peers: Mapping[str, Mapping[str, float]]


def beside(stub: Stub, folder: Path, full: Path, number: int, peers: Mapping[str, Peer], delay: float) -> Beside:
    """Ours and each peer in turn, on the same stub. What peers pull was put there by transactions, as ours is."""
    own: dict[str, list[float]] = {"pushed": [], "pulled": [], "read": []}
    others: dict[str, dict[str, list[float]]] = {do: {name: [] for name in peers} for do in (*PUSHES, *PULLS)}
    few = raw.bundles(min(number, PULLED))
    for _ in range(TURNS):
        for do in PUSHES:
            for name, peer in peers.items():
                stub.set(empty=True, delay=delay)
                others[do][name].append(peer.meter(do)(0))
        stub.set(empty=True)
        raw.replay(stub.base, raw.WAYS[7], few)
        stub.set(delay=delay)
        for do in PULLS:
            for name, peer in peers.items():
                others[do][name].append(peer.meter(do)(0))
        stub.set(empty=True, delay=delay)
        with ours.store(folder, stub.base, full):
            own["pushed"].append(number * RESOURCES / ours.apart(folder, "push").wall)
        own["read"].append(_read(stub.base, number * RESOURCES))
        own["pulled"].append(number * RESOURCES / _pulled(folder, stub.base, number * RESOURCES).wall)
    medians = {do: {name: median(figures) for name, figures in found.items()} for do, found in others.items()}
    return Beside(**{name: median(figures) for name, figures in own.items()}, peers=medians)


def _read(base: str, expected: int) -> float:
    started = time.perf_counter()
    with HttpFhirServer(base) as client:
        _assert_all(sum(len(page) for type_ in TYPES for page in client.search(type_, {"_count": COUNT})), expected)
    return expected / (time.perf_counter() - started)


def with_faults(stub: Stub, folder: Path, full: Path, number: int) -> tuple[float, float]:
    """Resources a second without faults, and with one request in twenty failing, until everything is there."""
    found = []
    for faults in (0.0, 0.05):
        rates = []
        for _ in range(TURNS):
            stub.set(empty=True, faults=faults)
            with ours.store(folder, stub.base, full):
                rates.append(number * RESOURCES / ours.apart(folder, "push").wall)
        found.append(median(rates))
    return found[0], found[1]
