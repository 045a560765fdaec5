"""One ConceptMap, compiled: our codes → published codings, published codes → ours.

https://hl7.org/fhir/R4/conceptmap-definitions.html
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import Finding, PackError
from adapter.identity import NS
from adapter.terminology.code_systems import displays

Tree = dict[str, Any]
PREFERRED = f"{NS}/StructureDefinition/preferred"
_EXACT = frozenset({"equivalent", "equal"})
_NEAR = frozenset({"relatedto", "wider", "subsumes", "narrower", "specializes", "inexact"})
_NONE = frozenset({"unmatched", "disjoint"})
_MARKED, _SAME, _CLOSE = range(3)
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Table:
    """One ConceptMap, both ways; immutable, shared between threads. Made by `compile_table`."""

    code_system: str
    _forward: dict[str, tuple[Tree, ...]] = field(repr=False)
    _back: dict[Key, tuple[str, ...]] = field(repr=False)
    _displays: dict[str, str] = field(repr=False)
    codes: frozenset[str] = frozenset()
    _near: dict[Key, tuple[str, ...]] = field(default_factory=dict, repr=False)
    _relations: dict[tuple[Key, str], str] = field(default_factory=dict, repr=False)

    def relation(self, system: str, published: str, code: str) -> str:
        """What a published code is to ours, as the ConceptMap says it where it is not the same; else empty."""
        return self._relations.get(((system, published), code), "")

    def codings(self, code: str) -> tuple[Tree, ...] | None:
        """Published codings of our code, one for each system that has one; None for a code that is not ours."""
        return self._forward.get(code)

    def ambiguous(self, code: str) -> bool:
        """Whether some published coding does not lead back to this code alone, so that ours must go along."""
        codings = self._forward.get(code) or ()
        return not codings or any(self.internal(c["system"], c["code"]) != (code,) for c in codings)

    def internal(self, system: str, code: str) -> tuple[str, ...]:
        """Our codes for a published one: the marked preference alone, else those that say the same, else a lone near one."""
        return self._back.get((system, code), ())

    def together(self, codings: Iterable[Key]) -> tuple[str, ...]:
        """Our codes for several published ones (system, code) that stand together, whatever their order.

        The code that leads to most of them says most: heroin dependence, where SNOMED CT says so beside ICD-10-CM's
        opioid dependence. Where none leads to more than one, the first that can be read is.
        """
        keys = tuple(dict.fromkeys(codings))
        score = Counter(code for key in keys for code in self._near.get(key, ()))
        most = max(score.values(), default=0)
        first = next((found for key in keys if (found := self.internal(*key))), ())
        if most < 2:
            return first
        best = tuple(code for code, count in score.items() if count == most)
        return tuple(code for code in first if code in best) or best

    def display(self, code: str) -> str | None:
        """Our words for our code."""
        return self._displays.get(code)

    def to_code(self, code: str) -> str | None:
        """The one published code of our code, for elements of type `code`."""
        codings = self._forward.get(code) or ()
        return str(codings[0]["code"]) if len(codings) == 1 else None

    def from_code(self, code: str) -> tuple[str, ...]:
        """Our codes for a published one in an element of type `code`; none where several systems have that code."""
        systems = {system for system, published in self._back if published == code}
        return self.internal(systems.pop(), code) if len(systems) == 1 else ()


def compile_table(concept_map: Tree, code_system: str, *, own: Tree | None = None, file: str = "") -> Table:
    """A ConceptMap, both ways; `code_system` is the URL of our codes, `own` their CodeSystem where it is at hand.

    Codes of `own` that the map does not speak of have no published coding. Raises PackError with every contradiction.
    """
    name = str(concept_map.get("name") or concept_map.get("id") or "")
    faults: list[Finding] = []
    table = _table(concept_map, code_system, own, file or f"conceptmaps/{name}.json", faults)
    if faults:
        raise PackError(f"The ConceptMap {name} cannot be used.", faults=faults)
    return table


def compile_tables(
    concept_maps: Mapping[str, Tree], code_systems: Mapping[str, Tree], prefix: str, *, pack: str = ""
) -> dict[str, Table]:
    """Every ConceptMap of a pack, by name.

    The URL of a map's own codes is that of the CodeSystem of the same name, else `prefix`/name, so that a pack may take
    over the maps of another that has its own address. Raises PackError with the faults of all of them.
    """
    faults: list[Finding] = []
    made = read_tables(concept_maps, code_systems, prefix, faults, pack=pack)
    if faults:
        raise PackError("The ConceptMaps of the pack cannot be used.", faults=faults)
    return made


def read_tables(
    concept_maps: Mapping[str, Tree],
    code_systems: Mapping[str, Tree],
    prefix: str,
    faults: list[Finding],
    *,
    pack: str = "",
) -> dict[str, Table]:
    """The same, as far as the ConceptMaps can be used; what is wrong with them is appended to `faults`."""
    made: dict[str, Table] = {}
    for name, tree in concept_maps.items():
        own = code_systems.get(name)
        url = str(own["url"]) if own and "url" in own else f"{prefix}/{name}"
        file = "/".join(part for part in (pack, f"conceptmaps/{name}.json") if part)
        made[name] = _table(tree, url, own, file, faults)
    return made


def _table(concept_map: Tree, code_system: str, own: Tree | None, file: str, faults: list[Finding]) -> Table:
    reader = _Reader(code_system, file)
    reader.displays.update(displays(own or {}))
    reader.forward.update({code: [] for code in reader.displays})
    reader.groups(concept_map)
    back = {key: reader.ranked(key, rows) for key, rows in reader.candidates.items()}
    faults += reader.faults
    forward = {code: tuple(codings) for code, codings in reader.forward.items()}
    near = {key: tuple(code for _, code in rows) for key, rows in reader.candidates.items()}
    return Table(code_system, forward, back, reader.displays, frozenset(forward), near, reader.relations)


class _Reader:
    """What has been read of one ConceptMap so far; `at` is the JSON pointer of what is being read."""

    def __init__(self, code_system: str, file: str) -> None:
        self.code_system = code_system
        self.file = file
        self.at = ""
        self.forward: dict[str, list[Tree]] = {}
        self.candidates: dict[Key, list[tuple[int, str]]] = {}
        self.displays: dict[str, str] = {}
        self.faults: list[Finding] = []
        self.relations: dict[tuple[Key, str], str] = {}
        self._unmatched: set[tuple[str, Any]] = set()
        self._places: dict[tuple[Key, str], str] = {}

    def groups(self, tree: Tree) -> None:
        """Every group; all of them go from the same system of ours."""
        sources = set()
        for group in self._each(tree, "group"):
            sources.add(str(group.get("source")))
            if len(sources) > 1:
                sources = {str(group.get("source"))}
                self._fault("conceptmap-sources", "the groups have several sources; a map goes from one system of ours")
            if group.get("target") == self.code_system:
                self._fault("conceptmap-cycle", "a group goes from our code system to itself: that never ends")
            elif "unmapped" in group:
                self._fault("conceptmap-unmapped", "a group has `unmapped`: a code without a map is never guessed")
            else:
                self._group(group)

    def _each(self, tree: Tree, name: str) -> Iterator[Tree]:
        """The objects of a list, with `at` at each; what is no list or no object is a fault."""
        before = self.at
        rows = tree.get(name, [])
        if not isinstance(rows, list):
            self.at = f"{before}/{name}"
            self._fault("conceptmap-shape", f"expected a list of objects for {name}")
            rows = []
        for index, row in enumerate(rows):
            self.at = f"{before}/{name}/{index}"
            if isinstance(row, dict):
                yield row
            else:
                self._fault("conceptmap-shape", f"expected an object in {name}")
        self.at = before

    def _group(self, group: Tree) -> None:
        for element in self._each(group, "element"):
            code = element.get("code")
            if not isinstance(code, str) or not code:
                self._fault("conceptmap-code-missing", "an element has no code")
                continue
            self.forward.setdefault(code, [])
            if isinstance(element.get("display"), str):
                self.displays.setdefault(code, element["display"])
            system = group.get("target") if isinstance(group.get("target"), str) else None
            for target in self._each(element, "target"):
                self._target(code, system, target)

    def _target(self, code: str, system: Any, target: Tree) -> None:
        relation, published = str(target.get("equivalence")), target.get("code")
        if relation in _NONE:
            self._unmatched.add((code, system))
        elif relation not in _EXACT and relation not in _NEAR:
            self._fault("conceptmap-equivalence", f"the target of {code} has no equivalence that FHIR knows")
        elif not isinstance(published, str) or not isinstance(system, str):
            self._fault("conceptmap-target-missing", f"the target of {code} has no code, or its group no system")
        elif "dependsOn" in target or "product" in target:
            what = f"the target of {code} holds only sometimes (dependsOn, product): give it a code of its own"
            self._fault("conceptmap-depends", what)
        else:
            self._take(code, {"system": system, "code": published}, target)
        if (code, system) in self._unmatched and any(c["system"] == system for c in self.forward[code]):
            self._fault("conceptmap-contradiction", f"{code} has a target in {system} and is said to have none there")

    def _take(self, code: str, coding: Tree, target: Tree) -> None:
        key = (coding["system"], coding["code"])
        rows = self.candidates.setdefault(key, [])
        if any(ours == code for _, ours in rows):
            self._fault("conceptmap-target-twice", f"{code} has the target {coding['code']} twice")
        rows.append((_rank(target), code))
        if target["equivalence"] not in _EXACT:
            self.relations[key, code] = target["equivalence"]
        self._places[key, code] = self.at
        # Further targets in the same system are read, never written: of two codes that we would write, one is wrong.
        if all(known["system"] != coding["system"] for known in self.forward[code]):
            words = target.get("display")
            self.forward[code].append({**coding, "display": words} if isinstance(words, str) else coding)

    def ranked(self, key: Key, rows: list[tuple[int, str]]) -> tuple[str, ...]:
        """The preference alone where one is marked; else those that say the same, else a lone near one."""
        best = min(rank for rank, _ in rows)
        found = tuple(code for rank, code in rows if rank == best)
        if best == _MARKED and len(found) > 1:
            self.at = self._places[key, found[-1]]
            what = f"{key[1]} has several preferences ({', '.join(found)}); one of them may stay"
            self._fault("conceptmap-preferences", what)
        return found if best < _CLOSE or len(rows) == 1 else ()

    def _fault(self, id_: str, what: str) -> None:
        self.faults.append(Finding(self.file, 1, 1, id_, what, pointer=self.at))


def _rank(target: Tree) -> int:
    marks = (row for row in _objects(target.get("extension")) if row.get("url") == PREFERRED)
    if any(row.get("valueBoolean") is True for row in marks):
        return _MARKED
    return _SAME if target["equivalence"] in _EXACT else _CLOSE


def _objects(rows: Any) -> list[Tree]:
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
