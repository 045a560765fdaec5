"""records, server, push, pull, status, conflicts, serve, demo: the way as a person goes it, two adapters on loopback."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter.cli.demonstration import other_adapter
from adapter.exchange import HttpFhirServer
from adapter.fhir_json import dumps, loads

ROOT = Path(__file__).resolve().parent.parent.parent.parent
RECORDS = ROOT / "fixtures" / "dual-diagnosis" / "records.json"


def careplan(*words: str | Path, cwd: Path, given: bytes = b"") -> Any:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "adapter.cli", *map(str, words)]
    return subprocess.run(command, input=given, capture_output=True, cwd=cwd, env=environment, check=False)


def rows(done: Any) -> list[Any]:
    found: list[Any] = loads(done.stdout)
    return found


@pytest.fixture
def other(tmp_path: Path) -> Iterator[str]:
    place = tmp_path / "other"
    place.mkdir()
    with other_adapter(place) as url:
        yield url


def test_records(tmp_path: Path) -> None:
    first = careplan("records", "import", "--json", RECORDS, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    assert {row["result"] for row in rows(first)} == {"new"}
    assert stat.S_IMODE((tmp_path / "careplan.db").stat().st_mode) == 0o600
    again = careplan("records", "import", "--json", RECORDS, cwd=tmp_path)
    assert {row["result"] for row in rows(again)} == {"unchanged"}
    listed = rows(careplan("records", "list", "--json", cwd=tmp_path))
    assert {row["origin"] for row in listed} == {"synthetic"}
    plan = next(row for row in listed if row["kind"] == "plan")
    shown = loads(careplan("records", "show", "plan", plan["id"], cwd=tmp_path).stdout)
    assert shown["revision"] == 1
    exported = careplan("records", "export", cwd=tmp_path).stdout
    assert len(loads(exported)) == len(listed)
    assert careplan("records", "import", cwd=tmp_path, given=exported).returncode == 0
    assert careplan("records", "show", "plan", "none", cwd=tmp_path).returncode == 1
    assert careplan("records", "list", "--kind", "none", cwd=tmp_path).returncode == 2


def test_a_faulty_record_is_refused_whole_and_its_neighbours_are_taken(tmp_path: Path) -> None:
    found = loads(RECORDS.read_bytes())
    plan = next(record for record in found if record["kind"] == "plan")
    plan["goals"][0]["problems"] = ["00000000-0000-4000-8000-000000000000"]
    done = careplan("records", "import", "--json", cwd=tmp_path, given=dumps(found))
    assert done.returncode == 1
    assert [row["result"] for row in rows(done)].count("refused") == 1
    assert b"/goals/0/problems/0" in done.stderr


def test_push_edit_there_pull(tmp_path: Path, other: str) -> None:
    careplan("records", "import", RECORDS, cwd=tmp_path)
    assert b"own" in careplan("server", "add", "north", other, cwd=tmp_path).stdout
    assert careplan("server", "add", "north", other, cwd=tmp_path).returncode == 2
    would = rows(careplan("push", "--dry-run", "--json", cwd=tmp_path))
    assert {row["result"] for row in would} == {"would create"}
    pushed = careplan("push", "north", "--json", cwd=tmp_path)
    assert pushed.returncode == 0, pushed.stderr
    assert rows(careplan("push", "--json", cwd=tmp_path)) == []
    with HttpFhirServer(other) as client:
        (goal, *_) = next(client.search("Goal", {}))
        client.update({**goal.resource, "lifecycleStatus": "completed"}, if_match=goal.version)
    pulled = careplan("pull", "north", "--json", cwd=tmp_path)
    assert [row["result"] for row in rows(pulled)] == ["pulled"]
    (plan,) = rows(careplan("records", "list", "--kind", "plan", "--json", cwd=tmp_path))
    assert plan["revision"] == 2
    assert rows(careplan("push", "--json", cwd=tmp_path)) == []
    assert careplan("status", cwd=tmp_path).returncode == 0
    assert careplan("conflicts", cwd=tmp_path).stdout == b""
    assert careplan("server", "remove", "north", cwd=tmp_path).returncode == 0


def test_both_sides_changed_is_a_conflict_and_nothing_is_overwritten(tmp_path: Path, other: str) -> None:
    careplan("records", "import", RECORDS, cwd=tmp_path)
    careplan("server", "add", "north", other, cwd=tmp_path)
    careplan("push", cwd=tmp_path)
    with HttpFhirServer(other) as client:
        (patient, *_) = next(client.search("Patient", {}))
        client.update({**patient.resource, "gender": "other"}, if_match=patient.version)
        mine = [
            {**record, "gender": "unknown"} for record in loads(RECORDS.read_bytes()) if record["kind"] == "patient"
        ]
        careplan("records", "import", cwd=tmp_path, given=dumps(mine))
        assert careplan("push", cwd=tmp_path).returncode == 1
        listed = careplan("conflicts", "list", "--json", cwd=tmp_path)
        assert listed.returncode == 1
        assert [(row["state"], row["element"]) for row in rows(listed)] == [("open", "Patient.gender")]
        assert client.read("Patient", patient.resource["id"]).resource["gender"] == "other"
    shown = careplan("records", "show", "patient", mine[0]["id"], cwd=tmp_path)
    assert loads(shown.stdout)["gender"] == "unknown"


def test_a_server_that_is_away_is_status_3(tmp_path: Path) -> None:
    careplan("records", "import", RECORDS, cwd=tmp_path)
    careplan("server", "add", "gone", "http://127.0.0.1:1/fhir", cwd=tmp_path)
    for words in (["push", "gone"], ["push"]):
        done = careplan(*words, cwd=tmp_path)
        assert done.returncode == 3, done.stderr
        assert b"Traceback" not in done.stderr
    assert careplan("push", "nobody", cwd=tmp_path).returncode == 2


def test_nothing_to_exchange_with_is_a_wrong_call(tmp_path: Path) -> None:
    assert careplan("push", cwd=tmp_path).returncode == 2


def test_db_upgrade_is_idempotent(tmp_path: Path) -> None:
    assert careplan("db", "upgrade", cwd=tmp_path).returncode == 0
    assert careplan("db", "upgrade", cwd=tmp_path).returncode == 0


def test_a_port_that_is_taken(tmp_path: Path, other: str) -> None:
    port = other.split(":")[2].split("/", maxsplit=1)[0]
    done = careplan("serve", "--port", port, cwd=tmp_path)
    assert done.returncode == 2
    assert b"cannot be used" in done.stderr


def test_demo(tmp_path: Path) -> None:
    done = careplan("demo", cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    steps = done.stdout.decode().split("\n\n1 ·")[-1]
    assert [f"{number} · " in done.stdout.decode() for number in range(1, 8)] == [True] * 7
    assert all(len(line) <= 100 for line in steps.splitlines())
    assert list(tmp_path.iterdir()) == []
