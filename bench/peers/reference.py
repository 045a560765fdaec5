"""HL7's reference validator, as HAPI FHIR runs it and with its engine kept between resources, in a JVM of its own.

The harness is that of `make oracle` (tests/conformance/oracle). It is warm before it is measured, and measures itself by
the processor time of its one thread.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from bench.frame import Meter
from tests.conformance import reference

WARM = 4.0


class Reference:
    """A running harness."""

    def __init__(self, to: IO[str], back: IO[str]) -> None:
        self.to = to
        self.back = back

    def meters(
        self, name: str, texts: Sequence[str], known: Sequence[str] = (), *, us_core: bool = False
    ) -> dict[str, Meter]:
        """The two ways to measure the reference on some resources; warm already."""
        self._send({"name": name, "resources": list(texts), "known": list(known), "us_core": us_core})
        found = {
            "reference, stock": lambda seconds: self._ask(name, "stock", seconds),
            "reference, kept": lambda seconds: self._ask(name, "kept", seconds),
        }
        for meter in found.values():
            meter(WARM)
        return found

    def _send(self, row: dict[str, Any]) -> None:
        self.to.write(json.dumps(row) + "\n")
        self.to.flush()

    def _ask(self, name: str, mode: str, seconds: float) -> float:
        self._send({"name": name, "mode": mode, "seconds": seconds})
        return float(self.back.readline())


@contextmanager
def running() -> Iterator[Reference]:
    """The harness, built where it is not yet, and ended afterwards."""
    reference.build()
    process = subprocess.Popen(
        reference.command("Bench"), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        if process.stdin and process.stdout:
            yield Reference(process.stdin, process.stdout)
    finally:
        process.terminate()
        process.wait()
