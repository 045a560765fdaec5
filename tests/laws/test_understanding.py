"""How much of the public resources records alone give back, the remainder thrown away (issue 4, §5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter import mapping
from adapter.fhir_json import loads
from adapter.mapping.leaves import Tally, understood

MAPPER = mapping.load("core")
FLOORS = {
    "CarePlan": 0.95,
    "CareTeam": 0.95,
    "Condition": 0.93,
    "Consent": 0.98,
    "Goal": 0.98,
    "Questionnaire": 0.98,
    "QuestionnaireResponse": 0.98,
}


def _valid(corpus: Path, type_: str) -> Iterator[Any]:
    for line in (corpus / "index.ndjson").read_text("utf-8").splitlines():
        row = json.loads(line)
        if (row["type"], row["validity"], row["fhirVersion"]) == (type_, "valid", "4.0"):
            yield loads((corpus / row["file"]).read_bytes())


@pytest.mark.parametrize(("type_", "floor"), FLOORS.items())
def test_records_alone_give_back_what_they_hold(corpus: Path, type_: str, floor: float) -> None:
    tally = Tally()
    for tree in _valid(corpus, type_):
        tally.add(understood(MAPPER, tree))
    assert sum(tally.total.values()) > 300
    assert tally.share() >= floor, tally.lost()[:20]
