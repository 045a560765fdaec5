"""The schedule: each server in its time, at once where something waits, and none for another's sake."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from adapter.errors import ServerRefused, SettingsError, Unavailable
from adapter.services.exchange import How, Ran, attempt, exchange
from adapter.services.status import circuit, status, told
from adapter.services.watch import STORE, Watch, due
from adapter.sync.partner import Partner
from tests.unit.services.scene import NAME, Scene, scene


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    return scene(tmp_path)


@contextmanager
def watching(made: Scene) -> Iterator[Watch]:
    @contextmanager
    def connect(name: str) -> Iterator[Partner]:
        yield made.partner()

    with Watch(made.store, connect, made.clock) as watch:
        yield watch


def turns(watch: Watch, number: int = 1) -> list[Ran]:
    """Runs until so many exchanges have ended."""
    done: list[Ran] = []
    until = time.monotonic() + 20
    while len(done) < number and time.monotonic() < until:
        done += watch.turn()
        time.sleep(0.005)
    return done


def due_of(watch: Watch) -> list[tuple[str, How]]:
    return list(due(watch.ledger, watch.clock.now(), watch.name))


def test_a_server_is_looked_at_by_its_schedule(made: Scene) -> None:
    with watching(made) as watch:
        (first,) = turns(watch)
        assert first.report.counts()["created"] > 10
        assert due_of(watch) == []
        made.clock.at += timedelta(seconds=299)
        assert due_of(watch) == []
        made.clock.at += timedelta(seconds=2)
        assert due_of(watch) == [(NAME, "both")]


def test_what_changed_here_goes_at_once(made: Scene) -> None:
    with watching(made) as watch:
        turns(watch)
        made.edit_goal(status_reason="later")
        assert due_of(watch) == [(NAME, "push")]
        turns(watch)
        assert made.goal()["statusReason"] == "later"
        assert due_of(watch) == []


def test_a_server_that_is_only_read_is_sent_nothing(made: Scene) -> None:
    made.set(direction="pull")
    with watching(made) as watch:
        turns(watch)
        assert made.client.writes == 0
        assert due_of(watch) == []


def test_one_that_hangs_holds_up_no_turn(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    release, send = Event(), made.client.transaction

    def hang(bundle: object) -> object:
        release.wait(20)
        return send(bundle)  # type: ignore[arg-type]

    monkeypatch.setattr(made.client, "transaction", hang)
    with watching(made) as watch:
        started = time.monotonic()
        for _ in range(5):
            assert list(watch.turn()) == []
        assert time.monotonic() - started < 5
        release.set()
        assert len(turns(watch)) == 1


@pytest.mark.parametrize("wait", [None, 36_000.0])
def test_one_that_fails_is_left_alone_for_a_while(
    made: Scene, monkeypatch: pytest.MonkeyPatch, wait: float | None
) -> None:
    def away(*_: object, **__: object) -> object:
        raise Unavailable("away", retry_after=wait)

    monkeypatch.setattr(made.client, "search", away)
    ran = exchange(made.partner(), hurry=False)
    assert isinstance(ran.error, Unavailable)
    state = made.store.state(NAME)
    assert (state.failures, circuit(state, made.clock.now())) == (1, "open")
    assert exchange(made.partner(), hurry=False).report.steps == []
    with watching(made) as watch:
        assert due_of(watch) == []
        made.clock.at += timedelta(seconds=(wait or 600) + 1)
        assert due_of(watch) == [(NAME, "both")]
    assert circuit(made.store.state(NAME), made.clock.now()) == "half-open"
    monkeypatch.undo()
    assert exchange(made.partner()).error is None
    assert circuit(made.store.state(NAME), made.clock.now()) == "closed"


def test_one_that_wants_other_credentials_is_not_asked_again_and_again(
    made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def no(*_: object, **__: object) -> object:
        asked.append(1)
        raise ServerRefused("The server does not let us do that.", status=401)

    monkeypatch.setattr(made.client, "search", no)
    with watching(made) as watch:
        turns(watch)
        for _ in range(30):
            list(watch.turn())
            time.sleep(0.005)
    assert len(asked) <= 2
    state = made.store.state(NAME)
    assert (state.failures >= 1, circuit(state, made.clock.now())) == (True, "open")


@pytest.mark.parametrize("fault", [SettingsError("The secret is not set."), KeyError("Secretname"), MemoryError()])
def test_whatever_ends_a_run_is_noted_and_ends_no_other(
    made: Scene, fault: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    @contextmanager
    def broken(_: str) -> Iterator[Partner]:
        raise fault
        yield made.partner()

    ran = attempt(made.store, made.clock, broken, NAME, "both")
    assert ran.error is not None
    assert "Secretname" not in str(ran.error) + caplog.text
    assert made.store.state(NAME).failures == 1
    assert attempt(made.store, made.clock, broken, "removed", "both").error is not None
    assert [one.name for one in made.store.servers()] == [NAME]
    with watching(made) as watch:
        assert due_of(watch) == []


def test_a_store_that_is_away_for_a_while_ends_no_watch(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> object:
        raise Unavailable("The database cannot be used.")

    monkeypatch.setattr(made.store, "waiting", away)
    with watching(made) as watch:
        assert [ran.server for ran in watch.turn()] == [STORE]
        assert list(watch.turn()) == []
        monkeypatch.undo()
        made.clock.at += timedelta(seconds=61)
        assert [ran.error for ran in turns(watch)] == [None]


def test_one_that_forbids_is_paused_and_said(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbid(*_: object, **__: object) -> object:
        raise ServerRefused("The server does not let us do that.", status=403)

    monkeypatch.setattr(made.client, "transaction", forbid)
    assert exchange(made.partner()).error is not None
    (one,) = status(made.store)
    assert "403" in told(one, made.clock.now())["paused"]
    assert one.troubled
    assert all(not link.lease_until and not link.in_flight for link in made.links())
    with watching(made) as watch:
        assert due_of(watch) == []
