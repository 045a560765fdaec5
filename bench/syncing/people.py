"""Records of any number of people: a patient, two diagnoses and a plan with one goal each, so five resources for four records."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any
from uuid import UUID, uuid5

from adapter import fhir_json
from bench.inputs import ROOT

RECORDS, RESOURCES = 4, 5
_SPACE = UUID("6f0d9c1e-3d0b-4b52-9f0e-5a1c0b7f2f11")
_PLAN = ("kind", "id", "origin", "patient", "status", "intent", "title", "description", "period", "created", "author")
_NUMBER = "SYN-0041872"


@cache
def _case() -> tuple[str, tuple[str, ...]]:
    """One person as text, and the ids in it."""
    found = fhir_json.loads((ROOT / "fixtures" / "dual-diagnosis" / "records.json").read_bytes())
    kept = [record for record in found if record["kind"] in ("patient", "diagnosis")]
    plan = next(record for record in found if record["kind"] == "plan")
    goal = plan["goals"][0]
    small = {name: plan[name] for name in (*_PLAN, "problems")} | {"goals": [goal]}
    for record in kept:
        # What is left out here can not be referred to.
        record.pop("evidence", None)
    records = [*kept, small]
    return fhir_json.dumps(records).decode(), (*(record["id"] for record in records), goal["id"])


def person(number: int) -> list[Any]:
    """The records of one person."""
    text, ids = _case()
    for id_ in ids:
        text = text.replace(id_, str(uuid5(_SPACE, f"{number}/{id_}")))
    records: list[Any] = fhir_json.loads(text.replace(_NUMBER, f"SYN-{number:07d}").encode())
    return records


def people(number: int, start: int = 0) -> Iterator[list[Any]]:
    """So many, each with its records."""
    return (person(start + index) for index in range(number))
