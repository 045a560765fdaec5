"""Records and resources in SQLite."""

from __future__ import annotations

import stat
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from adapter.errors import Conflict, DataError, Gone, NotFound, SettingsError, Unavailable
from adapter.fhir_json import loads, same
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.ports import Server
from adapter.store import Store, open_store
from adapter.store.indexing import moment_range
from tests.unit.services.scene import Ticking

PLAN, GOAL = "6b2f6cf0-6c14-4a8e-9a59-0d4bb9a0a001", "6b2f6cf0-6c14-4a8e-9a59-0d4bb9a0a002"
RECORD = {"kind": "plan", "id": PLAN, "title": "One", "origin": "synthetic"}


def parts(title: str = "One", **more: Any) -> dict[str, Any]:
    main = {"resourceType": "CarePlan", "id": "c1", "title": title, "subject": {"reference": "Patient/p1"}}
    goal = {"resourceType": "Goal", "id": "g1", "identifier": [{"system": IDENTIFIER_SYSTEM, "value": GOAL}]}
    return {"": {**main, **more}, f"Goal/{GOAL}": goal}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(f"sqlite:///{tmp_path / 's.db'}", clock=Ticking())
    yield made
    made.close()


def test_only_what_changed_gets_a_new_version(store: Store) -> None:
    assert store.save(RECORD, parts()).parts == ("", f"Goal/{GOAL}")
    assert not store.save(RECORD, parts()).changed
    saved = store.save({**RECORD, "title": "Two"}, parts("Two"))
    assert (saved.parts, saved.record["revision"]) == (("",), 2)
    assert {part: row.version for part, row in store.parts("plan", PLAN).items()} == {"": 2, f"Goal/{GOAL}": 1}
    assert [row["title"] for row in store.revisions("plan", PLAN)] == ["Two", "One"]


def test_digits_stay(store: Store) -> None:
    store.save({**RECORD, "n": Decimal("1.50")}, parts(n=Decimal("0.010")))
    assert same(store.record("plan", PLAN)["n"], Decimal("1.50"))
    assert same(store.resource("CarePlan", "c1").tree["n"], Decimal("0.010"))


def test_origin_never_gets_laxer(store: Store) -> None:
    store.save(RECORD, parts())
    assert store.save({**RECORD, "origin": "test"}, parts()).record["origin"] == "test"
    assert store.save({**RECORD, "title": "Two"}, parts()).record["origin"] == "test"
    without = {key: value for key, value in RECORD.items() if key != "origin"}
    assert "origin" not in store.save(without, parts()).record
    assert "origin" not in store.save(RECORD, parts()).record
    assert store.owners([{"resourceType": "CarePlan", "id": "c1"}])[0][:2] == ("real", f"plan/{PLAN}")


def test_the_origin_of_what_nobody_knows_is_real(store: Store) -> None:
    store.save(RECORD, parts())
    assert store.owners([{"resourceType": "Goal", "id": "other"}])[0][:2] == ("real", "")
    known = {"resourceType": "Goal", "identifier": [{"system": IDENTIFIER_SYSTEM, "value": GOAL}]}
    assert store.owners([known])[0][:2] == ("synthetic", f"plan/{PLAN}")


def test_a_part_that_is_not_given_is_deleted_and_may_return(store: Store) -> None:
    store.save(RECORD, parts())
    store.save(RECORD, {"": parts()[""]})
    with pytest.raises(Gone):
        store.resource("Goal", "g1")
    assert store.vread("Goal", "g1", "1").tree["id"] == "g1"
    with pytest.raises(Gone):
        store.vread("Goal", "g1", "2")
    store.save(RECORD, parts())
    assert [(row.version, row.method) for row in store.history("Goal", "g1").rows] == [
        (3, "POST"),
        (2, "DELETE"),
        (1, "POST"),
    ]


def test_the_version_given_must_be_the_present_one(store: Store) -> None:
    store.save(RECORD, parts())
    for expect in ({("CarePlan", "c1"): "7"}, {("CarePlan", "c1"): None}, {("Goal", "none"): "1"}):
        with pytest.raises(Conflict):
            store.save({**RECORD, "title": "Two"}, parts("Two"), expect=expect)
    with pytest.raises(Conflict):
        store.save({**RECORD, "title": "Two"}, parts("Two"), expect_revision=9)
    assert store.record("plan", PLAN)["title"] == "One"


