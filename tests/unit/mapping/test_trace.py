"""Everything that a record holds is traced to a rule and an element, and every leaf of either side has an answer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.fhir_json import copy, loads
from adapter.mapping import load
from adapter.mapping.apart import take_apart
from adapter.mapping.bundle import Analysis
from adapter.mapping.places import pointer
from adapter.mapping.steps import at
from adapter.mapping.trace import Traced, trace
from adapter.packs import available
from adapter.services.diff import examples
from adapter.services.explain import explain
from adapter.services.knowledge import Knowledge

FIXTURES = sorted((Path(__file__).resolve().parent.parent.parent.parent / "fixtures").glob("*/fhir*.json"))
KNOWN = Knowledge.of()
STATUSES = {
    "mapped", "holds", "one-way", "default", "remainder", "not-understood", "not-selected", "selector",
    "identity", "bundle", "type-not-mapped",
}  # fmt: skip


def leaves(tree: Any, place: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(tree, dict):
        for key, inner in tree.items():
            yield from leaves(inner, (*place, key))
    elif isinstance(tree, list):
        for index, inner in enumerate(tree):
            yield from leaves(inner, (*place, index))
    else:
        yield place


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.parent.name)
def test_every_value_of_a_record_is_traced(path: Path) -> None:
    traced = trace(Analysis(load(), take_apart(loads(path.read_bytes()))))
    ours = {place for visit in traced.visits for place in visit.ours}
    for number, owned in enumerate(traced.records):
        for leaf in leaves(owned.record, (number,)):
            around = [leaf[:length] for length in range(2, len(leaf) + 1)]
            assert leaf[-1] in ("id", "kind") or any(place in ours for place in around), leaf


@pytest.mark.parametrize("name", [name for name in available() if name != "core"])
def test_every_value_of_a_provider_s_own_record_is_traced(name: str) -> None:
    known = Knowledge.of(name)
    for _, tree in examples(known):
        records = [known.mapper.own.named(row) for row in (tree if isinstance(tree, list) else [tree])]
        if "resourceType" in records[0]:
            continue
        traced = trace(Analysis(known.mapper, take_apart(known.mapper.to_fhir(records).tree)))
        ours = {place for visit in traced.visits for place in visit.ours}
        for number, record in enumerate(records):
            for leaf in leaves(record, (number,)):
                around = [leaf[:length] for length in range(2, len(leaf) + 1)]
                selected = leaf[-1] in ("id", "kind") or _selects(leaf, ours)
                assert selected or any(place in ours for place in around), leaf


def _stand(traced: Traced, fhir: Any) -> int:
    """How many places were followed, each of which leads somewhere on its side."""
    places = [(fhir, visit.fhir) for visit in traced.visits if visit.fhir is not None]
    places += [(traced.records[int(place[0])].record, place[1:]) for visit in traced.visits for place in visit.ours]
    for tree, place in places:
        at(tree, place)
    return len(places)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.parent.name)
def test_every_place_that_is_named_is_there(path: Path) -> None:
    tree = loads(path.read_bytes())
    assert _stand(trace(Analysis(load(), take_apart(tree))), tree)


@pytest.mark.parametrize("name", [name for name in available() if name != "core"])
def test_every_place_of_a_provider_s_own_record_is_there(name: str) -> None:
    known = Knowledge.of(name)
    for _, tree in examples(known):
        fhir = tree
        if "resourceType" not in tree:
            records = [known.mapper.own.named(row) for row in (tree if isinstance(tree, list) else [tree])]
            fhir = known.mapper.to_fhir(records).tree
        assert _stand(trace(Analysis(known.mapper, take_apart(fhir))), fhir)


@pytest.mark.parametrize("inside", ["", "Bundle"])
def test_what_is_contained_is_followed(inside: str) -> None:
    team = {"resourceType": "CareTeam", "id": "t", "name": "Team", "participant": [{"member": {"display": "Ana"}}]}
    tree: Any = {
        "resourceType": "CarePlan", "id": "p", "status": "active", "intent": "plan",
        "contained": [{"resourceType": "Practitioner", "id": "z"}, team], "careTeam": [{"reference": "#t"}],
    }  # fmt: skip
    start, root = "", "CarePlan"
    if inside:
        goal = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "Rest"}}
        tree["goal"] = [{"reference": "Goal/g"}]
        entries = [{"resource": goal}, {"resource": tree}]
        tree = {"resourceType": "Bundle", "type": "collection", "entry": entries}
        start, root = "/entry/1/resource", "Bundle.entry[1].resource"
    there, ours = f"{root}.contained[1]", "records[0].care_team[0]"
    for pointer_, path, place in (("name", "name", "name"), ("participant/0/member/display", "members[0].name", "")):
        answer = explain(KNOWN, tree, f"{start}/contained/1/{pointer_}")
        assert (answer["status"], answer["other"]) == ("mapped", [f"{ours}.{path}"])
        back = explain(KNOWN, tree, f"care_team[0].{path}")
        assert back["other"] == [f"{there}.{place or 'participant[0].member'}"]


def test_of_two_places_that_give_a_field_the_first_has_it_and_the_other_gives_none() -> None:
    known = Knowledge.of("intake-flat")
    row = {"kind": "intake", "client_no": "C-1", "last_name": "Roe", "sex": "F", "intake_dt": "01/02/2026"}
    tree = copy(known.mapper.to_fhir([known.mapper.own.named({**row, "veteran": "1"})]).tree)
    (extension,) = tree["entry"][1]["resource"]["extension"]
    place = "entry/1/resource/extension/0"
    assert explain(known, tree, f"/{place}/valueBoolean")["other"] == ["records[0].veteran"]
    reason = {"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}
    extension["_valueBoolean"] = {"extension": [reason]}
    first, other = "Bundle.entry[1].resource.extension[0].valueBoolean", f"/{place}/_valueBoolean/extension/0/valueCode"
    assert explain(known, tree, "veteran")["other"] == [first]
    answer = explain(known, tree, other)
    text = "Another place, which the rule reads first, gives the field: it is carried as remainder, and comes back as it was."
    assert (answer["status"], answer["text"], answer["other"]) == ("not-selected", text, [])
    del extension["valueBoolean"]
    assert explain(known, tree, other)["other"] == ["records[0].veteran"]


def _selects(leaf: tuple[str | int, ...], ours: set[tuple[str | int, ...]]) -> bool:
    """Whether a rule knows a row by this value: then it owns another field of the row."""
    return any(place[:-1] == leaf[:-1] for place in ours)


@pytest.mark.parametrize("name", available())
def test_every_field_of_a_provider_s_own_record_has_an_answer(name: str) -> None:
    known = Knowledge.of(name)
    for _, tree in examples(known)[:2]:
        for leaf in list(leaves(tree))[:40]:
            assert explain(known, tree, pointer(leaf))["text"]


@pytest.mark.parametrize("path", FIXTURES[::4], ids=lambda path: path.parent.name)
def test_every_leaf_of_fhir_has_an_answer(path: Path) -> None:
    tree = loads(path.read_bytes())
    every = list(leaves(tree))
    for leaf in every[:: max(1, len(every) // 60)]:
        found = explain(KNOWN, tree, pointer(leaf))
        assert found["status"] in STATUSES
        assert found["text"]
