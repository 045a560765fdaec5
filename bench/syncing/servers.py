"""The other side: the stub, or a real HAPI that is emptied between two measurements."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from bench.inputs import ROOT


class Stub:
    """The stub, in a process of its own."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "bench.syncing.stub"]
        self._process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.base = self._process.stdout.readline().strip() if self._process.stdout else ""

    def set(self, **options: Any) -> dict[str, int]:
        """`delay`, `faults`, `empty`; what was counted since the last time."""
        url = f"{self.base.removesuffix('/fhir')}/control"
        found: dict[str, int] = requests.post(url, json=options, timeout=60).json()
        return found

    def empty(self) -> None:
        """Nothing is there any more."""
        self.set(empty=True)

    def close(self) -> None:
        """Ends it."""
        self._process.communicate(timeout=30)


@contextmanager
def stub() -> Iterator[Stub]:
    """A stub while it is needed."""
    made = Stub()
    try:
        yield made
    finally:
        made.close()


class Hapi:
    """The HAPI server that the tests use."""

    def __init__(self, base: str) -> None:
        self.base = base

    def empty(self) -> None:
        """Nothing is there any more."""
        everything = [{"name": "expungeEverything", "valueBoolean": True}]
        answer = requests.post(
            f"{self.base}/$expunge", json={"resourceType": "Parameters", "parameter": everything}, timeout=120
        )
        answer.raise_for_status()


@contextmanager
def hapi() -> Iterator[Hapi]:
    """A real HAPI while it is needed. Raises launch.CannotLaunch."""
    from tests.hapi import launch

    running = launch.start()
    try:
        yield Hapi(running.base)
    finally:
        running.stop()
