"""The converter written by hand that ours is measured against gives what ours gives: Bundle, record, remainder, issues."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.fhir_json import copy, dumps
from adapter.issues import Issue
from bench import job
from bench.peers import careful, careful_back
from tests.laws.foreign import JUNK, damaged, injected, spots

Tree = dict[str, Any]
Edit = Callable[[Any], None]
bounded = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))


def _said(issues: list[Issue]) -> list[tuple[str, ...]]:
    return [(issue.severity, issue.code, issue.message_id, issue.text, issue.expression) for issue in issues]


def _same_out(plan: Tree) -> list[Issue]:
    bundle, issues = careful.to_fhir(plan)
    ours = job.mapper().to_fhir([plan])
    assert dumps(bundle) == dumps(ours.tree)
    assert _said(issues) == _said(ours.issues)
    return issues


def _same_back(tree: Tree) -> list[Issue]:
    records, remainder, issues = careful_back.from_fhir(tree)
    ours = job.mapper().from_fhir(tree)
    assert dumps(records) == dumps(ours.records)
    assert dumps(remainder) == dumps(ours.remainder)
    assert _said(issues) == _said(ours.issues)
    return issues


def _resource(bundle: Any, number: int) -> Tree:
    return bundle["entry"][number]["resource"]  # type: ignore[no-any-return]


def _with(bundle: Any, number: int, **elements: Any) -> None:
    _resource(bundle, number).update(elements)


def _foreign_goal(bundle: Any) -> None:
    goal = {"resourceType": "Goal", "id": "g1", "description": {"text": "x"}, "subject": {"reference": "Patient/1"}}
    bundle["entry"].append({"fullUrl": "https://other.example.test/Goal/g1", "resource": goal})


def _contained(bundle: Any) -> None:
    goal = {"resourceType": "Goal", "id": "in", "lifecycleStatus": "active", "addresses": [{"reference": "#c"}]}
    _with(bundle, 0, contained=[goal, {"resourceType": "Condition", "id": "c"}])
    _resource(bundle, 0)["goal"].append({"reference": "#in"})


def _shared(bundle: Any) -> None:
    plan = copy(_resource(bundle, 0))
    plan.update(id="second", identifier=[])
    bundle["entry"].append({"resource": plan})


def _without_ids(bundle: Any) -> None:
    for entry in bundle["entry"]:
        entry["resource"].pop("identifier")
        for rows in entry["resource"].values():
            for row in rows if isinstance(rows, list) else []:
                row.pop("id", None)


SNOMED = {"system": "http://snomed.info/sct", "code": "228557008"}
OTHER = {"system": "https://other.example.test/codes", "code": "x", "display": "X"}
BACK: dict[str, Edit] = {
    "as it is": lambda _: None,
    "no entries": lambda bundle: bundle.update(entry=[]),
    "an entry without a resource": lambda bundle: bundle["entry"].insert(1, {"link": []}),
    "an entry that is none": lambda bundle: bundle["entry"].append(None),
    "a foreign element": lambda bundle: _with(
        bundle, 0, category=[{"text": "x"}], extension=[{"url": "https://x.test"}]
    ),
    "a foreign type": lambda bundle: bundle["entry"].append({"resource": {"resourceType": "Basic", "id": "b"}}),
    "a foreign goal": _foreign_goal,
    "a contained goal": _contained,
    "two plans with the same goals": _shared,
    "without ids of ours": _without_ids,
    "a list for an object": lambda bundle: _with(bundle, 0, period=[{"start": "2026"}]),
    "an object for a list": lambda bundle: _with(bundle, 0, goal={"reference": "x"}, note={"text": "x"}),
    "a number for a text": lambda bundle: _with(bundle, 0, title=7, description=Decimal("1.50")),
    "a day that is none": lambda bundle: _with(bundle, 0, created="2026-02-30"),
    "a code that is none": lambda bundle: _with(bundle, 0, status="begun"),
    "a reference to nothing": lambda bundle: _with(bundle, 0, subject={"reference": "urn:uuid:none"}, author={}),
    "several codings": lambda bundle: _with(bundle, 5, code={"coding": [OTHER, SNOMED, OTHER], "text": "both"}),
    "a foreign coding": lambda bundle: _with(bundle, 5, code={"coding": [OTHER]}),
    "a coding without a code": lambda bundle: _with(bundle, 5, code={"coding": [{"display": "X"}]}),
}
OUT: dict[str, Edit] = {
    "as it is": lambda _: None,
    "no more than ids": lambda plan: plan.update(goals=[{"id": "g"}], interventions=[{"id": "i"}], care_team=[]),
    "a code that is none": lambda plan: plan["goals"][0].update(achievement={"code": "gone"}, lifecycle="begun"),
    "a code that has no published one": lambda plan: plan["care_team"][0]["members"][0].update(
        role={"code": "physician"}
    ),
    "a foreign code": lambda plan: plan["goals"][0].update(priority={**OTHER, "text": "high"}),
    "a number for a text": lambda plan: plan.update(title=7),
    "a day that is none": lambda plan: plan.update(created="2026-02-30", period={"start": "x"}),
    "a person that others keep": lambda plan: plan.update(author={"text": "A", "reference": "Practitioner/1"}),
    "a problem that others keep": lambda plan: plan["goals"][0].update(
        problems=[{"id": "p", "text": "P"}, {"text": "Q"}]
    ),
    "no patient": lambda plan: plan.pop("patient"),
}


@pytest.mark.parametrize("name", BACK)
def test_back(name: str) -> None:
    bundle = copy(job.bundle())
    BACK[name](bundle)
    _same_back(bundle)


@pytest.mark.parametrize("name", OUT)
def test_out(name: str) -> None:
    plan = copy(job.plan())
    OUT[name](plan)
    _same_out(plan)


def test_what_is_wrong_is_said() -> None:
    bundle, plan = copy(job.bundle()), copy(job.plan())
    BACK["a code that is none"](bundle)
    OUT["a code that is none"](plan)
    assert [issue.expression for issue in _same_back(bundle)] == ["CarePlan.status"]
    assert [issue.message_id for issue in _same_out(plan)] == ["map-not-written", "code-unknown", "map-not-written"]


@bounded
@given(st.data())
def test_back_with_foreign_content_and_damage(data: st.DataObject) -> None:
    bundle = job.bundle()
    _same_back(data.draw(st.one_of(injected(bundle), damaged(bundle))))


def test_a_single_resource() -> None:
    for entry in job.bundle()["entry"]:
        _same_back(copy(entry["resource"]))


@bounded
@given(st.data())
def test_out_with_wrong_values(data: st.DataObject) -> None:
    plan = copy(job.plan())
    rows = [spot for spot in spots(plan) if isinstance(spot[0], dict) and isinstance(spot[0][spot[1]], str)]
    holder, name = data.draw(st.sampled_from([row for row in rows if row[1] not in ("id", "kind")]))
    holder[name] = copy(data.draw(st.sampled_from([value for value in JUNK if not isinstance(value, (list, dict))])))
    _same_out(plan)
