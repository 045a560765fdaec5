"""A process that is killed, really, at each named point of a run; the next one finds everything in order.

The other side is a second adapter, a process of its own with a FHIR face over HTTP.
"""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from adapter.bootstrap import Services, fixtures
from adapter.cli.demonstration import other_adapter
from adapter.exchange import HttpFhirServer
from adapter.fhir_json import copy, loads
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.services.exchange import exchange
from adapter.services.servers import add

NAME = "north"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with other_adapter(tmp_path_factory.mktemp("other")) as base:
        yield base


@pytest.fixture
def services(tmp_path: Path, other: str) -> Iterator[Services]:
    with Services(url=f"sqlite:///{tmp_path}/store.db") as made:
        add(made.store(), NAME, other)
        made.take_in(fresh())
        yield made


def fresh() -> Any:
    """The records of the case, under ids that no other test uses."""
    text = (fixtures() / "dual-diagnosis" / "records.json").read_text("utf-8")
    records = loads(text)
    items = ("goals", "interventions", "care_team", "instruments")
    ids = {record["id"] for record in records}
    ids |= {item["id"] for record in records for name in items for item in record.get(name, [])}
    for id_ in ids:
        text = text.replace(id_, str(uuid4()))
    return loads(text)


def killed(url: str, point: str, turn: int, how: Any) -> None:
    """In a process of its own: exchanges until a point is reached for that many times, and dies there."""
    seen = Counter[str]()

    def die(name: str) -> None:
        seen[name] += 1
        if name == point and seen[name] == turn:
            os.kill(os.getpid(), signal.SIGKILL)

    with Services(url=url) as made, made.partner(NAME) as partner:
        exchange(replace(partner, point=die), how)
    os._exit(0)


def kill(services: Services, tmp_path: Path, point: str, turn: int = 1, how: str = "both") -> None:
    process = get_context("fork").Process(target=killed, args=(f"sqlite:///{tmp_path}/store.db", point, turn, how))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    # What the dead one had leased is free when its lease has run out; nobody has to wait for that in a test.
    store = services.store()
    with store.engine.connect() as connection:
        connection.exec_driver_sql("UPDATE link SET lease_until = ''")
        connection.commit()


def run(services: Services) -> list[str]:
    with services.partner(NAME) as partner:
        ran = exchange(partner)
    assert ran.error is None
    return [step.verb for step in ran.report.steps]


def in_order(services: Services, other: str) -> None:
    """Each part is there once, and both sides agree."""
    run(services)
    links = list(services.store().links(NAME))
    assert {(link.state, link.todo, link.in_flight) for link in links} == {("linked", False, "")}
    with HttpFhirServer(other) as client:
        for link in links:
            value = link.part.partition("/")[2] or link.record_id
            query = {"identifier": f"{IDENTIFIER_SYSTEM}|{value}"}
            found = [row.resource["id"] for page in client.search(link.type, query) for row in page]
            assert found == [link.remote_id]
    assert run(services) == []


@pytest.mark.parametrize("turn", [1, 3])
@pytest.mark.parametrize("point", ["leased", "in flight", "answered", "recorded"])
def test_killed_on_the_first_push(services: Services, tmp_path: Path, other: str, point: str, turn: int) -> None:
    kill(services, tmp_path, point, turn)
    in_order(services, other)


@pytest.mark.parametrize("point", ["leased", "in flight", "answered", "recorded"])
def test_killed_on_an_update(services: Services, tmp_path: Path, other: str, point: str) -> None:
    run(services)
    plan = copy(next(services.store().records("plan")))
    plan["goals"][0]["status_reason"] = "later"
    services.take_in(plan)
    kill(services, tmp_path, point)
    in_order(services, other)
    goal = next(link for link in services.store().links(NAME) if plan["goals"][0]["id"] in link.part)
    with HttpFhirServer(other) as client:
        there = client.read("Goal", goal.remote_id)
    assert there.resource["statusReason"] == "later"
    assert there.version == "2"


@pytest.mark.parametrize("point", ["in flight", "answered"])
def test_killed_and_edited_before_the_next_run(services: Services, tmp_path: Path, other: str, point: str) -> None:
    kill(services, tmp_path, point, 3)
    plan = copy(next(services.store().records("plan")))
    plan["title"] = "Edited meanwhile"
    services.take_in(plan)
    in_order(services, other)
    link = next(link for link in services.store().links(NAME) if link.type == "CarePlan")
    with HttpFhirServer(other) as client:
        assert client.read("CarePlan", link.remote_id).resource["title"] == "Edited meanwhile"


def test_killed_in_the_middle_of_what_came_in(services: Services, tmp_path: Path, other: str) -> None:
    run(services)
    run(services)
    link = next(link for link in services.store().links(NAME) if link.type == "Goal")
    with HttpFhirServer(other) as client:
        goal = client.read("Goal", link.remote_id)
        client.update({**goal.resource, "statusReason": "there"}, if_match=goal.version)
    kill(services, tmp_path, "page", 5)
    in_order(services, other)
    assert "there" in str(services.store().record("plan", link.record_id))


def test_killed_on_a_withdrawal(services: Services, tmp_path: Path, other: str) -> None:
    run(services)
    plan = next(services.store().records("plan"))
    services.delete("plan", plan["id"])
    kill(services, tmp_path, "withdrawn", 2)
    run(services)
    links = [link for link in services.store().links(NAME) if link.kind == "plan"]
    assert {link.state for link in links} == {"closed"}
    with HttpFhirServer(other) as client:
        link = next(link for link in links if link.type == "CarePlan")
        there = client.read("CarePlan", link.remote_id)
    assert (there.resource["status"], there.version) == ("revoked", "2")
    assert run(services) == []
