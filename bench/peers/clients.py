"""fhirpy and fhirclient sending the same resources one by one, as they do, and reading them page by page.

`python clients.py NAME BASE FILE` prints one line when it is ready; then for each line "push" or "pull" the resources a
second. Everything that is sent is a resource object of the client before the clock starts. Runs with the packages of
bench/requirements.lock.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

Client = tuple[Callable[[list[Any]], Any], Callable[[Any], int], Callable[[str], int]]


def fhirpy(base: str) -> Client:
    """Prepare, send, read."""
    from fhirpy import SyncFHIRClient

    client = SyncFHIRClient(base)

    def push(ready: Any) -> int:
        return sum(1 for one in ready if one.save() is not None)

    def pull(type_: str) -> int:
        return len(client.resources(type_).limit(200).fetch_all())

    return lambda trees: [client.resource(tree["resourceType"], **tree) for tree in trees], push, pull


def fhirclient(base: str) -> Client:
    """Prepare, send, read."""
    from fhirclient import client

    server = client.FHIRClient(settings={"app_id": "bench", "api_base": base}).server

    def model(type_: str) -> Any:
        return getattr(import_module(f"fhirclient.models.{type_.lower()}"), type_)

    def push(ready: Any) -> int:
        return sum(1 for one in ready if one.create(server) is not None)

    def pull(type_: str) -> int:
        return sum(1 for _ in model(type_).where({"_count": "200"}).perform_resources_iter(server))

    return lambda trees: [model(tree["resourceType"])(tree) for tree in trees], push, pull


def main() -> None:
    """Answers until the standard input ends."""
    name, base, place = sys.argv[1:]
    prepare, push, pull = {"fhirpy": fhirpy, "fhirclient": fhirclient}[name](base)
    trees = json.loads(Path(place).read_text("utf-8"))
    types = sorted({tree["resourceType"] for tree in trees})
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        ready = prepare(trees) if line.startswith("push") else None
        started = time.perf_counter()
        number = push(ready) if ready is not None else sum(pull(type_) for type_ in types)
        print(number / (time.perf_counter() - started), flush=True)


if __name__ == "__main__":
    main()
