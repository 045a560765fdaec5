"""The laws in R5, and records that go from one version to the other and back (issue 4, §4).

What R5 dropped is kept in the extensions that FHIR names for it, so that a record says in R5 all that it says in R4.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import mapping
from adapter.bootstrap import validator
from adapter.errors import BadInput, UsageError
from adapter.fhir_json import copy, dumps, loads, same
from tests.laws.editing import edits
from tests.laws.foreign import injected
from tests.laws.strategies import records
from tests.laws.test_core_laws import assert_same, assert_stays, bounded, each_kind
from tests.laws.test_pack_laws import EXAMPLES, OWN, drawn, each, edit_of, with_foreign

Tree = dict[str, Any]
CORE = mapping.load("core")
R5 = mapping.load("core", "R5")


def _parts(record: Tree, onto: dict[str, Tree] | None = None) -> dict[str, Tree]:
    parts, issues = R5.parts(record, onto)
    assert not [issue for issue in issues if issue.is_error], issues
    return parts


def _record(parts: dict[str, Tree], like: Tree) -> Tree:
    return R5.record(like["kind"], parts, None, record_id=like["id"])[0]


@each_kind
@bounded(15)
@given(data=st.data())
def test_in_r5_what_is_written_is_read_and_what_came_goes_back(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(kind))
    bundle = CORE.to_fhir([record], fhir="5.0").tree
    assert_same(CORE.from_fhir(loads(dumps(bundle)), fhir="5.0").records, [record])
    for entry in bundle["entry"]:
        entry["resource"] = data.draw(injected(entry["resource"]))
    read = CORE.from_fhir(bundle, fhir="5.0")
    assert_same(CORE.to_fhir(read.records, loads(dumps(read.remainder))).tree, bundle)


@each_kind
@bounded(15)
@given(data=st.data())
def test_in_r5_an_edit_is_read_again_and_the_second_write_wins(kind: str, data: st.DataObject) -> None:
    record, other = data.draw(records(kind)), data.draw(records(kind))
    parts = {key: data.draw(injected(tree, gentle=True)) for key, tree in _parts(record).items()}
    first = data.draw(edits(_record(parts, record), other))
    once = _parts(first, parts)
    assert_same(_record(once, first), first)
    assert_same(_parts(first, once), once)
    second = data.draw(edits(first, other))
    assert_same(_record(_parts(second, once), second), second)


@each_kind
@bounded(12)
@given(data=st.data())
def test_in_r5_an_edit_stays_where_its_rules_are(kind: str, data: st.DataObject) -> None:
    record, other = data.draw(records(kind)), data.draw(records(kind))
    edited = data.draw(edits(record, other))
    plain = _parts(record)
    parts = {key: data.draw(injected(tree, gentle=True)) for key, tree in plain.items()}
    assert_stays((plain, _parts(edited)), (parts, _parts(edited, parts)))


@each
@bounded(8)
@given(data=st.data())
def test_a_provider_s_own_record_goes_out_as_r5_and_comes_back(pack: str, kind: str, data: st.DataObject) -> None:
    mapper, record = mapping.load(pack), drawn(data, pack, kind)
    bundle = with_foreign(data, mapper.to_fhir([record], fhir="5.0").tree, gentle=True)
    read = mapper.from_fhir(loads(dumps(bundle)), fhir="5.0")
    assert_same(read.records, [record])
    changed = edit_of(data, pack, kind, record)
    written = mapper.to_fhir([changed], read.remainder)
    assert not [issue for issue in written.issues if issue.is_error], written.issues
    assert_same(mapper.from_fhir(loads(dumps(written.tree)), fhir="5.0").records, [changed])


@pytest.mark.parametrize("pack", sorted({pack for pack, _ in OWN}))
def test_what_a_provider_s_records_become_in_r5_is_valid(pack: str) -> None:
    valid = validator(fhir="5.0.0", pack=pack)
    examples = [path for path in EXAMPLES if path.parts[-4] == pack]
    assert examples
    for path in examples:
        made = mapping.load(pack).to_fhir(loads(path.read_bytes()), fhir="5.0")
        errors = [issue for issue in valid.validate(made.tree) if issue.is_error]
        assert not errors, (path.parent.name, [(issue.expression, issue.text) for issue in errors])


@each_kind
@bounded(10)
@given(data=st.data())
def test_a_record_goes_through_r5_and_comes_back_in_r4_as_it_was(kind: str, data: st.DataObject) -> None:
    record = data.draw(records(kind))
    r4 = CORE.to_fhir([record], fhir="4.0").tree
    through = CORE.from_fhir(r4, fhir="4.0").records
    r5 = CORE.to_fhir(through, fhir="5.0").tree
    back = CORE.from_fhir(loads(dumps(r5)), fhir="5.0").records
    assert_same(CORE.to_fhir(back, fhir="4.0").tree, r4)
    assert_same(CORE.to_fhir(through, fhir="4.3").tree, r4)


def _corpus(corpus: Path, *versions: str) -> list[tuple[str, str, Any]]:
    rows = [json.loads(line) for line in (corpus / "index.ndjson").read_text("utf-8").splitlines()]
    found = []
    for row in rows:
        if row["fhirVersion"] in versions:
            try:
                found.append((row["file"], row["fhirVersion"], loads((corpus / row["file"]).read_bytes())))
            except BadInput:
                continue
    return found


def test_resources_of_r4b_and_r5_come_back_as_they_were(corpus: Path) -> None:
    found = _corpus(corpus, "4.3", "5.0")
    assert len(found) > 30
    for file, version, tree in found:
        read = CORE.from_fhir(copy(tree), fhir=version)
        assert same(CORE.to_fhir(read.records, read.remainder, fhir=version).tree, tree), file
        assert read.remainder["fhirVersion"].startswith(version)


@pytest.mark.parametrize("version", ["1.0", "1.0.2", "3.0", "3.0.1", "2.0"])
def test_older_versions_are_refused_by_name(version: str) -> None:
    with pytest.raises(UsageError, match="not supported"):
        CORE.from_fhir({"resourceType": "Goal"}, fhir=version)


def test_what_is_stated_counts_where_nobody_says_the_version() -> None:
    goal = {"resourceType": "Goal", "source": {"display": "The patient"}}
    assert "expressed_by" not in CORE.from_fhir(goal).records[0]
    profile = "http://hl7.org/fhir/StructureDefinition/Goal|5.0.0"
    told = CORE.from_fhir({**goal, "meta": {"profile": [profile]}})
    assert told.records[0]["expressed_by"] == "The patient"
    assert told.remainder["fhirVersion"] == "5.0.0"


def test_a_remainder_is_written_in_its_own_version() -> None:
    goal = {"resourceType": "Goal", "id": "g", "source": {"display": "The patient"}}
    read = CORE.from_fhir(goal, fhir="5.0")
    edited = [{**read.records[0], "expressed_by": "Her sister"}]
    assert CORE.to_fhir(edited, read.remainder).tree["source"] == {"display": "Her sister"}
    with pytest.raises(UsageError, match=r"remainder is of FHIR 5\.0\.0"):
        CORE.to_fhir(edited, read.remainder, fhir="4.0")


def test_what_goes_out_as_r5_is_r5(root: Path) -> None:
    """Two opinions on the fixtures: fhir.resources' R5 models, and our validator with R5's own definitions."""
    from fhir.resources import get_fhir_model_class

    from adapter.validation import Validator

    validator = Validator("5.0.0", tiers=frozenset({"structure", "invariants"}))
    cases = [
        path for path in sorted((root / "fixtures").glob("*/fhir.json")) if (path.parent / "records.json").is_file()
    ]
    assert len(cases) > 10
    for path in cases:
        found = loads((path.parent / "records.json").read_bytes())
        for entry in CORE.to_fhir(found, fhir="5.0").tree["entry"]:
            resource = json.loads(dumps(entry["resource"]))
            get_fhir_model_class(resource["resourceType"]).model_validate(resource)
            errors = [issue for issue in validator.validate(entry["resource"]) if issue.is_error]
            assert not errors, (path.parent.name, resource["resourceType"], errors[:3])
