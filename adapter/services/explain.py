"""`careplan explain`: one element of either side of an input, with its rule, the other side, and the way between.

The input is whatever `convert` takes: records (one, a list, or what from-fhir gave) or a resource or Bundle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapter.errors import UsageError
from adapter.mapping import Row
from adapter.mapping.apart import take_apart
from adapter.mapping.bundle import Analysis
from adapter.mapping.elements import Unknown, unknown_element, unknown_field
from adapter.mapping.explain import Explainer, rule_tree
from adapter.mapping.places import Found, Pick, Place, Step, find, names, parse, written
from adapter.mapping.reasons import Reasons, fixed
from adapter.mapping.steps import how
from adapter.mapping.trace import trace
from adapter.services.convert import taken
from adapter.services.knowledge import Knowledge

Tree = dict[str, Any]


def explain(known: Knowledge, tree: Any, path: str, *, fhir: str | None = None) -> Tree:
    """The answer for one path: `side`, `status`, `text`, `rule`, `other`, `steps`, `inside`, `note`.

    Raises BadInput (the file), UsageError (the path: it cannot be read, or names what neither side knows).
    """
    steps = parse(path)
    document = _Document.of(known, tree, fhir)
    answer = document.at(steps) if path.startswith("/") or not path else document.named(steps)
    return {"path": path, **answer}


@dataclass(slots=True)
class _Document:
    """An input with its other side. `records` are as the user has or gets them, `places` where each stands."""

    known: Knowledge
    tree: Any
    is_fhir: bool
    fhir: Tree
    records: list[Tree]
    explainer: Explainer

    @classmethod
    def of(cls, known: Knowledge, tree: Any, fhir: str | None) -> _Document:
        """Either side, and the other made of it. Raises BadInput, DataError."""
        if isinstance(tree, dict) and "resourceType" in tree:
            known.mapper.from_fhir(tree, fhir=fhir)
            traced = trace(Analysis(known.mapper, take_apart(tree)))
            records = [owned.record for owned in traced.records]
            places: list[Place] = [("records", number) for number in range(len(records))]
            return cls(known, tree, True, tree, records, _explainer(known, traced, tree, places))
        records, remainder, pointers = taken(tree)
        records = [known.mapper.own.named(record) for record in records]
        made = known.mapper.to_fhir(records, remainder, fhir=fhir).tree
        traced = trace(Analysis(known.mapper, take_apart(made)))
        where = {(record["kind"], record["id"]): at for at, record in enumerate(records)}
        order = [where.get((owned.record["kind"], owned.record["id"])) for owned in traced.records]
        places = [_place(pointers[at]) if at is not None else ("?",) for at in order]
        given = [
            records[at] if at is not None else owned.record for at, owned in zip(order, traced.records, strict=True)
        ]
        return cls(known, tree, False, made, given, _explainer(known, traced, made, places))

    def at(self, steps: tuple[Step, ...]) -> Tree:
        """What a JSON pointer leads to, in the input as it is."""
        found = find(self.tree, steps)
        if self.is_fhir:
            return self._element((), found)
        for number, place in enumerate(self.explainer.ours):
            if found.place[: len(place)] == place:
                inner = find(self.records[number], [*found.place[len(place) :], *found.missing])
                return self._field(number, inner)
        raise UsageError("The pointer leads to no record of the input.", remedy="Begin with the record: /records/0/….")

    def named(self, steps: tuple[Step, ...]) -> Tree:
        """What a path leads to: of FHIR where it begins with a type, else of a record, else of the only resource."""
        first = steps[0]
        if isinstance(first, str) and first in self.known.definitions:
            return self._fhir(first, steps[1:])
        numbers = range(len(self.records))
        for number in numbers:
            place = self.explainer.ours[number]
            if steps[: len(place)] == place and place:
                return self._field(number, find(self.records[number], steps[len(place) :]))
        found = [(number, find(self.records[number], steps)) for number in numbers]
        best = min(found, key=lambda row: len(row[1].missing), default=None)
        if best is not None and (not best[1].missing or self._schema_knows(best[0], steps)):
            return self._field(*best, of=sum(not row[1].missing for row in found))
        type_ = self.fhir.get("resourceType")
        if (
            self.is_fhir
            and type_ != "Bundle"
            and unknown_element(self.known.definitions, str(type_), names(steps)[:1]) is None
        ):
            return self._fhir(str(type_), steps)
        if best is None:
            raise UsageError(
                "The input gives no record, so that only paths of FHIR lead anywhere.", remedy="Begin with its type."
            )
        return self._field(*best)

    def _schema_knows(self, number: int, steps: tuple[Step, ...]) -> bool:
        kind = str(self.records[number]["kind"])
        shape = self.known.shape_of(kind)
        return shape is not None and unknown_field(shape, kind, names(steps)) is None

    def _fhir(self, type_: str, steps: tuple[Step, ...]) -> Tree:
        """A path that begins with a type: of the input itself, else of its first resource of that type."""
        if type_ == self.fhir.get("resourceType"):
            return self._element((), find(self.fhir, steps))
        traced = self.explainer.traced
        found = [
            (traced.resource_at(index), find(resource, steps))
            for index, resource in enumerate(traced.analysis.input.resources)
            if resource.get("resourceType") == type_
        ]
        found += list(self._contained(type_, steps))
        if not found:
            return self._absent_element(type_, steps, f"No resource of the type {type_} is in the input.")
        place, best = min(found, key=lambda row: len(row[1].missing))
        return self._element(place, best, of=len(found))

    def _contained(self, type_: str, steps: tuple[Step, ...]) -> Any:
        traced = self.explainer.traced
        for index, resource in enumerate(traced.analysis.input.resources):
            rows = resource.get("contained")
            for number, inner in enumerate(rows if type(rows) is list else []):
                if type(inner) is dict and inner.get("resourceType") == type_:
                    yield (*traced.resource_at(index), "contained", number), find(inner, steps)

    def _element(self, resource: Place, found: Found, of: int = 1) -> Tree:
        place = (*resource, *found.place)
        if not found.missing:
            return {
                "side": "fhir",
                **self.explainer.element(place),
                **_note(max(of, found.of), self.explainer.fhir_path(place)),
            }
        type_, inside = self._type_of(place)
        return self._absent_element(
            type_, (*inside, *found.missing), f"It is not in the {'input' if self.is_fhir else 'Bundle that is made'}."
        )

    def _type_of(self, place: Place) -> tuple[str, Place]:
        """The type of the innermost resource around a place, and the place in it."""
        tree, type_, start = self.fhir, str(self.fhir.get("resourceType")), 0
        for number, step in enumerate(place, start=1):
            tree = tree[step]  # type: ignore[index]
            if type(tree) is dict and "resourceType" in tree:
                type_, start = str(tree["resourceType"]), number
        return type_, place[start:]

    def _absent_element(self, type_: str, steps: tuple[Step, ...], why: str) -> Tree:
        path = names(steps)
        unknown = unknown_element(self.known.definitions, type_, path) if type_ in self.known.definitions else None
        if unknown is not None:
            raise _misspelt(unknown, written(steps, type_))
        name = ".".join((type_, *path))
        rows = [row for row in self.known.rows if row.fhir == name or row.fhir.startswith(f"{name}.")]
        picks = [step for step in steps if isinstance(step, Pick)]
        rows = [row for row in rows if all(_selects(row, pick) for pick in picks)] or rows
        around = [row for row in self.known.rows if name.startswith(f"{row.fhir}.") and not row.structural]
        if not rows and around:
            why += (
                f" The rule at {around[0].source} owns {around[0].selector} ({how(around[0])}), and would not make it."
            )
            return _absent("fhir", written(steps, type_), why, around)
        text = f"{why} {_would(rows, 'record')}{self._not_written(rows)}"
        return _absent("fhir", written(steps, type_), text, rows)

    def _not_written(self, rows: list[Row]) -> str:
        """Why the rule made nothing of a field that a record has."""
        both = [row for row in rows if not row.reason]
        for visit in self.explainer.traced.visits:
            if both and visit.source == both[0].source and visit.fhir is None:
                given = self.records[int(visit.at.ours[0])]
                status, text = self.explainer.reasons.not_written(visit, both[0], given)
                if status == "not-written":
                    return f" It was not written: {text}"
        return ""

    def _field(self, number: int, found: Found, of: int = 1) -> Tree:
        record = self.records[number]
        shown = written((*self.explainer.ours[number], *found.place, *found.missing))
        kind = str(record["kind"])
        shape = self.known.shape_of(kind)
        path = names((*found.place, *found.missing))
        told = fixed((*found.place, *names(found.missing)))
        if told is not None:
            return {"side": "record", "place": shown, "status": told[0], "text": told[1], "rule": None, "other": []}
        unknown = unknown_field(shape, kind, path) if shape is not None else None
        if unknown is not None:
            raise _misspelt(unknown, shown)
        if not found.missing:
            answer = self.explainer.record_field((number, *found.place), found.value, record)
            return {"side": "record", **answer, **_note(max(of, found.of), shown)}
        rows = [row for row in self.known.rows if row.kind == kind and row.around(path)]
        return _absent("record", shown, f"The record does not have it. {_would(rows, 'fhir')}", rows)


def _explainer(known: Knowledge, traced: Any, tree: Tree, places: list[Place]) -> Explainer:
    return Explainer(traced, Reasons(known.rows, known.elsewhere), tree, places, known.pack.concept_maps)


def _place(pointer: str) -> Place:
    return tuple(int(part) if part.isdigit() else part for part in pointer.split("/")[1:])


def _selects(row: Row, pick: Pick) -> bool:
    """Whether a rule selects by that value, written in full or with a prefix of the pack."""
    tail = pick.value.rpartition("/")[2]
    return f"{pick.key}={pick.value}" in row.selector or f"/{tail}]" in row.selector


def _would(rows: list[Row], side: str) -> str:
    both = [row for row in rows if not row.reason]
    if not both:
        return f"Its rule is one-way: {rows[0].reason}." if rows else "No rule of this pack is for it."
    row = both[0]
    other = (row.record or "the record") if side == "record" else row.selector
    more = f", and {len(both) - 1} more for what it holds" if len(both) > 1 else ""
    verb = "writes it from" if side == "record" else "reads it from"
    return f"The rule at {row.source} {verb} {other}{more}."


def _absent(side: str, place: str, text: str, rows: list[Row]) -> Tree:
    first = next((row for row in rows if not row.reason), rows[0] if rows else None)
    return {"side": side, "place": place, "status": "absent", "text": text, "rule": rule_tree(first), "other": []}


def _note(of: int, place: str) -> Tree:
    return {"note": f"The path names {of}; this is {place}."} if of > 1 else {}


def _misspelt(unknown: Unknown, path: str) -> UsageError:
    return UsageError(str(unknown), place=path)
