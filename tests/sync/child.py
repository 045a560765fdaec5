"""A run of the exchange that kills itself, with SIGKILL, at a named point: `python -m tests.sync.child push leased`."""

from __future__ import annotations

import os
import resource
import signal
import sys
from dataclasses import replace
from pathlib import Path

from adapter.bootstrap import Services
from adapter.errors import AdapterError
from adapter.services.exchange import exchange

NAME = "ward"


def die(at: str, here: str) -> None:
    if here == at:
        os.kill(os.getpid(), signal.SIGKILL)


def fill_the_disk(here: str) -> None:
    """At the answer, no file can grow any more."""
    if here == "answered":
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (Path.cwd().stat().st_size, resource.RLIM_INFINITY))


def main(how: str, at: str) -> int:
    with Services() as services, services.partner(NAME) as partner:
        point = fill_the_disk if at == "disk full" else lambda here: die(at, here)
        point("begun")
        try:
            ran = exchange(replace(partner, point=point), how)  # type: ignore[arg-type]
        except AdapterError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        print(ran.error or "done", file=sys.stderr)
    return ran.exit_code


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))
