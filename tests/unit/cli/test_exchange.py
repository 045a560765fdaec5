"""server set, pause, resume; sync, status, conflicts show and resolve, history: as a person types them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from adapter.cli import main
from adapter.cli.demonstration import other_adapter
from adapter.exchange import HttpFhirServer
from adapter.fhir_json import dumps, loads

RECORDS = Path(__file__).resolve().parents[3] / "fixtures" / "dual-diagnosis" / "records.json"
PATIENT = loads(RECORDS.read_bytes())[0]


def careplan(*words: str, given: bytes = b"") -> Result:
    result = CliRunner().invoke(main, words, input=given)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with other_adapter(tmp_path_factory.mktemp("other")) as url:
        yield url


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPLAN_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.chdir(tmp_path)


def json(*words: str) -> Any:
    return loads(careplan(*words, "--json").stdout)


def test_another_process_sees_that_a_server_is_left_alone() -> None:
    careplan("records", "import", given=dumps([PATIENT]))
    careplan("server", "add", "away", "http://127.0.0.1:9/fhir")
    assert careplan("push").exit_code == 3
    (row,) = json("status")
    assert (row["circuit"], row["failures"]) == ("open", 1)
    assert "circuit open until" in careplan("status").stdout


def test_what_a_run_that_was_cut_off_holds_is_said(tmp_path: Path, other: str) -> None:
    careplan("records", "import", given=dumps([PATIENT | {"id": str(uuid4())}]))
    careplan("server", "add", "north", other)
    until = (datetime.now(UTC) + timedelta(minutes=5)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
    with closing(sqlite3.connect(tmp_path / "store.db")) as store, store:
        store.execute("UPDATE link SET lease_until = ?", [until])
    assert "north: some wait, held by another run or put off: careplan status north" in careplan("push").stderr
    (row,) = json("status")
    assert (row["under_way"], row["under_way_until"]) == (1, until)
    assert f"free again by {until}" in careplan("status").stdout
    with closing(sqlite3.connect(tmp_path / "store.db")) as store, store:
        store.execute("UPDATE link SET lease_until = ''")
    assert "some wait" not in careplan("push").stderr
    assert "some wait" not in careplan("push").stderr


def test_the_way_of_a_conflict(tmp_path: Path, other: str) -> None:
    careplan("records", "import", given=dumps([PATIENT]))
    assert careplan("server", "add", "north", other, "--every", "1m", "--policy", "Goal=theirs").exit_code == 0
    dry = json("sync", "north", "--dry-run")
    assert [row["result"] for row in dry] == ["would create"]
    assert careplan("sync").exit_code == 0
    with HttpFhirServer(other) as client:
        (there,) = [row for page in client.search("Patient", {"identifier": PATIENT["id"]}) for row in page]
        client.update({**there.resource, "gender": "unknown"}, if_match=there.version)
    careplan("records", "import", "--by", "A. Ward", given=dumps([{**PATIENT, "gender": "other"}]))
    assert careplan("sync").exit_code == 1
    (row,) = json("conflicts", "list")
    number = str(row["number"])
    shown = careplan("conflicts", "show", number).stdout
    assert "gender" in shown
    assert "A. Ward" in shown
    assert '"other"' in shown
    assert '"unknown"' in shown
    assert careplan("status").exit_code == 1
    assert careplan("conflicts", "resolve", number, "--take", "merged").exit_code == 2
    (tmp_path / "value.json").write_text('"male"')
    done = careplan("conflicts", "resolve", number, "--take", "merged", "value.json", "--by", "R. Weber")
    assert done.exit_code == 0, done.output
    assert careplan("sync").exit_code == 0
    assert careplan("status").exit_code == 0
    assert careplan("conflicts").output == ""
    told = careplan("history", PATIENT["id"]).stdout
    assert "R. Weber" in told
    assert "revision 3" in told
    assert careplan("history", f"patient/{PATIENT['id']}", "--back", "1").exit_code == 0
    assert loads(careplan("records", "show", "patient", PATIENT["id"]).stdout)["gender"] == PATIENT["gender"]


def test_a_paused_server_is_left_alone(other: str) -> None:
    careplan("records", "import", given=dumps([PATIENT]))
    careplan("server", "add", "north", other)
    careplan("server", "pause", "north", "--reason", "moving house")
    paused = careplan("sync", "north")
    assert paused.exit_code == 3
    assert "moving house" in paused.output
    assert "moving house" in careplan("status").output
    careplan("server", "resume", "north")
    assert careplan("sync", "north", "--dry-run").exit_code == 0


def test_options_that_cannot_be(tmp_path: Path) -> None:
    url = "http://127.0.0.1:9/fhir"
    (tmp_path / "empty.txt").write_text("# nobody\n")
    for words in (
        ["--every", "soon"], ["--policy", "Goal"], ["--kind", "nothing"], ["--patients", "none.txt"],
        ["--patients", "empty.txt"], ["--every", "0"],
    ):  # fmt: skip
        assert careplan("server", "add", "north", url, *words).exit_code == 2, words
    public = careplan("server", "add", "north", "https://hapi.fhir.org/baseR4", "--patients", "all")
    assert public.exit_code == 2
    (tmp_path / "ward.txt").write_text("urn:mrn|7  \n# a remark\nsome-id # another\n")
    assert careplan("server", "add", "north", url, "--patients", "ward.txt", "--kind", "plan").exit_code == 0
    (shown,) = json("server", "list")
    assert (shown["patients"], shown["kinds"]) == ("listed", ["plan"])
    assert careplan("server", "set", "north", "--every", "2h", "--bundle", "10").exit_code == 0
    assert careplan("server", "set", "south", "--every", "2h").exit_code == 2


def dumped(folder: Path) -> list[str]:
    """All that is stored but what a server says that it can do, which is asked once."""
    with closing(sqlite3.connect(folder / "store.db")) as store:
        return [line for line in store.iterdump() if not line.startswith('INSERT INTO "server_state"')]


def test_what_only_says_writes_nothing(tmp_path: Path, other: str) -> None:
    careplan("records", "import", given=dumps([PATIENT | {"id": str(uuid4())}]))
    careplan("server", "add", "north", other)
    before = dumped(tmp_path)
    for words in (["push", "--again"], ["push"], ["pull"], ["sync"], ["sync", "--remap"], ["sync", "--remap", "--yes"]):
        assert careplan(*words, "--dry-run").exit_code == 0, words
        assert dumped(tmp_path) == before, words
    assert careplan("sync", "--watch", "--dry-run").exit_code == 2
    assert careplan("sync", "--yes").exit_code == 2
    assert dumped(tmp_path) == before


def test_a_second_name_of_a_server_is_told(other: str) -> None:
    assert "already" not in careplan("server", "add", "north", other).stderr
    again = careplan("server", "add", "again", f"{other}/")
    assert again.exit_code == 0
    assert "This server is north already" in again.stderr
    assert "careplan server set north" in again.stderr
    assert [(one["name"], one["also"]) for one in json("server", "list", "--json")] == [
        ("again", ["north"]),
        ("north", ["again"]),
    ]
    assert careplan("server", "list").stdout.count("the same server") == 2


def test_one_sick_server_holds_up_no_other(other: str) -> None:
    careplan("records", "import", given=dumps([{**PATIENT, "id": str(uuid4())}]))
    careplan("server", "add", "a-sick", "http://127.0.0.1:9/fhir")
    careplan("server", "add", "b-well", other)
    done = careplan("sync")
    assert done.exit_code == 3
    status = {row["server"]: row for row in json("status")}
    assert status["b-well"]["counts"] == {"linked": 1}
    assert (status["a-sick"]["failures"], status["a-sick"]["counts"]) == (1, {"waiting": 1})


def test_deleting_and_what_is_not_there(other: str) -> None:
    careplan("records", "import", given=dumps([PATIENT]))
    assert careplan("records", "delete", "patient", PATIENT["id"], "--by", "A. Ward").exit_code == 0
    assert careplan("records", "delete", "patient", PATIENT["id"]).exit_code == 1
    assert careplan("history", "none").exit_code == 1
    assert careplan("history", f"nothing/{PATIENT['id']}").exit_code == 2
    assert careplan("conflicts", "show", "9").exit_code == 1
    assert careplan("history", PATIENT["id"], "--back", "1").exit_code == 0
    assert careplan("records", "show", "patient", PATIENT["id"]).exit_code == 0


def test_a_new_pack_is_counted_before_it_is_sent() -> None:
    careplan("records", "import", given=dumps([PATIENT]))
    told = careplan("sync", "--remap")
    assert told.exit_code == 0
    assert "patient: 0 of 1 would change" in told.output
