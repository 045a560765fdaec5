"""Our side: a store in a folder with people in it, and the exchange as the commands run it."""

from __future__ import annotations

import gc
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.bootstrap import Services
from adapter.services.exchange import How, exchange
from adapter.services.servers import add, options_of
from bench.syncing.people import people

NAME = "north"
CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds by the clock, and of this process's processor time."""

    wall: float
    cpu: float


def filled(folder: Path, number: int, name: str = "people.db") -> Path:
    """A store with that many people, to copy; no server is known to it."""
    path = folder / name
    with Services(url=f"sqlite:///{path}") as services:
        for records in people(number):
            done = services.take_in(records, origin="synthetic")
            if done.refused:
                raise AssertionError(f"not taken in: {done.issues[0].message_id}")
    return path


@contextmanager
def store(folder: Path, base: str, source: Path | None = None, **options: Any) -> Iterator[Services]:
    """A store that knows the server, with what is in `source`: everything in it is wanted there."""
    path = folder / "ours.db"
    for old in folder.glob("ours.db*"):
        old.unlink()
    if source is not None:
        shutil.copyfile(source, path)
    with Services(url=f"sqlite:///{path}") as services:
        services.store()
        add(services.store(), NAME, base, options=options_of(**{"connections": CONNECTIONS, **options}))
        yield services


def run(services: Services, how: How) -> Spent:
    """One run, again until nothing waits any more; whatever it could not do is an error of the measurement."""
    # What this process holds for the peers (every raw Bundle) is not ours to be gone through by the collector.
    gc.collect()
    gc.freeze()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(100):
        with services.partner(NAME) as partner:
            ran = exchange(partner, how)
        if ran.error is None and (how == "pull" or not services.store().counts(NAME).get("waiting")):
            break
    spent = Spent(time.perf_counter() - wall, time.process_time() - cpu)
    gc.unfreeze()
    if ran.error is not None or ran.report.troubled:
        raise AssertionError(f"not done: {ran.error or ran.report.counts()}")
    return spent
