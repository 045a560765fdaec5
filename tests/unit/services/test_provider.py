"""Records of a provider's own kinds in the store: in by way of FHIR, and out again with what others changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap import Services
from adapter.fhir_json import loads, same
from adapter.packs import load
from adapter.services.face import Change

Tree = dict[str, Any]
FLAT = "intake-flat"


def examples(pack: str) -> list[Tree]:
    """Every record of a pack's examples."""
    found: list[Tree] = []
    for path in sorted(load(pack).examples.glob("*/records.json")):
        tree = loads(path.read_bytes())
        found += tree if isinstance(tree, list) else [tree]
    return found


def content(record: Tree) -> Tree:
    """A record without what the engine knows it by."""
    return {key: value for key, value in record.items() if key not in ("kind", "id")}


def sent(record: Tree, **edits: Any) -> Tree:
    """The record with these fields, None for those that go."""
    return {key: value for key, value in {**record, **edits}.items() if value is not None}


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """A store that an intake export is brought into."""
    with Services(pack=FLAT, url=f"sqlite:///{tmp_path / 'store.db'}") as made:
        yield made


def exported(services: Services) -> list[Tree]:
    """What the store holds in the provider's shape."""
    provider = services.provider()
    assert provider is not None
    return [content(record) for record in provider.records()]


def kinds(services: Services) -> list[str]:
    """The kinds of the records of the store, one for each."""
    return [record["kind"] for record in services.store().records()]


def two_diagnoses() -> Tree:
    """A record with two diagnoses."""
    return next(record for record in examples(FLAT) if "dx2_code" in record)


@pytest.mark.parametrize("pack", [FLAT, "intake-eav", "plan-problems"])
def test_what_came_in_goes_out_again_in_the_providers_shape(pack: str, tmp_path: Path) -> None:
    records = examples(pack)
    with Services(pack=pack, url=f"sqlite:///{tmp_path / 'store.db'}") as services:
        done = services.take_in(records, origin="synthetic")
        found = exported(services)
        assert [verb for _, verb in done.rows] == ["new"] * len(records)
        assert [verb for _, verb in services.take_in(records, origin="synthetic").rows] == ["unchanged"] * len(records)
        assert {record["origin"] for record in services.store().records()} == {"synthetic"}
    assert len(found) == len(records)
    for record in records:
        assert any(same(content(record), one) for one in found)


def test_the_store_speaks_core_whatever_the_pack_of_the_provider(services: Services) -> None:
    assert services.maps().name == "core"
    services.take_in(two_diagnoses())
    assert sorted(kinds(services)) == ["assessment", "diagnosis", "diagnosis", "patient"]


def test_an_edit_changes_what_it_says_and_what_is_left_out_goes(services: Services) -> None:
    record = two_diagnoses()
    services.take_in(record)
    edited = sent(record, dx1_sev="1", dx2_code=None, dx2_onset=None)
    assert services.take_in(edited).rows[0][1] == "changed"
    assert kinds(services).count("diagnosis") == 1
    assert exported(services) == [content(edited)]
    revisions = {one["kind"]: one["revision"] for one in services.store().records()}
    assert (revisions["patient"], revisions["diagnosis"]) == (1, 2)


def test_what_others_wrote_stays_and_goes_out_where_the_provider_has_a_field_for_it(services: Services) -> None:
    record = two_diagnoses()
    services.take_in(record)
    row = next(
        row
        for row in services.store().search("Condition", []).rows
        if row.tree["code"]["coding"][0]["code"] == "F11.20"
    )
    severe = row.tree["severity"]
    foreign = {**row.tree, "note": [{"text": "Seen by the ward."}], "severity": {**severe, "coding": _mild(severe)}}
    services.face().write([Change(row.type, row.id, foreign)])
    assert exported(services)[0]["dx1_sev"] == "1"
    services.take_in(sent(record, dx1_onset="07/2014"))
    now = services.store().resource(row.type, row.id).tree
    assert now["note"] == [{"text": "Seen by the ward."}]
    assert now["onsetDateTime"] == "2014-07"


def _mild(severity: Tree) -> list[Tree]:
    return [{**severity["coding"][0], "code": "255604002", "display": "Mild"}]


def test_a_faulty_record_is_refused_whole_and_its_neighbours_are_taken(services: Services) -> None:
    good = two_diagnoses()
    done = services.take_in([{"client_no": "C-1", "status": "?"}, good, 3])
    assert [verb for _, verb in done.rows] == ["refused", "new", "refused"]
    told = {(issue.pointer, issue.message_id) for issue in done.issues if issue.is_error}
    assert ("/0/last_name", "record-required") in told
    assert ("/0/status", "record-schema") in told
    assert len(exported(services)) == 1


def test_with_the_remainder_what_the_provider_has_no_field_for_is_kept_too(services: Services) -> None:
    tree, _ = services.converter().to_fhir(two_diagnoses())
    for entry in tree["entry"]:
        entry["resource"]["language"] = "en"
    read, _ = services.converter().from_fhir(tree)
    services.take_in({"records": read["records"], "remainder": read["remainder"]})
    assert {row.tree["language"] for row in services.store().search("Condition", []).rows} == {"en"}


def test_records_of_cores_kinds_come_in_beside_those_of_the_pack(services: Services) -> None:
    patient = {"kind": "patient", "id": "0fd5a1f4-7d0c-4f7e-9b3a-0a6d2f6f7a11", "gender": "other"}
    done = services.take_in([two_diagnoses(), patient])
    assert [verb for _, verb in done.rows] == ["new", "new"]
    assert kinds(services).count("patient") == 2
