"""A real FHIR server of another make for tests: Medplum's router over its repository in memory, on a free loopback port.

    python -m tests.medplum.launch            install where needed, serve until Ctrl-C; prints READY and the URL
    python -m tests.medplum.launch --build    only install, so that later runs need no network

Its packages go to `.cache/medplum/` of the checkout, or to `$CAREPLAN_CACHE/medplum/`. `server.mjs` says what is
Medplum's and what is not.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests import node
from tests.hapi.launch import await_ready, cache_dir, command, environment, new_log

HERE = Path(__file__).resolve().parent
STOP_SECONDS = 10


def say(text: str) -> None:
    """A line of progress, for people."""
    print(f"medplum: {text}", file=sys.stderr, flush=True)


@dataclass
class Medplum:
    """A running server: its base URL and its process."""

    base: str
    process: subprocess.Popen[str]

    def stop(self) -> None:
        """Ends it: at the end of its input it ends by itself."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(STOP_SECONDS)
        self.process.kill()
        self.process.wait()


def _place() -> Path:
    return cache_dir("medplum")


def build() -> Path:
    """The folder with the packages; installed unless their lock is unchanged. Raises CannotBuild."""
    return node.packages("medplum", HERE, 100)


def start(options: Mapping[str, str] | None = None) -> Medplum:
    """Installs where needed, starts, waits until it is ready; `TRANSACTIONS=on` is its one option. Raises CannotLaunch."""
    folder, log = build(), new_log(_place())
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*node.command(), str(HERE / "server.mjs"), str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment(options or {}),
        )
    return Medplum(await_ready(process, log), process)


def main() -> int:
    """The command."""
    about = "A FHIR server of Medplum's make on loopback, for tests."
    return command(about, "TRANSACTIONS=on", build, start, say)


if __name__ == "__main__":
    sys.exit(main())
