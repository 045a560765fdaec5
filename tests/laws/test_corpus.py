"""GetPut on every resource of the shared corpus: the valid ones, the invalid ones, and damaged copies."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import mapping
from adapter.errors import BadInput
from adapter.fhir_json import dumps, loads, same
from tests.laws.editing import edits
from tests.laws.foreign import damaged, differing
from tests.laws.strategies import records
from tests.laws.test_core_laws import assert_same, bounded

MAPPER = mapping.load("core")
TYPES = [
    "Bundle",
    "CarePlan",
    "CareTeam",
    "Condition",
    "Consent",
    "Goal",
    "Patient",
    "Questionnaire",
    "QuestionnaireResponse",
    "ServiceRequest",
]


def _round(tree: Any) -> Any:
    read = MAPPER.from_fhir(tree)
    return MAPPER.to_fhir(loads(dumps(read.records)), loads(dumps(read.remainder))).tree


def _resources(folder: Path) -> list[tuple[Path, Any]]:
    found = []
    for path in sorted(folder.glob("*.json")):
        try:
            found.append((path, loads(path.read_bytes())))
        except BadInput:
            continue
    return found


@pytest.mark.parametrize("state", ["valid", "invalid"])
@pytest.mark.parametrize("type_", TYPES)
def test_every_resource_comes_back_as_it_was(corpus: Path, state: str, type_: str) -> None:
    changed = []
    for path, tree in _resources(corpus / state / type_):
        if isinstance(tree, dict) and isinstance(tree.get("resourceType"), str):
            back = _round(tree)
            if not same(back, tree):
                changed.append(f"{path.name}: {sorted(differing(back, tree))[:3]}")
    assert not changed, "\n".join(changed)


@pytest.mark.parametrize("type_", [type_ for type_ in TYPES if type_ != "Bundle"])
def test_a_fresh_writing_says_the_same_record(corpus: Path, type_: str) -> None:
    """PutGet without the remainder: what was understood of a foreign resource can be said again."""
    lost = []
    for path, tree in _resources(corpus / "valid" / type_):
        for record in MAPPER.from_fhir(tree).records:
            again = MAPPER.from_fhir(MAPPER.to_fhir([record]).tree).records
            if not same(again, [record]):
                lost.append(f"{path.name}: {sorted(differing(again, [record]))[:3]}")
    assert not lost, "\n".join(lost)


@pytest.mark.parametrize("type_", TYPES)
def test_damaged_resources_come_back_as_they_were(corpus: Path, type_: str) -> None:
    found = [tree for path, tree in _resources(corpus / "valid" / type_) if path.stat().st_size < 8_000]
    if not found:
        found = [tree for _, tree in _resources(corpus / "valid" / type_)][:1]
    sample = random.Random(type_).sample(found, min(len(found), 25))

    @bounded(40)
    @given(st.sampled_from(sample).flatmap(damaged))
    def law(tree: Any) -> None:
        if isinstance(tree.get("resourceType"), str):
            assert same(_round(tree), tree)

    law()


@pytest.mark.parametrize("type_", [type_ for type_ in TYPES if type_ != "Bundle"])
def test_an_edit_of_a_foreign_resource_is_read_again(corpus: Path, type_: str) -> None:
    # The record of a resource without an id is known by its content, and would be another one after an edit.
    found = [{"id": "a", **tree} for path, tree in _resources(corpus / "valid" / type_) if path.stat().st_size < 12_000]
    sample = random.Random(type_).sample(found, min(len(found), 40))
    kind = MAPPER.from_fhir(sample[0]).records[0]["kind"]

    @bounded(80)
    @given(st.sampled_from(sample), st.data())
    def law(tree: Any, data: st.DataObject) -> None:
        read = MAPPER.from_fhir(tree)
        others = st.sampled_from(sample).map(lambda other: MAPPER.from_fhir(other).records[0])
        other = data.draw(st.one_of(records(kind), others))
        edited = [data.draw(edits(read.records[0], other)), *read.records[1:]]
        written = MAPPER.to_fhir(edited, read.remainder).tree
        assert_same(MAPPER.from_fhir(written).records, edited)

    law()
