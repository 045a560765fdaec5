"""Mutation testing of the mapping engine: `python -m tools.mutants [MODULE …] [--again] [--summary]` (`make mutants`).

Each module of adapter/mapping is imported with a switch at every place where it could have a small fault (tools/mutating.py);
`fast.items` is adapter/mapping/fast/items.py, and `fast` the package itself.
The tests run once to see which of them reach which place; then, for each fault, those that reach it, quickest first, in a
process of its own, until one fails. What is known is kept in .cache/mutants, so that a run goes on where the last one ended.
`tests/mutants/survivors.md` is the summary that is committed; a reason for a survivor stands in `tests/mutants/reasons.md`.
What it says of a module that was not run here stays as it is.
"""

from __future__ import annotations

import argparse
import builtins
import hashlib
import importlib.machinery
import importlib.util
import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tools.mutating import SWITCH, Mutant, mutate

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".cache" / "mutants"
SUMMARY = ROOT / "tests" / "mutants" / "survivors.md"
REASONS = ROOT / "tests" / "mutants" / "reasons.md"
# The engine: what reads and writes, as rules and as generated code; what lint says of rules; and what else tells of them.
ENGINE = (
    "apart", "bundle", "choosing", "codecs", "companions", "compiler", "concepts", "convert", "derived", "expanding", "functions",
    "kept", "keys", "keywords", "kinds", "leaves", "links", "lists", "mapper", "maps", "oneway", "paired", "parsing", "parts",
    "path_steps", "paths", "ranking", "registered", "reshape", "resources", "rowwise", "rules", "scope", "shapes", "source",
    "table", "units", "versions", "wrapping",
    "fast", "fast.arrays", "fast.code", "fast.concepts", "fast.items", "fast.known", "fast.listing", "fast.reading", "fast.rows",
    "fast.values", "fast.writing",
    "lint", "lint.allow", "lint.codes", "lint.complete", "lint.messages", "lint.owners", "lint.profiles", "lint.sides",
    "lint.subject", "lint.walking",
    "coverage", "explain", "fmt", "reasons", "trace",
)  # fmt: skip
QUICK = (
    *sorted(
        str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "unit" / "mapping").glob("test_*.py")
        if path.stem not in ("test_by_rules", "test_coverage", "test_explain", "test_fmt", "test_reasons", "test_trace", "test_tutorial")
    ),
    "tests/unit/test_fixtures.py", "tests/unit/services/test_laws.py",
)  # fmt: skip
# What is generated is held against the rules that it is generated from; its tests make it anew each time.
FAST = "tests/unit/mapping/fast"
EXPLAINED = (
    "tests/unit/mapping/test_explain.py",
    "tests/unit/mapping/test_reasons.py",
    "tests/unit/cli/test_explain.py",
    "tests/unit/mapping/test_trace.py",
)
OF_PACKAGES = {
    "fast": (
        f"{FAST}/test_asks.py", f"{FAST}/test_known.py", f"{FAST}/test_quick_concepts.py", f"{FAST}/test_rules_alike.py",
        "tests/unit/mapping/test_fast_ids.py",
    ),
    "lint": ("tests/unit/mapping/lint",),
    "coverage": ("tests/unit/mapping/test_coverage.py", "tests/unit/cli/test_pack_coverage.py"),
    "fmt": ("tests/unit/mapping/test_fmt.py",),
    **dict.fromkeys(("explain", "reasons", "trace"), EXPLAINED),
}  # fmt: skip
# What tries every field, or draws records at random, finds more and takes longer: asked with --deep, of those that are left.
DEEP = (
    "tests/unit/mapping/test_by_rules.py", "tests/unit/test_packs_hold.py", "tests/laws/test_core_laws.py",
    "tests/laws/test_bundles.py", "tests/laws/test_fast.py", "tests/laws/test_pack_laws.py",
)  # fmt: skip
DEEP_OF_PACKAGES = {
    "fast": (f"{FAST}/test_packs_alike.py",),
    "lint": ("tests/unit/test_core_pack.py", "tests/unit/cli/test_pack.py"),
}
# A mutant that runs longer than its tests did, by so much and so many times, never ends.
LONGER = 10
TIMES = 5
MEMORY = 3 * 1024**3
HEAD = (
    "# Mutants that survive\n\nWritten by `make mutants`; the reasons are kept in `reasons.md`. A mutant is one small fault in a function of the\n"
    "engine: a comparison, a condition, a constant, a result, a call left out. A module whose run was cut short counts what it tried."
)
Tree = dict[str, Any]


class Switches:
    """What `__mutant__` answers, and what was asked."""

    def __init__(self) -> None:
        self.on = 0
        self.asked: set[int] | None = None

    def __call__(self, number: int) -> bool:
        if self.asked is not None:
            self.asked.add(number)
        return number == self.on


