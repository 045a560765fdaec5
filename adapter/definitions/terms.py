"""CodeSystems and ValueSets as published, expanded as far as their content is at hand.

https://hl7.org/fhir/R4/valueset.html — an expansion is `{system: "*" | [code]}`; `?` in place of the codes says that
the system's content is not at hand, so that a code of it can be neither confirmed nor refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Tree = dict[str, Any]
Expansion = dict[str, Any]
ALL, UNKNOWN = "*", "?"


class Terms:
    """The terminology of a set of published resources, by URL."""

    def __init__(self, resources: Mapping[str, Tree]) -> None:
        self.resources = resources
        self._open: list[str] = []
        self._known: dict[str, Expansion] = {}

    def concepts(self, url: str) -> dict[str, Tree] | None:
        """The concepts of a code system by code, with `_up` (the codes above); None where its content is not at hand."""
        system = self.resources.get(url)
        if not system or system["resourceType"] != "CodeSystem" or system.get("content") != "complete":
            return None
        return dict(_walk(system.get("concept", []), ()))

    def expand(self, url: str) -> Expansion:
        """A value set; one that includes itself contributes nothing the second time."""
        url = url.partition("|")[0]
        if url in self._known:
            return self._known[url]
        found = self.resources.get(url)
        if found is None or found["resourceType"] != "ValueSet" or url in self._open:
            return {UNKNOWN: UNKNOWN}
        self._open.append(url)
        total: Expansion = {}
        if "compose" in found:
            for part in found["compose"].get("include", []):
                _union(total, self._part(part))
            for part in found["compose"].get("exclude", []):
                total = self._without(total, self._part(part))
        else:
            _union(total, _listed(found))
        self._open.pop()
        self._known[url] = total
        return total

    def _part(self, part: Tree) -> Expansion:
        sets = [self.expand(url) for url in part.get("valueSet", [])]
        system = part.get("system")
        if not system:
            return _meet(sets) if sets else {}
        if part.get("concept"):
            own: Expansion = {system: sorted({row["code"] for row in part["concept"]})}
        elif part.get("filter"):
            own = {system: self._filtered(system, part["filter"])}
        else:
            own = {system: ALL if self.concepts(system) is not None else UNKNOWN}
        return _meet([own, *sets])

    def _filtered(self, system: str, filters: list[Tree]) -> Any:
        concepts = self.concepts(system)
        if concepts is None:
            return UNKNOWN
        codes = set(concepts)
        for each in filters:
            kept = _filter(concepts, each)
            if kept is None:
                return UNKNOWN
            codes &= kept
        return sorted(codes)

    def _without(self, total: Expansion, part: Expansion) -> Expansion:
        left: Expansion = {}
        for system, codes in total.items():
            taken = part.get(system, [])
            if taken == ALL:
                continue
            if UNKNOWN in (taken, codes):
                left[system] = UNKNOWN
                continue
            present = self.concepts(system) or {} if codes == ALL else codes
            left[system] = sorted(set(present) - set(taken)) if taken else codes
        return left


def _walk(rows: list[Tree], above: tuple[str, ...]) -> Iterator[tuple[str, Tree]]:
    for row in rows:
        parents = [
            p["valueCode"] for p in row.get("property", []) if p.get("code") == "subsumedBy" and "valueCode" in p
        ]
        yield row["code"], {"display": row.get("display", ""), "_up": (*above, *parents), "row": row}
        yield from _walk(row.get("concept", []), (*above, row["code"]))


def _filter(concepts: Mapping[str, Tree], each: Tree) -> set[str] | None:
    op, value, prop = each.get("op"), each.get("value", ""), each.get("property")
    if op in ("is-a", "descendent-of") and prop in ("concept", "code"):
        below = {code for code, row in concepts.items() if value in _ancestors(concepts, code)}
        return below | {value} if op == "is-a" and value in concepts else below
    if op == "is-not-a":
        return {code for code in concepts if code != value and value not in _ancestors(concepts, code)}
    if op == "=":
        return {code for code, row in concepts.items() if _property(row["row"], prop) == value}
    return None


def _ancestors(concepts: Mapping[str, Tree], code: str) -> set[str]:
    seen: set[str] = set()
    todo = [code]
    while todo:
        for parent in concepts.get(todo.pop(), {}).get("_up", ()):
            if parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return seen


def _property(row: Tree, name: str | None) -> str:
    for each in row.get("property", []):
        if each.get("code") == name:
            for key, value in each.items():
                if key.startswith("value"):
                    return str(value).lower() if isinstance(value, bool) else str(value)
    return ""


def _listed(found: Tree) -> Expansion:
    total: dict[str, set[str]] = {}

    def add(rows: list[Tree]) -> None:
        for row in rows:
            if "system" in row and "code" in row and not row.get("abstract"):
                total.setdefault(row["system"], set()).add(row["code"])
            add(row.get("contains", []))

    add(found.get("expansion", {}).get("contains", []))
    return {system: sorted(codes) for system, codes in total.items()} or {UNKNOWN: UNKNOWN}


def _union(total: Expansion, part: Expansion) -> None:
    for system, codes in part.items():
        had = total.get(system)
        if had is None or codes == ALL or (codes == UNKNOWN and had != ALL):
            total[system] = codes
        elif had not in (ALL, UNKNOWN):
            total[system] = sorted({*had, *codes})


def _meet(sets: list[Expansion]) -> Expansion:
    first, *rest = sets
    for other in rest:
        both: Expansion = {}
        for system in first.keys() & other.keys():
            one, two = first[system], other[system]
            if ALL in (one, two):
                both[system] = two if one == ALL else one
            elif UNKNOWN in (one, two):
                both[system] = UNKNOWN
            else:
                both[system] = sorted(set(one) & set(two))
        if UNKNOWN in first or UNKNOWN in other:
            both[UNKNOWN] = UNKNOWN
        first = both
    return first
