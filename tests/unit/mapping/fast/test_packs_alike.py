"""The generated functions of every pack give what its rules give: the same bytes, the same issues, the same failures.

What the rules give is found once; the functions are made anew in each test.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from adapter import mapping, packs
from adapter.fhir_json import copy
from adapter.services.testing.cases import FHIR_IN, RECORDS, cases
from tests.unit.mapping.fast.alike import Work, differing, generated, harmed, outcome, plain

Tree = dict[str, Any]
Works = dict[str, Work]
RELEASES = {"R4": "4.0.1", "R5": "5.0.0"}
PACKS = [(pack, release) for pack in packs.available() for release in RELEASES]


@cache
def records(pack: str, release: str) -> list[tuple[str, Tree]]:
    """Every record of a pack's examples, by the name of its example."""
    mapper, found = plain(pack, release), []
    for case in cases(packs.load(pack).examples):
        tree = case.read(RECORDS)
        found += [(case.name, mapper.own.named(row)) for row in (tree if type(tree) is list else [tree])]
    return found


@cache
def kinds(pack: str) -> list[str]:
    """The kinds of record that the examples of a pack have."""
    return sorted({record["kind"] for _, record in records(pack, "R4")})


KINDS = [(pack, kind) for pack in packs.available() for kind in kinds(pack)]


def back(tree: Any, version: str) -> Work:
    """Resources → records."""

    def work(mapper: mapping.Mapper) -> Any:
        done = mapper.from_fhir(tree, fhir=version)
        return done.records, done.issues

    return work


def out(rows: list[Tree], version: str) -> Work:
    """Records → a Bundle."""

    def work(mapper: mapping.Mapper) -> Any:
        done = mapper.to_fhir(rows, fhir=version)
        return done.tree, done.issues

    return work


def alone(record: Any) -> Work:
    """One record → its resources."""
    return lambda mapper: mapper.parts(record)


def read(kind: str, id_: str, parts: dict[str, Any]) -> Work:
    """The resources of one record → the record."""
    return lambda mapper: mapper.record(kind, parts, record_id=id_)


@cache
def whole(pack: str, release: str) -> Works:
    """The examples of a pack, out, back, and back with something foreign in every object."""
    works: Works = {}
    mapper, version = plain(pack, release), RELEASES[release]
    for name, record in records(pack, release):
        works[f"{name} {record['kind']} out"] = out([record], version)
        tree = mapper.to_fhir([record], fhir=version).tree
        works[f"{name} {record['kind']} back"] = back(tree, version)
        works[f"{name} {record['kind']} marked"] = back(marked(tree), version)
    for case in cases(packs.load(pack).examples):
        if case.foreign and release == "R4":
            works[f"{case.name} in"] = back(case.read(FHIR_IN), version)
    return works


def marked(tree: Any) -> Any:
    """A copy with an extension of somebody else, and a version, in every object that has no id of ours."""
    if type(tree) is list:
        return [marked(row) for row in tree]
    if type(tree) is not dict:
        return tree
    more: Tree = {} if "resourceType" in tree else {"extension": [*tree.get("extension", []), {"url": "x"}]}
    return {**{key: marked(value) for key, value in tree.items()}, **copy(more)}


@cache
def harmed_resources(pack: str, kind: str) -> Works:
    """The resources of the records of one kind, one value of one of them damaged."""
    works: Works = {}
    mapper, known = plain(pack, "R4"), set()
    for name, record in records(pack, "R4"):
        if record["kind"] == kind:
            parts, _ = mapper.parts(record)
            for key, resource in parts.items():
                type_ = resource["resourceType"]
                for place, tree in harmed({type_: resource}, known):
                    works[f"{name} {place}"] = read(kind, record["id"], {**parts, key: tree.get(type_)})
    return works


@cache
def harmed_records(pack: str, kind: str) -> Works:
    """The records of one kind, one value damaged."""
    known: set[tuple[str, ...]] = set()
    return {
        f"{name} {place}": alone(tree)
        for name, record in records(pack, "R4")
        if record["kind"] == kind
        for place, tree in harmed(record, known)
    }


@cache
def expected(works: Any, pack: str, release: str, *names: str) -> dict[str, Any]:
    """What the rules give."""
    mapper = plain(pack, release)
    return {name: outcome(lambda work=work: work(mapper)) for name, work in works(pack, *(names or (release,))).items()}


def hold(works: Any, pack: str, release: str, *names: str) -> None:
    """The functions give the same."""
    wanted, mapper = expected(works, pack, release, *names), plain(pack, release)
    rows = works(pack, *(names or (release,)))
    assert len(rows) > 0
    with generated(mapper):
        found = {name: outcome(lambda work=work: work(mapper)) for name, work in rows.items()}
    assert differing(wanted, found) == {}


@pytest.mark.parametrize(("pack", "release"), PACKS)
def test_the_examples(pack: str, release: str) -> None:
    hold(whole, pack, release)


@pytest.mark.parametrize(("pack", "kind"), KINDS)
def test_damaged_resources(pack: str, kind: str) -> None:
    hold(harmed_resources, pack, "R4", kind)


@pytest.mark.parametrize(("pack", "kind"), KINDS)
def test_damaged_records(pack: str, kind: str) -> None:
    hold(harmed_records, pack, "R4", kind)
