"""Faults 33 to 38 and 41: targets that are not there, circles, servers that change what they get, forget, or were wiped."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import requests

from adapter.api import create_app
from adapter.services.servers import new_hook
from tests.sync.daemons import free_port
from tests.sync.proxy import Asked, Forward, Told, changed
from tests.sync.site import FHIR, Site, bundles, updates
from tests.sync.test_workers import running, serving, until

Sites = Callable[..., Site]


def test_fault_33_a_child_whose_parent_is_refused_waits_and_says_for_what(site: Site) -> None:
    outcome = b'{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}'

    def strict(asked: Asked, forward: Forward) -> Told:
        return Told(422, outcome, FHIR) if b'"resourceType":"Patient"' in asked.body else forward()

    site.proxy.when(bundles, strict, times=100)
    site.push()
    (refused,) = site.links("Patient")
    assert refused.state == "refused"
    waiting = [link for link in site.links("Condition") if link.wanted != link.acked]
    assert waiting
    assert all(f"Patient/{refused.local_id}" in link.reason for link in waiting)
    site.proxy.calm()
    site.services.store().renew("ward", everything=True, refused=True)
    assert site.push().error is None
    site.settled()


def test_fault_34_a_circle_is_written_in_two_steps(sites: Sites, hapi: str) -> None:
    """Two diagnoses that name each other, one resource a request: first without, then with the reference."""
    site = sites(hapi)
    records = site.case()
    one, other = [record for record in records if record["kind"] == "diagnosis"][:2]
    one["related"], other["related"] = [other["id"]], [one["id"]]
    site.take_in(records)
    with site.services.partner("ward") as partner:
        assert partner.server.options.bundle
    from adapter.services.servers import change

    change(site.services.store(), "ward", bundle=1)
    assert site.push().error is None
    site.settled()
    for mine, theirs in ((one, other), (other, one)):
        there = site.there("Condition", mine["id"])
        target = site.there("Condition", theirs["id"])["id"]
        assert f"Condition/{target}" in json.dumps(there)


def test_fault_35_what_the_server_normalises_causes_no_write(site: Site) -> None:
    def normalised(body: bytes) -> bytes:
        return body.replace(b'"resourceType":"Goal",', b'"resourceType":"Goal","language":"en",').replace(
            b'"resourceType": "Goal",', b'"resourceType": "Goal", "language": "en",'
        )

    site.proxy.when(lambda asked: b"Goal" in asked.body or "/Goal" in asked.path, changed(normalised), times=10_000)
    assert site.push().error is None
    site.settled()


def test_fault_36_a_version_that_rises_at_every_write_is_given_up_after_three(pushed: Site) -> None:
    goal = pushed.goal()["id"]

    def busy(asked: Asked, forward: Forward) -> Told:
        pushed.put_there({**pushed.there("Goal", goal), "note": [{"text": f"touched {time.monotonic()}"}]})
        return forward()

    pushed.edit_goal(statement={"text": "Ours"})
    pushed.proxy.when(updates, busy, times=1000)
    for _ in range(6):
        pushed.push()
    sent = [one for one in pushed.proxy.asked if updates(one) and b"Ours" in one.body]
    assert 1 <= len(sent) <= 6
    (link,) = [link for link in pushed.links("Goal") if goal in link.part]
    assert link.state in ("quarantine", "conflict")


def test_fault_37_a_webhook_is_a_hint_and_nothing_more(pushed: Site) -> None:
    client = create_app(pushed.services).test_client()
    secret = new_hook(pushed.services.store(), "ward")
    goal = pushed.there("Goal", pushed.goal()["id"])
    pushed.put_there({**goal, "note": [{"text": "by hook"}]})
    path = f"/v1/hooks/ward/Goal/{goal['id']}"
    forged = {**goal, "note": [{"text": "forged"}]}
    for headers in ({}, {"Authorization": "Bearer guess"}):
        assert client.put(path, data=json.dumps(forged), headers=headers).status_code == 401
    good = {"Authorization": f"Bearer {secret}", **FHIR}
    for _ in range(3):
        assert client.put(path, data=json.dumps(forged), headers=good).status_code < 300
    assert pushed.pull().error is None
    assert pushed.goal()["notes"][-1]["text"] == "by hook"
    # A lost one is made up for by the next look.
    pushed.put_there({**pushed.there("Goal", pushed.goal()["id"]), "note": [{"text": "no hook"}]})
    assert pushed.pull().error is None
    assert pushed.goal()["notes"][-1]["text"] == "no hook"
    pushed.settled()


def test_fault_38_a_server_restored_from_a_backup_changes_nothing_here(sites: Sites, tmp_path: Path) -> None:
    """A second adapter is the server: its database is copied, and put back later."""
    database, port = tmp_path / "server.db", free_port()
    base = f"http://127.0.0.1:{port}/fhir"

    def serve() -> Any:
        return running("serve", "--port", str(port), folder=tmp_path, CAREPLAN_DATABASE_URL=f"sqlite:///{database}")

    site = sites(base)
    site.take_in(site.case())
    with serve():
        until(lambda: serving(port), 60, "the server did not start")
        assert site.push().error is None
        assert site.pull().error is None
    backup = {path: path.read_bytes() for path in tmp_path.glob("server.db*")}
    with serve():
        until(lambda: serving(port), 60, "the server did not start")
        site.edit_goal(statement={"text": "After the backup"})
        assert site.run("both").error is None
    for path in tmp_path.glob("server.db*"):
        path.unlink()
    for path, content in backup.items():
        path.write_bytes(content)
    with serve():
        until(lambda: serving(port), 60, "the server did not start")
        site.run("both")
        assert site.goal()["statement"]["text"] == "After the backup", "the local side is kept"
        site.run("both")
        assert site.goal()["statement"]["text"] == "After the backup"


def test_fault_41_a_wiped_server_stops_the_exchange(sites: Sites, empty_hapi: str) -> None:
    site = sites(empty_hapi)
    site.take_in(site.case())
    assert site.push().error is None
    assert site.pull().error is None
    before = site.record("plan")
    everything = {"resourceType": "Parameters", "parameter": [{"name": "expungeEverything", "valueBoolean": True}]}
    assert requests.post(f"{empty_hapi}/$expunge", json=everything, timeout=120).ok
    assert site.pull().error is not None
    assert site.services.store().server("ward").paused
    assert site.record("plan") == before, "the local side is kept"
    site.proxy.asked.clear()
    assert site.run("both").error is not None
    assert site.proxy.asked == [], "nothing is exchanged until somebody looked"
    assert site.services.reconcile("ward", send=True) > 0
