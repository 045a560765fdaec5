"""What an internal record holds, and the clinical rules over it.

`check` and `normalise` look at one record's shape, `clinical_issues` at what several records say together, `score` at
the answers of an instrument.
"""

from __future__ import annotations

from adapter.records.checking import ENVELOPE, KINDS, check, json_schema, normalise, schema
from adapter.records.clinical import clinical_issues
from adapter.records.scoring import Instrument, Score, instrument, score

__all__ = [
    "ENVELOPE",
    "KINDS",
    "Instrument",
    "Score",
    "check",
    "clinical_issues",
    "instrument",
    "json_schema",
    "normalise",
    "schema",
    "score",
]