class Importer(importlib.machinery.SourceFileLoader):
    """Imports one module with its switches."""

    mutants: list[Mutant]

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> Any:  # type: ignore[override]
        tree, self.mutants = mutate(bytes(data).decode("utf-8"), str(path))
        return compile(tree, path, "exec", dont_inherit=True)

    def get_code(self, fullname: str) -> Any:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class Finder:
    """Gives the importer for the module that is mutated."""

    def __init__(self, name: str, path: Path) -> None:
        self.name, self.loader = name, Importer(name, str(path))

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """The spec of the one module."""
        if name != self.name:
            return None
        return importlib.util.spec_from_file_location(name, self.loader.path, loader=self.loader)


class Runner:
    """A pytest plugin that runs the collected tests once to record, then for each mutant in a process of its own."""

    def __init__(self, name: str, finder: Finder, switches: Switches, known: Tree, until: float) -> None:
        self.name, self.finder, self.switches, self.known, self.until = name, finder, switches, known, until
        self.deep = False
        self.reached: dict[int, list[tuple[float, Any]]] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Instead of pytest's own loop."""
        self._record(session)
        mutants = self.finder.loader.mutants
        for gone in self.known.keys() - {mutant.key for mutant in mutants}:
            del self.known[gone]
        for mutant in mutants:
            before = self.known.get(mutant.key)
            if before is not None if not self.deep else before in ("killed", "killed by time"):
                continue
            if time.monotonic() > self.until:
                print(f"{self.name}: time is over; the next run goes on from here")
                break
            found = self._try(session, mutant)
            if found.startswith("killed") or not self.deep:
                self.known[mutant.key] = found
            _save(self.name, self.known)
        return True

    def _record(self, session: pytest.Session) -> None:
        for item in session.items:
            self.switches.asked = set()
            started = time.monotonic()
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
            took = time.monotonic() - started
            for number in self.switches.asked:
                self.reached.setdefault(number, []).append((took, item))
        self.switches.asked = None
        if session.testsfailed:
            raise pytest.UsageError("The tests fail without any mutant.")

    def _try(self, session: pytest.Session, mutant: Mutant) -> str:
        rows = sorted(self.reached.get(mutant.number, ()), key=lambda row: row[0])
        if not rows:
            return "not reached"
        limit = LONGER + TIMES * sum(took for took, _ in rows)
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            self._child(session, mutant, [item for _, item in rows])
        return _ended(child, limit)

    def _child(self, session: pytest.Session, mutant: Mutant, items: list[Any]) -> None:
        os.setsid()
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        self.switches.on = mutant.number
        session.testsfailed = 0
        try:
            for item in items:
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
                if session.testsfailed:
                    os._exit(1)
        except BaseException:  # noqa: BLE001 - whatever breaks the run has found the fault
            os._exit(1)
        os._exit(0)


def _ended(child: int, limit: float) -> str:
    end = time.monotonic() + limit
    pause = 0.002
    while time.monotonic() < end:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return "survived" if os.waitstatus_to_exitcode(status) == 0 else "killed"
        time.sleep(pause)
        pause = min(pause * 1.5, 0.1)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "killed by time"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def file_of(name: str) -> Path:
    """The file of a module of the engine, or of a package of it."""
    path = ROOT / "adapter" / "mapping" / name.replace(".", "/")
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def suite_of(name: str, *, deep: bool) -> Sequence[str]:
    """The tests that a module's mutants are tried with, or those for what is left alive."""
    package = name.partition(".")[0]
    return DEEP_OF_PACKAGES.get(package, DEEP) if deep else OF_PACKAGES.get(package, QUICK)


def _save(name: str, results: Tree) -> None:
    STATE.mkdir(parents=True, exist_ok=True)
    tree = {"module": name, "hash": _hash(file_of(name)), "results": results}
    new = STATE / f"{name}.json.new"
    new.write_text(json.dumps(tree, indent=1, ensure_ascii=False) + "\n", "utf-8")
    new.replace(STATE / f"{name}.json")


def _load(name: str) -> Tree:
    """What is known of a module as it stands now."""
    path = STATE / f"{name}.json"
    tree = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return dict(tree["results"]) if tree.get("hash") == _hash(file_of(name)) else {}


def run_module(name: str, minutes: float, *, again: bool, tests: Sequence[str]) -> int:
    """One module, in this process. 0 where every mutant has been tried."""
    os.environ["HYPOTHESIS_PROFILE"] = "mutants"
    switches = Switches()
    setattr(builtins, SWITCH, switches)
    finder = Finder(f"adapter.mapping.{name}", file_of(name))
    sys.meta_path.insert(0, finder)  # type: ignore[arg-type]
    runner = Runner(name, finder, switches, {} if again else _load(name), time.monotonic() + minutes * 60)
    words = ["-q", "-n0", "-p", "no:cacheprovider", "-p", "no:randomly", "--no-header", "-W", "ignore"]
    runner.deep = bool(tests)
    status = pytest.main(
        [*words, *(str(ROOT / test) for test in (tests or suite_of(name, deep=False)))], plugins=[runner]
    )
    left = [mutant for mutant in finder.loader.mutants if mutant.key not in runner.known]
    print(f"{name}: {_counted(runner.known)}, {len(left)} left", flush=True)
    return int(status) or bool(left)


