"""The laws of the mapping on one record of an example: what is edited comes back, nothing else moves, ids stay."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import eq
from typing import Any

from adapter.fhir_json import same
from adapter.issues import Issue, has_errors
from adapter.mapping import Mapper
from adapter.mapping.apart import take_apart
from adapter.mapping.bundle import Analysis
from adapter.mapping.places import Place, names, written
from adapter.mapping.table import Row
from adapter.mapping.trace import Traced, Visit, path_of, trace
from adapter.records import normalise
from adapter.records.kinds import content_of
from adapter.services.knowledge import Knowledge
from adapter.services.testing.comparing import NOTHING, Difference, differences
from adapter.services.testing.edits import Edit, edits, holds_together

Tree = dict[str, Any]
Check = Callable[[Any], list[Issue]]
_ONE_WAY = frozenset({"text", "contained"})


@dataclass(frozen=True, slots=True)
class Broken:
    """A law that does not hold, the edit that showed it, and where."""

    law: str
    edit: str
    found: list[Difference]
    said: str = ""


@dataclass(slots=True)
class Laws:
    """The laws of one pack. Each field is edited in the first example that has it; `seen` remembers."""

    known: Knowledge
    check: Check
    seen: set[tuple[str, str, str]] = field(default_factory=set)
    tried: int = 0

    def of_record(self, record: Tree) -> Iterator[Broken]:
        """Every law that an edit of the record breaks."""
        shape = self.known.shape_of(str(record["kind"]))
        if shape is None or has_errors(self.check(record)):
            return
        subject = _Subject(self.known, content_of(record))
        for edit in edits(subject.record, shape, subject.codes):
            if edit.kind not in self.seen and self._is_valid(subject.record, edit.record):
                self.seen.add(edit.kind)
                self.tried += 1
                yield from subject.broken(edit)

    def _is_valid(self, record: Tree, edited: Tree) -> bool:
        normal = same(normalise(edited), edited)
        return normal and holds_together(record, edited) and not has_errors(self.check(edited))


class _Subject:
    """A record, its resources, and which rule made what of them."""

    def __init__(self, known: Knowledge, record: Tree) -> None:
        self.known, self.record = known, record
        self.mapper: Mapper = known.mapper
        self.parts = self.mapper.parts(record)[0]
        bundle = {"resourceType": "Bundle", "entry": [{"resource": part} for part in self.parts.values()]}
        self.traced: Traced = trace(Analysis(self.mapper, take_apart(bundle)))
        self.rows: dict[str, Row] = {row.source: row for row in known.rows}

    def codes(self, place: Place) -> list[str]:
        """The codes of the ConceptMap that the field's rule names."""
        for visit in self._visits(place):
            concept_map = self.known.pack.concept_maps.get(self.rows[visit.source].code_map)
            if concept_map is not None and (0, *place) in visit.ours:
                return [element["code"] for group in concept_map.get("group", []) for element in group["element"]]
        return []

    def broken(self, edit: Edit) -> Iterator[Broken]:
        """The laws that an edit breaks."""
        written_, issues = self.mapper.parts(edit.record, self.parts)
        said = " ".join(issue.text for issue in issues if issue.is_error)
        back = self._read(written_)
        if not same(back, edit.record):
            found = [self._told(row) for row in differences(edit.record, back)]
            yield Broken("PutGet: an edit comes back", edit.name, found, said)
            return
        again = self.mapper.parts(edit.record, written_)[0]
        if not same(again, written_):
            yield Broken("PutPut: two equal writes are one", edit.name, list(differences(written_, again)))
        first = self.mapper.parts(self.record, written_)[0]
        if not same(self._read(first), self.record):
            found = [self._told(row) for row in differences(self.record, self._read(first))]
            yield Broken("PutPut: the second write wins", edit.name, found)
        if edit.scalar:
            yield from self._local(edit, written_)
        yield from self._stable(edit, written_)

    def _read(self, parts: dict[str, Tree]) -> Tree:
        return self.mapper.record(str(self.record["kind"]), parts, record_id=self.record["id"])[0]

    def _local(self, edit: Edit, parts: dict[str, Tree]) -> Iterator[Broken]:
        keys = list(self.parts)
        if keys != list(parts):
            return  # The edit made it another resource: then it is not one value that changed.
        # A field that may stand in one of several places moves from one to another.
        pairs = {(visit.source, visit.at.ours) for visit in self._visits(edit.place)}
        owners = [visit for visit in self.traced.visits if (visit.source, visit.at.ours) in pairs]
        moved = [
            Difference(("entry", keys.index(str(row.place[0])), "resource", *row.place[1:]), row.want, row.got)
            for row in differences(self.parts, parts)
        ]
        strange = [row for row in moved if not any(_may_move(row, visit) for visit in owners)]
        if strange:
            yield Broken("Locality: only what the field's rules own moves", edit.name, strange)

    def _stable(self, edit: Edit, parts: dict[str, Tree]) -> Iterator[Broken]:
        before = {key: part.get("id") for key, part in self.parts.items() if key in parts}
        after = {key: part.get("id") for key, part in parts.items() if key in before}
        if before != after:
            yield Broken("Ids stay", edit.name, list(differences(before, after)))

    def _visits(self, place: Place) -> list[Visit]:
        """The visits of the rules that own a field, or are one-way."""
        whole = (0, *place)
        found = [
            visit
            for visit in self.traced.visits
            if any(whole[: len(ours)] == ours or ours[: len(whole)] == whole for ours in visit.ours)
            or self.rows[visit.source].reason
        ]
        return sorted(found, key=lambda visit: bool(self.rows[visit.source].reason))

    def _told(self, row: Difference) -> Difference:
        visits = [visit for visit in self._visits(row.place) if not self.rows[visit.source].reason]
        return Difference(row.place, row.want, row.got, visits[-1].source if visits else "")


