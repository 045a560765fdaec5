"""All examples of a pack, each check with its outcome: both ways, back again, valid, and the laws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from adapter.errors import AdapterError
from adapter.fhir_json import dumps, same
from adapter.issues import Issue, has_errors
from adapter.mapping.apart import take_apart
from adapter.mapping.bundle import Analysis
from adapter.mapping.places import Place, written
from adapter.mapping.trace import Traced, Visit, trace
from adapter.records.kinds import content_of
from adapter.services.knowledge import Knowledge
from adapter.services.testing.cases import FHIR, FHIR_IN, RECORDS, Case
from adapter.services.testing.comparing import Difference, differences
from adapter.services.testing.laws import Broken, Laws, totality

Tree = dict[str, Any]
Validate = Callable[[Any], list[Issue]]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check of one example. It passed where nothing is found; `fault` says what cannot be shown as a difference.

    `root` is the name in front of the places (`Bundle`, `records`); `made` the tree that could become the expectation.
    """

    case: str
    check: str
    found: tuple[Difference, ...] = ()
    fault: str = ""
    root: str = ""
    made: Any = field(default=None, compare=False)

    @property
    def passed(self) -> bool:
        """Whether what was expected came."""
        return not self.found and not self.fault


@dataclass(frozen=True, slots=True)
class Release:
    """Another FHIR version that the pack names, in which each example goes out and comes back as well."""

    version: str
    validate: Validate


@dataclass(slots=True)
class Tester:
    """The checks of one pack; without `laws` only the examples themselves, which takes a moment."""

    known: Knowledge
    validate: Validate
    laws: bool = True
    releases: Sequence[Release] = ()

    def run(self, cases: list[Case]) -> Iterator[Outcome]:
        """Every outcome, example by example; then what holds for the pack as a whole."""
        laws = Laws(self.known, self.known.mapper.check)
        for case in cases:
            yield from self._case(case, laws)
        if self.laws:
            yield from _of_laws("(codes)", "every code comes back", totality(self.known))

    def _case(self, case: Case, laws: Laws) -> Iterator[Outcome]:
        try:
            records, tree = case.read(RECORDS), case.read(FHIR_IN if case.foreign else FHIR)
            yield from self._foreign(case, records, tree) if case.foreign else self._ours(case, records, tree)
            if self.laws:
                for name, broken in self._laws(case, records, laws):
                    yield from _of_laws(case.name, name, broken)
        except AdapterError as error:
            yield Outcome(case.name, "read", fault=str(error))

    def _ours(self, case: Case, records: Any, tree: Any) -> Iterator[Outcome]:
        rows = self._named(records)
        faults = [
            (index, issue) for index, row in enumerate(rows) for issue in self.known.mapper.check(row) if issue.is_error
        ]
        if faults:
            text = "\n".join(f"records[{index}] {issue.pointer}: {issue.text}" for index, issue in faults)
            yield Outcome(case.name, "records are records", fault=text)
            return
        made = self.known.mapper.to_fhir(rows)
        told = _Told(self.known, made.tree)
        yield self._compared(case, "records → FHIR", tree, made.tree, told)
        said = [issue for issue in made.issues if issue.is_error]
        yield Outcome(case.name, "no fault on the way", fault=" ".join(f"{i.source}: {i.text}" for i in said))
        if tree is not None:
            back = self.known.mapper.from_fhir(tree)
            content = [content_of(row) for row in rows]
            yield self._records(case, "FHIR → records", content, self._named(back.records), told)
            again = self.known.mapper.to_fhir(back.records, back.remainder).tree
            yield Outcome(case.name, "GetPut: and back", _differ(tree, again, told.of_fhir), root=_root(tree))
        yield self._valid(case, made.tree)
        yield self._stable(case, rows, made.tree)
        for release in self.releases:
            yield self._in(case, rows, release)

    def _foreign(self, case: Case, records: Any, tree: Any) -> Iterator[Outcome]:
        read = self.known.mapper.from_fhir(tree)
        told = _Told(self.known, tree)
        want = self._named(records) if records is not None else None
        outcome = self._records(case, "FHIR → records", want, self._named(read.records), told)
        yield outcome if outcome.passed else replace(outcome, made=read.records)
        again = self.known.mapper.to_fhir(read.records, read.remainder).tree
        yield Outcome(case.name, "GetPut: and back", _differ(tree, again, told.of_fhir), root=_root(tree))

    def _in(self, case: Case, rows: list[Tree], release: Release) -> Outcome:
        made = self.known.mapper.to_fhir(rows, fhir=release.version)
        back = self.known.mapper.from_fhir(made.tree, fhir=release.version)
        said = [issue for issue in (*made.issues, *release.validate(made.tree)) if issue.is_error]
        fault = "\n".join(f"{issue.place or issue.source}: {issue.text}" for issue in said)
        content = [content_of(row) for row in rows]
        found = _differ(content, self._named(back.records), lambda _: "")
        return Outcome(case.name, f"out, back and valid in FHIR {release.version}", found, fault, root="records")

    def _compared(self, case: Case, name: str, want: Any, got: Tree, told: _Told) -> Outcome:
        if want is None:
            return Outcome(case.name, name, fault=f"There is no {case.expectation} yet; --accept writes it.", made=got)
        found = _differ(want, got, told.of_fhir)
        return Outcome(case.name, name, found, root=_root(got), made=got if found else None)

    def _records(self, case: Case, name: str, want: Any, got: list[Tree], told: _Told) -> Outcome:
        if want is None:
            return Outcome(case.name, name, fault=f"There is no {RECORDS} yet; --accept writes it.")
        return Outcome(case.name, name, _differ(want, got, told.of_record), root="records")

    def _named(self, records: Any) -> list[Any]:
        """Records with kind and id, which a provider's own may leave out."""
        rows = records if isinstance(records, list) else [records]
        return [self.known.mapper.own.named(row) for row in rows]

    def _valid(self, case: Case, tree: Tree) -> Outcome:
        issues = [issue for issue in self.validate(tree) if issue.is_error]
        return Outcome(case.name, "valid FHIR", fault="\n".join(f"{issue.place}: {issue.text}" for issue in issues))

    def _stable(self, case: Case, rows: list[Tree], tree: Tree) -> Outcome:
        turned = self.known.mapper.to_fhir(rows[::-1]).tree
        ids, others = _ids(tree), _ids(turned)
        same_bytes = dumps(self.known.mapper.to_fhir(rows).tree) == dumps(tree)
        fault = "" if same_bytes else "The same records gave other bytes. "
        return Outcome(
            case.name,
            "ids stay, bytes stay",
            fault=fault + ("" if ids == others else "The order of records changes ids."),
        )

    def _laws(self, case: Case, records: Any, laws: Laws) -> Iterator[tuple[str, Iterator[Broken]]]:
        for index, record in enumerate(self._named(records)):
            if isinstance(record, dict) and "kind" in record and not has_errors(self.known.mapper.check(record)):
                yield f"laws on records[{index}] ({record['kind']})", laws.of_record(record)


