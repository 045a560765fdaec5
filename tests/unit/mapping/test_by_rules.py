"""What the rules themselves do, without the functions that are generated from them: the examples of every pack out and
back in each release, and the laws on each field of them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from adapter import mapping, packs
from adapter.fhir_json import copy, same
from adapter.records import ENVELOPE
from adapter.services.knowledge import Knowledge
from adapter.services.testing.cases import FHIR, FHIR_IN, RECORDS, Case, cases
from adapter.services.testing.laws import Laws

Tree = dict[str, Any]
MARK = {"url": "https://other.example.test/mark", "valueString": "stays"}
RELEASES = {"R4": "4.0.1", "R5": "5.0.0"}
# Of core's examples those that have most between them, and of these the two whose fields are edited one by one.
CORE = {"dual-diagnosis", "nested-form", "relapse-after-remission", "plan-revision", "stimulant-adhd"}
EDITED = {"dual-diagnosis", "nested-form"}


def known(pack: str, release: str, *, fresh: bool = False) -> Knowledge:
    """The pack with its rule objects alone."""
    found = Knowledge.of(pack, RELEASES[release], fresh=fresh)
    for map_ in found.mapper.maps.values():
        map_.generate = map_.fast = None
    return found


@cache
def kept(pack: str, release: str) -> Knowledge:
    """The same, compiled once, apart from what others have loaded."""
    mapping.forget()
    found = known(pack, release)
    mapping.forget()
    return found


def examples(pack: str) -> list[Case]:
    """The examples of a pack that are looked at."""
    return [case for case in cases(packs.load(pack).examples) if pack != "core" or case.name in CORE]


CASES = [(pack, release, case) for pack in packs.available() for release in RELEASES for case in examples(pack)]
EDITS = [(pack, case) for pack, release, case in CASES if release == "R5" and (pack != "core" or case.name in EDITED)]
each_case = pytest.mark.parametrize(
    ("pack", "release", "case"), CASES, ids=[f"{pack}-{release}-{case.name}" for pack, release, case in CASES]
)


def named(found: Knowledge, records: Any) -> list[Tree]:
    """The records of an example, as the engine names them, without what is the store's."""
    rows = [found.mapper.own.named(record) for record in (records if isinstance(records, list) else [records])]
    return [{key: value for key, value in row.items() if key not in ENVELOPE} for row in rows]


def there_and_back(found: Knowledge, case: Case) -> None:
    """An example as its files say it, and again with what is foreign in every object."""
    version = RELEASES[found.release]
    if case.foreign:
        if found.release == "R4":
            tree = case.read(FHIR_IN)
            read = found.mapper.from_fhir(tree)
            assert same(read.records, case.read(RECORDS))
            assert same(found.mapper.to_fhir(read.records, read.remainder).tree, tree)
        return
    records = named(found, case.read(RECORDS))
    made = found.mapper.to_fhir(records, fhir=version)
    assert {issue.message_id for issue in made.issues} <= {"code-near"}
    if found.release == "R4":
        assert same(made.tree, case.read(FHIR))
    tree = marked(made.tree)
    read = found.mapper.from_fhir(tree, fhir=version)
    assert {issue.severity for issue in read.issues} <= {"information"}
    assert same(named(found, read.records), records)
    assert same(found.mapper.to_fhir(read.records, read.remainder).tree, tree)


def marked(tree: Tree) -> Tree:
    """A Bundle with an extension of another system in every resource and every item of a list in it."""
    tree = copy(tree)
    for entry in tree["entry"]:
        _mark(entry["resource"])
    return tree


def _mark(node: Tree) -> None:
    for name, value in node.items():
        rows = value if type(value) is list and name not in ("extension", "contained") else []
        for row in rows:
            if type(row) is dict:
                _mark(row)
    node["extension"] = [*node.get("extension", []), dict(MARK)]


@each_case
def test_an_example_goes_there_and_back(pack: str, release: str, case: Case) -> None:
    there_and_back(kept(pack, release), case)


@pytest.mark.parametrize(("pack", "case"), EDITS, ids=[f"{pack}-{case.name}" for pack, case in EDITS])
def test_an_edit_of_an_example_is_read_and_stays_where_its_rules_are(pack: str, case: Case) -> None:
    """In R5; test_packs_hold does so in R4."""
    found = kept(pack, "R5")
    laws = Laws(found, found.mapper.check)
    broken = [row for record in named(found, case.read(RECORDS)) for row in laws.of_record(record)]
    assert not broken, broken[:3]
