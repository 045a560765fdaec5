"""The laws on whole inputs: several records that know each other, records added and removed, transactions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import mapping
from adapter.errors import DataError
from adapter.fhir_json import dumps, loads
from adapter.records import ENVELOPE
from tests.fixtures_update import RECORDS, cases, is_foreign
from tests.laws.editing import edits
from tests.laws.foreign import injected
from tests.laws.strategies import KINDS, records
from tests.laws.test_core_laws import assert_same, bounded

Tree = dict[str, Any]
MAPPER = mapping.load("core")
CASES = [case for case in cases() if not is_foreign(case)]
any_record = st.sampled_from(KINDS).flatmap(records)
several = st.lists(any_record, min_size=2, max_size=3, unique_by=lambda record: record["id"])


def _content(case: Path) -> list[Tree]:
    found = loads((case / RECORDS).read_bytes())
    return [{key: value for key, value in record.items() if key not in ENVELOPE} for record in found]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@bounded(12)
@given(data=st.data())
def test_one_record_of_a_case_is_edited(case: Path, data: st.DataObject) -> None:
    found = _content(case)
    bundle = MAPPER.to_fhir(found).tree
    for entry in bundle["entry"]:
        entry["resource"] = data.draw(injected(entry["resource"], gentle=True))
    read = MAPPER.from_fhir(bundle)
    index = data.draw(st.integers(0, len(found) - 1))
    edited = list(read.records)
    edited[index] = data.draw(edits(read.records[index], data.draw(records(found[index]["kind"]))))
    written = MAPPER.to_fhir(edited, loads(dumps(read.remainder))).tree
    assert_same(MAPPER.from_fhir(written).records, edited)


@bounded(40)
@given(found=several, new=any_record, data=st.data())
def test_records_come_and_go(found: list[Tree], new: Tree, data: st.DataObject) -> None:
    bundle = MAPPER.to_fhir(found).tree
    other = {"resource": {"resourceType": "Basic", "id": "b", "code": {"text": "kept"}}}
    bundle["entry"].insert(data.draw(st.integers(0, len(bundle["entry"]))), other)
    read = MAPPER.from_fhir(bundle)
    gone = data.draw(st.sampled_from(found))
    wanted = [record for record in read.records if record["id"] != gone["id"]]
    wanted += [new] if new["id"] not in {record["id"] for record in found} else []
    written = MAPPER.to_fhir(wanted, read.remainder).tree
    assert_same(MAPPER.from_fhir(written).records, wanted)
    assert other in written["entry"]


@bounded(30)
@given(found=several, create=st.sampled_from(["put", "conditional"]))
def test_a_transaction_says_the_same(found: list[Tree], create: Any) -> None:
    bundle = MAPPER.to_fhir(found, bundle_type="transaction", create=create).tree
    assert all(entry["request"]["method"] in ("PUT", "POST") for entry in bundle["entry"])
    assert_same(MAPPER.from_fhir(bundle).records, found)


@bounded(20)
@given(any_record, any_record)
def test_a_single_resource_stays_single(record: Tree, other: Tree) -> None:
    resource = MAPPER.to_fhir([record]).tree["entry"][0]["resource"]
    read = MAPPER.from_fhir(resource)
    assert_same(MAPPER.to_fhir(read.records, read.remainder).tree, resource)
    for wrong in ([], [*read.records, {**other, "id": "00000000-0000-4000-8000-000000000000"}]):
        with pytest.raises(DataError):
            MAPPER.to_fhir(wrong, read.remainder)
