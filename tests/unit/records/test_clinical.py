"""The clinical rules: each says what it should, where it should, and is silent where all is well."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from adapter.records import KINDS, clinical_issues, disorders
from adapter.records.scoring import NAMES, instrument
from tests.unit.records.samples import DROP, GOAL, INTAKE, OTHER, PATIENT, PROBLEM, RECORD, TEAM, full, put
from tests.unit.records.test_checking import damaged

Tree = dict[str, Any]
SECOND = "77777777-7777-4777-8777-777777777777"
PLAN: Tree = {
    "kind": "plan",
    "id": RECORD,
    "patient": PATIENT,
    "status": "active",
    "intent": "plan",
    "problems": [{"id": PROBLEM}, {"id": SECOND}],
    "relapse_prevention": {"triggers": ["t"]},
}


def said(*records: Any) -> list[tuple[str, str, str | None]]:
    return [(issue.severity, issue.message_id, issue.pointer) for issue in clinical_issues(records)]


def diagnosis(code: str, id_: str = PROBLEM, **more: Any) -> Tree:
    return {"kind": "diagnosis", "id": id_, "patient": PATIENT, "disorder": {"code": code}, **more}


def team(*roles: str) -> list[Tree]:
    return [{"id": TEAM, "members": [{"id": f"m{at}", "role": {"code": role}} for at, role in enumerate(roles)]}]


def assessed(**fields: Any) -> Tree:
    return {"kind": "assessment", "id": OTHER, "patient": PATIENT, "questionnaire": INTAKE, **fields}


def answered(name: str, **more: Any) -> Tree:
    """An assessment with an instrument whose every answer scores zero."""
    known = instrument(name)
    answers = [
        {"linkId": link, "value": next(code for code, points in scale.items() if points == 0)}
        for link, scale in known.items.items()
    ]
    return assessed(instruments=[{"id": OTHER, "name": name, "answers": answers, "complete": True, **more}])


DUAL = (diagnosis("alcohol-dependence"), diagnosis("bipolar-disorder", SECOND))


def test_nothing_to_say() -> None:
    assert said() == []
    assert said({**PLAN, "care_team": team("psychiatrist", "physician")}, *DUAL) == []


@pytest.mark.parametrize(
    ("roles", "missing"),
    [
        (("psychiatrist", "physician"), []),
        (("addiction-psychiatrist", "addiction-medicine"), []),
        (("psychiatrist",), ["dual-diagnosis-without-physician"]),
        (("physician", "nurse"), ["dual-diagnosis-without-psychiatrist"]),
        (("patient",), ["dual-diagnosis-without-psychiatrist", "dual-diagnosis-without-physician"]),
    ],
)
def test_dual_diagnosis_needs_a_psychiatrist_and_a_physician(roles: tuple[str, ...], missing: list[str]) -> None:
    expected = [("warning", name, "/0/care_team") for name in missing]
    assert said({**PLAN, "care_team": team(*roles)}, *DUAL) == expected


def test_dual_diagnosis_without_any_team() -> None:
    assert [place for _, _, place in said(PLAN, *DUAL)] == ["/0", "/0"]


@pytest.mark.parametrize(
    "others",
    [
        (diagnosis("alcohol-dependence"), diagnosis("opioid-dependence", SECOND)),
        (diagnosis("ptsd"), diagnosis("bipolar-disorder", SECOND)),
        (diagnosis("alcohol-dependence"),),
        (diagnosis("alcohol-dependence"), diagnosis("bipolar-disorder", SECOND, patient=OTHER)),
        (diagnosis("alcohol-dependence"), diagnosis("bipolar-disorder", SECOND, verification="entered-in-error")),
        (
            diagnosis("alcohol-dependence"),
            diagnosis("bipolar-disorder", SECOND, disorder={"system": "urn:x", "code": "ptsd"}),
        ),
    ],
)
def test_what_is_no_dual_diagnosis(others: tuple[Tree, ...]) -> None:
    assert said(PLAN, *others) == []


def test_a_team_held_elsewhere_is_judged_only_where_it_is_given() -> None:
    plan = {**PLAN, "care_team": [{"id": TEAM}]}
    held = {"kind": "care_team", "patient": PATIENT, **team("psychiatrist")[0]}
    assert said(plan, *DUAL) == []
    assert said(plan, *DUAL, held) == [("warning", "dual-diagnosis-without-physician", "/0/care_team")]


def test_a_present_diagnosis_that_the_plan_does_not_address() -> None:
    extra = diagnosis("adhd", OTHER)
    plan = {**PLAN, "care_team": team("psychiatrist", "physician")}
    assert said(extra, plan, *DUAL) == [("warning", "plan-misses-diagnosis", "/0")]
    for past in ({"course": "resolved"}, {"verification": "refuted"}, {"abatement": {"text": "t"}}, {"patient": OTHER}):
        assert said({**extra, **past}, plan, *DUAL) == []


@pytest.mark.parametrize(
    ("use", "missed"),
    [
        ({"substance": {"code": "alcohol"}}, False),
        ({"substance": {"code": "nicotine"}}, True),
        ({"substance": {"code": "heroin"}}, True),
        ({"substance": {"code": "heroin"}, "frequency": {"code": "past-only"}}, False),
        ({"substance": {"code": "heroin"}, "days_used_last_30": 0}, False),
        ({"substance": {"code": "heroin"}, "days_used_last_30": 1}, True),
        ({"substance": {"code": "other"}}, False),
        ({"substance": {"text": "x"}}, False),
    ],
)
def test_an_assessed_substance_that_the_plan_does_not_address(use: Tree, missed: bool) -> None:
    plan = {**PLAN, "problems": [{"id": PROBLEM}]}
    intake = assessed(substances=[{"id": "s", **use}])
    expected = [("warning", "plan-misses-substance", "/1/substances/0")] if missed else []
    assert said(plan, intake, diagnosis("alcohol-dependence")) == expected
    assert said({**plan, "status": "completed"}, intake, diagnosis("alcohol-dependence")) == []


@pytest.mark.parametrize("code", ["opioid-dependence", "heroin-dependence", "polysubstance-abuse"])
def test_a_substance_is_covered_by_its_disorders(code: str) -> None:
    plan = {**PLAN, "problems": [{"id": PROBLEM}]}
    intake = assessed(substances=[{"id": "s", "substance": {"code": "fentanyl"}}])
    assert said(plan, intake, diagnosis(code)) == []


def test_a_problem_that_nobody_knows_may_cover_a_substance() -> None:
    intake = assessed(substances=[{"id": "s", "substance": {"code": "heroin"}}])
    assert said(PLAN, intake, diagnosis("alcohol-dependence")) == []
    foreign = diagnosis("x", SECOND, disorder={"system": "urn:x", "code": "y"})
    assert said(PLAN, intake, diagnosis("alcohol-dependence"), foreign) == []


def test_a_plan_without_relapse_prevention() -> None:
    plan = {key: value for key, value in PLAN.items() if key != "relapse_prevention"}
    assert said(plan) == [("warning", "plan-without-relapse-prevention", "/0")]
    assert said({**plan, "status": "revoked"}) == []
    assert said({**plan, "status": "entered-in-error"}) == []


def test_problems_and_goals_that_the_plan_does_not_have() -> None:
    plan = {
        **PLAN,
        "goals": [{"id": GOAL, "problems": [PROBLEM, OTHER]}],
        "interventions": [{"id": TEAM, "problems": [OTHER], "goals": [GOAL, OTHER]}, {"id": OTHER}],
    }
    assert said(plan) == [
        ("error", "plan-unknown-problem", "/0/goals/0/problems/1"),
        ("error", "plan-unknown-problem", "/0/interventions/0/problems/0"),
        ("error", "plan-unknown-goal", "/0/interventions/0/goals/1"),
    ]
    assert len(said({**plan, "status": "completed"})) == 3


@pytest.mark.parametrize("name", NAMES)
def test_totals_and_bands_that_fit(name: str) -> None:
    assert said(answered(name)) == []
    assert said(answered(name, total=0, band=instrument(name).band(0))) == []


def test_a_total_that_does_not_fit() -> None:
    assert said(answered("phq-9", total=1)) == [("error", "instrument-total", "/0/instruments/0/total")]
    assert said(answered("phq-9", total=0, band="mild")) == [("error", "instrument-band", "/0/instruments/0/band")]
    assert said(answered("phq-9", band="made-up")) == [("error", "instrument-band", "/0/instruments/0/band")]


def test_an_incomplete_instrument_has_no_total() -> None:
    assessment = answered("gad-7", complete=False)
    del assessment["instruments"][0]["answers"][3]
    at = "/0/instruments/0"
    assert said(assessment) == [("information", "instrument-incomplete", at)]
    assessment["instruments"][0] |= {"total": 0, "band": "minimal", "complete": True}
    assert said(assessment) == [
        ("error", "instrument-total-incomplete", f"{at}/total"),
        ("error", "instrument-band-incomplete", f"{at}/band"),
        ("information", "instrument-incomplete", at),
        ("error", "instrument-complete", f"{at}/complete"),
    ]


def test_complete_says_what_the_answers_show() -> None:
    assert said(answered("audit", complete=False)) == [("error", "instrument-complete", "/0/instruments/0/complete")]


@pytest.mark.parametrize(
    ("place", "value", "message_id", "pointer"),
    [
        ("/0/linkId", "gad7-1", "instrument-item-unknown", "/0/linkId"),
        ("/1/linkId", "phq9-1", "instrument-item-repeated", "/1/linkId"),
        ("/2/value", "often", "instrument-answer-unknown", "/2/value"),
    ],
)
def test_answers_that_an_instrument_does_not_have(place: str, value: str, message_id: str, pointer: str) -> None:
    assessment = answered("phq-9", complete=False)
    put(assessment["instruments"][0]["answers"], place, value)
    found = said(assessment)
    assert ("error", message_id, f"/0/instruments/0/answers{pointer}") in found
    assert ("information", "instrument-incomplete", "/0/instruments/0") in found
    assert len(found) == 2


@pytest.mark.parametrize("value", ["several-days", "more-than-half", "nearly-every-day"])
def test_self_harm_stands_out(value: str) -> None:
    assessment = answered("phq-9")
    assessment["instruments"][0]["answers"][8]["value"] = value
    assert said(assessment) == [("warning", "self-harm-answer", "/0/instruments/0/answers/8/value")]


def test_the_risk_of_suicide_stands_out() -> None:
    for risk in ("none", "low"):
        assert said(assessed(mental_health={"suicide_risk": risk})) == []
    for risk in ("moderate", "high"):
        found = said(assessed(mental_health={"suicide_risk": risk}))
        assert found == [("warning", "suicide-risk", "/0/mental_health/suicide_risk")]


@pytest.mark.parametrize("course", ["active", "recurrence", "relapse"])
def test_an_abated_disorder_is_not_active(course: str) -> None:
    past = {"abatement": {"text": "t"}}
    assert said(diagnosis("ptsd", course=course, **past)) == [("error", "diagnosis-abated-but-active", "/0/course")]
    assert said(diagnosis("ptsd", course="resolved", **past)) == []
    assert said(diagnosis("ptsd", course=course)) == []


def test_issues_have_codes_and_say_no_value() -> None:
    records = [{**PLAN, "goals": [{"id": GOAL, "problems": [OTHER]}]}, *DUAL, diagnosis("adhd", OTHER)]
    records.append(answered("phq-9", total=9, band="secretband"))
    records.append(assessed(substances=[{"id": "s", "substance": {"code": "heroin"}}]))
    for issue in clinical_issues(records):
        assert issue.code in ("business-rule", "incomplete")
        for value in (OTHER, PROBLEM, "heroin", "adhd", "secretband", "bipolar"):
            assert value not in issue.text


@given(damaged())
def test_rules_pass_over_what_is_of_a_wrong_type(record: Tree) -> None:
    clinical_issues([None, "x", record, *(full(kind) for kind in KINDS)])


def test_every_disorder_and_substance_of_the_pack_is_known(root: Path) -> None:
    folder = root / "mappings" / "core" / "codesystems"
    codes = {name: _codes(folder / f"{name}.json") for name in ("disorders", "substances")}
    assert {code for code in codes["disorders"] if disorders.kind_of({"code": code}) is None} == set()
    unknown = {code for code in codes["substances"] if disorders.group_of({"code": code}) is None}
    assert unknown == {"hallucinogen", "inhalant", "other", "unknown"}


def _codes(path: Path) -> list[str]:
    return [row["code"] for row in json.loads(path.read_text("utf-8"))["concept"]]


@pytest.mark.parametrize(
    ("code", "kind", "substance"),
    [
        ("alcohol-dependence-in-remission", "substance", "alcohol"),
        ("opioid-dependence-on-agonist", "substance", "opioid"),
        ("methamphetamine-abuse", "substance", "stimulant"),
        ("anxiolytic-dependence", "substance", "sedative"),
        ("nicotine-dependence", "substance", "nicotine"),
        ("ptsd", "mental", None),
        ("asthma", None, None),
    ],
)
def test_what_a_disorder_is(code: str, kind: str | None, substance: str | None) -> None:
    assert disorders.kind_of({"code": code, "text": "t"}) == kind
    assert disorders.substance_of({"code": code}) == substance
    assert disorders.kind_of({"code": code, "system": "urn:x"}) is None


def test_put_can_drop() -> None:
    assert put({"a": [{"b": 1}]}, "/a/0/b", DROP) == {"a": [{}]}
