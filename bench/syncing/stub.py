"""A FHIR R4 server that does as little as it can, in a process of its own: what an exchange costs besides the server.

`python -m bench.syncing.stub` prints its base URL and serves until its standard input ends. It keeps resources with
versions, answers transactions, batches, conditional creates, updates under If-Match, searches by `_id`, `identifier` and
`_lastUpdated`, and histories, in pages. `POST /control` sets `delay` (seconds before each answer), `faults` (the share of
requests that fail: half of them refused with 503, half done and not answered) and `empty`; it gives the counts since.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
from bisect import bisect_left
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Tree = dict[str, Any]
TYPES = (
    "Patient", "Questionnaire", "QuestionnaireResponse", "Condition", "CarePlan", "Goal", "CareTeam", "ServiceRequest",
    "MedicationRequest", "Observation", "Consent",
)  # fmt: skip
_LIMIT = 256 * 1024 * 1024


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Held:
    """Every resource, by type and id; by identifier; and by the order in which they were written."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, Tree]] = {type_: {} for type_ in TYPES}
        self.named: dict[tuple[str, str], str] = {}
        self.stamps: dict[str, list[str]] = {type_: [] for type_ in TYPES}
        self.ids: dict[str, list[str]] = {type_: [] for type_ in TYPES}
        self.next = 1

    def put(self, tree: Tree, id_: str) -> Tree:
        """A new version."""
        type_ = tree["resourceType"]
        old = self.rows[type_].get(id_)
        version, stamp = int(old["meta"]["versionId"]) + 1 if old else 1, _now()
        new = {**tree, "id": id_, "meta": {**tree.get("meta", {}), "versionId": str(version), "lastUpdated": stamp}}
        self.rows[type_][id_] = new
        self.stamps[type_].append(stamp)
        self.ids[type_].append(id_)
        for name in _names(new):
            self.named[type_, name] = id_
        return new

    def there(self, type_: str, condition: str) -> str | None:
        """The id of what fits a condition."""
        return self.named.get((type_, unquote(condition).partition("identifier=")[2])) if condition else None

    def new_id(self) -> str:
        """An id that nothing has."""
        self.next += 1
        return str(self.next)

    def create(self, tree: Tree, condition: str, id_: str = "") -> tuple[int, Tree]:
        """Once under its condition; status and resource."""
        found = self.there(tree["resourceType"], condition)
        if found is not None:
            return 200, self.rows[tree["resourceType"]][found]
        return 201, self.put(tree, id_ or self.new_id())

    def update(self, tree: Tree, id_: str, match: str) -> tuple[int, Tree]:
        """Where the version is the present one; an unchanged resource keeps its version."""
        old = self.rows[tree["resourceType"]].get(id_)
        if match and (old is None or match.strip('W/"') != old["meta"]["versionId"]):
            return 412, _outcome("conflict")
        if old is not None and _content(old) == _content(tree):
            return 200, old
        return (200 if old else 201), self.put(tree, id_)

    def since(self, type_: str, stamp: str) -> list[str]:
        """The ids that changed since, oldest change first."""
        return list(dict.fromkeys(self.ids[type_][bisect_left(self.stamps[type_], stamp) :]))


def _names(tree: Tree) -> list[str]:
    found = tree.get("identifier", [])
    rows = found if isinstance(found, list) else [found]
    return [f"{row.get('system', '')}|{row.get('value', '')}" for row in rows]


def _content(tree: Tree) -> Tree:
    meta = {name: value for name, value in tree.get("meta", {}).items() if name not in ("versionId", "lastUpdated")}
    return {**tree, "meta": meta}


def _outcome(code: str) -> Tree:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code}]}


