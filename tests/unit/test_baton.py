"""Threads that compute by turns."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from signal import ITIMER_REAL, SIGALRM, setitimer, signal
from threading import Barrier, Event, Lock

import pytest

from adapter.baton import Baton, aside, behind

SECONDS = 20


def test_one_computes_at_a_time() -> None:
    baton, computing, most = Baton(), list[int](), list[int]()

    def work() -> None:
        for _ in range(200):
            with baton.held():
                computing.append(1)
                most.append(len(computing))
                computing.pop()

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result(SECONDS)
    assert set(most) == {1}


def test_all_may_wait_for_a_server_at_once() -> None:
    baton, server = Baton(), Barrier(4)

    def work() -> None:
        with baton.held(), aside():
            server.wait(SECONDS)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(4)]:
            done.result(SECONDS)


def test_what_waits_aside_goes_on_with_the_baton() -> None:
    baton = Baton()
    with baton.held():
        with pytest.raises(ZeroDivisionError), aside():
            raise ZeroDivisionError
        assert baton.changed.wait_for(lambda: True)
        # Held again: a wait gives it up once more.
        assert not baton.changed.wait(0.001)


def test_a_signal_that_ends_a_wait_leaves_the_baton_where_it_was() -> None:
    baton, taken, free = Baton(), Event(), Event()

    def other() -> None:
        with baton.held():
            taken.set()
            assert free.wait(SECONDS)

    def waits(pool: ThreadPoolExecutor) -> None:
        with aside():
            pool.submit(other)
            assert taken.wait(SECONDS)
            # While this thread waits to have it back.
            setitimer(ITIMER_REAL, 0.05)

    def interrupted(*_: object) -> None:
        free.set()
        raise KeyboardInterrupt

    before = signal(SIGALRM, interrupted)
    try:
        with ThreadPoolExecutor(1) as pool, baton.held(), pytest.raises(KeyboardInterrupt):
            waits(pool)
    finally:
        signal(SIGALRM, before)
    with baton.held():
        assert not baton.changed.wait(0.001)


def test_without_a_baton_nothing_is_given_up() -> None:
    with aside(), aside():
        pass
    with Baton().held():
        pass
    with aside():
        pass


def test_who_wants_the_lock_of_one_that_waits_for_a_server_lets_it_come_back() -> None:
    baton, lock = Baton(), Lock()
    asked, wanted = Event(), Event()

    def fetches() -> None:
        with baton.held(), behind(lock), aside():
            asked.set()
            assert wanted.wait(SECONDS)

    def wants() -> None:
        assert asked.wait(SECONDS)
        with baton.held():
            wanted.set()
            with behind(lock):
                pass

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(fetches), pool.submit(wants)]:
            done.result(SECONDS)
