"""One file, one suite: its name is the file's, its docstring says what is measured, and `run()` gives its rows.

A new suite is a new file here, and nothing else: `make bench` finds it, prints its table and writes its section of
docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from inspect import cleandoc
from pathlib import Path

from bench.frame import Row


@dataclass(frozen=True, slots=True)
class Suite:
    """A suite: what it measures in words, and what measures it. `notes` gives what the rows cannot say, after a run."""

    name: str
    about: str
    run: Callable[[], Iterable[Row]]
    notes: Callable[[], list[str]] = list


def names() -> list[str]:
    """The suites that there are."""
    return sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem != "__init__")


def suite(name: str) -> Suite:
    """The suite of that name."""
    module = import_module(f"bench.suites.{name}")
    return Suite(name, cleandoc(module.__doc__ or ""), module.run, getattr(module, "notes", list))
