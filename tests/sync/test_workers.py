"""Many machines: real PostgreSQL, Redis and Celery workers, killed at random, the broker emptied; nothing lost or doubled."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap import Services
from adapter.fhir_json import loads
from adapter.identity import IDENTIFIER_SYSTEM
from adapter.services.servers import add, options_of
from tests.sync.daemons import ROOT, free_port, postgresql, redis, running, serving, until

PEOPLE = 40


def patients(number: int) -> list[dict[str, Any]]:
    base = loads((ROOT / "fixtures" / "dual-diagnosis" / "records.json").read_bytes())[0]
    shared = {name: value for name, value in base.items() if name != "identifiers"}
    return [{**shared, "id": f"00000000-0000-4000-8000-{index:012d}"} for index in range(number)]


def there(port: int, query: str = "") -> Any:
    import requests

    return requests.get(f"http://127.0.0.1:{port}/fhir/Patient?_count=500{query}", timeout=20).json()


@pytest.fixture(scope="module")
def daemons() -> Iterator[tuple[str, str]]:
    with postgresql() as database, redis() as broker:
        yield database, broker


def test_workers_killed_and_the_broker_emptied_lose_and_double_nothing(
    daemons: tuple[str, str], tmp_path: Path
) -> None:
    database, broker = daemons
    port = free_port()
    env = {
        "CAREPLAN_DATABASE_URL": database, "CAREPLAN_BROKER_URL": broker, "CAREPLAN_TICK": "0.5", "CAREPLAN_LEASE": "3",
    }  # fmt: skip
    with ExitStack() as stack, Services(url=database) as services:
        other = {"CAREPLAN_DATABASE_URL": f"sqlite:///{tmp_path / 'other.db'}"}
        stack.enter_context(running("serve", "--port", str(port), folder=tmp_path, **other))
        until(lambda: serving(port), 30, "the other side did not start")
        add(
            services.store(),
            "north",
            f"http://127.0.0.1:{port}/fhir",
            options=options_of(every=1, connections=2, bundle=5),
        )
        done = services.take_in(patients(PEOPLE), origin="synthetic")
        assert not [issue for issue in done.issues if issue.is_error]
        stack.enter_context(running("worker", "--scheduler", folder=tmp_path, **env))
        workers = [stack.enter_context(running("worker", "--name", name, folder=tmp_path, **env)) for name in "ab"]
        shake(workers, broker, env, tmp_path, stack)
        until(lambda: not list(services.store().links("north", pending=True)), 60, "something stays unsent")
        found = there(port)
        ours = [row["resource"]["identifier"] for row in found["entry"]]
        values = sorted(one["value"] for rows in ours for one in rows if one["system"] == IDENTIFIER_SYSTEM)
        assert len(found["entry"]) == PEOPLE
        assert values == sorted({one["id"] for one in patients(PEOPLE)})
        assert services.store().conflicts() == []
        assert services.store().counts("north").get("quarantine", 0) == 0


def test_a_broker_that_goes_is_told_in_a_sentence(daemons: tuple[str, str], tmp_path: Path) -> None:
    client = pytest.importorskip("redis").Redis
    with ExitStack() as stack:
        with redis() as broker:
            env = {"CAREPLAN_DATABASE_URL": daemons[0], "CAREPLAN_BROKER_URL": broker, "CAREPLAN_TICK": "0.3"}
            stack.enter_context(running("worker", "--scheduler", folder=tmp_path, **env))
            until(lambda: bool(client.from_url(broker).llen("careplan")), 30, "the scheduler did not tick")
        (log,) = tmp_path.glob("worker-*.log")
        until(lambda: log.read_text().count("Couldn't apply scheduled task tick") > 1, 30, "nothing was said")
    said = log.read_text()
    assert "Traceback" not in said
    assert max(map(len, said.splitlines())) < 250, said


def shake(workers: list[Any], broker: str, env: dict[str, str], folder: Path, stack: ExitStack) -> None:
    """Kills workers in the middle of their work, starts others, and empties the broker."""
    chance = random.Random(20261125)
    client = pytest.importorskip("redis").Redis.from_url(broker)
    for turn in range(4):
        time.sleep(chance.uniform(1.0, 2.0))
        victim = chance.randrange(2)
        workers[victim].send_signal(signal.SIGKILL)
        if turn % 2:
            client.flushall()
        workers[victim] = stack.enter_context(running("worker", "--name", f"w{turn}", folder=folder, **env))
