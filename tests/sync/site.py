"""One adapter as the tests of faults use it: a store in a folder, a proxy before a real server, processes that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import requests

from adapter import fhir_json
from adapter.bootstrap import Services
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.ports import Clock, Link
from adapter.services.exchange import How, Ran, exchange
from adapter.services.servers import add, options_of
from adapter.sync.partner import Partner
from tests.sync.proxy import Asked, Proxy

ROOT = Path(__file__).resolve().parents[2]
CASE = ROOT / "fixtures" / "dual-diagnosis" / "records.json"
NAME = "ward"
FHIR = {"Content-Type": "application/fhir+json"}
FRESH = {"Cache-Control": "no-cache"}
Tree = dict[str, Any]


def bundles(asked: Asked) -> bool:
    """Something that was sent: a transaction, or one resource alone."""
    alone = asked.method == "PUT" or "if-none-exist" in asked.headers
    return alone or (asked.method == "POST" and asked.path.rstrip("/").endswith("/fhir"))


def creates(asked: Asked) -> bool:
    """A request with something new in it."""
    placed = b'"ifMatch":"W/\\"0\\""' in asked.body or asked.headers.get("if-match") == 'W/"0"'
    return bundles(asked) and (placed or b"ifNoneExist" in asked.body or "if-none-exist" in asked.headers)


def resources(asked: Asked) -> list[Tree]:
    """What it would write."""
    tree = json.loads(asked.body)
    return [row["resource"] for row in tree["entry"]] if tree["resourceType"] == "Bundle" else [tree]


def together(asked: Asked) -> bool:
    """Several new resources in one request."""
    return creates(asked) and b'"entry"' in asked.body


def updates(asked: Asked) -> bool:
    """A request that changes something."""
    return bundles(asked) and not creates(asked) and (b"ifMatch" in asked.body or "if-match" in asked.headers)


def pages(asked: Asked) -> bool:
    """A further page of a search."""
    return "_getpages" in asked.path


def looks(type_: str) -> Callable[[Asked], bool]:
    """A search of changes of a type."""
    return lambda asked: asked.method == "GET" and f"/{type_}?" in asked.path and "_lastUpdated" in asked.path


@dataclass
class Site:
    """`base` is the server itself, `proxy.base` what the adapter talks to."""

    folder: Path
    base: str
    proxy: Proxy
    services: Services
    clock: Clock | None = None

    @classmethod
    @contextmanager
    def open(cls, folder: Path, base: str, **options: Any) -> Iterator[Self]:
        folder.mkdir(exist_ok=True)
        with Proxy(base) as proxy, Services(url=f"sqlite:///{folder / 'store.db'}") as services:
            add(services.store(), NAME, proxy.base, options=options_of(**options))
            yield cls(folder, base, proxy, services)

    # Records

    @staticmethod
    def case() -> list[Tree]:
        """The records of the case under ids, and with a number of the patient, that no other test uses."""
        text = CASE.read_text("utf-8").replace("SYN-0041872", uuid4().hex)
        found = json.loads(text)
        ids = {record["id"] for record in found}
        for record in found:
            for name in ("goals", "interventions", "care_team", "instruments"):
                ids |= {item["id"] for item in record.get(name, [])}
        for id_ in ids:
            text = text.replace(id_, str(uuid4()))
        return fhir_json.loads(text.encode())  # type: ignore[no-any-return]

    def take_in(self, records: Sequence[Tree]) -> None:
        done = self.services.take_in(list(records), origin="synthetic")
        assert not [issue for issue in done.issues if issue.is_error], done.issues

    def record(self, kind: str) -> Tree:
        return fhir_json.copy(next(iter(self.services.store().records(kind))))  # type: ignore[no-any-return]

    def edit(self, kind: str, change: Callable[[Tree], object]) -> Tree:
        record = self.record(kind)
        change(record)
        self.take_in([record])
        return record

    def edit_goal(self, **values: Any) -> None:
        self.edit("plan", lambda plan: plan["goals"][0].update(values))

    def goal(self) -> Tree:
        return self.record("plan")["goals"][0]  # type: ignore[no-any-return]

    # The exchange

    def run(self, how: How, *, point: Callable[[str], None] | None = None, hurry: bool = True) -> Ran:
        with self.services.partner(NAME) as partner:
            ready: Partner = replace(partner, clock=self.clock or partner.clock, point=point or partner.point)
            return exchange(ready, how, hurry=hurry)

    def push(self, **options: Any) -> Ran:
        return self.run("push", **options)

    def pull(self, **options: Any) -> Ran:
        return self.run("pull", **options)

    def start(self, how: str, die_at: str = "", **env: str) -> subprocess.Popen[bytes]:
        """The same in a process of its own, which kills itself at a named point."""
        environment = {
            **os.environ, "PYTHONPATH": str(ROOT), "CAREPLAN_DATABASE_URL": f"sqlite:///{self.folder / 'store.db'}",
            "CAREPLAN_LEASE": "1", **env,
        }  # fmt: skip
        command = [sys.executable, "-m", "tests.sync.child", how, die_at]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.PIPE)

    def killed(self, how: str, die_at: str) -> None:
        process = self.start(how, die_at)
        _, told = process.communicate(timeout=60)
        assert process.returncode == -9, (die_at, told.decode())

    # What is known, here and there

    def links(self, type_: str = "") -> list[Link]:
        return [link for link in self.services.store().links(NAME) if type_ in ("", link.type)]

    def found(self, type_: str, record_id: str) -> list[Tree]:
        """Every live resource there that bears our identifier."""
        query = {"identifier": f"{IDENTIFIER_SYSTEM}|{record_id}", "_count": "50"}
        answer = requests.get(f"{self.base}/{type_}", params=query, headers=FRESH, timeout=60).json()
        return [entry["resource"] for entry in answer.get("entry", [])]

    def there(self, type_: str, record_id: str) -> Tree:
        (found,) = self.found(type_, record_id)
        return found

    def put_there(self, resource: Tree) -> None:
        url = f"{self.base}/{resource['resourceType']}/{resource['id']}"
        assert requests.put(url, data=json.dumps(resource), headers=FHIR, timeout=60).ok

    def edit_goal_there(self, **values: Any) -> None:
        self.put_there({**self.there("Goal", self.goal()["id"]), **values})

    def delete_there(self, resource: Tree) -> None:
        assert requests.delete(f"{self.base}/{resource['resourceType']}/{resource['id']}", timeout=60).ok

    def settled(self) -> None:
        """I2: one live resource for each link; I3, I6, I7: both sides silent, nothing is written any more."""
        for how in ("pull", "push"):
            ran = self.run(how)
            assert ran.error is None, ran.error
        before = len(self.proxy.writes())
        for how in ("pull", "push"):
            ran = self.run(how)
            assert ran.error is None, ran.error
            assert ran.report.steps == [], ran.report.steps
        assert len(self.proxy.writes()) == before, "silence, and still something was written"
        for link in self.links():
            if link.state == "linked":
                assert link.wanted == link.acked
                assert link.in_flight == ""
        keys = {(link.type, link.remote_id) for link in self.links() if link.remote_id}
        assert len(keys) == len([link for link in self.links() if link.remote_id])
        for record in self.services.store().records("plan"):
            assert len(self.found("CarePlan", record["id"])) == 1
            for goal in record.get("goals", []):
                assert len(self.found("Goal", goal["id"])) == 1
