"""What an internal record holds, and the clinical rules over it.

`check` and `normalise` look at one record's shape, `clinical_issues` at what several records say together, `score` at
the answers of an instrument.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from adapter.records.checking import ENVELOPE, KINDS, check, json_schema, normalise, schema

if TYPE_CHECKING:
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
_MODULES = {
    "Instrument": "scoring",
    "Score": "scoring",
    "clinical_issues": "clinical",
    "instrument": "scoring",
    "score": "scoring",
}


def __getattr__(name: str) -> object:
    # Loaded when asked for: a conversion checks shapes, and neither scores nor compares records.
    if name in _MODULES:
        return getattr(import_module(f"adapter.records.{_MODULES[name]}"), name)
    raise AttributeError(name)
