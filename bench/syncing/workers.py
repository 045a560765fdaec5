"""One worker and two, as processes of their own on PostgreSQL and Redis, before a stub that takes 50 ms a request."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from adapter.bootstrap import Services
from adapter.services.servers import add, options_of, pause, resume
from bench.inputs import ROOT
from bench.syncing import ours
from bench.syncing.people import people
from bench.syncing.servers import stub
from tests.sync import daemons

PATIENTS = 500
BUNDLE = 5


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
        pause(store, ours.NAME, "not yet")
        # Patients alone: none waits for another.
        services.take_in([records[0] for records in people(PATIENTS)], origin="synthetic")
        env = {"CAREPLAN_DATABASE_URL": database, "CAREPLAN_BROKER_URL": broker, "CAREPLAN_TICK": "0.2"}
        for words in (["--scheduler"], *(["--name", f"w{index}"] for index in range(number))):
            stack.enter_context(_running(words, folder, env))
        time.sleep(8.0)
        store.note(ours.NAME, last_try="2999-01-01T00:00:00.000Z")
        resume(store, ours.NAME)
        _until(lambda: server_writes(server) > 0)
        started = time.perf_counter()
        _until(lambda: not store.counts(ours.NAME).get("waiting"))
        return PATIENTS / (time.perf_counter() - started)


def server_writes(server: object) -> int:
    """How much was written there since the last look."""
    return server.set(delay=0.05)["writes"]  # type: ignore[attr-defined,no-any-return]


@contextmanager
def _running(words: list[str], folder: Path, env: dict[str, str]) -> Iterator[None]:
    command = [sys.executable, "-m", "adapter.cli", "worker", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    with (folder / f"worker{''.join(words)}.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def _until(true: Callable[[], bool], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise AssertionError("the workers did not end their work")
        time.sleep(0.02)
