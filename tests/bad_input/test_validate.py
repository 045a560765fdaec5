"""Bad input to `careplan validate`: an issue for each, exit 1, and no value of the person in any of them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.bad_input.rows import (
    MARK,
    NOT_A_RECORD,
    NOT_A_RESOURCE,
    PATIENT,
    RECORD,
    UNREADABLE_FHIR,
    UNREADABLE_RECORDS,
    clear,
    hundred_megabytes,
    peak,
    raw,
    run,
)

ROWS = {
    **UNREADABLE_FHIR,
    **{f"record-{row}": data for row, data in UNREADABLE_RECORDS.items()},
    **NOT_A_RESOURCE,
    **{f"record-{row}": data for row, data in NOT_A_RECORD.items()},
}


def validate(data: bytes, *options: str) -> Result:
    result = CliRunner().invoke(main, ["validate", *options], input=data)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert MARK not in result.output
    return result


@pytest.mark.parametrize("row", ROWS)
def test_says_what_is_wrong(row: str) -> None:
    result = validate(ROWS[row], "--json")
    assert result.exit_code == 1
    issues = json.loads(result.stdout)["issue"]
    assert any(issue["severity"] in ("fatal", "error") for issue in issues)
    assert "exception" not in {issue["code"] for issue in issues}
    assert validate(ROWS[row]).exit_code == 1


@pytest.mark.parametrize("row", [row for row in ROWS if not row.endswith("empty")])
def test_ndjson_one_bad_line_among_good_ones(row: str) -> None:
    good = raw(PATIENT)
    result = validate(b"\n".join([good, ROWS[row].replace(b"\n", b" "), good]), "--ndjson")
    lines = [json.loads(line) for line in result.stdout_bytes.splitlines()]
    assert result.exit_code == 1
    assert [line["resourceType"] for line in lines] == ["OperationOutcome"] * 3
    assert any(issue["severity"] in ("fatal", "error") for issue in lines[1]["issue"])
    assert lines[0] == lines[2]
    assert "internal-error" not in result.stdout


def test_ndjson_bom_crlf_blank_lines_and_a_last_line_without_newline() -> None:
    good = raw(PATIENT)
    result = validate(b"\xef\xbb\xbf" + good + b"\r\n\n\r\n" + good, "--ndjson")
    assert result.exit_code == 0
    assert [bool(line) for line in result.stdout_bytes.split(b"\n")] == [True, False, False, True, False]


@pytest.mark.parametrize("lines", [(), ("--ndjson",)], ids=["document", "ndjson"])
def test_100_mb_is_refused_in_bounded_memory(tmp_path: Path, lines: tuple[str, ...]) -> None:
    status, memory, said = peak("validate", *lines, given=hundred_megabytes(tmp_path))
    assert status == 1
    assert "Traceback" not in said
    assert memory < 400


def faulty(tree: Any) -> None:
    assert validate(raw(tree)).exit_code == 1


def test_r5_sent_as_r4_is_said() -> None:
    faulty(
        {
            "resourceType": "CarePlan",
            "status": "active",
            "intent": "plan",
            "subject": {"reference": "Patient/a"},
            "activity": [{"plannedActivityReference": {"reference": "ServiceRequest/s"}}],
        }
    )


@pytest.mark.parametrize("version", ["1.0.2", "3.0.2", "6.0.0"])
def test_old_and_unknown_versions_are_refused_by_name(version: str) -> None:
    assert validate(raw(PATIENT), "--fhir", version).exit_code == 2


def test_unknown_codes_of_a_required_binding_are_said() -> None:
    faulty({**PATIENT, "gender": MARK})


def test_unknown_codes_in_a_record_are_said() -> None:
    faulty({**RECORD, "gender": MARK})


def test_a_reference_to_another_host_is_not_followed() -> None:
    tree = {"resourceType": "Condition", "subject": {"reference": f"http://127.0.0.1:1/fhir/Patient/{MARK}"}}
    assert validate(raw(tree)).exit_code in (0, 1)


@pytest.mark.parametrize("number", ["1e999999", "-0", "1E+400", "1e-999999", "123456789012345678901234567890"])
def test_huge_number_does_not_stop_it(number: str) -> None:
    text = (
        '{"resourceType":"Observation","status":"final","code":{"text":"x"},'
        f'"valueQuantity":{{"value":{number}}},"valueInteger":{number}}}'
    )
    assert validate(text.encode()).exit_code == 1


@pytest.mark.parametrize(
    "tree",
    [
        {**PATIENT, "name": MARK},
        {**PATIENT, "name": [MARK, None, 5]},
        {**PATIENT, "id": [5]},
        {**PATIENT, "__proto__": {"a": 1}},
        {**PATIENT, "birthDate": MARK},
        {**PATIENT, "contained": [5, {"resourceType": MARK}]},
        {"resourceType": "Bundle", "type": "collection", "entry": [5, {"resource": 5}]},
        {"resourceType": "Bundle", "type": ["collection"], "entry": {"resource": PATIENT}},
        {**RECORD, "names": MARK},
        {**RECORD, "birth_date": MARK},
        {**RECORD, MARK: 5},
        {**RECORD, "id": MARK},
    ],
    ids=lambda tree: "-".join(sorted(set(tree) - {"resourceType"})),
)
def test_wrong_types_and_unknown_keys_are_said_without_their_values(tree: Any) -> None:
    if MARK in tree:
        return faulty_with_key(tree)
    return faulty(tree)


def faulty_with_key(tree: Any) -> None:
    # The name of a key is said, so that it can be found; it is structure and no value.
    result = CliRunner().invoke(main, ["validate"], input=raw(tree))
    assert result.exit_code == 1


def test_unknown_file_is_a_wrong_call() -> None:
    clear(run("validate", "nowhere.json"), 2)


def test_directory_as_file_is_a_wrong_call(tmp_path: Path) -> None:
    clear(run("validate", str(tmp_path)), 2)


def test_stdin_closed_is_a_wrong_call() -> None:
    clear(run("validate", stdin=None, preexec_fn=lambda: os.close(0)), 2)


@pytest.mark.parametrize("options", [(), ("--json",), ("--ndjson",)], ids=["text", "json", "ndjson"])
def test_output_to_a_full_disk_is_said(options: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        clear(run("validate", *options, data=raw(PATIENT), stdout=full), 2)
