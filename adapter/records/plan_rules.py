"""Clinical rules over a plan: references inside it, dual diagnosis, what was assessed and is addressed nowhere.

What the plan names and is not given beside it is not judged: a team or a diagnosis held elsewhere may well be right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from adapter.fhir_json import Tree
from adapter.records import disorders
from adapter.records.findings import Finding, Indexed, id_of, of_kind, rows, texts_of

CURRENT = ("draft", "active", "on-hold")
# Who may stand for whom: a role of ours by the question it answers.
PSYCHIATRISTS = frozenset({"psychiatrist", "addiction-psychiatrist"})
PHYSICIANS = frozenset({"physician", "addiction-medicine"})
_PAST = ("inactive", "remission", "early-remission", "sustained-remission", "resolved")
_UNLIKELY = ("refuted", "differential")
_PAST_USE = ("past-only", "never")


def findings(plan: Tree, records: Sequence[Indexed]) -> Iterator[Finding]:
    """What the rules find in a plan, given the records of its patient."""
    yield from _references(plan)
    if plan.get("status") in CURRENT:
        yield from _team(plan, records)
        yield from _unaddressed(plan, records)
        if "relapse_prevention" not in plan:
            text = "The plan says nothing about relapse prevention."
            yield Finding("warning", "plan-without-relapse-prevention", text)


def _references(plan: Tree) -> Iterator[Finding]:
    problems, goals = _ids(plan, "problems"), _ids(plan, "goals")
    for part in ("goals", "interventions"):
        for index, item in rows(plan, part):
            for at, id_ in texts_of(item, "problems"):
                if id_ not in problems:
                    text = "This names a problem that is not among the plan's problems."
                    yield Finding("error", "plan-unknown-problem", text, (part, index, "problems", at))
    for index, item in rows(plan, "interventions"):
        for at, id_ in texts_of(item, "goals"):
            if id_ not in goals:
                text = "This names a goal that is not among the plan's goals."
                yield Finding("error", "plan-unknown-goal", text, ("interventions", index, "goals", at))


def _ids(plan: Tree, name: str) -> set[str]:
    return {id_of(row) for _, row in rows(plan, name)} - {""}


def _addressed(plan: Tree, records: Sequence[Indexed]) -> list[Tree]:
    problems = _ids(plan, "problems")
    return [diagnosis for _, diagnosis in of_kind(records, "diagnosis") if id_of(diagnosis) in problems]


def _team(plan: Tree, records: Sequence[Indexed]) -> Iterator[Finding]:
    kinds = {disorders.kind_of(diagnosis.get("disorder")) for diagnosis in _addressed(plan, records)}
    roles = _roles(plan, records)
    if not kinds >= {"substance", "mental"} or roles is None:
        return
    place = ("care_team",) if "care_team" in plan else ()
    both = "The plan addresses a substance use disorder and a mental disorder, and its team has no"
    if not roles & PSYCHIATRISTS:
        yield Finding("warning", "dual-diagnosis-without-psychiatrist", f"{both} psychiatrist.", place)
    if not roles & PHYSICIANS:
        yield Finding("warning", "dual-diagnosis-without-physician", f"{both} physician.", place)


def _roles(plan: Tree, records: Sequence[Indexed]) -> set[str] | None:
    """The roles of ours in the plan's teams; None where a team is held elsewhere and not given."""
    given = {id_of(team): team for _, team in of_kind(records, "care_team")}
    roles = set()
    for _, item in rows(plan, "care_team"):
        team = given.get(id_of(item)) if item.keys() == {"id"} else item
        if team is None:
            return None
        roles |= {disorders.own_code(member.get("role")) for _, member in rows(team, "members")}
    return {role for role in roles if role is not None}


def _unaddressed(plan: Tree, records: Sequence[Indexed]) -> Iterator[Finding]:
    """Each finding points at what is addressed nowhere: the diagnosis, or the row of the assessment."""
    problems = _ids(plan, "problems")
    present = [(at, diagnosis) for at, diagnosis in of_kind(records, "diagnosis") if _is_present(diagnosis)]
    for at, diagnosis in present:
        if id_of(diagnosis) not in problems:
            text = "This present diagnosis is not among the problems of the patient's plan."
            yield Finding("warning", "plan-misses-diagnosis", text, index=at)
    addressed = _addressed(plan, records)
    kinds = {disorders.kind_of(diagnosis.get("disorder")) for diagnosis in addressed}
    # Of a problem that is not given, or whose code is foreign, nobody here knows the substance.
    if len(addressed) < len(problems) or None in kinds:
        return
    named = [*addressed, *(diagnosis for _, diagnosis in present)]
    covered = {disorders.substance_of(diagnosis.get("disorder")) for diagnosis in named}
    if disorders.EVERY not in covered:
        yield from _uncovered(records, covered)


def _uncovered(records: Sequence[Indexed], covered: set[str | None]) -> Iterator[Finding]:
    for at, assessment in of_kind(records, "assessment"):
        for row, use in rows(assessment, "substances"):
            group = disorders.group_of(use.get("substance"))
            if group is not None and group not in covered and _is_used(use):
                text = "Present use of this substance was assessed, and no problem of the patient's plan addresses it."
                yield Finding("warning", "plan-misses-substance", text, ("substances", row), index=at)


def _is_present(diagnosis: Tree) -> bool:
    past = diagnosis.get("course") in _PAST or "abatement" in diagnosis
    return not past and diagnosis.get("verification") not in _UNLIKELY


def _is_used(use: Tree) -> bool:
    past = disorders.own_code(use.get("frequency")) in _PAST_USE
    return not past and use.get("days_used_last_30") != 0
