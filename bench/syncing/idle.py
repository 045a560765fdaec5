"""What an exchange costs where little or nothing changes, and how soon an edit arrives."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import requests

from adapter.bootstrap import Services
from adapter.ports import Link
from adapter.store.rows import row_of_link
from bench.inputs import ROOT
from bench.syncing import ours
from bench.syncing.people import person
from bench.syncing.processes import careplan
from bench.syncing.servers import Hapi, Stub, stub
from tests.sync.proxy import Asked, Fault, Proxy, Told

EDITS = 65
LINKS = 100_000


@dataclass(frozen=True, slots=True)
class Cycles:
    """An idle cycle: its requests, what is allowed of them, its writes; ms of a changed resource among 100 and 1000."""

    links: int
    requests: int
    allowed: int
    writes: int
    hundred: float
    thousand: float


def cycles(server: Stub, folder: Path, number: int) -> Cycles:
    """A store with so many people, as many links of others as make `LINKS`, and cycles of pull and push with it."""
    full = ours.filled(folder, number, "idle.db")
    # What was just written is read once more for so long, on purpose.
    os.environ["CAREPLAN_SYNC_OVERLAP"] = "1"
    with ours.store(folder, server.base, full) as services:
        services.border()
        ours.run(services, "both")
        time.sleep(2.0)
        ours.run(services, "both")
        _more_links(services)
        server.set()
        ours.run(services, "both")
        counted = server.set()
        costs = [_changed(services, min(number, some)) for some in (100, 1000)]
        links = services.store().counts(ours.NAME)["linked"]
    return Cycles(links, counted["requests"], 3 * len(types()) + 2, counted["writes"], *costs)


def _more_links(services: Services) -> None:
    with services.store().engine.begin() as connection:
        there = connection.exec_driver_sql("SELECT count(*) FROM link").scalar_one()
        if there < LINKS:
            connection.exec_driver_sql(*_linked(LINKS - there))


def types() -> tuple[str, ...]:
    """The types that a cycle looks at."""
    from adapter.sync.pull import TYPES

    return TYPES


def _changed(services: Services, number: int) -> float:
    """Processor time in ms for each of so many patients that changed here, of a whole cycle."""
    for index in range(number):
        patient = person(index)[0]
        patient["birth_date"] = f"19{50 + number % 40}-01-0{1 + index % 9}"
        services.take_in([patient], origin="synthetic")
    return 1000 * ours.run(services, "both").cpu / number


@dataclass(frozen=True, slots=True)
class Edited:
    """Milliseconds: from the end of an edit's transaction here to the server's answer, and of one request; 95th percentiles."""

    ours: float
    request: float


def edit_to_commit(hapi: Hapi, folder: Path) -> Edited:
    """Edits of one patient while `careplan sync --watch` is idle, and updates of it by one raw request each, in turn."""
    with Proxy(hapi.base) as proxy, ours.store(folder, proxy.base, every=3600) as services:
        services.take_in(person(0), origin="synthetic")
        ours.run(services, "both")
        ended: list[float] = []
        proxy.when(_writes, _noted(ended), 1_000_000)
        with careplan(["sync", ours.NAME, "--watch"], folder, CAREPLAN_DATABASE_URL=f"sqlite:///{folder}/ours.db"):
            time.sleep(5.0)
            found = [(_edit(services, index, ended), _request(proxy.base, index, ended)) for index in range(EDITS)]
    hapi.empty()
    return Edited(*(1000 * quantiles(column, n=20)[-1] for column in zip(*found[5:], strict=True)))


def _writes(asked: Asked) -> bool:
    return asked.method in {"PUT", "POST"}


def _noted(ended: list[float]) -> Fault:
    def fault(_: Asked, forward: Callable[[], Told]) -> Told:
        told = forward()
        ended.append(time.perf_counter())
        return told

    return fault


def _edit(services: Services, index: int, ended: list[float]) -> float:
    time.sleep(0.2 + 0.013 * (index % 7))
    patient = {**person(0)[0], "birth_date": f"1950-01-{1 + index % 28:02d}"}
    ended.clear()
    services.take_in([patient], origin="synthetic")
    started = time.perf_counter()
    _await(ended)
    return ended[0] - started


def _request(base: str, index: int, ended: list[float]) -> float:
    time.sleep(0.1)
    # Somebody else's patient, so that nothing of ours changes there.
    tree = {"resourceType": "Patient", "id": "somebody-else", "birthDate": f"1950-01-{1 + index % 28:02d}"}
    ended.clear()
    started = time.perf_counter()
    requests.put(f"{base}/Patient/somebody-else", json=tree, timeout=60).raise_for_status()
    return ended[0] - started


def _await(ended: list[float]) -> None:
    end = time.monotonic() + 30
    while not ended:
        if time.monotonic() > end:
            raise AssertionError("an edit was not sent")
        time.sleep(0.0005)


def memory(folder: Path) -> float:
    """MiB that a process needs more with a million links than with ten thousand, for an idle cycle and ten edits."""
    few, many = (_peak(folder, number) for number in (10_000, 1_000_000))
    return max(0.0, (many - few) / 1024)


def _peak(folder: Path, number: int) -> int:
    """KiB, the most that a process of its own held."""
    with stub() as server, ours.store(folder, server.base) as services:
        with services.store().engine.begin() as connection:
            connection.exec_driver_sql(*_linked(number))
            now = services.store().state(ours.NAME).last_try or "2026-01-01T00:00:00.000Z"
            for type_ in types():
                for name in (type_, f"{type_}/deleted"):
                    connection.exec_driver_sql(_MARK, {"server": ours.NAME, "type": name, "value": now})
        # The links are of nothing; what is looked at to see whether the server was wiped is there.
        made = requests.post(f"{server.base}/Patient", json={"resourceType": "Patient"}, timeout=60).json()
        seen = {"type": "Patient", "id": made["id"], "version": "1", "updated": made["meta"]["lastUpdated"]}
        services.store().note(ours.NAME, last_sweep="2999-01-01T00:00:00.000Z", sentinel={"seen": [seen]})
        command = [sys.executable, "-m", "bench.syncing.idle", str(folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout)


def _linked(number: int) -> tuple[str, dict[str, Any]]:
    """A statement that makes so many linked patients, and its values."""
    first = Link(
        ours.NAME, "patient", "", "", "Patient", "", remote_version="1", remote_updated="2026-01-01T00:00:00.000Z",
        wanted=1, acked=1, base=1, state="linked",
    )  # fmt: skip
    values: dict[str, Any] = row_of_link(first)
    counted = {"record_id": "'patient-' || i", "local_id": "'patient-' || i", "remote_id": "'there-' || i"}
    given = ", ".join(counted.get(name, f":{name}") for name in values)
    count = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :number)"
    kept = {name: value for name, value in values.items() if name not in counted}
    return f"{count} INSERT INTO link ({', '.join(values)}) SELECT {given} FROM n", {**kept, "number": number}  # noqa: S608


_MARK = "INSERT INTO watermark VALUES (:server, :type, :value)"


def main() -> None:
    """An idle cycle and ten edits with the store of a folder; prints the most memory held, in KiB."""
    with Services(url=f"sqlite:///{sys.argv[1]}/ours.db") as services:
        ours.run(services, "both")
        services.take_in([person(index)[0] for index in range(10)], origin="synthetic")
        ours.run(services, "both")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


if __name__ == "__main__":
    main()
