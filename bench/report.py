"""The results as a table, as bench/results.json, and as docs/benchmarks.md."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.frame import Row
from bench.inputs import ROOT

RESULTS = ROOT / "bench" / "results.json"
PAGE = ROOT / "docs" / "benchmarks.md"
HEAD = """\
# Benchmarks

Written by `make bench` (`make bench ONLY=mapping` measures one suite anew and leaves the other sections). Ours and the
peers' figures of a row were measured in turn in one run, as processor time. The ratio is ours against the best peer, or
against what is allowed: larger is better. The limit must hold, the goal is aimed at. Figures depend on the machine;
ratios hardly do.
"""


def show(rows: Iterable[Row]) -> None:
    """The table, to stdout."""
    table = Table("suite", "name", "unit", "ours", "peers", "ratio", "limit", "goal", "met")
    for found in rows:
        peers = "\n".join(f"{name}: {_figure(figure)}" for name, figure in found["peers"].items())
        limits = _bars(found)
        table.add_row(found["suite"], found["name"], found["unit"], _figure(found["ours"]), peers, *limits, _met(found))
    Console(width=130).print(table)


def _bars(row: Row) -> list[str]:
    """Ratio, limit and goal; there is no ratio to nothing."""
    ratio = f"{row['ratio']:.2f}" if row["ours"] else "-"
    return [ratio, *(f"{row[key]:.2f}" for key in ("limit", "goal"))]


def write_results(rows: list[Row], path: Path = RESULTS) -> None:
    """Everything that was measured in this run."""
    path.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


def section(name: str, about: str, rows: Iterable[Row], notes: Iterable[str]) -> str:
    """A suite on the page."""
    lines = [f"## {name}", "", about, "", _where(), ""]
    lines += ["| What | Unit | Ours | Peers | Ratio | Limit | Goal | Met |", "|---|---|--:|---|--:|--:|--:|---|"]
    for row in rows:
        peers = "<br>".join(f"{key}: {_figure(figure)}" for key, figure in row["peers"].items())
        limits = " | ".join(_bars(row))
        lines.append(f"| {row['name']} | {row['unit']} | {_figure(row['ours'])} | {peers} | {limits} | {_met(row)} |")
    noted = [f"- {note}" for note in notes]
    return "\n".join([*lines, *(["", *noted] if noted else []), ""])


def write_page(sections: dict[str, str], path: Path = PAGE) -> None:
    """docs/benchmarks.md with these sections new, and the others as they were."""
    known = _sections(path.read_text("utf-8")) if path.exists() else {}
    known.update(sections)
    path.write_text("\n".join([HEAD, *(known[name] for name in sorted(known))]), "utf-8")


def _sections(text: str) -> dict[str, str]:
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]
    return {part.split("\n", 1)[0].removeprefix("## "): part.rstrip("\n") + "\n" for part in parts}


def _where() -> str:
    day = datetime.now(UTC).date().isoformat()
    return (
        f"Measured on {day}: {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {sys.version.split(maxsplit=1)[0]}."
    )


def _figure(figure: float) -> str:
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:,.4g}"


def _met(row: Row) -> str:
    if not row["met"]:
        return "NO"
    return "yes" if row["ratio"] >= row["goal"] else "limit"
