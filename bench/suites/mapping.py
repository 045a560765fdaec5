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
    "The ids of resources are given to the peers, most of which have no UUIDv5; they check no value.",
    (
        "@medplum/core (4.5.2, which runs on Node 20; 5 does not) runs maps in the FHIR mapping language. "
        "Its way back takes the parts of a plan in the order of the entries: its conditions see one variable only, and the map does not follow "
        "the CarePlan's references. It builds lists only where a definition says so, and is given those of the elements that the maps build."
    ),
    (
        "MaLaC-HD compiles maps in the FHIR mapping language to Python between classes, and has been given classes for our record. "
        "What it is measured by is the job of the others: its mapping together with its own way to or from FHIR's JSON. Without that "
        "way, between objects that nobody outside its process can read, it is held against our whole way in rows of their own."
    ),
    (
        "python-fhir-converter fills Liquid templates, which is text, and reads that as JSON again. Its templates have no tables: "
        "codes are cases, references are looked for among all entries."
    ),
    (
        "Not measured: matchbox-engine: the Maven repository that was asked has none of 3.9.0 and 4.0.0 of ch.ahdis.matchbox, 4.0.13 and "
        "4.0.15 of health.matchbox. Its FHIR mapping language is the one that @medplum/core and MaLaC-HD run here."
    ),
)
_notes: list[str] = []
DECLARATIVE, BY_HAND, TRUSTING = Bar(3.0, 4.0), Bar(0.5, 0.7), Bar(0.15, 0.3)
BARE = Bar(1.0, 3.0)
MALAC = "MaLaC-HD"
_BARE = f"{MALAC}, no JSON"


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
            "python-fhir-converter": process.python("liquid_peer", place),
            MALAC: process.python("malac_peer", place),
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
        if MALAC in right:
            meters[_BARE] = right[MALAC].meter(f"{direction}-bare")
        found = rates({"ours": work, "by hand": hand[direction], "trusting": trusting[direction]}, meters)
        per = job.resources()
        own, by, fast = (found.pop(name) * per for name in ("ours", "by hand", "trusting"))
        bare = {name: found.pop(name) * per for name in (_BARE,) if name in found}
        if found:
            declarative = {name: rate * per for name, rate in found.items()}
            yield rated("mapping", f"plan {direction}, declarative peers", own, declarative, DECLARATIVE)
        if bare:
            yield rated("mapping", f"plan {direction}, objects alone", own, bare, BARE)
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
