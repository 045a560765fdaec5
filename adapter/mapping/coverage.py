"""What a pack covers by definition: every element of its FHIR types, every field of its records, and how each fares.

An element is `both` ways, `one-way` with its reason, `remainder` (carried along, no rule), or `never` (a field of a record
that no rule sends). Elements that hold others are counted by what they hold. Not counted are ids, extensions of others,
and what FHIR has for its own housekeeping (`meta`, `implicitRules`, `language`, `contained`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapter.definitions import Definitions, Element
from adapter.mapping.elements import facts_of
from adapter.mapping.shapes import Shape
from adapter.mapping.table import Row
from adapter.records.kinds import ENVELOPE

US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition"
STATUSES = ("both", "one-way", "remainder", "never")
_HOUSEKEEPING = frozenset({"id", "meta", "implicitRules", "language", "contained", "extension", "modifierExtension"})
_GIVEN = frozenset({"id", "kind", "extra"}) | ENVELOPE


@dataclass(frozen=True, slots=True)
class Entry:
    """One element of a FHIR type, or one field of a kind of record. `owner` is the type or kind, `rules` file:line:column.

    `required`: the side's own definition demands it; `must_support`: the US Core profile of the type marks it.
    """

    owner: str
    path: str
    status: str
    reason: str = ""
    rules: tuple[str, ...] = ()
    required: bool = False
    must_support: bool = False

    @property
    def covered(self) -> bool:
        """Whether a rule is for it."""
        return self.status in ("both", "one-way")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Both sides, in the order of the definitions, what is demanded first."""

    fhir: list[Entry]
    records: list[Entry]


def share(entries: Iterable[Entry]) -> float:
    """The share that rules are for; 1 of nothing."""
    rows = list(entries)
    return sum(entry.covered for entry in rows) / len(rows) if rows else 1.0


def coverage(
    rows: Sequence[Row],
    defs: Definitions,
    shape_of: Callable[[str], Shape | None],
    choosing: Mapping[str, Collection[str]] | None = None,
    uscore: str = US_CORE,
) -> Coverage:
    """Every type and kind that the rows speak of, against its definition.

    `choosing` gives by kind the fields that say which map a record is for: they come back by that.
    """
    types = dict.fromkeys(row.type_ for row in rows if row.type_ in defs)
    kinds = dict.fromkeys(row.kind for row in rows)
    fhir = [entry for type_ in types for entry in _first(_Elements(rows, defs, type_, uscore).entries())]
    shapes = {kind: shape_of(kind) for kind in kinds}
    records = [
        entry
        for kind, shape in shapes.items()
        if shape is not None
        for entry in _first(_Fields(rows, kind, set((choosing or {}).get(kind, ()))).entries(shape))
    ]
    return Coverage(fhir, records)


