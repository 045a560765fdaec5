"""What our codes of disorders and substances stand for: substance use or mental disorder, and which substance.

The table is data: `disorders.json`. Polysubstance stands for every substance.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Literal

from adapter.fhir_json import Tree, loads

Kind = Literal["substance", "mental"]
EVERY = "polysubstance"


@cache
def _tables() -> Tree:
    tree: Tree = loads((files("adapter.records") / "disorders.json").read_bytes())
    return tree


def kind_of(disorder: Any) -> Kind | None:
    """Whether a disorder (concept) is of substance use or mental; None where its code is not ours or not known."""
    row = _row(disorder)
    return row["kind"] if row else None


def substance_of(disorder: Any) -> str | None:
    """The substance of a disorder (concept) of substance use: alcohol, opioid, …; None for every other."""
    row = _row(disorder)
    return row.get("substance") if row else None


def group_of(substance: Any) -> str | None:
    """The substance as disorders name it (heroin is an opioid); None where its code is not ours or has no disorder."""
    code = own_code(substance)
    group: str | None = _tables()["substances"].get(code)
    return group


def own_code(concept: Any) -> str | None:
    """The code of a concept where it is one of ours: without a system."""
    if not isinstance(concept, dict) or "system" in concept:
        return None
    code = concept.get("code")
    return code if isinstance(code, str) else None


def _row(disorder: Any) -> Tree | None:
    row: Tree | None = _tables()["disorders"].get(own_code(disorder))
    return row