def test_of_two_who_write_at_once_on_one_version_one_is_told(store: Store) -> None:
    store.save(RECORD, parts())
    told: list[str] = []

    def write(title: str) -> None:
        try:
            store.save({**RECORD, "title": title}, parts(title), expect={("CarePlan", "c1"): "1"})
        except Conflict:
            told.append(title)

    threads = [Thread(target=write, args=(f"T{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 3
    assert store.resource("CarePlan", "c1").version == 2


def test_nothing_is_stored_by_halves(store: Store) -> None:
    store.save(RECORD, parts())
    other = {**RECORD, "id": GOAL}
    with pytest.raises(DataError):
        store.save(other, {"": {"resourceType": "CarePlan", "id": "c9"}, "Goal/x": parts()[f"Goal/{GOAL}"]})
    with pytest.raises(NotFound):
        store.record("plan", GOAL)
    with pytest.raises(NotFound):
        store.resource("CarePlan", "c9")


def test_deleted_is_gone_and_history_stays(store: Store) -> None:
    store.save(RECORD, parts())
    store.delete("plan", PLAN)
    store.delete("plan", PLAN)
    with pytest.raises(Gone):
        store.record("plan", PLAN)
    with pytest.raises(Gone):
        store.resource("CarePlan", "c1")
    assert list(store.records()) == []
    assert len(store.revisions("plan", PLAN)) == 2
    with pytest.raises(NotFound):
        store.delete("plan", GOAL)


def found(store: Store, type_: str, *params: tuple[str, str]) -> int:
    return store.search(type_, params).total


def test_search(store: Store) -> None:
    store.save(RECORD, parts())
    assert found(store, "CarePlan", ("patient", "p1"), ("_id", "c0,c1")) == 1
    assert found(store, "CarePlan", ("subject", "Patient/p1")) == 1
    assert found(store, "CarePlan", ("subject", "Group/p1")) == 0
    assert found(store, "Goal", ("identifier", f"{IDENTIFIER_SYSTEM}|{GOAL}")) == 1
    assert found(store, "Goal", ("identifier", GOAL)) == 1
    assert found(store, "Goal", ("identifier", f"|{GOAL}")) == 0
    assert found(store, "Goal", ("_lastUpdated", "ge2026-03-01"), ("_lastUpdated", "lt2026-03-02")) == 1
    assert found(store, "Goal", ("_lastUpdated", "gt2026-03-01")) == 0
    with pytest.raises(DataError):
        store.search("Goal", [("name", "x")])


@pytest.mark.parametrize("text", ["", "x", "2026-13", "2026-02-30", "26", "2026-01-01T25:00:00Z"])
def test_a_moment_that_is_none_is_refused(store: Store, text: str) -> None:
    assert moment_range(text) is None
    with pytest.raises(DataError):
        store.search("Goal", [("_lastUpdated", text)])


def test_a_moment_covers_its_precision() -> None:
    assert moment_range("2026") == ("2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")
    assert moment_range("2026-12") == ("2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z")
    assert (moment_range("2026-03-01T12:00:00+02:00") or "")[0] == "2026-03-01T10:00:00.000Z"
    assert (moment_range("2026-03-01T12:00:00 02:00") or "")[0] == "2026-03-01T10:00:00.000Z"


def test_pages(store: Store) -> None:
    for number in range(5):
        tree = {"resourceType": "Patient", "id": f"p{number}"}
        store.save({"kind": "patient", "id": f"p{number}"}, {"": tree})
    page = store.search("Patient", [], limit=2, offset=4)
    assert ([row.id for row in page.rows], page.total) == (["p4"], 5)


def test_every_server_is_to_get_what_changes_and_nothing_twice(store: Store) -> None:
    store.add_server(Server("a", "http://localhost/a", "own"))
    store.save(RECORD, parts())
    store.add_server(Server("b", "http://localhost/b", "own"))
    store.save(RECORD, parts())
    assert {(one.server, one.wanted) for name in "ab" for one in store.links(name, pending=True)} == {
        ("a", 1),
        ("b", 1),
    }
    store.save({**RECORD, "title": "Two"}, parts("Two"))
    assert sorted((one.part, one.wanted) for one in store.links("a")) == [("", 2), (f"Goal/{GOAL}", 1)]
    store.remove_server("a")
    assert list(store.links("a")) == []


def test_a_lease_is_one_process_s_own_until_it_runs_out(store: Store) -> None:
    store.add_server(Server("a", "http://localhost/a", "own"))
    store.save(RECORD, parts())
    links = list(store.links("a"))
    mine = store.lease(links, seconds=60)
    assert len(mine) == len(links)
    assert store.lease(links, seconds=60) == []
    store._clock.at = store._clock.at.replace(hour=13)  # type: ignore[attr-defined]
    theirs = store.lease(links, seconds=60)
    assert len(theirs) == len(links)
    assert store.settle(mine) == mine
    assert store.settle(theirs) == []


def test_the_file_is_its_owner_s_alone(tmp_path: Path, store: Store) -> None:
    store.save(RECORD, parts())
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.glob("s.db*")} == {0o600}


def test_an_upgrade_twice_is_one(store: Store) -> None:
    store.upgrade()
    present, newest = store.version()
    assert present == newest != ""


def test_the_migrations_make_the_tables_as_they_are_written_down(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from adapter.store.tables import metadata

    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_database_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        open_store(f"sqlite:///{tmp_path / 'none' / 's.db'}")
    with pytest.raises(SettingsError):
        open_store("no address")
    file = tmp_path / "text.db"
    file.write_text("This is no database at all. " * 50)
    with pytest.raises(Unavailable):
        open_store(f"sqlite:///{file}")


def test_no_value_of_a_record_is_in_an_error(store: Store) -> None:
    store.save(RECORD, parts("Secret"))
    with pytest.raises(Conflict) as caught:
        store.save(RECORD, parts("Secret2"), expect={("CarePlan", "c1"): "9"})
    assert "Secret" not in str(caught.value)


def test_what_is_kept_is_json(store: Store) -> None:
    store.save(RECORD, parts())
    with store.engine.connect() as connection:
        (text,) = connection.exec_driver_sql("SELECT document FROM record").one()
    assert loads(text)["title"] == "One"
