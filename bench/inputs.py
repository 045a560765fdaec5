"""What is measured: the fixtures, and plans of any size."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from adapter import fhir_json, mapping, validation
from adapter.issues import has_errors

ROOT = Path(__file__).resolve().parent.parent


def fixtures() -> list[list[Any]]:
    """The records of every case."""
    return [fhir_json.loads(path.read_bytes()) for path in sorted((ROOT / "fixtures").glob("*/records.json"))]


@cache
def valid_cases() -> tuple[list[list[Any]], list[Any]]:
    """The cases whose FHIR has no error, as records and as Bundles: the others would be measured as refusals."""
    mapper = mapping.load("core")
    pairs = [(case, mapper.to_fhir(case).tree) for case in fixtures()]
    good = [pair for pair in pairs if not has_errors(validation.validate(pair[1]))]
    return [case for case, _ in good], [bundle for _, bundle in good]


def entries(bundles: list[Any]) -> int:
    """How many resources some Bundles hold."""
    return sum(len(bundle["entry"]) for bundle in bundles)
