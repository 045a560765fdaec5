"""What a CodeSystem resource says. https://hl7.org/fhir/R4/codesystem.html"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Tree = dict[str, Any]


def displays(code_system: Tree) -> dict[str, str]:
    """Every code of a CodeSystem, those below others too, with its words (its code, where it has none)."""
    return dict(_walk(code_system.get("concept")))


def _walk(concepts: Any) -> Iterator[tuple[str, str]]:
    for concept in concepts if isinstance(concepts, list) else []:
        if isinstance(concept, dict) and isinstance(concept.get("code"), str):
            yield concept["code"], str(concept.get("display") or concept["code"])
            yield from _walk(concept.get("concept"))
