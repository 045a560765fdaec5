"""The ledger: whose work it is, what came of it, and that nothing is found by reading everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, select, text

from adapter.errors import Conflict, Unavailable
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.ports import THIS_WRITE, Arrival, Entry, Link, Options, Server
from adapter.ports import Conflict as Clash
from adapter.store import Store, open_store, tables
from adapter.store.database import open_engine

NAME = "a"


class Clock:
    def __init__(self) -> None:
        self.at = datetime(2026, 3, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    url = f"sqlite:///{tmp_path / 's.db'}"
    if request.param == "postgresql":
        url = request.getfixturevalue("cluster")
    made = open_store(url, clock=Clock())
    made.add_server(Server(NAME, "http://localhost/a", "own"))
    for number in range(5):
        save(made, "patient", f"p{number}")
        save(made, "plan", f"c{number}")
    yield made
    made.close()


def save(store: Store, kind: str, id_: str, title: str = "One", patient: str = "", **more: Any) -> None:
    type_ = {"patient": "Patient", "plan": "CarePlan", "diagnosis": "Condition"}[kind]
    tree = {"resourceType": type_, "id": f"r-{id_}", "language": title}
    about = {"patient": patient} if patient else {}
    store.save({"kind": kind, "id": id_, "title": title, **about}, {"": tree}, **more)


def later(store: Store, seconds: float) -> None:
    store._clock.at += timedelta(seconds=seconds)  # type: ignore[attr-defined]


def claim(store: Store, limit: int = 100) -> list[Link]:
    return store.claim(NAME, limit=limit, seconds=60)


def done(link: Link, remote: str = "") -> Link:
    return link.replace(acked=link.wanted, base=link.wanted, remote_id=remote or f"x-{link.local_id}",
                   remote_version="1", state="linked", lease_until="")  # fmt: skip


def test_parents_are_claimed_first_and_one_kind_at_a_time(store: Store) -> None:
    first = claim(store)
    assert {link.kind for link in first} == {"patient"}
    store.settle([done(link) for link in first])
    assert {link.kind for link in claim(store)} == {"plan"}
    assert claim(store) == []


def test_what_is_about_one_patient_is_claimed_together(store: Store) -> None:
    # Of the ten ids the order is one patient's, the other's, and so on.
    for number in range(10):
        save(store, "diagnosis", f"d{number}", patient=f"p{number % 2}")
    store.settle([done(link) for link in claim(store)])
    claimed = [{link.record_id for link in claim(store, 5)} for _ in range(2)]
    assert claimed == [{"d0", "d2", "d4", "d6", "d8"}, {"d1", "d3", "d5", "d7", "d9"}]


def test_no_more_is_claimed_than_was_asked_for_however_much_is_about_one_patient(store: Store) -> None:
    for number in range(10):
        save(store, "diagnosis", f"d{number}", patient="p0")
    store.settle([done(link) for link in claim(store)])
    assert [len(claim(store, 4)) for _ in range(4)] == [4, 4, 2, 4]


def test_what_is_claimed_is_nobody_else_s_until_the_lease_runs_out(store: Store) -> None:
    mine = claim(store, 2)
    theirs = claim(store, 100)
    assert not {link.key for link in mine} & {link.key for link in theirs}
    later(store, 61)
    again = {link.key: link for link in claim(store)}
    assert all(again[link.key].fence == link.fence + 1 for link in mine)
    assert store.settle([done(link) for link in mine]) == [done(link) for link in mine]
    assert not any(link.remote_id for link in store.links(NAME))


# SQLite has one writer: the second waits for the first.
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
def test_two_that_claim_at_once_each_get_something(store: Store) -> None:
    due = tables.link.c.rank == 0
    with store.engine.begin() as another:
        first = select(tables.link.c.record_id).where(due).order_by(tables.link.c.record_id).limit(2)
        held = set(another.scalars(first.with_for_update()))
        mine = {link.record_id for link in claim(store, 2)}
    assert (len(held), len(mine)) == (2, 2)
    assert not held & mine


def test_a_work_that_one_does_at_a_time_is_the_holder_s_until_it_ends_or_runs_out(store: Store) -> None:
    assert store.take_turn(NAME, "pull", "one", seconds=60)
    assert not store.take_turn(NAME, "pull", "two", seconds=60)
    assert store.take_turn(NAME, "pull", "one", seconds=60)
    assert store.take_turn("b", "pull", "two", seconds=60)
    store.end_turn(NAME, "pull", "two")
    assert not store.take_turn(NAME, "pull", "two", seconds=60)
    store.end_turn(NAME, "pull", "one")
    assert store.take_turn(NAME, "pull", "two", seconds=60)
    store._clock.at += timedelta(seconds=61)  # type: ignore[attr-defined]
    assert store.take_turn(NAME, "pull", "one", seconds=60)


# SQLite has one writer: the second waits for the first.
@pytest.mark.parametrize("store", ["postgresql"], indirect=True)
@pytest.mark.parametrize("ends", ["commit", "rollback"])
def test_of_two_that_begin_a_work_at_once_one_is_told_no(store: Store, ends: str) -> None:
    row = {"server": NAME, "work": "pull", "holder": "one", "until": "2026-03-01T12:01:00.000Z"}
    with ThreadPoolExecutor() as pool, store.engine.connect() as first:
        first.execute(tables.turn.insert().values(**row))
        second = pool.submit(store.take_turn, NAME, "pull", "two", seconds=60)
        with pytest.raises(TimeoutError):
            second.result(0.2)
        getattr(first, ends)()
    assert second.result(10) == (ends == "rollback")


def test_an_outcome_does_not_undo_what_was_written_meanwhile(store: Store) -> None:
    (link, *_) = claim(store)
    save(store, "patient", link.record_id, "Two")
    store.settle([done(link)])
    (now,) = store.local(NAME, [link.local]).values()
    assert (now.wanted, now.acked, now.todo) == (2, 1, True)


def test_a_write_that_comes_in_says_its_own_version(store: Store) -> None:
    (link, *_) = claim(store)
    save(store, "patient", link.record_id, "Theirs", links=[done(link).replace(acked=THIS_WRITE, base=THIS_WRITE)])
    (now,) = store.local(NAME, [link.local]).values()
    assert (now.wanted, now.acked, now.base, now.todo) == (2, 2, 2, False)
    with pytest.raises(Conflict):
        save(store, "patient", link.record_id, "Late", links=[done(link).replace(fence=link.fence - 1)])


def test_what_is_put_off_is_due_in_its_time(store: Store) -> None:
    mine = claim(store)
    due = "2026-03-01T12:05:00.000Z"
    store.settle([link.replace(not_before=due, lease_until="", reason="waits for X/1") for link in mine])
    assert {link.kind for link in claim(store)} == {"plan"}
    store.renew(NAME)
    assert {link.kind for link in claim(store)} == {"patient"}


def test_counts_and_what_needs_a_look(store: Store) -> None:
    mine = claim(store)
    store.settle([mine[0].replace(state="refused", reason="no"), *(done(link) for link in mine[1:])])
    assert store.counts(NAME) == {"refused": 1, "linked": 4, "waiting": 5}
    assert len(store.unsettled(NAME)) == 6
    assert store.waiting() == frozenset({NAME})


def test_a_refused_one_gets_another_chance_with_another_content(store: Store) -> None:
    (link, *_) = claim(store)
    store.settle([link.replace(state="refused", reason="no")])
    save(store, "patient", link.record_id, "Two")
    (now,) = store.local(NAME, [link.local]).values()
    assert (now.state, now.todo) == ("waiting", True)


def test_the_journal_only_grows(store: Store) -> None:
    store.enter([Entry(NAME, "plan", "c1", "", "decided", before={"a": 1}, after=None)])
    for change in ("UPDATE journal SET verb = 'x'", "DELETE FROM journal"):
        with store.engine.connect() as connection, pytest.raises(Exception, match="only grows"):
            connection.execute(text(change))
    (entry,) = store.entries("plan", "c1")
    assert (entry.before, entry.after) == ({"a": 1}, None)


def test_open_conflicts_of_a_part_are_replaced_and_decided_ones_stay(store: Store) -> None:
    (link, *_) = claim(store)
    stopped = link.replace(state="conflict", reason="changed on both sides")
    store.clash(stopped, [Clash(*link.key, "Patient.gender", None, "a", "b")])
    store.clash(stopped, [Clash(*link.key, "Patient.gender", None, "a", "c")])
    (one,) = store.conflicts(NAME)
    assert one.theirs == "c"
    store.decide([replace(one, state="resolved", taken="ours", value="a")])
    assert store.conflicts(NAME) == []
    assert store.conflict(one.number).taken == "ours"
    later(store, 100)
    store.lease([link], seconds=60)
    store.clash(stopped, [Clash(*link.key, "Patient.gender")])
    assert store.conflicts(NAME) == []


def test_a_number_stands_for_the_values_that_were_shown_under_it(store: Store) -> None:
    (link, *_) = claim(store)
    stopped = link.replace(state="conflict", reason="changed on both sides")
    gender, active = Clash(*link.key, "Patient.gender", None, "a", "b"), Clash(*link.key, "Patient.active", None, 1, 2)
    store.clash(stopped, [active, gender])
    first = {one.path: one.number for one in store.conflicts(NAME)}
    store.clash(stopped, [active, replace(gender, theirs="c")])
    second = {one.path: one.number for one in store.conflicts(NAME)}
    assert second["Patient.active"] == first["Patient.active"]
    assert second["Patient.gender"] not in first.values()
    old = store.conflict(first["Patient.gender"])
    assert (old.state, old.base, old.ours, old.theirs) == ("replaced", None, None, None)


def test_what_was_decided_of_other_values_is_not_carried_out(store: Store) -> None:
    (link, *_) = claim(store)
    stopped = link.replace(state="conflict", reason="changed on both sides")
    store.clash(stopped, [Clash(*link.key, "", None, "a", "b")])
    (whole,) = store.conflicts(NAME)
    store.decide([replace(whole, state="decided", taken="theirs", value="b")])
    store.clash(stopped, [Clash(*link.key, "Patient.gender", None, "a", "c")])
    (gender,) = store.conflicts(NAME)
    assert store.conflicts(NAME, state="decided") == []
    store.decide([replace(gender, state="decided", taken="ours", value="a")])
    store.clash(stopped, [gender, Clash(*link.key, "Patient.active", None, 1, 2)])
    assert [one.number for one in store.conflicts(NAME, state="decided")] == [gender.number]
    assert [one.path for one in store.conflicts(NAME)] == ["Patient.active"]


def test_a_part_that_is_in_step_again_has_no_conflict(store: Store) -> None:
    (link, *_) = claim(store)
    store.clash(link.replace(state="conflict", reason="x"), [Clash(*link.key, "", None, "a", "b")])
    assert len(store.conflicts(NAME)) == 1
    store.settle([link.replace(state="linked", reason="")])
    assert store.conflicts(NAME) == []


def plans(store: Store, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """How SQLite goes about every query from now on."""
    found: list[str] = []

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.startswith("SELECT") and re.search("FROM (link|resource_index)", statement):
            raw = connection.connection.driver_connection
            rows = raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            found.extend(str(row[3]) for row in rows)

    event.listen(store.engine, "before_cursor_execute", explain)
    return found


# PostgreSQL plans by its statistics, of which a small table has none worth a plan.
@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_no_question_reads_all_links(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plans(store, monkeypatch)
    mine = claim(store)
    store.lease(mine, seconds=60)
    store.local(NAME, [link.local for link in mine])
    store.remote(NAME, [("Patient", "x")])
    store.unsettled(NAME)
    store.waiting()
    store.link(mine[0].key)
    store.settle([link.replace(fence=99) for link in mine])
    save(store, "plan", "c1", "Two")
    assert found
    wide = [line for line in found if line.startswith("SCAN link") or line.endswith("(server=?)")]
    assert [line for line in wide if "ix_link_todo" not in line] == []


def test_options_come_back_as_they_were(store: Store) -> None:
    options = Options("push", ("plan",), "listed", 60, {"Goal.note": "theirs"}, "delete", 10, 2, 99)
    store.add_server(Server("b", "http://localhost/b", "own", options=options), ["urn:mrn|7"])
    assert store.server("b").options == options
    assert store.patients("b") == frozenset({"urn:mrn|7"})
    store.note("b", skew=1.5, facts={"x": [1]})
    assert (store.state("b").skew, store.state("b").facts) == (1.5, {"x": [1]})
    store.remove_server("b")
    assert store.state("b").facts == {}


def test_a_server_that_was_removed_while_a_run_went_on_is_added_anew(store: Store) -> None:
    store.remove_server(NAME)
    # What that run still writes.
    store.note(NAME, error="gone")
    store.set_watermark(NAME, "Goal", "2026-03-01T12:00:00.000Z")
    store.arrive([Arrival(NAME, "Goal", "g")])
    assert store.take_turn(NAME, "pull", "it", seconds=600)
    store.add_server(Server(NAME, "http://localhost/other", "own"))
    assert (store.state(NAME).error, store.watermark(NAME, "Goal"), store.arrivals(NAME)) == ("", "", [])
    assert store.take_turn(NAME, "pull", "another", seconds=600)


def test_facts_that_many_revise_at_once_are_revised_by_each(store: Store) -> None:
    def more(facts: dict[str, Any]) -> dict[str, Any]:
        return {**facts, "seen": facts.get("seen", 0) + 1}

    def work() -> None:
        for _ in range(10):
            store.revise(NAME, more)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result()
    assert store.state(NAME).facts == {"seen": 40}


def test_links_of_the_first_tables_keep_what_was_agreed(tmp_path: Path) -> None:
    from alembic import command

    from adapter.store.database import _config, writing

    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = open_engine(url)
    with writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(
            text(
                "INSERT INTO resource VALUES ('Patient','r1',3,'2026-03-01T12:00:00.000Z','{\"resourceType\":\"Patient\",\"id\":\"r1\"}','patient','p1','',0,'PUT')"
            )
        )
        for record, wanted, acked, state in (("p1", 7, 7, "linked"), ("p2", 2, 1, "conflict"), ("p3", 1, 0, "waiting")):
            connection.execute(
                text(
                    "INSERT INTO link (server,kind,record_id,part,type,local_id,remote_id,remote_version,base_sent,base_seen,"
                    "wanted,acked,in_flight,lease_until,fence,not_before,attempts,state,reason) VALUES "
                    f"('a','patient','{record}','','Patient','r{record[1]}','x','5','{{}}','{{\"id\":\"x\"}}',{wanted},{acked},'','',1,'',0,'{state}','')"
                )
            )
    engine.dispose()
    store = open_store(url)
    links = {link.record_id: link for link in store.links("a")}
    assert (links["p1"].wanted, links["p1"].acked, links["p1"].todo) == (3, 3, False)
    assert (links["p1"].seen, links["p1"].remote_version) == ({"id": "x"}, "5")
    assert (links["p2"].state, links["p2"].todo) == ("linked", True)
    assert store.counts("a") == {"linked": 1, "waiting": 2}


def test_a_migration_that_is_cut_off_leaves_the_tables_as_they_were(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import command

    from adapter.store.database import _config, version, writing

    url = f"sqlite:///{tmp_path / 'old.db'}"
    engine = open_engine(url)
    with writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    real = command.upgrade

    def cut(config: Any, target: str) -> None:
        real(config, target)
        raise Unavailable("cut off")

    monkeypatch.setattr(command, "upgrade", cut)
    with pytest.raises(Unavailable):
        open_store(url)
    monkeypatch.undo()
    assert version(engine)[0] == "0001"
    assert open_store(url).version()[0] != "0001"


def test_the_tables_are_as_they_are_written_down(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from adapter.store.tables import metadata

    with store.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_link_has_the_columns_of_its_table_in_their_order() -> None:
    assert Link.__struct_fields__ == tuple(column.name for column in tables.link.columns)[: len(Link.__struct_fields__)]


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
def test_no_question_about_identifiers_reads_all_of_a_type(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plans(store, monkeypatch)
    store.identified("Patient", {"https://example.org/mrn|1", "https://example.org/mrn|2"})
    store.owners([{"resourceType": "Patient", "id": "x", "identifier": [{"system": IDENTIFIER_SYSTEM, "value": "p1"}]}])
    asked = [line for line in found if "resource_index" in line]
    assert len(asked) == 2
    assert all(line.endswith("ix_resource_index_param_value (param=? AND value=?)") for line in asked)
