"""What an internal record holds, and the clinical rules over it.

`check` and `normalise` look at one record's shape, `clinical_issues` at what several records say together, `score` at
the answers of an instrument.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from adapter.records.checking import check
from adapter.records.kinds import ENVELOPE, KINDS

if TYPE_CHECKING:
    from adapter.records.clinical import clinical_issues
    from adapter.records.schemas import json_schema, normalise, schema
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
_MODULES = {
    "Instrument": "scoring",
    "Score": "scoring",
    "clinical_issues": "clinical",
    "instrument": "scoring",
    "json_schema": "schemas",
    "normalise": "schemas",
    "schema": "schemas",
    "score": "scoring",
}


def __getattr__(name: str) -> object:
    # Loaded when asked for: a conversion checks shapes, and needs neither marshmallow for that nor scores.
    if name in _MODULES:
        return getattr(import_module(f"adapter.records.{_MODULES[name]}"), name)
    raise AttributeError(name)
