"""The whole way of a plan with its eight resources, part by part, so that the slowest is known: JSON read, record checked,
mapped, structure validated, JSON written; and back.

Each row is one part's cost in microseconds; its ratio is the whole way through this part: 5 means a fifth of the whole.
The record check is also held against marshmallow's own load of the same schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from adapter import fhir_json, validation
from adapter.records import check, schema
from bench import job
from bench.frame import Bar, Row, Work, cost, rates, row

_PART = Bar(limit=1.0, goal=1.0, unit="µs")


def run() -> Iterator[Row]:
    """Out, back, and the check against marshmallow."""
    plan, bundle, mapper = job.plan(), job.bundle(), job.mapper()
    record, text = fhir_json.dumps(plan), fhir_json.dumps(bundle)
    structure = validation.Validator("4.0.1", tiers=("structure",)).validate
    checked: Work = lambda: check(plan)  # noqa: E731 - one of a table of works
    validated: Work = lambda: structure(bundle)  # noqa: E731
    yield from _parts(
        "out",
        {
            "read": lambda: fhir_json.loads(record),
            "record check": checked,
            "map": lambda: mapper.to_fhir([plan]),
            "validate structure": validated,
            "write": lambda: fhir_json.dumps(bundle),
        },
    )
    yield from _parts(
        "back",
        {
            "read": lambda: fhir_json.loads(text),
            "validate structure": validated,
            "map": lambda: mapper.from_fhir(bundle),
            "record check": checked,
            "write": lambda: fhir_json.dumps(plan),
        },
    )
    base = schema("plan")
    yield row("way", "record check", checked, {"marshmallow load": lambda: base.load(plan)}, Bar(3.0, 8.0, "records/s"))


def _parts(direction: str, works: Mapping[str, Work]) -> Iterator[Row]:
    spent = {name: 1e6 / rate for name, rate in rates(works).items()}
    whole = sum(spent.values())
    for name, figure in spent.items():
        yield cost("way", f"{direction}: {name}", figure, {"the whole way": whole}, _PART)
