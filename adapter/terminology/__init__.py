"""ConceptMaps read once, translated both ways. https://hl7.org/fhir/R4/conceptmap.html

A ConceptMap goes from our codes to those of one or more published systems, a group for each. An element whose only
target is `unmatched` is a code of ours that nobody has published: it travels as a coding of our own CodeSystem.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adapter.errors import PackError
from adapter.identity import NS

Tree = dict[str, Any]
PREFERRED = f"{NS}/StructureDefinition/preferred"
_EXACT = frozenset({"equivalent", "equal"})
_NONE = frozenset({"unmatched", "disjoint"})


@dataclass(frozen=True, slots=True)
class Table:
    """One ConceptMap, both ways; immutable."""

    code_system: str
    _forward: dict[str, tuple[Tree, ...]] = field(repr=False)
    _back: dict[tuple[str, str], tuple[str, ...]] = field(repr=False)
    _displays: dict[str, str] = field(repr=False)
    codes: frozenset[str] = frozenset()

    def codings(self, code: str) -> tuple[Tree, ...] | None:
        """Published codings of our code, one for each system that has one; None for a code that is not ours."""
        return self._forward.get(code)

    def ambiguous(self, code: str) -> bool:
        """Whether the published codings do not lead back to this code, so that ours must go along."""
        codings = self._forward.get(code) or ()
        return not codings or any(self.internal(c["system"], c["code"])[:2] != (code,) for c in codings)

    def internal(self, system: str, code: str) -> tuple[str, ...]:
        """Our codes for a published one: the marked preference alone where there is one, else every candidate."""
        return self._back.get((system, code), ())

    def display(self, code: str) -> str | None:
        """Our words for our code."""
        return self._displays.get(code)

    def to_code(self, code: str) -> str | None:
        """The one published code, for elements of type `code`."""
        codings = self._forward.get(code) or ()
        return str(codings[0]["code"]) if len(codings) == 1 else None


def compile_table(concept_map: Tree, code_system: str, *, file: str = "") -> Table:
    """A ConceptMap, both ways. Raises PackError where it contradicts itself."""
    forward: dict[str, list[Tree]] = {}
    candidates: dict[tuple[str, str], list[tuple[int, str]]] = {}
    displays: dict[str, str] = {}
    faults: list[str] = []
    for group in concept_map.get("group", []):
        system = group.get("target")
        for element in group.get("element", []):
            code = element.get("code")
            if not isinstance(code, str):
                faults.append(f"{file}: an element has no code")
                continue
            forward.setdefault(code, [])
            if element.get("display"):
                displays.setdefault(code, element["display"])
            for target in element.get("target", []):
                _take(target, code, system, forward[code], candidates, faults, file)
    if faults:
        raise PackError(f"The ConceptMap {concept_map.get('name', '')} cannot be used.", faults=faults)
    back = {key: _ranked(rows) for key, rows in candidates.items()}
    table = {code: tuple(codings) for code, codings in forward.items()}
    return Table(code_system, table, back, displays, frozenset(table))


def _take(
    target: Tree,
    code: str,
    system: Any,
    codings: list[Tree],
    candidates: dict[tuple[str, str], list[tuple[int, str]]],
    faults: list[str],
    file: str,
) -> None:
    relation = target.get("equivalence")
    if relation in _NONE or relation is None:
        return
    published = target.get("code")
    if not isinstance(published, str) or not isinstance(system, str):
        faults.append(f"{file}: the target of {code} has no code or its group no system")
        return
    if any(coding["system"] == system for coding in codings):
        faults.append(f"{file}: {code} has two targets in {system}; one of them must go")
        return
    coding = {"system": system, "code": published}
    codings.append({**coding, "display": target["display"]} if target.get("display") else coding)
    preferred = any(extension.get("url") == PREFERRED for extension in target.get("extension", []))
    rank = 0 if preferred else 1 if relation in _EXACT else 2
    candidates.setdefault((system, published), []).append((rank, code))


def _ranked(rows: list[tuple[int, str]]) -> tuple[str, ...]:
    """The preference alone where one is marked; else the exact ones, else those that are near."""
    best = min(rank for rank, _ in rows)
    return tuple(code for rank, code in rows if rank == best) if best < 2 or len(rows) == 1 else ()
