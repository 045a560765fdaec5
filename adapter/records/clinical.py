"""What several records say together: clinical rules that no schema can hold.

Errors are contradictions inside a record, warnings are what a clinician should look at, information is what is missing
and was said to be missing. Pointers lead into the sequence of records: `/0/goals/1/problems/0`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.records import plan_rules
from adapter.records.findings import Finding, records_of, rows, tree_at
from adapter.records.scoring import NAMES, Instrument, Score, instrument, score

_STILL_THERE = ("active", "recurrence", "relapse")


def clinical_issues(records: Sequence[Any]) -> list[Issue]:
    """What the clinical rules find over these records, in their order; an empty list where all is well.

    Give a plan together with the diagnoses, assessments and care teams of its patient: what is not given is not judged.
    Records should have passed `check`; what is of a wrong type is passed over.
    """
    issues = []
    for index, record in enumerate(records):
        if isinstance(record, dict) and record.get("status") != "entered-in-error":
            issues += [finding.issue(index) for finding in _findings(record, records)]
    return issues


def _findings(record: Tree, records: Sequence[Any]) -> Iterator[Finding]:
    kind = record.get("kind")
    if kind == "assessment":
        yield from _assessment(record)
    elif kind == "diagnosis":
        yield from _diagnosis(record)
    elif kind == "plan":
        yield from plan_rules.findings(record, records_of(records, record.get("patient")))


def _diagnosis(diagnosis: Tree) -> Iterator[Finding]:
    # con-4: https://hl7.org/fhir/R4/condition.html#invs
    if "abatement" in diagnosis and diagnosis.get("course") in _STILL_THERE:
        text = "A disorder that has abated is inactive, in remission or resolved, not active."
        yield Finding("error", "diagnosis-abated-but-active", text, ("course",))


def _assessment(assessment: Tree) -> Iterator[Finding]:
    risk = tree_at(assessment, "mental_health").get("suicide_risk")
    if risk in ("moderate", "high"):
        text = "The risk of suicide was judged to be raised: see to the patient's safety first."
        yield Finding("warning", "suicide-risk", text, ("mental_health", "suicide_risk"))
    for index, tree in rows(assessment, "instruments"):
        name = tree.get("name")
        if name in NAMES:
            for finding in _instrument(tree, instrument(name)):
                yield finding.below("instruments", index)


def _instrument(tree: Tree, known: Instrument) -> Iterator[Finding]:
    yield from _answers(tree, known)
    found = score(known.name, [answer for _, answer in rows(tree, "answers")])
    if found.complete:
        yield from _totals(tree, known, found)
    else:
        yield from _no_totals(tree, known)
    if isinstance(tree.get("complete"), bool) and tree["complete"] is not found.complete:
        text = f'{known.title}: "complete" does not say what the answers show.'
        yield Finding("error", "instrument-complete", text, ("complete",))


def _answers(tree: Tree, known: Instrument) -> Iterator[Finding]:
    seen = set()
    for index, answer in rows(tree, "answers"):
        link_id, value = str(answer.get("linkId")), str(answer.get("value"))
        scale = known.items.get(link_id)
        place = ("answers", index)
        if scale is None:
            yield Finding("error", "instrument-item-unknown", f"{known.title} has no such item.", (*place, "linkId"))
        elif link_id in seen:
            text = f"{known.title}: this item is answered twice."
            yield Finding("error", "instrument-item-repeated", text, (*place, "linkId"))
        elif value not in scale:
            text = f"{known.title}: this item has no such answer; it has: {', '.join(scale)}."
            yield Finding("error", "instrument-answer-unknown", text, (*place, "value"))
        elif link_id in known.alerts and scale[value] > 0:
            text = f"{known.title}: the item on self-harm is answered above zero, see to the patient's safety first."
            yield Finding("warning", "self-harm-answer", text, (*place, "value"))
        seen.add(link_id)


def _totals(tree: Tree, known: Instrument, found: Score) -> Iterator[Finding]:
    if "total" in tree and tree["total"] != found.total:
        text = f"{known.title}: the total is not the sum of the item scores."
        yield Finding("error", "instrument-total", text, ("total",))
    if "band" in tree and tree["band"] != found.band:
        text = f"{known.title}: the band does not fit the sum of the item scores."
        yield Finding("error", "instrument-band", text, ("band",))


def _no_totals(tree: Tree, known: Instrument) -> Iterator[Finding]:
    for name in ("total", "band"):
        if name in tree:
            text = f"{known.title}: without an answer to every item there is no {name}."
            yield Finding("error", f"instrument-{name}-incomplete", text, (name,))
    text = f"{known.title}: not every item is answered, so there is no total; this is not a zero."
    yield Finding("information", "instrument-incomplete", text)