class _Told:
    """Which rule is behind a place of either side of one input."""

    def __init__(self, known: Knowledge, tree: Tree) -> None:
        self.known, self.tree = known, tree

    @cached_property
    def traced(self) -> Traced:
        """The input, followed when something differs."""
        return trace(Analysis(self.known.mapper, take_apart(self.tree)))

    def of_fhir(self, place: Place) -> str:
        """The rule of the nearest element around a place."""
        return _nearest([(visit.fhir, visit) for visit in self.traced.visits if visit.fhir is not None], place)

    def of_record(self, place: Place) -> str:
        """The rule of the nearest field around a place of the list of records."""
        return _nearest([(ours, visit) for visit in self.traced.visits for ours in visit.ours], place)


def _nearest(rows: list[tuple[Place, Visit]], place: Place) -> str:
    around = [(len(own), visit.source) for own, visit in rows if place[: len(own)] == own and len(own) > 1]
    below = [visit.source for own, visit in rows if own[: len(place)] == place and len(place) > 1]
    return max(around)[1] if around else next(iter(below), "")


def _differ(want: Any, got: Any, rule_of: Callable[[Place], str]) -> tuple[Difference, ...]:
    if same(want, got):
        return ()
    return tuple(Difference(row.place, row.want, row.got, rule_of(row.place)) for row in differences(want, got))


def _root(tree: Any) -> str:
    return str(tree.get("resourceType", "")) if isinstance(tree, dict) else "records"


def _ids(tree: Tree) -> set[tuple[str, str]]:
    rows = [entry["resource"] for entry in tree.get("entry", [])]
    return {(row["resourceType"], row["id"]) for row in rows}


def _of_laws(case: str, name: str, broken: Iterator[Broken]) -> Iterator[Outcome]:
    found = list(broken)
    if not found:
        yield Outcome(case, name)
    for row in found:
        yield Outcome(case, f"{name}: {row.law}: {row.edit}", tuple(row.found), fault=row.said)


def shown(outcome: Outcome, most: int = 20) -> Iterator[str]:
    """An outcome that did not pass, for people: `-want +got` for each place, with the rule behind it."""
    yield f"FAIL {outcome.case}: {outcome.check}"
    yield from (f"  {line}" for line in outcome.fault.splitlines())
    for row in outcome.found[:most]:
        yield f"  {written(row.place, outcome.root)}" + (f"  {row.rule}" if row.rule else "")
        yield from (f"    {sign} {told_side(side)}" for sign, side in (("-", row.want), ("+", row.got)))
    if len(outcome.found) > most:
        yield f"  and {len(outcome.found) - most} places more"


def told_side(side: Any) -> str:
    """A side of a difference in one line."""
    return dumps(side).decode() if isinstance(side, (str, int, dict, list, bool)) or side is None else str(side)
