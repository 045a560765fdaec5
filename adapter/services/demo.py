"""The demo's seven steps. Each shows what it does and checks it; `Failed` says which one did not do what it says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from adapter.errors import AdapterError
from adapter.fhir_json import Tree, copy, pretty, same
from adapter.issues import Issue, has_errors
from adapter.ports import FhirServer, RecordStore, Versioned
from adapter.services.records import Imported
from adapter.services.telling import content, differences, told
from adapter.sync.partner import Report

ACHIEVED = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/goal-achievement", "code": "achieved", "display": "Achieved"}
    ]
}
NOTE = {"text": "Reached this month, and she wants to keep it up.", "time": "2026-11-20T14:30:00+01:00"}


class Failed(AdapterError):
    """A step of the demo did not do what it says."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Step:
    """What one step shows: a title, and lines that fit on a screen."""

    title: str
    lines: list[str]


@dataclass(slots=True)
class Demo:
    """What the steps work with: the records, how to convert, check and store them, and the other hospital.

    `validate` finds the issues of a resource, `check` those of records; `push` and `pull` exchange with `other`.
    """

    records: list[Tree]
    to_fhir: Callable[[Any], tuple[Tree, list[Issue]]]
    from_fhir: Callable[[Any], tuple[Tree, list[Issue]]]
    validate: Callable[[Any], list[Issue]]
    check: Callable[[Any], list[Issue]]
    take_in: Callable[[Any], Imported]
    store: RecordStore
    push: Callable[[], Report]
    pull: Callable[[], Report]
    other: FhirServer

    def steps(self) -> Iterator[Step]:
        """The steps, each done when it is asked for. Raises Failed."""
        yield self._records()
        bundle, _ = self.to_fhir(self.records)
        yield self._fhir(bundle)
        yield self._validation(bundle)
        yield self._push(bundle)
        edited = self._goal()
        yield self._edit(edited)
        yield self._pull()
        yield self._broken()

    def _records(self) -> Step:
        done = self.take_in(self.records)
        _sure(not done.refused and len(done.rows) == len(self.records), "a record was not taken into the store")
        lines = [line for record in self.records for line in told(record)]
        return Step("A person with two disorders: what the clinic recorded", lines)

    def _fhir(self, bundle: Tree) -> Step:
        back, _ = self.from_fhir(bundle)
        wanted = [content(record) for record in self.records]
        _sure(_as_set(back["records"], wanted), "the records did not come back from FHIR as they were")
        resources = [entry["resource"] for entry in bundle["entry"]]
        counts = Counter(resource["resourceType"] for resource in resources)
        goal = next(resource for resource in resources if resource["resourceType"] == "Goal")
        shown = {name: goal[name] for name in ("resourceType", "lifecycleStatus", "description") if name in goal}
        lines = [", ".join(f"{number} {type_}" for type_, number in sorted(counts.items())), "", "One of the goals:"]
        lines += pretty(shown).splitlines()[:18]
        return Step(
            "The same as FHIR R4", [*lines, "", "Read back from FHIR: every field of every record is the same."]
        )

    def _validation(self, bundle: Tree) -> Step:
        found = [*self.check(self.records), *self.validate(bundle)]
        _sure(not has_errors(found), "the fixture or its FHIR has an error")
        counts = Counter(issue.severity for issue in found)
        lines = [
            f"records: {len(self.records)} checked: fields, dates, periods, scores against their answers, problems and goals",
            f"FHIR: {len(bundle['entry'])} resources checked: structure, invariants, codes, references, answers and forms",
            f"errors: 0, warnings: {counts['warning']}, remarks: {counts['information']}",
        ]
        warnings = list(dict.fromkeys(issue.text for issue in found if issue.severity == "warning"))
        return Step("Is it right?", [*lines, *(f"  warning: {text}" for text in warnings[:6])])

    def _push(self, bundle: Tree) -> Step:
        first, second = self.push(), self.push()
        counts = Counter(entry["resource"]["resourceType"] for entry in bundle["entry"])
        held = {type_: sum(len(page) for page in self.other.search(type_, {})) for type_ in counts}
        _sure(held == dict(counts), "the other hospital does not hold what was sent")
        _sure(not second.steps, "a second push wrote something")
        lines = [f"{type_:<22} {number} there" for type_, number in sorted(held.items())]
        said = ", ".join(f"{number} {verb}" for verb, number in first.counts().items())
        return Step("Sent to the other hospital, over HTTP", [*lines, "", f"push: {said}", "push again: nothing to do"])

    def _goal(self) -> Versioned:
        rows = [row for page in self.other.search("Goal", {}) for row in page]
        open_ = [row for row in rows if row.resource.get("achievementStatus") != ACHIEVED]
        _sure(bool(open_), "the other hospital has no goal that is still open")
        return min(open_, key=lambda row: str(row.resource["description"].get("text")))

    def _edit(self, found: Versioned) -> Step:
        goal = copy(found.resource)
        goal["achievementStatus"] = copy(ACHIEVED)
        goal["note"] = [*goal.get("note", []), dict(NOTE)]
        made = self.other.update(goal, if_match=found.version)
        _sure(made.version != found.version, "the edit made no new version there")
        lines = [
            f"goal: {goal['description']['text']}" if "text" in goal["description"] else "goal: the first that is open",
            "achievement: achieved",
            f"note: {NOTE['text']}",
            "",
            f"PUT Goal/… under If-Match: version {found.version} is now version {made.version} there",
        ]
        return Step("The other hospital: a goal is achieved, a note is added", lines)

    def _pull(self) -> Step:
        before = {(record["kind"], record["id"]): record for record in self.store.records()}
        self.pull()
        after = {(record["kind"], record["id"]): record for record in self.store.records()}
        changed = [key for key in after if not same(after[key], before.get(key))]
        _sure([kind for kind, _ in changed] == ["plan"], "another record than the plan changed")
        key = changed[0]
        found = differences(content(before[key]), content(after[key]))
        right = all(row.startswith("/goals/") and ("/achievement" in row or "/notes" in row) for row in found)
        _sure(bool(found) and right, "something else in the plan changed")
        again = self.push()
        _sure(not again.steps, "the pull made something to send")
        revisions = (
            f"plan: revision {before[key]['revision']} is now {after[key]['revision']}; every other record as it was"
        )
        lines = [
            *(f"  {row}" for row in found),
            "",
            revisions,
            "nothing else changed, and there is nothing to send back",
        ]
        return Step("Fetched: what changed in our record, field by field", lines)

    def _broken(self) -> Step:
        before = list(self.store.records())
        lines = ["A status misspelt, a problem that is no id, an end before the start, an unknown field:"]
        lines += self._refused([broken_plan(record) for record in before if record["kind"] == "plan"])
        lines += ["", "A score that does not fit its answers:"]
        lines += self._refused([broken_score(record) for record in before if record["kind"] == "assessment"])
        _sure(same(before, list(self.store.records())), "a broken record changed the store")
        return Step("Broken on purpose: what is said of it", [*lines, "", "Refused whole; the store is as it was."])

    def _refused(self, records: list[Tree]) -> list[str]:
        issues = [issue for issue in self.check(records) if issue.is_error]
        _sure(bool(issues) and self.take_in(records).refused == len(records), "a broken record was not refused")
        return [f"  {issue.pointer}  {issue.text}" for issue in issues]


def broken_plan(record: Tree) -> Tree:
    """The plan with four faults."""
    goals = copy(record["goals"])
    goals[0]["problems"] = ["not-an-id"]
    return record | {
        "status": "actve",
        "period": {"start": "2026-06-01", "end": "2026-01-01"},
        "goals": goals,
        "colour": "red",
    }


def broken_score(record: Tree) -> Tree:
    """The assessment with a total that its answers do not give."""
    instruments = copy(record["instruments"])
    instruments[0]["total"] += 1
    return record | {"instruments": instruments}


def _as_set(found: list[Tree], wanted: list[Tree]) -> bool:
    rows = {(record["kind"], record["id"]): record for record in found}
    return len(found) == len(wanted) and all(same(rows.get((one["kind"], one["id"])), one) for one in wanted)


def _sure(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Failed(f"The demo failed: {otherwise}.")
