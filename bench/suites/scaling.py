"""What grows and what must not: the cost of a goal in a large plan, of starting, of a line in a long stream, of a second worker.

Costs are held against what is allowed. Times of processes are their processor time, `--workers` is by the clock, on a
machine with at least two cores free.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from adapter import fhir_json
from adapter.identity import resource_id
from bench import job
from bench.frame import Bar, Row, Work, cost
from bench.inputs import ROOT

CAREPLAN = str(Path(sys.executable).parent / "careplan")
MILLISECONDS, MEBIBYTES = Bar(unit="ms"), Bar(unit="MiB")
LINES = int(os.environ.get("BENCH_LINES", "1000000"))
SOME, FEW = min(LINES, 50_000), 10_000
_LOAD = """
import time
from adapter import mapping, fhir_json
import adapter.packs, adapter.terminology, adapter.records, adapter.mapping.compiler
start = time.process_time(); mapping.load("core"); print((time.process_time() - start) * 1000)
"""


def run() -> Iterator[Row]:
    """Goals, start, memory, workers."""
    yield from _goals()
    yield from _start()
    with tempfile.TemporaryDirectory() as folder:
        yield from _stream(Path(folder))


def _plan(goals: int) -> Any:
    plan = job.plan()
    kept = {key: value for key, value in plan.items() if key not in ("goals", "interventions", "care_team")}
    rows = [{**plan["goals"][index % 3], "id": resource_id("goal", str(index))} for index in range(goals)]
    return {**kept, "goals": rows}


def _each(work: Work, times: int) -> float:
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times


def _goals() -> Iterator[Row]:
    """Microseconds a goal at 10,000, where 1.2 times those at 10 are allowed."""
    mapper = job.mapper()
    plans = {count: _plan(count) for count in (10, 10_000)}
    bundles = {count: mapper.to_fhir([plan]).tree for count, plan in plans.items()}
    for name, work in (
        ("out", lambda count: mapper.to_fhir([plans[count]])),
        ("back", lambda count: mapper.from_fhir(bundles[count])),
    ):
        found = {10: list[float](), 10_000: list[float]()}
        for _ in range(5):
            for count, figures in found.items():
                figures.append(_each(partial(work, count), 10_000 // count) / count * 1e6)
        few, many = (median(figures) for figures in found.values())
        yield cost("scaling", f"a goal of 10,000, {name}", many, {"1.2 of that at 10": few * 1.2}, Bar(unit="µs"))


def _start() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        for name, setting, allowed in (("cold", "off", 300.0), ("from the cache", "on", 30.0)):
            command = ["env", f"XDG_CACHE_HOME={folder}", f"CAREPLAN_CACHE={setting}", sys.executable, "-c", _LOAD]
            _output(command)
            loads = [float(_output(command)) for _ in range(5)]
            yield cost(
                "scaling", f"reading and compiling core, {name}", median(loads), {"allowed": allowed}, MILLISECONDS
            )
    case = ROOT / "fixtures" / "dual-diagnosis"
    for direction, file in (("to-fhir", "records.json"), ("from-fhir", "fhir.json")):
        spent = [_processor_time([CAREPLAN, "convert", direction, str(case / file)])[0] for _ in range(5)]
        yield cost(
            "scaling",
            f"careplan convert {direction} of one file",
            median(spent) * 1e3,
            {"allowed": 400.0},
            MILLISECONDS,
        )


def _stream(folder: Path) -> Iterator[Row]:
    lines = [fhir_json.dumps(entry["resource"]) + b"\n" for entry in job.bundle()["entry"]]
    few, some, many = (folder / f"{name}.ndjson" for name in ("few", "some", "many"))
    for path, count in ((few, FEW), (some, SOME), (many, LINES)):
        with path.open("wb") as stream:
            for index in range(0, count, len(lines)):
                stream.write(b"".join(lines[: count - index]))
    command = [CAREPLAN, "convert", "from-fhir", "--ndjson"]
    peaks = [_processor_time([*command, str(path)])[1] for path in (few, many)]
    more = peaks[1] - peaks[0]
    yield cost(
        "scaling", f"memory of {LINES:,} lines beyond that of {FEW:,}", max(more, 1.0), {"allowed": 64.0}, MEBIBYTES
    )
    yield _workers([*command, str(some)])


def _workers(command: list[str]) -> Row:
    """The best of three, in turn."""
    spent: dict[int, list[float]] = {1: [], 2: []}
    outputs = set()
    for _ in range(3):
        for workers, seconds in spent.items():
            start = time.perf_counter()
            outputs.add(_output([*command, "--workers", str(workers)]))
            seconds.append(time.perf_counter() - start)
    if len(outputs) != 1:
        raise AssertionError("two workers give another output than one")
    bar = Bar(1.7, 1.8, unit="s")
    return cost("scaling", f"{SOME:,} lines with two workers", min(spent[2]), {"one worker": min(spent[1])}, bar)


def _output(command: list[str]) -> bytes:
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout


def _processor_time(command: list[str]) -> tuple[float, float]:
    """Seconds of processor time and the peak of memory in MiB of a process."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    scale = 1024 if sys.platform != "darwin" else 1024 * 1024
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / scale
