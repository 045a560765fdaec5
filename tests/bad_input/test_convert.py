"""Bad input to `careplan convert`: an exit status and a sentence, never a traceback, never a value of the person."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from tests.bad_input.rows import (
    COMMAND,
    MARK,
    NOT_A_RECORD,
    NOT_A_RESOURCE,
    PATIENT,
    RECORD,
    ROOT,
    UNREADABLE_FHIR,
    UNREADABLE_RECORDS,
    clear,
    hundred_megabytes,
    peak,
    raw,
    run,
)


def convert(way: str, data: bytes, *more: str) -> Result:
    result = CliRunner().invoke(main, ["convert", way, *more], input=data)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert MARK not in result.stderr
    return result


def refused(result: Result) -> None:
    assert result.exit_code == 1
    assert result.stderr.startswith("careplan: ")
    assert result.stdout == ""


@pytest.mark.parametrize("row", UNREADABLE_FHIR | NOT_A_RESOURCE)
def test_from_fhir_refuses(row: str) -> None:
    refused(convert("from-fhir", (UNREADABLE_FHIR | NOT_A_RESOURCE)[row]))


@pytest.mark.parametrize("row", UNREADABLE_RECORDS | NOT_A_RECORD)
def test_to_fhir_refuses(row: str) -> None:
    refused(convert("to-fhir", (UNREADABLE_RECORDS | NOT_A_RECORD)[row]))


def line_of(data: bytes) -> bytes:
    return data.replace(b"\n", b" ")


@pytest.mark.parametrize("row", [row for row in UNREADABLE_FHIR | NOT_A_RESOURCE if row != "empty"])
def test_ndjson_from_fhir_one_bad_line_among_good_ones(row: str) -> None:
    good = raw(PATIENT)
    bad = line_of((UNREADABLE_FHIR | NOT_A_RESOURCE)[row])
    result = convert("from-fhir", b"\n".join([good, bad, good]), "--ndjson")
    lines = [json.loads(line) for line in result.stdout_bytes.splitlines()]
    assert result.exit_code == 1
    assert [sorted(line) for line in lines] == [
        ["issues", "records", "remainder"],
        ["error"],
        ["issues", "records", "remainder"],
    ]
    assert lines[1]["error"]["resourceType"] == "OperationOutcome"
    assert MARK not in json.dumps(lines[1])
    assert "internal-error" not in json.dumps(lines[1])


@pytest.mark.parametrize("row", [row for row in UNREADABLE_RECORDS | NOT_A_RECORD if row != "empty"])
def test_ndjson_to_fhir_one_bad_line_among_good_ones(row: str) -> None:
    good = raw(RECORD)
    bad = line_of((UNREADABLE_RECORDS | NOT_A_RECORD)[row])
    result = convert("to-fhir", b"\n".join([good, bad, good]), "--ndjson")
    lines = [json.loads(line) for line in result.stdout_bytes.splitlines()]
    assert result.exit_code == 1
    assert [line.get("resourceType", "error") for line in lines] == ["Bundle", "error", "Bundle"]
    assert MARK not in json.dumps(lines[1])
    assert "internal-error" not in json.dumps(lines[1])


def test_ndjson_bom_crlf_blank_lines_and_a_last_line_without_newline() -> None:
    good = raw(PATIENT)
    result = convert("from-fhir", b"\xef\xbb\xbf" + good + b"\r\n\n\r\n" + good, "--ndjson")
    assert result.exit_code == 0
    lines = result.stdout_bytes.split(b"\n")
    assert [bool(line) for line in lines] == [True, False, False, True, False]


def test_to_fhir_100_mb_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    status, memory, said = peak("convert", "to-fhir", given=hundred_megabytes(tmp_path))
    assert status == 1
    assert "larger than" in said
    assert "Traceback" not in said
    assert memory < 400


@pytest.mark.parametrize("lines", [(), ("--ndjson",)])
def test_from_fhir_100_mb_is_refused_in_bounded_memory(tmp_path: Path, lines: tuple[str, ...]) -> None:
    status, memory, said = peak("convert", "from-fhir", *lines, given=hundred_megabytes(tmp_path))
    assert status == 1
    assert "Traceback" not in said
    assert memory < 400


@pytest.mark.parametrize("version", ["6.0.0", "R6", "3.0.2", "1.0.2"])
def test_versions_that_are_not_spoken_are_refused_by_name(version: str) -> None:
    assert convert("from-fhir", raw(PATIENT), "--fhir", version).exit_code == 2


def test_r5_sent_as_r4_keeps_what_r4_does_not_know() -> None:
    plan = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/a"},
        "addresses": [{"reference": {"reference": "Condition/c"}}],
        "activity": [{"plannedActivityReference": {"reference": "ServiceRequest/s"}}],
    }
    goes_round(plan)


def goes_round(tree: Any) -> None:
    read = convert("from-fhir", raw(tree))
    assert read.exit_code in (0, 1)
    back = convert("to-fhir", read.stdout_bytes)
    assert back.exit_code in (0, 1)
    assert json.loads(back.stdout) == tree


@pytest.mark.parametrize(
    "tree",
    [
        pytest.param(
            {
                "resourceType": "Condition",
                "code": {"coding": [{"system": "http://no.where", "code": MARK}]},
                "subject": {"reference": "Patient/a"},
            },
            id="unknown-codes",
        ),
        pytest.param(
            {"resourceType": "Condition", "subject": {"reference": "https://elsewhere.invalid/fhir/Patient/1"}},
            id="a-reference-to-another-host",
        ),
        pytest.param({"resourceType": "Basic", "text": MARK}, id="a-type-that-no-pack-maps"),
        pytest.param({**PATIENT, "__proto__": {"a": 1}, "constructor": MARK}, id="proto-key"),
        pytest.param({"resourceType": "Bundle", "entry": 5}, id="entry-as-number"),
        pytest.param({"resourceType": "Bundle", "entry": [5, None, {"resource": [MARK]}]}, id="entries-of-wrong-types"),
        pytest.param({"resourceType": "Patient", "name": {"family": MARK}, "id": [5]}, id="object-for-list"),
        pytest.param({"resourceType": "CarePlan", "goal": [5, None, {"reference": {"a": 1}}]}, id="wrong-types"),
        pytest.param(
            {"resourceType": "Bundle", "entry": [{"fullUrl": {"a": MARK}, "resource": {"resourceType": ["x"]}}]},
            id="type-as-list-inside",
        ),
    ],
)
def test_comes_back_as_it_was(tree: Any) -> None:
    goes_round(tree)


@pytest.mark.parametrize("number", ["1e999999", "-0", "-0.0", "1E+400", "0.10", "123456789012345678901234567890"])
def test_number_keeps_its_digits(number: str) -> None:
    text = f'{{"resourceType":"Observation","valueQuantity":{{"value":{number}}}}}'
    read = convert("from-fhir", text.encode(), "--ndjson")
    back = convert("to-fhir", read.stdout_bytes, "--ndjson")
    assert read.exit_code == back.exit_code == 0
    value = json.loads(back.stdout, parse_float=Decimal, parse_int=Decimal)["valueQuantity"]["value"]
    assert value.as_tuple() == Decimal(number).as_tuple()


def remainder() -> Any:
    return json.loads(convert("from-fhir", raw({"resourceType": "Bundle", "entry": [{"resource": PATIENT}]})).stdout)


FORGERIES: dict[str, Callable[[Any], Any]] = {
    "index-out-of-range": lambda r: r["shape"].update(entries=[99]),
    "index-negative": lambda r: r["shape"].update(entries=[-7]),
    "index-huge": lambda r: r["shape"].update(entries=[10**30]),
    "index-as-text": lambda r: r["shape"].update(entries=[MARK]),
    "index-as-list": lambda r: r["shape"].update(entries=[[0]]),
    "index-as-true": lambda r: r["shape"].update(entries=[False]),
    "index-as-decimal": lambda r: r["shape"].update(entries=[0.0]),
    "entries-as-number": lambda r: r["shape"].update(entries=5),
    "entries-as-object": lambda r: r["shape"].update(entries={"0": 0}),
    "10000-entries-pointing-at-one-resource": lambda r: (
        r["shape"].update(entries=[0] * 10_000),
        r["shape"]["bundle"].update(entry=[{}] * 10_000),
    ),
    "bundle-as-text": lambda r: r["shape"].update(bundle=MARK),
    "bundle-as-list": lambda r: r["shape"].update(bundle=[{}]),
    "entry-as-number": lambda r: r["shape"]["bundle"].update(entry=5),
    "entry-of-numbers": lambda r: r["shape"]["bundle"].update(entry=[5]),
    "entry-as-object": lambda r: r["shape"]["bundle"].update(entry={"a": 1}),
    "shape-as-list": lambda r: r.update(shape=[]),
    "shape-missing": lambda r: r.pop("shape"),
    "resources-as-text": lambda r: r.update(resources=MARK),
    "resources-of-numbers": lambda r: r.update(resources=[5]),
    "resources-empty": lambda r: r.update(resources=[]),
    "version-as-list": lambda r: r.update(v=[1]),
    "version-of-the-future": lambda r: r.update(v=2),
}


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("options", [(), ("--ndjson",)], ids=["document", "ndjson"])
def test_forged_remainder_is_refused(forgery: str, options: tuple[str, ...]) -> None:
    tree = remainder()
    FORGERIES[forgery](tree["remainder"])
    result = convert("to-fhir", raw(tree), *options)
    assert result.exit_code == 1
    assert "internal-error" not in result.output
    assert MARK not in result.output
    assert "remainder-broken" in result.output


@pytest.mark.parametrize("pack", [5, [MARK], {"a": MARK}, MARK, None])
@pytest.mark.parametrize("key", ["pack", "fhirVersion"])
def test_forged_remainder_of_another_pack_or_version_does_not_fail(key: str, pack: Any) -> None:
    tree = remainder()
    tree["remainder"][key] = pack
    assert convert("to-fhir", raw(tree)).exit_code in (0, 1, 2)


@pytest.mark.parametrize("value", [5, MARK, [], [1], True])
def test_remainder_that_is_no_object_is_refused(value: Any) -> None:
    assert convert("to-fhir", raw({"records": [], "remainder": value})).exit_code == 1


@pytest.mark.parametrize(
    "change",
    [{"names": 5}, {"names": [5]}, {"names": [{"id": "n", "given": MARK}]}, {"id": 5}, {"id": [MARK]}, {"id": None}],
    ids=str,
)
def test_record_of_wrong_types_is_refused_with_its_place(change: Any) -> None:
    result = convert("to-fhir", raw({**RECORD, **change}))
    assert result.exit_code == 1
    # An id that is none leaves no record to point into.
    assert f"/{next(iter(change))}" in result.stderr or "record-no-kind" in result.stderr


def test_type_with_a_remainder_is_a_wrong_call() -> None:
    assert convert("to-fhir", raw(remainder()), "--type", "collection").exit_code == 2


def test_unknown_file_is_a_wrong_call() -> None:
    assert "nowhere.json" in clear(run("convert", "from-fhir", "nowhere.json"), 2)


def test_directory_as_file_is_a_wrong_call(tmp_path: Path) -> None:
    clear(run("convert", "from-fhir", str(tmp_path)), 2)
    clear(run("convert", "from-fhir", "--ndjson", str(tmp_path)), 2)


def test_unreadable_file_is_a_wrong_call(tmp_path: Path) -> None:
    file = tmp_path / "closed.json"
    file.write_bytes(raw(PATIENT))
    file.chmod(0)
    if os.access(file, os.R_OK):
        # Whoever may read everything meets another file that cannot be opened.
        file = file / "below-a-file"
    clear(run("convert", "from-fhir", str(file)), 2)


def test_output_into_a_folder_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    clear(run("convert", "from-fhir", "--out", str(tmp_path / "no" / "x"), data=raw(PATIENT)), 2)


def test_stdin_closed_is_a_wrong_call() -> None:
    clear(run("convert", "from-fhir", stdin=None, preexec_fn=lambda: os.close(0)), 2)


@pytest.mark.parametrize("options", [(), ("--ndjson",)], ids=["document", "ndjson"])
def test_output_to_a_full_disk_is_said(options: tuple[str, ...]) -> None:
    with Path("/dev/full").open("wb") as full:
        clear(run("convert", "from-fhir", *options, data=raw(PATIENT), stdout=full), 2)
    clear(run("convert", "from-fhir", *options, "--out", "/dev/full", data=raw(PATIENT)), 2)


def test_killed_reader_is_no_fault() -> None:
    process = subprocess.Popen(
        [*COMMAND, "convert", "from-fhir", "--ndjson"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate((raw(PATIENT) + b"\n") * 2000, timeout=30)
    assert process.returncode == 1
    assert said == b""
