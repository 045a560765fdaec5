"""One job, out and back: a plan with its goals, team and activities as a Bundle of eight resources, and its record again.

The mapping files are those of `bench/pack`: core's, without what only core writes (narrative, profiles), so that the job
is the same for all. By hand is the same job in plain Python, twice. The careful one gives what ours gives: the same Bundle,
record, remainder and issues, whatever the input holds (tests/unit/test_by_hand.py). The other trusts its input: it checks
no value, keeps nothing that is foreign and fails on a resource of another shape. Every peer's output is compared with ours,
and counts only where it is the same.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from adapter.fhir_json import dumps, same
from bench import job
from bench.frame import Bar, Row, Work, rated, rates
from bench.peers import by_hand, by_hand_back, careful, careful_back, process

_LIMITS = (
    "The ids of resources are given to @medplum/core, JSONata and glom, which have no UUIDv5; they check no value.",
    (
        "@medplum/core (4.5.2, which runs on Node 20; 5 does not) runs maps in the FHIR mapping language. "
        "Its way back takes the parts of a plan in the order of the entries: its conditions see one variable only, and the map does not follow "
        "the CarePlan's references. It builds lists only where a definition says so, and is given those of the elements that the maps build."
    ),
    (
        "Not measured: MaLaC-HD, the fastest declarative peer in an earlier and smaller job (goals alone), so that the ratios "
        "above do not speak for it: it compiles maps between classes that are registered with it, those of FHIR and CDA, and "
        "classes for our record have not been written; "
        "python-fhir-converter, for which this job has not been written; "
        "matchbox-engine, which was not found in the Maven repository that was asked."
    ),
)
_notes: list[str] = []
DECLARATIVE, BY_HAND, TRUSTING = Bar(3.0, 4.0), Bar(0.5, 0.7), Bar(0.15, 0.3)


def run() -> Iterator[Row]:
    """Both directions against the declarative peers, then against Python by hand."""
    missing: dict[str, str] = {}
    _notes[:] = []
    process.install(missing)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        place = Path(folder) / "job.json"
        place.write_text(json.dumps({"plan": job.given(), "bundle": json.loads(dumps(job.bundle()))}), "utf-8")
        commands = {
            "@medplum/core": process.node("medplum", place),
            "JSONata": process.node("jsonata", place),
            "jsonata-python": process.python("jsonata_py", place),
            "glom": process.python("glom_peer", place),
        }
        peers = {
            name: stack.enter_context(process.running(name, command, missing)) for name, command in commands.items()
        }
        yield from _rows({name: peer for name, peer in peers.items() if peer is not None})
    _notes.extend(f"{name}: missing, {why}" for name, why in missing.items())
    _notes.extend(_LIMITS)


def notes() -> list[str]:
    """What is missing, and what peers cannot do."""
    return _notes


def _rows(peers: dict[str, process.Peer]) -> Iterator[Row]:
    bundle, plan, mapper = job.bundle(), job.plan(), job.mapper()
    ours: dict[str, Work] = {"out": lambda: mapper.to_fhir([plan]), "back": lambda: mapper.from_fhir(bundle)}
    hand: dict[str, Work] = {"out": lambda: careful.to_fhir(plan), "back": lambda: careful_back.from_fhir(bundle)}
    trusting: dict[str, Work] = {"out": lambda: by_hand.to_fhir(plan), "back": lambda: by_hand_back.from_fhir(bundle)}
    read = mapper.from_fhir(bundle)
    _assert_same(dumps(careful.to_fhir(plan)), dumps((bundle, [])))
    _assert_same(dumps(careful_back.from_fhir(bundle)), dumps((read.records, read.remainder, read.issues)))
    _assert_same(trusting["out"](), bundle)
    _assert_same(trusting["back"](), plan)
    _assert_same(read.records, [plan])
    for direction, work in ours.items():
        right = {name: peer for name, peer in peers.items() if _is_right(name, peer, direction)}
        meters = {name: peer.meter(direction) for name, peer in right.items()}
        found = rates({"ours": work, "by hand": hand[direction], "trusting": trusting[direction]}, meters)
        per = job.resources()
        own, by, fast = (found.pop(name) * per for name in ("ours", "by hand", "trusting"))
        if found:
            declarative = {name: rate * per for name, rate in found.items()}
            yield rated("mapping", f"plan {direction}, declarative peers", own, declarative, DECLARATIVE)
        yield rated("mapping", f"plan {direction}, by hand", own, {"Python by hand": by}, BY_HAND)
        name = f"plan {direction}, by hand and trusting its input"
        yield rated("mapping", name, own, {"Python by hand, no checks": fast}, TRUSTING)


def _assert_same(found: Any, expected: Any) -> None:
    if not same(found, expected):
        raise AssertionError("what is measured is not the same job")


def _is_right(name: str, peer: process.Peer, direction: str) -> bool:
    right = job.is_right(peer.made["out"], peer.made["back"])[0 if direction == "out" else 1]
    if not right:
        _notes.append(f"{name}: its output {direction} is not the same, and is not counted.")
    return right
