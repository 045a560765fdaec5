"""The other clients on the stub, in a process of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from adapter import fhir_json
from bench.peers import process

NAMES = ("fhirpy", "fhirclient")


@contextmanager
def clients(
    base: str, folder: Path, persons: Sequence[Any], missing: dict[str, str]
) -> Iterator[dict[str, process.Peer]]:
    """Those that can be started, by name."""
    process.install(missing)
    rows = [
        {**row, "resource": {key: value for key, value in row["resource"].items() if key != "id"}}
        for person in persons
        for row in person
    ]
    place = folder / "resources.json"
    place.write_bytes(fhir_json.dumps(rows))
    with ExitStack() as stack:
        found = {}
        for name in NAMES:
            command = [str(process.PYTHON), "-m", "bench.peers.clients", name, base, str(place)]
            peer = stack.enter_context(process.running(name, command, missing))
            if peer is not None:
                found[name] = peer
        yield found
