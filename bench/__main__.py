"""Side-by-side measurements: `make bench [ONLY=json|mapping|validation]`.

Prints a table for each suite and writes bench/results.json: a list of `{"suite", "name", "unit", "ours", "peers":
{name: figure}, "limit", "goal", "ratio", "met"}`. Every figure was measured in that run, ours and the peers' in turn,
on the fixtures whose
FHIR is valid. `ratio` is ours through the best peer's, so larger is better; `limit` must hold, `goal` is
aimed at. The exit status is 1 where a limit does not hold.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console
from rich.table import Table

from adapter import fhir_json, mapping, validation
from adapter.issues import has_errors

ROOT = Path(__file__).resolve().parent.parent
ROUNDS = 5
SECONDS = 0.4
Work = Callable[[], object]


def fixtures() -> list[list[Any]]:
    """The records of every case."""
    return [fhir_json.loads(path.read_bytes()) for path in sorted((ROOT / "fixtures").glob("*/records.json"))]


def valid_cases() -> tuple[list[list[Any]], list[Any]]:
    """The cases whose FHIR has no error, as records and as Bundles: the others would be measured as refusals."""
    mapper = mapping.load("core")
    pairs = [(case, mapper.to_fhir(case).tree) for case in fixtures()]
    good = [pair for pair in pairs if not has_errors(validation.validate(pair[1]))]
    return [case for case, _ in good], [bundle for _, bundle in good]


def rate(work: Work) -> float:
    """Calls a second, over about SECONDS."""
    done, start = 0, time.perf_counter()
    while (spent := time.perf_counter() - start) < SECONDS:
        work()
        done += 1
    return done / spent


def row(suite: str, name: str, ours: Work, peers: dict[str, Work], *, limit: float, goal: float, per: int = 1) -> Any:
    """One line of the results; `per` is how many of the unit one call handles."""
    works = {"": ours, **peers}
    for work in works.values():
        work()
    rounds = [{key: rate(work) * per for key, work in works.items()} for _ in range(ROUNDS)]
    figures = {key: round(median(found[key] for found in rounds), 1) for key in works}
    own = figures.pop("")
    ratio = round(own / max(figures.values()), 2)
    return {
        "suite": suite, "name": name, "unit": "resources/s", "ours": own, "peers": figures,
        "limit": limit, "goal": goal, "ratio": ratio, "met": ratio >= limit,
    }  # fmt: skip


def bench_json(bundles: list[Any], _cases: list[list[Any]]) -> list[Any]:
    """Reading and writing, with every digit kept; the peer is the standard library, which keeps them not."""
    texts = [fhir_json.dumps(bundle) for bundle in bundles]
    plain = [json.loads(text) for text in texts]
    per = sum(len(bundle["entry"]) for bundle in bundles)
    return [
        row("json", "read", lambda: [fhir_json.loads(text) for text in texts],
            {"json.loads": lambda: [json.loads(text) for text in texts]}, limit=0.2, goal=0.5, per=per),
        row("json", "write", lambda: [fhir_json.dumps(bundle) for bundle in bundles],
            {"json.dumps": lambda: [json.dumps(tree) for tree in plain]}, limit=1.0, goal=2.0, per=per),
    ]  # fmt: skip


def bench_mapping(bundles: list[Any], cases: list[list[Any]]) -> list[Any]:
    """Records to FHIR and back; the peer reads the same FHIR into typed models and writes it, and maps nothing."""
    mapper = mapping.load("core")
    peers = {"fhir.resources, read and write": _typed(bundles, dump=True)}
    per = sum(len(bundle["entry"]) for bundle in bundles)
    return [
        row("mapping", "to FHIR", lambda: [mapper.to_fhir(case) for case in cases], peers, limit=1.0, goal=2.0, per=per),
        row("mapping", "from FHIR", lambda: [mapper.from_fhir(tree) for tree in bundles], peers,
            limit=1.0, goal=2.0, per=per),
    ]  # fmt: skip


def bench_validation(bundles: list[Any], _cases: list[list[Any]]) -> list[Any]:
    """All tiers of validation; the peer checks structure alone."""
    per = sum(len(bundle["entry"]) for bundle in bundles)
    ours = [entry["resource"] for bundle in bundles for entry in bundle["entry"]]
    peers = {"fhir.resources, structure": _typed(bundles, dump=False)}
    return [
        row("validation", "fixtures", lambda: [validation.validate(one) for one in ours], peers,
            limit=1.0, goal=2.0, per=per),
    ]  # fmt: skip


def _typed(bundles: list[Any], *, dump: bool) -> Work:
    from fhir.resources.R4B import get_fhir_model_class

    plain = [json.loads(fhir_json.dumps(entry["resource"])) for bundle in bundles for entry in bundle["entry"]]
    models = [(get_fhir_model_class(tree["resourceType"]), tree) for tree in plain]
    if dump:
        return lambda: [model.model_validate(tree).model_dump_json() for model, tree in models]
    return lambda: [model.model_validate(tree) for model, tree in models]


SUITES = {"json": bench_json, "mapping": bench_mapping, "validation": bench_validation}


def show(rows: list[Any]) -> None:
    """The table, to stdout."""
    table = Table("suite", "name", "ours", "peers", "ratio", "limit", "goal", "met", title="resources a second")
    for found in rows:
        peers = "\n".join(f"{name}: {figure:,.0f}" for name, figure in found["peers"].items())
        limits = (f"{found[key]:.2f}" for key in ("ratio", "limit", "goal"))
        table.add_row(
            found["suite"], found["name"], f"{found['ours']:,.0f}", peers, *limits, "yes" if found["met"] else "NO"
        )
    Console(width=110).print(table)


def main() -> int:
    """Runs the suites that are asked for, or all."""
    wanted = sys.argv[1:] or list(SUITES)
    if strange := set(wanted) - set(SUITES):
        print(f"no suite {', '.join(sorted(strange))}; there are {', '.join(SUITES)}", file=sys.stderr)
        return 2
    cases, bundles = valid_cases()
    rows = [found for name in wanted for found in SUITES[name](bundles, cases)]
    show(rows)
    (ROOT / "bench" / "results.json").write_text(json.dumps(rows, indent=2) + "\n", "utf-8")
    return 0 if all(found["met"] for found in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
