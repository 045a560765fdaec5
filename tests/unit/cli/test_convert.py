"""careplan convert, validate, schema as another program calls them: output, order, exit status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapter.fhir_json import dumps, loads, same

ROOT = Path(__file__).resolve().parent.parent.parent.parent
RECORDS = ROOT / "fixtures" / "dual-diagnosis" / "records.json"
GOAL = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Thirty days"},
    "subject": {"reference": "Patient/p"},
}


def careplan(*words: str | Path, given: bytes | str | None = None, cwd: Path | None = None) -> Any:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    data = given.encode() if isinstance(given, str) else given
    command = [sys.executable, "-m", "adapter.cli", *map(str, words)]
    return subprocess.run(command, input=data or b"", capture_output=True, cwd=cwd, env=environment, check=False)


def ndjson(*rows: Any) -> bytes:
    return b"\n".join(row if isinstance(row, bytes) else dumps(row) for row in rows) + b"\n"


def told(done: Any) -> list[Any]:
    return [loads(line) if line else None for line in done.stdout.split(b"\n")[:-1]]


def test_there_and_back_is_the_same(tmp_path: Path) -> None:
    bundle = careplan("convert", "to-fhir", RECORDS)
    assert bundle.returncode == 0, bundle.stderr
    back = careplan("convert", "from-fhir", given=bundle.stdout)
    assert back.returncode == 0, back.stderr
    assert set(loads(back.stdout)) == {"records", "remainder", "issues"}
    again = careplan("convert", "to-fhir", given=back.stdout)
    assert same(loads(again.stdout), loads(bundle.stdout))
    out = tmp_path / "out.json"
    assert (
        careplan("convert", "to-fhir", "--type", "transaction", "--create", "conditional", "--out", out, RECORDS).stdout
        == b""
    )
    assert loads(out.read_bytes())["type"] == "transaction"


def test_how_to_create_is_said_of_a_transaction_only() -> None:
    done = careplan("convert", "to-fhir", "--create", "conditional", RECORDS)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"careplan: --create goes with --type transaction.\n"


def test_ndjson_both_ways_keeps_every_digit_and_passes_bad_lines_through() -> None:
    text = b'{"resourceType":"Goal","lifecycleStatus":"active","target":[{"detailQuantity":{"value":1.50}}]}'
    rows = ndjson(GOAL, b"", text, b"{", {"resourceType": "Nonsense"}, {"resourceType": "Medication", "id": "m"})
    one = careplan("convert", "from-fhir", "--ndjson", given=b"\xef\xbb\xbf" + rows)
    assert one.returncode == 1
    first = told(one)
    assert [None if row is None else "error" in row for row in first] == [False, None, False, True, True, False]
    assert first[5]["records"] == []
    assert [issue["severity"] for issue in first[5]["issues"]] == ["information"]
    two = careplan("convert", "to-fhir", "--ndjson", given=one.stdout)
    assert two.returncode == 1
    out = two.stdout.split(b"\n")[:-1]
    assert same(loads(out[0]), GOAL)
    assert out[1] == b""
    assert b"1.50" in out[2]
    assert out[3:5] == one.stdout.split(b"\n")[3:5]
    assert loads(out[5]) == {"resourceType": "Medication", "id": "m"}


def test_good_lines_end_with_zero_and_no_patient_is_named_on_stderr() -> None:
    done = careplan("convert", "from-fhir", "--ndjson", given=ndjson(GOAL, {"resourceType": "Medication"}))
    assert (done.returncode, len(told(done))) == (0, 2)
    assert b"Thirty" not in done.stderr


def test_validate() -> None:
    bundle = careplan("convert", "to-fhir", RECORDS).stdout
    broken = bundle.replace(b'"status": "active"', b'"status": "actve"')
    done = careplan("validate", given=broken)
    assert done.returncode == 1
    assert b"stdin:" in done.stdout
    assert b"actve" not in done.stdout
    outcome = loads(careplan("validate", "--json", given=broken).stdout)
    assert outcome["resourceType"] == "OperationOutcome"
    assert any(row["severity"] == "error" for row in outcome["issue"])
    assert careplan("validate", RECORDS).returncode == 0
    rows = careplan("validate", "--ndjson", given=ndjson(GOAL, b"{", b"", {"a": 1}))
    assert rows.returncode == 1
    assert [row and row["resourceType"] for row in told(rows)] == [
        "OperationOutcome",
        "OperationOutcome",
        None,
        "OperationOutcome",
    ]


def test_validate_names_file_and_line(tmp_path: Path) -> None:
    place = tmp_path / "plan.json"
    place.write_text('{\n  "kind": "plan",\n  "id": "x",\n  "status": "actve"\n}\n')
    done = careplan("validate", place)
    assert f"{place}:4:13: error:".encode() in done.stdout


def test_responses_against_a_questionnaire_of_the_caller(tmp_path: Path) -> None:
    form = {
        "resourceType": "Questionnaire",
        "url": "https://example.org/f",
        "status": "active",
        "item": [{"linkId": "a", "type": "boolean"}],
    }
    (tmp_path / "form.json").write_bytes(dumps(form))
    os.mkfifo(tmp_path / "pipe.json")
    answer = {"linkId": "b", "answer": [{"valueBoolean": True}]}
    response = {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://example.org/f",
        "status": "completed",
        "item": [answer],
    }
    done = careplan("validate", "--questionnaires", tmp_path, given=dumps(response))
    assert done.returncode == 1


@pytest.mark.parametrize("kind", ["patient", "form", "assessment", "diagnosis", "plan", "goal", "care_team", "request"])
def test_schema(kind: str) -> None:
    assert json.loads(careplan("schema", kind).stdout)["title"] == kind


@pytest.mark.parametrize(
    ("words", "given", "status"),
    [
        (["convert", "to-fhir"], "{", 1),
        (["convert", "to-fhir"], '{"a": 1}', 1),
        (["convert", "to-fhir"], '{"kind": "nonsense", "id": "x"}', 1),
        (["convert", "to-fhir", "/nowhere.json"], "", 2),
        (["convert", "to-fhir", "--pack", "nonsense"], "[]", 2),
        (["convert", "to-fhir", "--type", "document"], "[]", 2),
        (["convert", "from-fhir"], '{"resourceType": "Goal", "resourceType": "Goal"}', 1),
        (["convert", "from-fhir"], '{"resourceType": "Nonsense"}', 1),
        (["convert", "from-fhir"], '{"x": NaN}', 1),
        (["convert", "from-fhir"], "[" * 10_000 + "]" * 10_000, 1),
        (["convert", "from-fhir"], b"\xff\xfe{}", 1),
        (["convert", "from-fhir", "--fhir", "3.0.2"], "{}", 2),
        (["convert", "from-fhir", "--fhir", "3.0.1"], "{}", 2),
        (["convert", "from-fhir", "--strict"], '{"resourceType": "Goal"}', 1),
        (["validate"], "{}", 1),
        (["schema", "nonsense"], "", 2),
        (["nonsense"], "", 2),
        (["serve", "--host", "0.0.0.0"], "", 2),
    ],
)
def test_exit_statuses(words: list[str], given: str | bytes, status: int, tmp_path: Path) -> None:
    done = careplan(*words, given=given, cwd=tmp_path)
    assert done.returncode == status, done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stderr or done.stdout


def test_type_beside_a_remainder_is_a_wrong_call() -> None:
    back = careplan("convert", "from-fhir", given=dumps(GOAL)).stdout
    assert careplan("convert", "to-fhir", "--type", "collection", given=back).returncode == 2


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    rows = tmp_path / "rows.ndjson"
    rows.write_bytes(ndjson(*[GOAL] * 3000))
    command = f"{sys.executable} -m adapter.cli convert from-fhir --ndjson {rows} | head -1"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, env=environment, check=False)
    assert done.stdout.count(b"\n") == 1
    assert b"Traceback" not in done.stderr
    assert b"BrokenPipe" not in done.stderr
