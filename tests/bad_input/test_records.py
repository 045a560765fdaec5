"""Bad input to `careplan records import`: refused whole, nothing stored by halves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.bad_input.rows import MARK, NOT_A_RECORD, RECORD, UNREADABLE_RECORDS, hundred_megabytes, raw

OTHER = {**RECORD, "id": "0b5e7c1e-1111-4111-8111-000000000002"}


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPLAN_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")


def take_in(data: bytes, *more: str) -> Result:
    result = CliRunner().invoke(main, ["records", "import", *more], input=data)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert MARK not in result.output
    return result


def stored() -> list[str]:
    result = CliRunner().invoke(main, ["records", "export"])
    assert result.exit_code == 0, result.output
    tree = json.loads(result.stdout)
    return [record["id"] for record in (tree["records"] if isinstance(tree, dict) else tree)]


@pytest.mark.parametrize("row", UNREADABLE_RECORDS | NOT_A_RECORD)
def test_nothing_is_stored_of(row: str) -> None:
    if row == "list-in-list":
        assert take_in(NOT_A_RECORD[row]).exit_code == 1
    else:
        assert take_in((UNREADABLE_RECORDS | NOT_A_RECORD)[row]).exit_code == 1
    assert stored() == []


def test_one_bad_record_among_good_ones_is_refused_alone() -> None:
    bad = {**RECORD, "id": "0b5e7c1e-1111-4111-8111-000000000003", "names": MARK}
    assert take_in(raw([RECORD, bad, OTHER])).exit_code == 1
    assert sorted(stored()) == sorted([str(RECORD["id"]), str(OTHER["id"])])


def test_forged_remainder_stores_nothing() -> None:
    forged = {"v": 1, "shape": {"bundle": {"entry": [{}]}, "entries": [99]}, "resources": [{}]}
    assert take_in(raw({"records": [RECORD], "remainder": forged})).exit_code == 1
    assert stored() == []


def test_100_mb_stores_nothing(tmp_path: Path) -> None:
    assert take_in(b"", str(hundred_megabytes(tmp_path))).exit_code == 1
    assert stored() == []


def test_unknown_file_is_a_wrong_call() -> None:
    assert take_in(b"", "nowhere.json").exit_code == 2