class Server:
    """Answers requests, one after the other."""

    def __init__(self) -> None:
        self.base = ""
        self.control(empty=True)

    def control(self, *, delay: float = 0.0, faults: float = 0.0, empty: bool = False) -> Tree:
        """Sets how it behaves; gives what was counted until now."""
        counted = dict(getattr(self, "counts", {}))
        self.delay, self.faults, self.chance = delay, faults, random.Random(20261126)  # noqa: S311
        self.counts = {"requests": 0, "writes": 0, "failed": 0}
        self.pages: dict[str, tuple[str, list[Tree]]] = {}
        if empty:
            self.held = Held()
        return counted

    def answer(
        self, method: str, path: str, query: dict[str, list[str]], headers: Tree, body: bytes
    ) -> tuple[int, Tree]:
        """Status and resource."""
        steps = [step for step in path.split("/") if step][1:]
        if method == "POST" and steps[-1:] != ["_search"]:
            self.counts["writes"] += 1
            return self._posted(steps, headers, json.loads(body))
        if method == "PUT":
            self.counts["writes"] += 1
            return self.held.update(json.loads(body), steps[1], headers.get("if-match", ""))
        if steps == ["metadata"]:
            return 200, self._capability()
        if not steps:
            return 200, self._page(query["_getpages"][0], int(query["_offset"][0]))
        if steps[-1] == "_search":
            query = parse_qs(body.decode())
        if steps[-1] == "_history":
            return 200, self._history(steps[0], query)
        if len(steps) == 2 and steps[1] != "_search":
            found = self.held.rows[steps[0]].get(steps[1])
            return (200, found) if found else (404, _outcome("not-found"))
        return 200, self._searched(steps[0], query)

    def _posted(self, steps: list[str], headers: Tree, tree: Tree) -> tuple[int, Tree]:
        if steps:
            return self.held.create(tree, headers.get("if-none-exist", ""))
        # Every id first: what comes earlier may refer to what comes later.
        made = {
            entry[
                "fullUrl"
            ]: f"{type_}/{self.held.there(type_, entry['request'].get('ifNoneExist', '')) or self.held.new_id()}"
            for entry in tree["entry"]
            if entry["request"]["method"] == "POST" and "fullUrl" in entry
            for type_ in (entry["request"]["url"],)
        }
        rows = [self._entry(entry, made) for entry in tree["entry"]]
        return 200, {"resourceType": "Bundle", "type": f"{tree['type']}-response", "entry": rows}

    def _entry(self, entry: Tree, made: dict[str, str]) -> Tree:
        request, resource = entry["request"], entry.get("resource", {})
        if made:
            resource = _renamed(resource, made)
        if request["method"] == "PUT":
            status, held = self.held.update(resource, request["url"].split("/")[1], request.get("ifMatch", ""))
        else:
            id_ = made.get(entry.get("fullUrl", ""), "").partition("/")[2]
            status, held = self.held.create(resource, request.get("ifNoneExist", ""), id_)
        if status >= 400:
            return {"response": {"status": str(status), "outcome": held}}
        meta = held["meta"]
        place = f"{held['resourceType']}/{held['id']}/_history/{meta['versionId']}"
        response = {"status": str(status), "location": place, "etag": f'W/"{meta["versionId"]}"', "lastModified": meta["lastUpdated"]}  # fmt: skip
        return {"resource": held, "response": response}

    def _searched(self, type_: str, query: dict[str, list[str]]) -> Tree:
        rows = self.held.rows[type_]
        ids = list(rows)
        if "_lastUpdated" in query:
            ids = self.held.since(type_, query["_lastUpdated"][0].removeprefix("ge"))
        if "_id" in query:
            ids = [id_ for id_ in query["_id"][0].split(",") if id_ in rows]
        if "identifier" in query:
            named = (self.held.named.get((type_, name)) for name in query["identifier"][0].split(","))
            ids = list(dict.fromkeys(id_ for id_ in named if id_))
        if "patient" in query:
            wanted = {f"Patient/{id_.removeprefix('Patient/')}" for id_ in query["patient"][0].split(",")}
            ids = [id_ for id_ in ids if rows[id_].get("subject", {}).get("reference") in wanted]
        found = [{"fullUrl": f"{self.base}/{type_}/{id_}", "resource": rows[id_]} for id_ in ids]
        return self._paged(found, "searchset", query)

    def _history(self, type_: str, query: dict[str, list[str]]) -> Tree:
        ids = self.held.since(type_, query.get("_since", [""])[0])
        rows = [{"resource": self.held.rows[type_][id_], "request": {"method": "PUT", "url": f"{type_}/{id_}"}} for id_ in ids]  # fmt: skip
        return self._paged(rows, "history", query)

    def _paged(self, rows: list[Tree], kind: str, query: dict[str, list[str]]) -> Tree:
        count = min(int(query.get("_count", ["20"])[0]), 200)
        token = str(len(self.pages))
        if len(rows) > count:
            self.pages[token] = (kind, rows)
        return self._sheet(rows, kind, token, 0, count)

    def _page(self, token: str, offset: int) -> Tree:
        kind, rows = self.pages[token]
        return self._sheet(rows, kind, token, offset, 200)

    def _sheet(self, rows: list[Tree], kind: str, token: str, offset: int, count: int) -> Tree:
        meta = {"lastUpdated": _now()}
        page = {"resourceType": "Bundle", "type": kind, "meta": meta, "entry": rows[offset : offset + count]}
        if offset + count < len(rows):
            url = f"{self.base}?_getpages={token}&_offset={offset + count}"
            page["link"] = [{"relation": "next", "url": url}]
        return page

    def _capability(self) -> Tree:
        interaction = [{"code": code} for code in ("read", "search-type", "history-type", "create", "update")]
        one = {
            "conditionalCreate": True,
            "updateCreate": True,
            "interaction": interaction,
            "versioning": "versioned-update",
        }
        rest = {"mode": "server", "interaction": [{"code": "transaction"}, {"code": "batch"}], "resource": [{"type": type_, **one} for type_ in TYPES]}  # fmt: skip
        return {
            "resourceType": "CapabilityStatement", "status": "active", "kind": "instance", "fhirVersion": "4.0.1",
            "format": ["json"], "software": {"name": "stub", "version": "1"}, "rest": [rest],
        }  # fmt: skip