def _first(entries: Iterable[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda entry: (not entry.must_support, not entry.required))


class _Elements:
    """The elements of one FHIR type against the rows that are for it."""

    def __init__(self, rows: Sequence[Row], defs: Definitions, type_: str, uscore: str) -> None:
        self.defs, self.type_ = defs, type_
        self.rows = [row for row in rows if row.type_ == type_]
        self.must, self.demanded = _profiled(self.rows, defs, type_, uscore)

    def entries(self) -> Iterator[Entry]:
        """Each element that is counted."""
        yield from self._of(self.type_, self.type_, ())
        yield from self._extensions()

    def _of(self, facts_name: str, path: str, open_: tuple[str, ...]) -> Iterator[Entry]:
        for element in self.defs.type(facts_name).elements.values():
            if element.name in _HOUSEKEEPING:
                continue
            here = f"{path}.{element.name}"
            inner = element.content_ref or element.type
            below = any(row.fhir.startswith(f"{here}.") for row in self.rows)
            facts = facts_of(self.defs, inner)
            opens = facts is not None and (below or facts.kind == "part")
            if opens and inner not in open_ and not self._whole(here):
                yield from self._of(inner, here, (*open_, inner))
            else:
                yield self._entry(here, element, path)

    def _whole(self, path: str) -> bool:
        """Whether some rule takes the element as one value."""
        return any(row.fhir == path and not row.structural and not row.reason for row in self.rows)

    def _entry(self, path: str, element: Element, holder: str) -> Entry:
        found = [row for row in self.rows if row.fhir == path] or [
            row for row in self.rows if row.fhir.startswith(f"{path}.")
        ]
        base = f"{holder}.{element.choice}[x]" if element.choice else path
        status, reason = _status(found)
        if not found and path == f"{self.type_}.identifier":
            status, reason = "both", "ours holds the id of the record; others are carried along"
        selecting = [] if found else [row for row in self.rows if _selects(row, holder, element.name)]
        if selecting:
            found, status, reason = selecting, "both", "rules know the element by it"
        sources = tuple(dict.fromkeys(row.source for row in found))
        asked = holder == self.type_ or any(row.fhir.startswith(f"{holder}.") for row in self.rows)
        needed = asked and bool(element.min or base in self.demanded)
        alone = not element.choice or status != "remainder" or not self._another(holder, element)
        return Entry(self.type_, path, status, reason, sources, needed and alone, base in self.must and alone)

    def _another(self, holder: str, element: Element) -> bool:
        """Whether another type of the same choice has a rule: a choice asks for one of its types."""
        base = f"{holder}.{element.choice}"
        return any(row.fhir.startswith(base) and row.fhir[len(base) : len(base) + 1].isupper() for row in self.rows)

    def _extensions(self) -> Iterator[Entry]:
        seen: dict[str, list[Row]] = {}
        for row in self.rows:
            if "xtension[" in row.selector:
                seen.setdefault(row.selector, []).append(row)
        for selector, rows in seen.items():
            if not rows[0].structural:
                status, reason = _status(rows)
                yield Entry(self.type_, selector, status, reason, tuple(row.source for row in rows))


def _selects(row: Row, holder: str, name: str) -> bool:
    """Whether a rule knows an element by a name in it (`onsetAge(code=a)`), or makes it with that."""
    steps = re.findall(r"([A-Za-z]+)[\[(]([^\])]*)", row.selector) if row.fhir.startswith(f"{holder}.") else ()
    last = holder.rpartition(".")[2]
    return any(step == last and re.search(rf"(^|,){name}:?=", keys) is not None for step, keys in steps)


def _status(rows: Sequence[Row], none: str = "remainder") -> tuple[str, str]:
    if not rows:
        return none, ""
    if all(row.reason for row in rows):
        return "one-way", "; ".join(dict.fromkeys(row.reason for row in rows))
    return "both", ""


def _profiled(rows: Sequence[Row], defs: Definitions, type_: str, uscore: str) -> tuple[set[str], set[str]]:
    """Paths that the US Core profiles of a type mark as must-support, and those that they demand."""
    urls = [f"{uscore}/us-core-{type_.lower()}", *_declared(rows, uscore)]
    must: set[str] = set()
    demanded: set[str] = set()
    for url in dict.fromkeys(urls):
        found = defs.profile(url)
        for element in found["e"] if found is not None and found["t"] == type_ else []:
            path = ".".join(name.partition(":")[0] for name in element["i"].split("."))
            if element.get("ms"):
                must.add(path)
            if element.get("m"):
                demanded.add(path)
    return must, demanded


def _declared(rows: Sequence[Row], uscore: str) -> Iterator[str]:
    for row in rows:
        if row.fhir.endswith(".meta.profile") and row.keys is not None:
            yield from (f"{uscore}/{str(url).rpartition('/')[2]}" for url in row.keys.get("set", []))


class _Fields:
    """The fields of a kind of record; items that are resources of their own are counted with their own kind."""

    def __init__(self, rows: Sequence[Row], kind: str, choosing: set[str]) -> None:
        self.kind, self.choosing = kind, choosing
        self.rows = [row for row in rows if row.kind == kind and row.keyword != "derive"]
        self.told = {name for row in rows if row.kind == kind and row.keyword == "derive" for name in row.records}

    def entries(self, shape: Shape, path: str = "", open_: tuple[Any, ...] = ()) -> Iterator[Entry]:
        """Each field that is counted."""
        needed = set(shape.here.get("required", []))
        for name in shape.names():
            inner = shape.at((name,))
            if inner is None or name == "id" or (name in _GIVEN and not path):
                continue
            here = f"{path}{name}"
            item = inner.item() if inner.type_ == "array" else inner
            listed = f"{here}[]" if inner.type_ == "array" else here
            if item.names() and item.here not in open_ and self._opens(here, listed):
                yield from self.entries(item, f"{listed}.", (*open_, item.here))
            else:
                yield self._entry(here, name in needed)

    def _opens(self, here: str, listed: str) -> bool:
        """Whether it is counted by what it holds: no rule takes it whole, some are for its fields."""
        whole = any(row.takes(here) and row.keyword != "items" and "order" not in (row.keys or {}) for row in self.rows)
        return not whole and any(name.startswith(f"{listed}.") for row in self.rows for name in row.records)

    def _entry(self, here: str, needed: bool) -> Entry:
        found = [row for row in self.rows if row.takes(here)]
        status, reason = _status(found, "never")
        if not found and here in self.choosing:
            status, reason = "both", "says which map the record is for"
        elif not found and here in self.told:
            status, reason = "one-way", "told in the narrative alone"
        return Entry(self.kind, here, status, reason, tuple(dict.fromkeys(row.source for row in found)), needed)
