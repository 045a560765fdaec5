"""The database is full, not to be written, held by others, or its migration is cut off: nothing is there by halves, what
was stored stays, and when it can be written again everything goes on.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Connection, Engine, event, text

from adapter.cli import main
from adapter.errors import Unavailable
from adapter.store import open_store
from adapter.store.database import open_engine, upgrade, version
from tests.bad_input.rows import MARK, RECORD, raw
from tests.unit.services.scene import NAME, Scene, scene


@contextmanager
def spoiled(engine: Engine, pragma: str, back: str) -> Iterator[None]:
    """Every transaction begins on a database that is so."""

    def spoil(connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA {pragma}")

    event.listen(engine, "begin", spoil)
    yield
    event.remove(engine, "begin", spoil)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql(f"PRAGMA {back}"))


REMEDIES = {
    "full": "Make room on its disk; nothing of this was written.",
    "readonly": "Its folder must be there, and both writable for who runs this.",
}
BROKEN = pytest.mark.parametrize(
    ("pragma", "back", "said"),
    [
        ("max_page_count = 1", "max_page_count = 1000000", "full"),
        ("query_only = ON", "query_only = OFF", "readonly"),
    ],
    ids=["full", "read-only"],
)


def in_step(made: Scene) -> bool:
    return {(link.state, link.wanted == link.acked) for link in made.links()} == {("linked", True)}


@BROKEN
def test_a_pull_that_cannot_be_stored_is_done_again(tmp_path: Path, pragma: str, back: str, said: str) -> None:
    made = scene(tmp_path)
    made.push()
    made.pull()
    before = list(made.store.records())
    made.edit_there(statusReason="x" * 2_000_000)
    with spoiled(made.store.engine, pragma, back), pytest.raises(Unavailable, match=said) as caught:
        made.pull()
    assert caught.value.remedy == REMEDIES[said]
    assert list(made.store.records()) == before
    made.clock.at = made.clock.at.replace(hour=23)
    made.pull()
    assert len(made.plan()["goals"][0]["status_reason"]) == 2_000_000
    assert in_step(made)


@BROKEN
def test_a_push_that_cannot_be_recorded_sends_nothing_twice(tmp_path: Path, pragma: str, back: str, said: str) -> None:
    made = scene(tmp_path)
    send = made.client.transaction
    writes = made.client.writes
    with spoiled(made.store.engine, pragma, back), pytest.raises(Unavailable, match=said):
        made.push()
    # A full database may still have room for the first few.
    assert said == "full" or made.client.writes == writes, "what cannot be noted as in flight does not go"

    def then_full(bundle: dict[str, object]) -> object:
        answer = send(bundle)
        raise Unavailable("as where the outcome cannot be written") if answer else AssertionError

    made.client.transaction = then_full  # type: ignore[assignment,method-assign]
    with pytest.raises(Unavailable):
        made.push()
    made.client.transaction = send  # type: ignore[method-assign]
    made.clock.at = made.clock.at.replace(hour=23)
    made.push()
    made.push()
    assert in_step(made)
    for type_ in ("Patient", "CarePlan", "Goal", "Condition"):
        rows = [row for page in made.client.search(type_, {}) for row in page]
        assert len(rows) == len(made.links(type_)), type_


@BROKEN
def test_an_import_that_cannot_be_stored_leaves_the_store_as_it_was(
    tmp_path: Path, pragma: str, back: str, said: str
) -> None:
    made = scene(tmp_path)
    before = list(made.store.records())
    plan = {**made.plan(), "description": "y" * 2_000_000}
    with spoiled(made.store.engine, pragma, back), pytest.raises(Unavailable, match=said) as caught:
        made.write(plan)
    assert "yyyy" not in str(caught.value)
    assert list(made.store.records()) == before
    made.write(plan)
    assert len(made.plan()["description"]) == 2_000_000
    assert {link.server for link in made.store.links(NAME, pending=True)} == {NAME}


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("sqlite:///{folder}/notes.txt", "CAREPLAN_DATABASE_URL names a file that is no database of SQLite."),
        ("sqlite:///{folder}/nowhere/careplan.db", "Its folder must be there"),
        ("sqlite:///{folder}", "Its folder must be there"),
        (
            "postgresql://me:topsecret@127.0.0.1:1/x",
            "Look at whether it runs, and at CAREPLAN_DATABASE_URL and PGPASSWORD.",
        ),
    ],
)
def test_what_to_do_is_said_by_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, remedy: str
) -> None:
    (tmp_path / "notes.txt").write_text("no database, but long enough to be looked at as if it were one")
    monkeypatch.setenv("CAREPLAN_DATABASE_URL", url.format(folder=tmp_path))
    told = careplan("status")
    assert (told.exit_code, remedy in told.stderr) == (3, True), told.stderr
    assert "topsecret" not in told.stderr


def careplan(*arguments: str, data: bytes = b"") -> Result:
    result = CliRunner().invoke(main, arguments, input=data)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


def test_a_database_that_another_holds_is_waited_for_and_then_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAREPLAN_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("CAREPLAN_DATABASE_TIMEOUT", "0.2")
    assert careplan("records", "import", data=raw(RECORD)).exit_code == 0
    holder = sqlite3.connect(tmp_path / "store.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    result = careplan("records", "import", data=raw({**RECORD, "gender": "female"}))
    assert (result.exit_code, "locked" in result.stderr) == (3, True)
    assert MARK not in result.stderr
    assert careplan("records", "export").exit_code in (0, 3)
    holder.execute("ROLLBACK")
    holder.close()
    assert careplan("records", "import", data=raw({**RECORD, "gender": "female"})).exit_code == 0


def test_a_file_that_may_not_be_written_is_said_without_a_trace(tmp_path: Path) -> None:
    file = tmp_path / "store.db"
    open_store(f"sqlite:///{file}").close()
    file.chmod(0o400)
    command = [sys.executable, "-m", "adapter.cli", "status"]
    if os.geteuid() == 0:
        # root may write everything.
        tmp_path.chmod(0o755)
        command = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", *command]
    environment = {**os.environ, "CAREPLAN_DATABASE_URL": f"sqlite:///{file}", "CAREPLAN_CACHE": "off"}
    told = subprocess.run(command, capture_output=True, env=environment, timeout=60, check=False)
    if b"No module named" in told.stderr or b"Permission denied: '/" in told.stderr:
        pytest.skip("who may write nothing here may not read the program either")
    assert told.returncode == 3, told.stderr
    assert b"cannot be opened" in told.stderr
    assert b"Traceback" not in told.stderr


def _killed_while_upgrading(url: str, at: int) -> None:
    """In a process of its own: upgrades, and dies at so many statements."""
    engine, seen = open_engine(url), [0]

    def count(*_: object) -> None:
        seen[0] += 1
        if seen[0] == at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine, "after_cursor_execute", count)
    upgrade(engine)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_migration_whose_process_is_killed_leaves_the_tables_as_they_were(
    request: pytest.FixtureRequest, tmp_path: Path, database: str
) -> None:
    url = f"sqlite:///{tmp_path / 'old.db'}" if database == "sqlite" else request.getfixturevalue("cluster")
    engine = open_engine(url)
    upgrade(engine, "0001")
    with engine.begin() as connection:
        row = "'patient','p1',1,'{\"kind\":\"patient\",\"id\":\"p1\"}','real','2026-03-01T12:00:00.000Z',false"
        connection.execute(
            text(f"INSERT INTO record (kind,id,revision,document,origin,recorded_at,deleted) VALUES ({row})")
        )
    engine.dispose()
    for at in (1, 8, 25):
        child = get_context("fork").Process(target=_killed_while_upgrading, args=(url, at))
        child.start()
        child.join(30)
        assert child.exitcode == -signal.SIGKILL, at
        assert version(engine)[0] == "0001"
        engine.dispose()
    store = open_store(url)
    assert store.version()[0] == store.version()[1]
    assert store.record("patient", "p1") == {"kind": "patient", "id": "p1"}
    store.close()
