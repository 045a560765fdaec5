"""What a process that is killed held is soon another's; what one that lives holds is not, however long its request takes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from adapter.exchange.memory import MemoryFhirServer
from adapter.mapping import load
from adapter.ports import Server, SystemClock
from adapter.records import check
from adapter.store import open_store
from adapter.sync.partner import Partner
from adapter.sync.turn import PULL, Turn

NAME = "ward"
HELD = 1.0


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store with one server in it."""
    found = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "postgresql":
        found = str(request.getfixturevalue("cluster"))
    store = open_store(found, clock=SystemClock())
    store.add_server(Server(NAME, "http://localhost/a", "own"))
    store.close()
    return found


@contextmanager
def turn_of(url: str, **options: Any) -> Iterator[Turn]:
    """A turn as a process of its own would ask for it."""
    store, clock = open_store(url, clock=SystemClock()), SystemClock()
    server = store.server(NAME)
    yield Turn(
        Partner(
            server, MemoryFhirServer(), store, load("core"), clock, lambda _: [], check, lambda *_: None, **options
        ),
        held=HELD,
    )
    store.close()


def _long_request(url: str, options: dict[str, Any], held: Any) -> None:
    """In a process of its own: has the turn, and does not come by for long."""
    with turn_of(url, **options) as turn:
        assert turn.taken()
        with turn:
            held.set()
            time.sleep(60)


def _another(url: str, options: dict[str, Any] | None = None) -> Any:
    context = get_context("spawn")
    held = context.Event()
    process = context.Process(target=_long_request, args=(url, options or {}, held), daemon=True)
    process.start()
    assert held.wait(30)
    return process


def _within(seconds: float, true: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.05)
    return False


def test_what_a_killed_process_held_is_soon_free_and_not_while_it_lives(url: str) -> None:
    other = _another(url)
    with turn_of(url) as turn:
        assert not _within(2 * HELD, turn.taken)
        os.kill(other.pid, signal.SIGKILL)
        other.join(10)
        assert _within(5 * HELD, turn.taken)
        turn.go_on()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_one_that_is_stuck_for_a_whole_lease_holds_it_no_longer(url: str) -> None:
    other = _another(url, {"lease": 2})
    with turn_of(url) as turn:
        assert not _within(0.5, turn.taken)
        assert _within(10, turn.taken)
    assert other.is_alive()
    other.kill()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_was_given_back_is_not_taken_again(url: str) -> None:
    with turn_of(url) as turn, turn_of(url) as next_:
        assert turn.taken()
        with turn:
            assert not next_.taken()
        assert next_.taken()
        assert not _within(HELD, turn.taken)
        assert next_.partner.store.take_turn(NAME, PULL, next_.holder, seconds=1)