def _may_move(row: Difference, owner: Visit) -> bool:
    """Whether a place is of the element that a rule owns, beside a primitive of it, or a like one in its list."""
    place, path = _plain(row.place), path_of(owner.rule)
    if len(place) > 3 and place[3] in _ONE_WAY:
        return True
    if owner.fhir is None or path is None:
        # What is made or taken away as a whole is told at the first element of the way that was not there.
        inside = names(place[len(owner.at.fhir) :])
        steps = [step.name.removeprefix("_") for step in (*path.steps, path.last)] if path is not None else []
        return bool(inside) and place[: len(owner.at.fhir)] == owner.at.fhir and all(map(eq, inside, steps))
    own = _plain(owner.fhir)
    if place[: len(own)] == own or own[: len(place)] == place:
        return True
    like = place[:-1] == own[:-1] and bool(path.last.keys)
    return like and all(side is NOTHING or path.last.matches(side) for side in (row.want, row.got))


def _plain(place: Place) -> Place:
    return tuple(step.removeprefix("_") if isinstance(step, str) else step for step in place)


def totality(known: Knowledge) -> Iterator[Broken]:
    """Every code of every ConceptMap in use goes out, and comes back as itself."""
    from adapter.terminology import compile_tables

    pack = known.pack
    used = {row.code_map for row in known.rows}
    tables = compile_tables(pack.concept_maps, pack.code_systems, pack.prefixes.get("cs", ""), pack=pack.name)
    for name, table in tables.items():
        for code in sorted(table.codes) if name in used else ():
            codings = table.codings(code)
            own = table.ambiguous(code)
            back = (code,) if own else table.internal(codings[0]["system"], codings[0]["code"]) if codings else ()
            if codings is None or back != (code,):
                place: Place = (f"conceptmaps/{name}.json", code)
                yield Broken("Codes come back", written(place), [Difference(place, code, ", ".join(back))])
