"""Our side: a store in a folder with people in it, and the exchange as the commands run it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from adapter.bootstrap import Services
from adapter.services.exchange import How, exchange
from adapter.services.servers import add, options_of
from bench.inputs import ROOT
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
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(100):
        with services.partner(NAME) as partner:
            ran = exchange(partner, how)
        if ran.error is None and (how == "pull" or not services.store().counts(NAME).get("waiting")):
            break
    spent = Spent(time.perf_counter() - wall, time.process_time() - cpu)
    if ran.error is not None or ran.report.troubled:
        raise AssertionError(f"not done: {ran.error or ran.report.counts()}")
    return spent


def apart(folder: Path, how: How, *, taking_in: int = 0) -> Spent:
    """The same with the store of a folder, in a process of its own, as a command is: what this one holds for the peers costs
    it nothing. With `taking_in`, so many people are taken in first, by the same clock.
    """
    command = [sys.executable, "-m", "bench.syncing.ours", str(folder), how, str(taking_in)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Spent(*json.loads(done.stdout))


def main() -> None:
    """Prints the seconds of a run, by the clock and of the processor."""
    folder, how, number = sys.argv[1], cast("How", sys.argv[2]), int(sys.argv[3])
    with Services(url=f"sqlite:///{folder}/ours.db") as services:
        services.border()
        wall, cpu = time.perf_counter(), time.process_time()
        for records in people(number):
            services.take_in(records, origin="synthetic")
        taken = Spent(time.perf_counter() - wall, time.process_time() - cpu)
        spent = run(services, how)
    print(json.dumps([taken.wall + spent.wall, taken.cpu + spent.cpu]))


if __name__ == "__main__":
    main()
