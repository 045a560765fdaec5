"""fhirpy and fhirclient sending the same resources one by one, as they do, and reading them page by page.

`python -m bench.peers.clients NAME BASE FILE` prints one line when it is ready; then for each line the resources a second.
"push alone" and "pull alone" are what the clients do by themselves: what is sent is a resource object before the clock starts, what is
read is parsed. "push kept" and "pull kept" are the whole job of an exchange (bench/peers/keeping.py), each resource checked:
with fhir.resources beside fhirpy, by fhirclient as it parses; "pull trusting" leaves that check out. Runs with the packages
of bench/requirements.lock.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import quote

from bench.peers.keeping import Fetch, Keeper

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """What it does by itself (`prepare`, `push`, `pull`), and what a keeper needs of it: `fetch` a type's trees (changed since),
    `check` one, `send` one under a condition.
    """

    prepare: Callable[[list[Any]], Any]
    push: Callable[[Any], int]
    pull: Callable[[str], int]
    fetch: Fetch
    check: Callable[[Tree], object]
    send: Callable[[Tree, str], Tree]


def fhirpy(base: str) -> Client:
    """Fhirpy with fhir.resources."""
    from fhir.resources.R4B import get_fhir_model_class
    from fhirpy import SyncFHIRClient

    client = SyncFHIRClient(base)
    models = cache(get_fhir_model_class)

    def push(ready: Any) -> int:
        return sum(1 for one in ready if one.save() is not None)

    def fetch(type_: str, since: str = "") -> list[Tree]:
        asked = client.resources(type_).limit(200)
        return (asked.search(_lastUpdated=f"ge{since}") if since else asked).fetch_all()  # type: ignore[no-any-return]

    def send(tree: Tree, condition: str) -> Tree:
        client.extra_headers = {"If-None-Exist": condition}
        return client.resource(tree["resourceType"], **tree).save()  # type: ignore[no-any-return]

    return Client(
        lambda trees: [client.resource(tree["resourceType"], **tree) for tree in trees],
        push,
        lambda type_: len(fetch(type_)),
        fetch,
        lambda tree: models(tree["resourceType"]).model_validate(tree),
        send,
    )


def fhirclient(base: str) -> Client:
    """fhirclient, whose models check what they are made of."""
    from fhirclient import client

    server = client.FHIRClient(settings={"app_id": "bench", "api_base": base}).server

    @cache
    def model(type_: str) -> Any:
        return getattr(import_module(f"fhirclient.models.{type_.lower()}"), type_)

    def made(tree: Tree) -> Any:
        return model(tree["resourceType"])(tree)

    def push(ready: Any) -> int:
        return sum(1 for one in ready if one.create(server) is not None)

    def pull(type_: str) -> int:
        return sum(1 for _ in model(type_).where({"_count": "200"}).perform_resources_iter(server))

    def fetch(type_: str, since: str = "") -> list[Tree]:
        """Their trees, so that each is made an object once, to be checked, and never back."""
        found: list[Tree] = []
        url: str | None = f"{type_}?_count=200" + (f"&_lastUpdated=ge{quote(since)}" if since else "")
        while url:
            page = server.request_json(url)
            found += [entry["resource"] for entry in page.get("entry", ())]
            url = next((link["url"] for link in page.get("link", ()) if link["relation"] == "next"), None)
        return found

    def send(tree: Tree, condition: str) -> Tree:
        server.session.headers["If-None-Exist"] = condition
        # The check has made an object of it already, and would be paid for twice by `create`.
        return server.post_json(tree["resourceType"], tree).json()  # type: ignore[no-any-return]

    return Client(lambda trees: [made(tree) for tree in trees], push, pull, fetch, made, send)


def main() -> None:
    """Answers until the standard input ends."""
    name, base, place = sys.argv[1:]
    client = {"fhirpy": fhirpy, "fhirclient": fhirclient}[name](base)
    rows = json.loads(Path(place).read_text("utf-8"))
    trees = [row["resource"] for row in rows]
    types = sorted({tree["resourceType"] for tree in trees})
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        way, how = line.split()[0], line.split()[1]
        keeper = Keeper(Path(place).with_name(f"{name}.db"))
        ready = client.prepare(trees) if (way, how) == ("push", "alone") else None
        started = time.perf_counter()
        if ready is not None:
            number = client.push(ready)
        elif how == "alone":
            number = sum(map(client.pull, types))
        elif way == "push":
            number = keeper.push(rows, client.check, client.send)
        else:
            number = keeper.pull(client.fetch, client.check if how == "kept" else None)
        print(number / (time.perf_counter() - started), flush=True)
        keeper.close()


if __name__ == "__main__":
    main()