def _counted(results: Tree) -> str:
    killed = sum(value.startswith("killed") for value in results.values())
    return f"{killed} of {len(results)} killed ({killed / max(len(results), 1):.1%})"


def summary() -> str:
    """The page of survivors, from what is known; what it says of a module that was not run here stays."""
    reasons, before = _reasons(), SUMMARY.read_text("utf-8") if SUMMARY.is_file() else ""
    told = [_known(name, reasons) or told_before(name, before) for name in ENGINE]
    found = re.findall(r"\| (\d+) \| [\d.]+% \| (\d+) \(", "\n".join(row for row, _ in told))
    tried, lived = sum(int(row[0]) for row in found), sum(int(row[1]) for row in found)
    last = f"| **all** | {tried} | {1 - lived / max(tried, 1):.1%} | {lived} |"
    head = "| module | mutants | killed | survivors |\n| --- | --- | --- | --- |"
    table = "\n".join([head, *(row for row, _ in told), last])
    return "\n\n".join([HEAD, table, *(block for _, block in told if block)]) + "\n"


def _known(name: str, reasons: dict[str, str]) -> tuple[str, str] | None:
    """A module's row and its survivors, by what is known here."""
    results = _load(name)
    if not results:
        return None
    alive = sorted(key for key, value in results.items() if not value.startswith("killed"))
    told = sum(f"{name}: {key}" in reasons for key in alive)
    share = 1 - len(alive) / len(results)
    row = f"| {name} | {len(results)} | {share:.1%} | {len(alive)} ({told} with a reason) |"
    survivors = "\n".join(_survivor(name, key, results[key], reasons) for key in alive)
    return row, f"## {name}\n\n{survivors}" if alive else ""


def told_before(name: str, page: str) -> tuple[str, str]:
    """The same, by the page as it stands."""
    row = re.search(rf"^\| {re.escape(name)} \|.*$", page, re.MULTILINE)
    block = re.search(rf"^## {re.escape(name)}\n\n(?:- .*\n)+", page, re.MULTILINE)
    return row[0] if row else f"| {name} | not run | | |", block[0].rstrip("\n") if block else ""


def _survivor(name: str, key: str, status: str, reasons: dict[str, str]) -> str:
    code = f"`{key.replace('`', chr(39))}`"
    why = reasons.get(f"{name}: {key}", "no reason yet: a test is missing")
    return f"- {code}{' (no test reaches it)' if status == 'not reached' else ''}: {why}"


def _reasons() -> dict[str, str]:
    """`- module: function: was → now` and, below it, the reason."""
    found: dict[str, str] = {}
    key = ""
    for line in REASONS.read_text("utf-8").splitlines() if REASONS.is_file() else []:
        if line.startswith("- "):
            key = line[2:].strip().strip("`")
        elif key and line.strip():
            found[key] = f"{found.get(key, '')} {line.strip()}".strip()
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the modules that are named, or all, each in a process of its own; then writes the summary."""
    parser = argparse.ArgumentParser(prog="python -m tools.mutants", description=__doc__)
    parser.add_argument("module", nargs="*", help=f"of {', '.join(ENGINE)}")
    parser.add_argument("--again", action="store_true", help="forget what is known of these modules")
    parser.add_argument("--minutes", type=float, default=30, help="the longest time for one module (30)")
    parser.add_argument("--deep", action="store_true", help="the slow laws, on what the quick tests left alive")
    parser.add_argument("--tests", nargs="+", default=[], metavar="PATH", help="these tests, on what was left alive")
    parser.add_argument("--summary", action="store_true", help="only write the summary of what is known")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.module) - set(ENGINE))
    if unknown:
        parser.error(f"no module {unknown[0]} of the engine")
    if options.here:
        return run_module(
            options.module[0],
            options.minutes,
            again=options.again,
            tests=options.tests or (suite_of(options.module[0], deep=True) if options.deep else ()),
        )
    unfinished = 0
    for name in () if options.summary else options.module or ENGINE:
        command = [sys.executable, "-m", "tools.mutants", name, "--here", "--minutes", str(options.minutes)]
        flags = [f"--{flag}" for flag in ("again", "deep") if getattr(options, flag)]
        flags += ["--tests", *options.tests] if options.tests else []
        unfinished |= subprocess.run([*command, *flags], cwd=ROOT, check=False).returncode
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(summary(), "utf-8")
    print(f"wrote {SUMMARY.relative_to(ROOT)}")
    return 1 if unfinished else 0


if __name__ == "__main__":
    sys.exit(main())
