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
        self._concepts: dict[str, dict[str, Tree] | None] = {}

    def concepts(self, url: str) -> dict[str, Tree] | None:
        """The concepts of a code system by code, with `_up` (the codes right above); None where its content is not at hand."""
        if url not in self._concepts:
            system = self.resources.get(url)
            whole = system and system["resourceType"] == "CodeSystem" and system.get("content") == "complete"
            self._concepts[url] = dict(_walk(system.get("concept", []), ())) if system and whole else None
        return self._concepts[url]

    def expand(self, url: str) -> Expansion:
        """A value set."""
        url = url.partition("|")[0]
        if url in self._known:
            return self._known[url]
        if url in self._open:
            return self.cyclic(url)
        found = self.resources.get(url)
        if found is None or found["resourceType"] != "ValueSet":
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
        expansion = {
            system: codes if codes in (ALL, UNKNOWN) else sorted(codes) for system, codes in sorted(total.items())
        }
        self._known[url] = expansion
        return expansion

    def cyclic(self, _url: str) -> Expansion:
        """What a value set that includes itself contributes the second time: the codes of it that are known already."""
        return {UNKNOWN: UNKNOWN}

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
            left[system] = set(present) - set(taken) if taken else codes
        return left


def _walk(rows: list[Tree], above: tuple[str, ...]) -> Iterator[tuple[str, Tree]]:
    for row in rows:
        parents = [
            p["valueCode"]
            for p in row.get("property", [])
            if p.get("code") in ("subsumedBy", "parent") and "valueCode" in p
        ]
        yield row["code"], {"display": row.get("display", ""), "_up": (*above, *parents), "row": row}
        yield from _walk(row.get("concept", []), (row["code"],))


def _filter(concepts: Mapping[str, Tree], each: Tree) -> set[str] | None:
    op, value, prop = each.get("op"), each.get("value", ""), each.get("property")
    if op in ("is-a", "descendent-of") and prop in ("concept", "code"):
        below = _below(concepts, value)
        return below | {value} if op == "is-a" and value in concepts else below
    if op == "is-not-a":
        return concepts.keys() - _below(concepts, value) - {value}
    if op == "=" and all("row" in row for row in concepts.values()):
        return {code for code, row in concepts.items() if _property(row["row"], prop) == value}
    return None


def _below(concepts: Mapping[str, Tree], code: str) -> set[str]:
    """The codes below another one, at any depth."""
    inner: dict[str, list[str]] = {}
    for each, row in concepts.items():
        for parent in row.get("_up", ()):
            inner.setdefault(parent, []).append(each)
    found: set[str] = set()
    todo = [code]
    while todo:
        for each in inner.get(todo.pop(), ()):
            if each not in found:
                found.add(each)
                todo.append(each)
    return found - {code}


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
    """Adds a part; listed codes are sets while a value set is put together."""
    for system, codes in part.items():
        had = total.get(system)
        if codes in (ALL, UNKNOWN):
            if had != ALL:
                total[system] = codes
        elif had is None:
            total[system] = set(codes)
        elif had not in (ALL, UNKNOWN):
            had.update(codes)


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
