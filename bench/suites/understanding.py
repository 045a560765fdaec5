"""How much of public FHIR the records understand: the share of leaves that records alone give back, remainder thrown away.

Every valid R4 resource of the shared corpus, by type; each element that lost leaves is named below the table. There is
no peer: what is allowed is the limit.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from adapter import fhir_json, mapping
from adapter.mapping.leaves import Tally, understood
from bench.frame import Bar, Row, rated
from bench.inputs import ROOT

TYPES = ("CarePlan", "CareTeam", "Condition", "Consent", "Goal", "Questionnaire", "QuestionnaireResponse")
CORPUS = ROOT.parent / "shared" / "corpus"
_LOST: dict[str, Tally] = {}


def run() -> Iterator[Row]:
    """Each type, and all of them together."""
    whole = Tally()
    for type_ in TYPES:
        tally = _LOST[type_] = measured(type_)
        whole.add(tally)
        yield _row(type_, tally, Bar(0.85, 0.90, "share of leaves"))
    yield _row("all", whole, Bar(0.90, 0.95, "share of leaves"))


def measured(type_: str) -> Tally:
    """The leaves of every valid R4 resource of a type."""
    mapper, tally = mapping.load("core"), Tally()
    for line in (CORPUS / "index.ndjson").read_text("utf-8").splitlines():
        row = json.loads(line)
        if (row["type"], row["validity"], row["fhirVersion"]) == (type_, "valid", "4.0"):
            tally.add(understood(mapper, fhir_json.loads((CORPUS / row["file"]).read_bytes())))
    return tally


def _row(name: str, tally: Tally, bar: Bar) -> Row:
    return rated("understanding", name, tally.share(), {"allowed": 1.0}, bar)


def notes() -> list[str]:
    """The elements that lost leaves, by type."""
    return [
        f"{type_}: {sum(tally.total.values())} leaves; lost: "
        + ("; ".join(f"{path} {count} of {tally.total[path]}" for path, count in tally.lost()) or "none")
        for type_, tally in _LOST.items()
    ]
