"""A Python peer in a process of its own, with packages of its own: `worker.py NAME JOB`.

Prints what it makes of the job as one line of JSON, then for each line `out SECONDS` or `back SECONDS` its calls a
second of processor time.
"""

from __future__ import annotations

import json
import sys
import time
from importlib import import_module
from pathlib import Path


def main() -> None:
    """Serves until its input ends."""
    name, path = sys.argv[1:]
    job = json.loads(Path(path).read_text("utf-8"))
    peer = import_module(name)
    works = {"out": lambda: peer.to_fhir(job["plan"]), "back": lambda: peer.from_fhir(job["bundle"])}
    shown = getattr(peer, "shown", lambda made: made)
    print(json.dumps({direction: shown(work()) for direction, work in works.items()}), flush=True)
    works |= peer.bare(job["plan"], job["bundle"]) if hasattr(peer, "bare") else {}
    for line in sys.stdin:
        direction, seconds = line.split()
        work, done, start = works[direction], 0, time.process_time()
        while (spent := time.process_time() - start) < float(seconds):
            work()
            done += 1
        print(done / spent, flush=True)


if __name__ == "__main__":
    main()