def _renamed(node: Any, made: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {
            key: made.get(value, value) if key == "reference" else _renamed(value, made) for key, value in node.items()
        }
    return [_renamed(value, made) for value in node] if isinstance(node, list) else node


class Http(asyncio.Protocol):
    """HTTP/1.1 as far as it is needed: requests with a Content-Length, connections that are kept."""

    def __init__(self, server: Server) -> None:
        self.server, self.buffer = server, bytearray()

    def connection_made(self, transport: Any) -> None:
        """A client has come."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Some bytes."""
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            first, *rows = self.buffer[:end].decode("latin-1").split("\r\n")
            headers = {name.lower(): value.strip() for name, _, value in (row.partition(":") for row in rows)}
            size = int(headers.get("content-length", 0))
            if len(self.buffer) < end + 4 + size:
                return
            body = bytes(self.buffer[end + 4 : end + 4 + size])
            del self.buffer[: end + 4 + size]
            self._request(first, headers, body)

    def _request(self, first: str, headers: Tree, body: bytes) -> None:
        method, target, _ = first.split(" ", 2)
        parts = urlsplit(target)
        if parts.path == "/control":
            self._send(200, self.server.control(**json.loads(body)))
            return
        server = self.server
        server.counts["requests"] += 1
        fails = server.faults and server.chance.random() < server.faults and parts.path != "/fhir/metadata"
        if fails:
            server.counts["failed"] += 1
        if fails and server.chance.random() < 0.5:
            self._later(503, _outcome("transient"))
            return
        status, tree = server.answer(method, parts.path, parse_qs(parts.query), headers, body)
        if fails:
            self.transport.close()
            return
        self._later(status, tree)

    def _later(self, status: int, tree: Tree) -> None:
        if self.server.delay:
            asyncio.get_running_loop().call_later(self.server.delay, self._send, status, tree)
        else:
            self._send(status, tree)

    def _send(self, status: int, tree: Tree) -> None:
        body = json.dumps(tree, separators=(",", ":")).encode()
        head = [f"HTTP/1.1 {status} X", "Content-Type: application/fhir+json", f"Content-Length: {len(body)}"]
        if "meta" in tree and "versionId" in tree["meta"]:
            head += [f'ETag: W/"{tree["meta"]["versionId"]}"', f"Location: {self.server.base}/{tree['resourceType']}/{tree['id']}"]  # fmt: skip
        self.transport.write("\r\n".join([*head, "", ""]).encode() + body)


async def main() -> None:
    """Serves until the standard input ends."""
    loop, server = asyncio.get_running_loop(), Server()
    listener = await loop.create_server(lambda: Http(server), "127.0.0.1", 0)
    server.base = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}/fhir"
    print(server.base, flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
