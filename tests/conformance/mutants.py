"""Which mutants there are: every operator on resources of every type, chosen by a seed, the same on every machine."""

from __future__ import annotations

import copy
import hashlib
import json
import random
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from adapter import fhir_json
from tests.conformance.mutations import SUITES, Tree
from tests.conformance.mutations.bundles import KINDS, bundle
from tests.conformance.mutations.forms import form, response

LARGEST = 20_000
SHARED = Path(__file__).resolve().parents[3] / "shared"
CORPUS = SHARED / "corpus"
US_CORE = SHARED / "packages" / "hl7.fhir.us.core-6.1.0.tgz"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`name` is suite|base|operator|number: enough to make it again."""

    name: str
    tree: Tree

    @property
    def suite(self) -> str:
        """Which kind of base and of validator it is for."""
        return self.name.partition("|")[0]

    @property
    def mark(self) -> str:
        """A short hash of its JSON: a recorded verdict is for these bytes."""
        return hashlib.sha256(fhir_json.dumps(self.tree)).hexdigest()[:6]


@cache
def bases(suite: str) -> dict[str, dict[str, Any]]:
    """The resources that are mutated: by type, then by name. Trees are shared: copy before a change."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    rows = {"base": _corpus, "responses": _responses, "bundles": _bundles, "us-core": _us_core}[suite]()
    for name, tree in rows:
        found[tree["resourceType"]][name] = tree
    return dict(found)


def _corpus() -> Iterator[tuple[str, Tree]]:
    for line in (CORPUS / "index.ndjson").read_text("utf-8").splitlines():
        row = json.loads(line)
        path = CORPUS / row["file"]
        if row["file"].startswith("valid/") and row["fhirVersion"].startswith("4.0") and path.stat().st_size < LARGEST:
            yield row["file"].removeprefix("valid/"), _unprofiled(fhir_json.loads(path.read_bytes()))
    for name, tree in _us_core():
        if tree["resourceType"] not in ("Patient", "Condition", "Bundle"):
            yield name, _unprofiled(copy.deepcopy(tree))


def _unprofiled(tree: Tree) -> Tree:
    if isinstance(tree.get("meta"), dict):
        tree["meta"].pop("profile", None)
        if not tree["meta"]:
            del tree["meta"]
    return tree


def _responses() -> Iterator[tuple[str, Tree]]:
    yield "response", response()


def _bundles() -> Iterator[tuple[str, Tree]]:
    for kind in KINDS:
        yield kind, bundle(kind)


def _us_core() -> Iterator[tuple[str, Tree]]:
    with tarfile.open(US_CORE) as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.startswith("package/example/") else None
            if file is not None and not member.name.endswith(".index.json") and member.size < LARGEST:
                yield member.name.removeprefix("package/example/"), fhir_json.loads(file.read())


def make(name: str) -> Mutant | None:
    """The mutant of a name; None where the operator does not fit or changes nothing."""
    suite, base, operator, _number = name.split("|")
    tree = next(rows[base] for rows in bases(suite).values() if base in rows)
    changed = copy.deepcopy(tree)
    if not SUITES[suite][operator](changed, random.Random(name)) or changed == tree:
        return None
    return Mutant(name, changed)


def mutants(each: dict[str, int], seed: str = "") -> Iterator[Mutant]:
    """For every operator of a suite `each[suite]` mutants, over bases of all types in turn."""
    for suite, count in each.items():
        types = bases(suite)
        for operator in SUITES[suite]:
            chance = random.Random(f"{suite}|{operator}|{seed}")
            order = sorted(types)
            chance.shuffle(order)
            made, tried = 0, 0
            while made < count and tried < count * len(order) * 2 + 20:
                base = chance.choice(sorted(types[order[tried % len(order)]]))
                mutant = make(f"{suite}|{base}|{operator}|{seed}{tried}")
                tried += 1
                if mutant is not None:
                    made += 1
                    yield mutant


__all__ = ["CORPUS", "SHARED", "US_CORE", "Mutant", "bases", "form", "make", "mutants"]
