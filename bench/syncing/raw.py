"""Ready-made requests sent as fast as one server takes them: the limit that an exchange is held against.

A way is how (single or bundled; create, PUT or conditional create) and over how many connections. What refers to another
resource goes after it, or in the same Bundle; where the server gives the ids, the next requests are put together between
two stages, and that is not counted.
"""

from __future__ import annotations

import gzip
import http.client
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

from adapter import fhir_json, mapping
from adapter.identity import IDENTIFIER_SYSTEM
from bench.syncing.people import RESOURCES, people

Tree = dict[str, Any]
BUNDLE = 20
HEADERS = {
    "Content-Type": "application/fhir+json",
    "Accept": "application/fhir+json",
    # What HAPI does not compress it sends in chunks of fifty bytes, and both sides take long over them.
    "Accept-Encoding": "gzip",
    "Prefer": "return=representation",
}
_ASK = {name: HEADERS[name] for name in ("Accept", "Accept-Encoding")} | {"Cache-Control": "no-cache"}
_STAGES = (("Patient",), ("Condition",), ("Goal",), ("CarePlan",))
_URN = re.compile(r'"urn:uuid:([0-9a-f-]{36})"')
_FULL = re.compile(rb'"id":"?([A-Za-z0-9.-]+)"')


@dataclass(frozen=True, slots=True)
class Way:
    """How it is sent."""

    bundled: bool
    how: str
    connections: int

    def __str__(self) -> str:
        """For the table."""
        return f"{'bundles of 100' if self.bundled else 'single'}, {self.how}, {self.connections} connection{'s' * (self.connections > 1)}"


WAYS = (
    Way(False, "create", 2), Way(False, "create", 4), Way(False, "PUT", 4), Way(True, "create", 1),
    Way(True, "create", 2), Way(True, "create", 4), Way(True, "PUT", 2), Way(True, "conditional", 2),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ready:
    """A request that only has to be sent; `id` is ours, of what it creates."""

    method: str
    path: str
    body: bytes
    id: str = ""


def bundles(number: int) -> list[list[Tree]]:
    """The resources of so many people, those of one together, as entries with urn:uuid names."""
    mapper = mapping.load("core")
    return [[dict(entry) for entry in mapper.to_fhir(records).tree["entry"]] for records in people(number)]


def replay(base: str, way: Way, persons: Sequence[list[Tree]]) -> float:
    """Resources a second."""
    seconds = 0.0
    if way.bundled:
        stages: Iterable[Callable[[dict[str, str]], list[Ready]]] = [lambda _: list(_bundled(way, persons))]
        if way.how == "PUT":
            stages = [lambda _: list(_bundled(way, persons))]
    else:
        stages = [lambda ids, types=types: list(_single(way, persons, types, ids)) for types in _STAGES]  # type: ignore[misc]
    ids: dict[str, str] = {}
    for stage in stages:
        ready = stage(ids)
        started = time.perf_counter()
        answers = send(base, ready, way.connections)
        seconds += time.perf_counter() - started
        for one, body in zip(ready, answers, strict=True):
            if not way.bundled and way.how == "create" and (found := _FULL.search(body)):
                ids[one.id] = found[1].decode()
    return len(persons) * RESOURCES / seconds


def _bundled(way: Way, persons: Sequence[list[Tree]]) -> Iterator[Ready]:
    for start in range(0, len(persons), BUNDLE):
        entries = [_entry(way, row) for person in persons[start : start + BUNDLE] for row in person]
        tree = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        yield Ready("POST", "", fhir_json.dumps(tree))


def _entry(way: Way, row: Tree) -> Tree:
    resource = row["resource"]
    type_, id_ = resource["resourceType"], resource["id"]
    if way.how == "PUT":
        return {**row, "request": {"method": "PUT", "url": f"{type_}/{id_}"}}
    request = {"method": "POST", "url": type_}
    if way.how == "conditional":
        request["ifNoneExist"] = f"identifier={IDENTIFIER_SYSTEM}|{_own(resource)}"
    return {"fullUrl": row["fullUrl"], "resource": {k: v for k, v in resource.items() if k != "id"}, "request": request}


def _own(resource: Tree) -> str:
    return next(str(one["value"]) for one in resource["identifier"] if one.get("system") == IDENTIFIER_SYSTEM)


def _single(way: Way, persons: Sequence[list[Tree]], types: Sequence[str], ids: dict[str, str]) -> Iterator[Ready]:
    types_of = {row["resource"]["id"]: row["resource"]["resourceType"] for person in persons for row in person}

    def place(found: re.Match[str]) -> str:
        return f'"{types_of[found[1]]}/{ids.get(found[1], found[1])}"'

    for person in persons:
        for row in person:
            resource = row["resource"]
            type_, id_ = resource["resourceType"], resource["id"]
            if type_ not in types:
                continue
            tree = resource if way.how == "PUT" else {key: value for key, value in resource.items() if key != "id"}
            body = _URN.sub(place, fhir_json.dumps(tree).decode()).encode()
            yield (
                Ready("PUT", f"/{type_}/{id_}", body, id_)
                if way.how == "PUT"
                else Ready("POST", f"/{type_}", body, id_)
            )


def send(base: str, ready: Sequence[Ready], connections: int) -> list[bytes]:
    """Every answer's body, in the order of the requests. Raises AssertionError for one that says no."""
    parts = urlsplit(base)
    todo: SimpleQueue[int] = SimpleQueue()
    for index in range(len(ready)):
        todo.put(index)
    answers: list[bytes] = [b""] * len(ready)
    faults: list[str] = []

    def work() -> None:
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
        while not faults:
            try:
                index = todo.get_nowait()
            except Empty:
                break
            one = ready[index]
            connection.request(one.method, f"{parts.path}{one.path}", one.body, HEADERS)
            response = connection.getresponse()
            answers[index] = _whole(response)
            if response.status >= 300:
                faults.append(f"{response.status} {answers[index][:300]!r}")
        connection.close()

    threads = [Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if faults:
        raise AssertionError(f"a raw request was refused: {faults[0]}")
    return answers


def _whole(response: http.client.HTTPResponse) -> bytes:
    body = response.read()
    return gzip.decompress(body) if response.headers.get("Content-Encoding") == "gzip" else body


def read(base: str, types: Sequence[str], count: int = 200) -> tuple[int, float]:
    """Every resource of these types, page by page, read and parsed; how many, and the seconds."""
    parts = urlsplit(base)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    started, number = time.perf_counter(), 0
    for type_ in types:
        url: str | None = f"{parts.path}/{type_}?_count={count}&_sort=_lastUpdated"
        while url:
            connection.request("GET", url, headers=_ASK)
            page = fhir_json.loads(_whole(connection.getresponse()))
            number += len(page.get("entry", []))
            links = {link["relation"]: link["url"] for link in page.get("link", [])}
            url = links["next"].split(parts.netloc, 1)[1] if "next" in links else None
    connection.close()
    return number, time.perf_counter() - started
