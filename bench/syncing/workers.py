"""One worker and two, as processes of their own on PostgreSQL and Redis, before a stub that takes 50 ms a request."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from adapter.bootstrap import Services
from adapter.services.servers import add, options_of, pause, resume
from bench.syncing import ours
from bench.syncing.people import people
from bench.syncing.processes import careplan
from bench.syncing.servers import stub
from tests.sync import daemons

WARM, PATIENTS = 50, 400
# One resource a request: so the server's 50 ms are most of the time, and not the processor that both workers share.
BUNDLE = 1
# What the last leases hold is not counted: there one of two workers has nothing more to do.
LAST = 50


class Missing(Exception):
    """PostgreSQL or Redis cannot run here; the message says why."""


def one_and_two(folder: Path) -> tuple[float, float]:
    """Resources a second with one worker, and with two."""
    try:
        return _rate(folder, 1), _rate(folder, 2)
    except daemons.Missing as error:
        raise Missing(str(error)) from None


def _rate(folder: Path, number: int) -> float:
    with ExitStack() as stack:
        database, broker = stack.enter_context(daemons.postgresql()), stack.enter_context(daemons.redis())
        server = stack.enter_context(stub())
        server.set(delay=0.05)
        services = stack.enter_context(Services(url=database))
        store = services.store()
        add(store, ours.NAME, server.base, options=options_of(every=3600, connections=number, bundle=BUNDLE))
        env = {"CAREPLAN_DATABASE_URL": database, "CAREPLAN_BROKER_URL": broker, "CAREPLAN_TICK": "0.2"}
        for words in (["--scheduler"], *(["--name", f"w{index}"] for index in range(number))):
            stack.enter_context(careplan(["worker", *words], folder, **env))
        # What is found out once about a new server, and the first run of each worker, are no part of a rate.
        _sent(services, 0, WARM, 0)
        return _sent(services, WARM, PATIENTS, LAST)


def _sent(services: Services, start: int, number: int, last: int) -> float:
    """So many patients, none of which waits for another: how many a second, from the first to the `last` so many."""
    store = services.store()
    pause(store, ours.NAME, "not yet")
    services.take_in([records[0] for records in people(number, start)], origin="synthetic")

    def left() -> int:
        return store.counts(ours.NAME).get("waiting", 0)

    resume(store, ours.NAME)
    _until(lambda: left() < number)
    first, started = left(), time.perf_counter()
    _until(lambda: left() <= last)
    end = left()
    rate = (first - end) / (time.perf_counter() - started)
    _until(lambda: not left())
    return rate


def _until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError("the workers did not end their work")
        time.sleep(0.02)
