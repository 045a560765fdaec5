"""jsonata-python: the same expressions as in Node."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonata

_MAPS = Path(__file__).parent / "maps"
_OUT, _BACK = (jsonata.Jsonata((_MAPS / name).read_text("utf-8")) for name in ("out.jsonata", "back.jsonata"))


def to_fhir(plan: Any) -> Any:
    """A plan → its Bundle."""
    return _OUT.evaluate(plan)


def from_fhir(bundle: Any) -> Any:
    """A Bundle → its plan."""
    return _BACK.evaluate(bundle)
