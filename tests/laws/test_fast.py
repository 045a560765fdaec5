"""The generated functions give what the rule objects give: the same bytes, the same issues, the same refusals."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import mapping, packs
from adapter.errors import BadInput, DataError
from adapter.fhir_json import dumps, loads
from adapter.mapping.fast import generate, source_of
from tests.laws import pack_records
from tests.laws.foreign import damaged, injected
from tests.laws.strategies import records
from tests.laws.test_core_laws import bounded, each_kind
from tests.laws.test_corpus import TYPES

Tree = dict[str, Any]
each_type = pytest.mark.parametrize("type_", TYPES)


def _mapper(pack: str = "core", *, fast: bool) -> mapping.Mapper:
    made = mapping._load.__wrapped__(pack, "R4")
    for map_ in made.maps.values():
        map_.generate = None
        map_.fast = generate(map_) if fast else None
    return made


FAST, PLAIN = _mapper(fast=True), _mapper(fast=False)
OWN = [(pack, kind) for pack in packs.available() for kind in packs.load(pack).kinds]


@cache
def _pair(pack: str) -> tuple[mapping.Mapper, mapping.Mapper]:
    return _mapper(pack, fast=True), _mapper(pack, fast=False)


def _outcome(work: Callable[[], Any]) -> Any:
    """What a conversion gives, as bytes: a refusal, or a failure on a record that is none, is a result too."""
    try:
        done = work()
    except (DataError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        return type(error)
    tree = done.records if hasattr(done, "records") else done.tree
    return dumps(tree), [(issue.message_id, issue.expression, issue.source, issue.severity) for issue in done.issues]


def _alike(work: Callable[[mapping.Mapper], Any], pair: tuple[mapping.Mapper, mapping.Mapper] = (FAST, PLAIN)) -> Any:
    fast, plain = (_outcome(lambda mapper=mapper: work(mapper)) for mapper in pair)
    assert fast == plain
    return fast


def _both_ways(tree: Any) -> None:
    if isinstance(tree, dict) and isinstance(tree.get("resourceType"), str):
        outcome = _alike(lambda mapper: mapper.from_fhir(tree))
        if isinstance(outcome, tuple):
            found = loads(outcome[0])
            _alike(lambda mapper: mapper.to_fhir(found))


@each_kind
@bounded(60)
@given(data=st.data())
def test_records_out_and_back(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(kind))
    outcome = _alike(lambda mapper: mapper.to_fhir([record]))
    bundle = loads(outcome[0])
    _alike(lambda mapper: mapper.from_fhir(bundle))
    foreign = data.draw(injected(bundle))
    _alike(lambda mapper: mapper.from_fhir(foreign))


@each_kind
@bounded(60)
@given(data=st.data())
def test_damaged_records_out(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(kind).flatmap(damaged))
    _alike(lambda mapper: mapper.to_fhir([record]))


@each_kind
@bounded(40)
@given(data=st.data())
def test_damaged_resources_back(kind: str, data: st.DataObject) -> None:
    bundle = PLAIN.to_fhir([data.draw(records(kind))]).tree
    broken = data.draw(damaged(bundle))
    _both_ways(broken)


@pytest.mark.parametrize(("pack", "kind"), OWN)
@bounded(30)
@given(data=st.data())
def test_records_of_packs_out_and_back(pack: str, kind: str, data: st.DataObject) -> None:
    record = {"kind": kind, **data.draw(pack_records.records(packs.load(pack).kinds[kind].schema))}
    bundle = loads(_alike(lambda mapper: mapper.to_fhir([record]), _pair(pack))[0])
    foreign = data.draw(st.one_of(injected(bundle), damaged(bundle)))
    _alike(lambda mapper: mapper.from_fhir(foreign), _pair(pack))
    broken = data.draw(damaged(record))
    _alike(lambda mapper: mapper.to_fhir([broken]), _pair(pack))


def test_the_fixtures_both_ways(root: Path) -> None:
    for path in sorted((root / "fixtures").glob("*/records.json")):
        found = loads(path.read_bytes())
        outcome = _alike(lambda mapper, found=found: mapper.to_fhir(found))
        _both_ways(loads(outcome[0]))


@pytest.mark.parametrize("state", ["valid", "invalid"])
@each_type
def test_the_corpus_both_ways(corpus: Path, state: str, type_: str) -> None:
    for path in sorted((corpus / state / type_).glob("*.json")):
        try:
            tree = loads(path.read_bytes())
        except BadInput:
            continue
        _both_ways(tree)


def test_a_map_is_generated_once_it_is_used_often(root: Path) -> None:
    mapper = mapping._load.__wrapped__("core", "R4")
    found = loads((root / "fixtures/dual-diagnosis/records.json").read_bytes())
    first = dumps(mapper.to_fhir(found).tree)
    assert mapper.maps["goal"].fast is None
    for _ in range(12):
        assert dumps(mapper.to_fhir(found).tree) == first
    assert mapper.maps["goal"].fast is not None


def test_common_rules_stand_inline_and_the_text_is_stable() -> None:
    text = source_of(FAST.maps["goal"])
    assert "out['lifecycle'] = " in text
    assert "node['lifecycleStatus'] = " in text
    assert text == source_of(FAST.maps["goal"])
