"""Repairs of a drawn or edited record for what spans fields: unique ids, references inside it, conditions between fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from adapter.identity import NS

Tree = dict[str, Any]
INTAKE = f"{NS}/Questionnaire/intake|1.0.0"
INTAKE_ONLY = frozenset(
    ["substances", "exposure_origin", "family_history", "social", "personality", "mental_health", "readiness", "asam"]
)
ATOMIC = frozenset(
    "onset abatement deceased schedule detail bounds author writer encounter expressed_by organization recorder asserter "
    "requester location informant name who what by document_record".split()
)
"""Fields that hold exactly one of several forms."""
WITHIN = frozenset(
    "id within_plan type activity medication status do_not_perform reason problems goals schedule performers "
    "patient_instruction progress outcomes outcome_codes amount daily_amount location guidelines "
    "guideline_addresses".split()
)
"""What an intervention may say that is described in the plan alone; the last five only such a one."""


def settle(record: Tree) -> Tree:
    """The record with its cross-field rules kept; a record that keeps them comes back as it is."""
    kind = record["kind"]
    for node in nodes(record):
        if "author" in node and "writer" in node:
            del node["writer"]
        if "document" in node and "document_record" in node:
            del node["document_record"]
    _unique_ids(record)
    repair = _REPAIRS.get(kind)
    if repair is not None:
        repair(record)
    pruned: Tree = _pruned(record)
    return pruned


def _pruned(node: Any) -> Any:
    if isinstance(node, dict):
        inner = {key: _pruned(value) for key, value in node.items()}
        return {key: value for key, value in inner.items() if value not in ({}, [])}
    if isinstance(node, list):
        return [value for value in map(_pruned, node) if value not in ({}, [])]
    return node


def nodes(node: Any) -> Iterator[Tree]:
    """Every object of a tree, parents first."""
    if isinstance(node, dict):
        yield node
        for value in node.values():
            yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def _unique_ids(record: Tree) -> None:
    for node in nodes(record):
        for key, value in node.items():
            if isinstance(value, list) and value:
                node[key] = _unique(value, key)


_SETS = frozenset({"related", "problems", "goals"})


def _unique(values: list[Any], name: str) -> list[Any]:
    seen = set()
    kept = []
    for value in values:
        key = value.get("id") if isinstance(value, dict) else value if name in _SETS else None
        if not isinstance(key, str) or key not in seen:
            kept.append(value)
        if isinstance(key, str):
            seen.add(key)
    return kept


def _pick(options: list[Any], seed: Any) -> Any:
    return options[sum(map(ord, str(seed))) % len(options)]


def _form(form: Tree) -> None:
    items = [node for node in nodes(form.get("items", [])) if "linkId" in node and "type" in node]
    taken: set[str] = set()
    for item in items:
        while item["linkId"] in taken:
            item["linkId"] += "."
        taken.add(item["linkId"])
    for item in items:
        for condition in item.get("enable_when", []):
            _condition(condition, sorted(taken))
        if "enable_when" not in item:
            item.pop("enable_behavior", None)


def _condition(condition: Tree, link_ids: list[str]) -> None:
    if condition["question"] not in link_ids:
        condition["question"] = _pick(link_ids, condition["question"])
    if condition["operator"] == "exists":
        for name in condition.keys() - {"question", "operator"}:
            del condition[name]
        condition["boolean"] = True


def _assessment(assessment: Tree) -> None:
    questionnaire = assessment.get("questionnaire", "")
    if questionnaire != INTAKE:
        for name in INTAKE_ONLY & assessment.keys():
            del assessment[name]
        ours = "instruments" in assessment
        if ours and not questionnaire.startswith(f"{NS}/Questionnaire/"):
            assessment["questionnaire"] = f"{NS}/Questionnaire/other|1"


def _diagnosis(diagnosis: Tree) -> None:
    if diagnosis.get("related"):
        diagnosis["related"] = [id_ for id_ in diagnosis["related"] if id_ != diagnosis["id"]]
    # The record has one place for further codings: `codes`.
    diagnosis.get("disorder", {}).pop("also", None)
    if "code" not in diagnosis.get("disorder", {}):
        diagnosis.pop("codes", None)
    if diagnosis.get("due_to") == diagnosis["id"]:
        del diagnosis["due_to"]


def _bare(item: Tree, name: str) -> None:
    """A related record with nothing beside its id is told by its id alone."""
    if name in item:
        item[name] = [row["id"] if isinstance(row, dict) and row.keys() == {"id"} else row for row in item[name]]


def _goal(goal: Tree) -> None:
    if not goal.keys() <= {"id", "text"} and "statement" not in goal:
        goal["statement"] = {"text": "a goal"}
    if "start" in goal:
        goal.pop("start_event", None)
    _bare(goal, "problems")
    for target in goal.get("target", []):
        if "due" in target:
            target.pop("due_in", None)
        if "detail" in target:
            target.setdefault("measure", {"text": "a measure"})


def _request(request: Tree) -> None:
    if request.get("within_plan"):
        for name in request.keys() - WITHIN:
            del request[name]
        request.setdefault("status", "draft")
        schedule = request.get("schedule", {})
        if "time" in schedule or len(schedule) > 1:
            request["schedule"] = {"text": "weekly"}
    else:
        for name in ("amount", "daily_amount", "location", "guidelines", "guideline_addresses"):
            request.pop(name, None)
        if request.get("type") != "medication":
            request.pop("type", None)
    for name in ("problems", "goals"):
        _bare(request, name)
    if request.get("type") == "medication":
        request.pop("activity", None)
    else:
        request.pop("medication", None)


def _plan(plan: Tree) -> None:
    problems = [problem["id"] for problem in plan.get("problems", [])]
    goals = [goal["id"] for goal in plan.get("goals", [])]
    for goal in plan.get("goals", []):
        _goal(goal)
        _within(goal, "problems", problems)
    for request in plan.get("interventions", []):
        _request(request)
        _within(request, "problems", problems)
        _within(request, "goals", goals)


def _within(item: Tree, name: str, allowed: list[str]) -> None:
    if name in item:
        ids = [row.get("id", "") if isinstance(row, dict) else row for row in item[name]]
        found = [id_ if id_ in allowed else _pick(allowed, id_) for id_ in ids] if allowed else []
        item[name] = list(dict.fromkeys(found))
        if not item[name]:
            del item[name]


_REPAIRS: dict[str, Callable[[Tree], None]] = {
    "form": _form,
    "assessment": _assessment,
    "diagnosis": _diagnosis,
    "goal": _goal,
    "request": _request,
    "plan": _plan,
}
