"""Every kind of fault, with its message id and its pointer; and that what is right comes back as it came."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from marshmallow import ValidationError

from adapter.errors import UsageError
from adapter.fhir_json import copy, loads, same
from adapter.records import ENVELOPE, KINDS, check, normalise, schema
from adapter.records.plain import fits
from tests.unit.records.samples import DROP, GOAL, INTAKE, OTHER, PERIOD, RECORD, full, put, whens

Tree = dict[str, Any]
each_kind = pytest.mark.parametrize("kind", KINDS)


def said(record: Any) -> list[tuple[str, str | None]]:
    return [(issue.message_id, issue.pointer) for issue in check(record)]


@each_kind
def test_a_full_record_is_right_and_comes_back_as_it_came(kind: str) -> None:
    record = full(kind)
    before = copy(record)
    assert said(record) == []
    assert schema(kind).load(record) is record
    assert same(record, before)


@each_kind
def test_there_is_one_schema_of_a_kind(kind: str) -> None:
    assert schema(kind) is schema(kind)


def test_an_unknown_kind_has_no_schema() -> None:
    with pytest.raises(UsageError):
        schema("recipe")


def test_the_envelope_is_in_every_kind() -> None:
    assert {"revision", "recorded_at", "recorded_by", "origin", "pack"} == ENVELOPE
    for kind in KINDS:
        assert set(schema(kind).fields) >= ENVELOPE


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        (None, ("record-type", "")),
        ([], ("record-type", "")),
        ("plan", ("record-type", "")),
        ({}, ("record-required", "/kind")),
        ({"kind": "recipe"}, ("record-unknown-kind", "/kind")),
        ({"kind": None}, ("record-unknown-kind", "/kind")),
        ({"kind": ["plan"]}, ("record-unknown-kind", "/kind")),
    ],
)
def test_what_is_no_record(record: Any, fault: tuple[str, str]) -> None:
    assert said(record) == [fault]


FAULTS: list[tuple[str, str, Any, str, str]] = [
    # kind, place, value, message id, pointer (empty: the place)
    ("patient", "/id", "x", "record-uuid", ""),
    ("patient", "/id", "22222222-2222-4222-8222-22222222222A", "record-uuid", ""),
    ("patient", "/id", DROP, "record-required", ""),
    ("patient", "/colour", "x", "record-unknown-field", ""),
    ("patient", "/a~1b~0c", "x", "record-unknown-field", ""),
    ("patient", "/names/0/period/until", "x", "record-unknown-field", ""),
    ("patient", "/_schema", "x", "record-unknown-field", ""),
    ("patient", "/names/0/Anna Sample", "x", "record-unknown-field", "/names/0"),
    ("patient", "/names/0/Müller", "x", "record-unknown-field", "/names/0"),
    ("patient", "/names", {"id": "n"}, "record-type", ""),
    ("patient", "/names", {}, "record-empty", ""),
    ("patient", "/names", [], "record-empty", ""),
    ("patient", "/names", None, "record-empty", ""),
    ("patient", "/names/0", "n", "record-type", ""),
    ("patient", "/names/0", {}, "record-empty", ""),
    ("patient", "/names/0", None, "record-empty", ""),
    ("patient", "/names/0/id", DROP, "record-required", ""),
    ("patient", "/names/0/id", "a b", "record-item-id", ""),
    ("patient", "/names/0/id", "x" * 65, "record-item-id", ""),
    ("patient", "/names/0/id", "x\n", "record-item-id", ""),
    ("patient", "/names/0/given/1", "", "record-empty", ""),
    ("patient", "/names/0/given/1", 7, "record-type", ""),
    ("patient", "/names/0/family", "", "record-empty", ""),
    ("patient", "/birth_date", "1983-02-29", "record-date", ""),
    ("patient", "/birth_date", "1984-13", "record-date", ""),
    ("patient", "/birth_date", "1984-04-31", "record-date", ""),
    ("patient", "/birth_date", "0000", "record-date", ""),
    ("patient", "/birth_date", "84-02-29", "record-date", ""),
    ("patient", "/birth_date", "1984-2-9", "record-date", ""),
    ("patient", "/birth_date", "١٩٨٤", "record-date", ""),
    ("patient", "/birth_date", "1984-02-29\n", "record-date", ""),
    ("patient", "/birth_date", "1984-02-29T00:00:00Z", "record-date", ""),
    ("patient", "/birth_date", 1984, "record-type", ""),
    ("patient", "/gender", "f", "record-code", ""),
    ("patient", "/gender", ["female"], "record-type", ""),
    ("patient", "/telecom/0/rank", 0, "record-range", ""),
    ("patient", "/telecom/0/rank", True, "record-type", ""),
    ("patient", "/telecom/0/rank", Decimal("1.0"), "record-type", ""),
    ("patient", "/telecom/0/rank", "1", "record-type", ""),
    ("patient", "/telecom/0/rank", 1.0, "record-type", ""),
    ("patient", "/active", 1, "record-type", ""),
    ("patient", "/active", "true", "record-type", ""),
    ("patient", "/deceased", {"flag": True, "time": "2026"}, "record-one-of", ""),
    ("patient", "/deceased", {}, "record-empty", ""),
    ("patient", "/deceased", True, "record-type", ""),
    ("patient", "/language", {"system": "urn:x", "text": "t"}, "record-required", "/language/code"),
    ("patient", "/language", {"code": "en", "display": "English"}, "record-required", "/language/system"),
    (
        "patient",
        "/language",
        {"text": "t", "also": [{"system": "a", "code": "b"}]},
        "record-required",
        "/language/code",
    ),
    ("patient", "/marital_status/also/0/system", DROP, "record-required", ""),
    ("patient", "/origin", "dream", "record-code", ""),
    ("patient", "/revision", 0, "record-range", ""),
    ("patient", "/recorded_at", "2026-01-02", "record-date", ""),
    ("patient", "/extra", {"core": 1}, "record-type", ""),
    ("patient", "/extra", [], "record-empty", ""),
    ("form", "/status", DROP, "record-required", ""),
    ("form", "/items/0/items/0/linkId", "1", "record-duplicate-id", ""),
    ("form", "/items/0/items/0/type", DROP, "record-required", ""),
    ("form", "/items/0/items/0/type", "slider", "record-code", ""),
    ("form", "/items/0/items/0/enable_when/0/question", DROP, "record-required", ""),
    ("form", "/items/0/items/0/enable_when/0/boolean", DROP, "record-one-of", "/items/0/items/0/enable_when/0"),
    ("form", "/items/0/items/0/options/0/string", "s", "record-one-of", "/items/0/items/0/options/0"),
    ("form", "/items/0/items/0/initial/0/uri", "s", "record-one-of", "/items/0/items/0/initial/0"),
    ("form", "/items/0/items/0/codes/0/code", DROP, "record-required", ""),
    ("form", "/items/0/items/0/max_length", -1, "record-range", ""),
    ("assessment", "/answers/0/answers/0/items/0/answers/0/integer", Decimal("1.0"), "record-type", ""),
    ("assessment", "/answers/0/answers/1/decimal", 1.5, "record-type", ""),
    ("assessment", "/answers/0/answers/1/decimal", Decimal("NaN"), "record-range", ""),
    ("assessment", "/answers/0/answers/1/decimal", True, "record-type", ""),
    ("assessment", "/answers/0/answers/4/date_time", "2026-01-02T08:00:00", "record-date", ""),
    ("assessment", "/answers/0/answers/5/time", "24:00:00", "record-time", ""),
    ("assessment", "/answers/0/answers/5/time", "08:00", "record-time", ""),
    ("assessment", "/answers/0/answers/9/quantity/value", DROP, "record-required", ""),
    ("assessment", "/answers/0/answers/9/quantity/comparator", "~", "record-code", ""),
    ("assessment", "/answers/0/answers/10/reference/identifier", {}, "record-empty", ""),
    ("assessment", "/answers/0/linkId", DROP, "record-required", ""),
    ("assessment", "/substances/0/age_first_use", 121, "record-range", ""),
    ("assessment", "/substances/0/age_first_use", -1, "record-range", ""),
    ("assessment", "/substances/0/days_used_last_30", 31, "record-range", ""),
    ("assessment", "/substances/0/years_regular_use", Decimal("-0.5"), "record-range", ""),
    ("assessment", "/substances/0/substance", DROP, "record-required", ""),
    ("assessment", "/readiness/importance", 11, "record-range", ""),
    ("assessment", "/asam/edition", 4, "record-type", ""),
    ("assessment", "/asam/dimensions/0/dimension", 7, "record-range", ""),
    ("assessment", "/asam/dimensions/0/rating", 5, "record-range", ""),
    ("assessment", "/instruments/0/name", "cage", "record-code", ""),
    ("assessment", "/instruments/0/complete", DROP, "record-required", ""),
    ("assessment", "/instruments/0/complete", "yes", "record-type", ""),
    ("assessment", "/instruments/0/total", Decimal("5.0"), "record-type", ""),
    ("assessment", "/instruments/0/id", "i", "record-uuid", ""),
    ("diagnosis", "/patient", DROP, "record-required", ""),
    ("diagnosis", "/onset", {"age": 3, "text": "t"}, "record-one-of", ""),
    ("diagnosis", "/abatement/age", 3, "record-one-of", "/abatement"),
    ("diagnosis", "/disorder", {"text": "t"}, "record-misplaced", "/codes"),
    ("diagnosis", "/disorder/also", [{"system": "urn:x", "code": "c"}], "record-misplaced", ""),
    ("diagnosis", "/codes/0/system", DROP, "record-required", ""),
    ("diagnosis", "/disorder", DROP, "record-misplaced", "/codes"),
    ("diagnosis", "/related", [OTHER, GOAL, OTHER], "record-duplicate-id", "/related/2"),
    ("diagnosis", "/recorded", "2026-02-30T00:00:00Z", "record-date", ""),
    ("diagnosis", "/recorded", "2026-02-03T25:00:00Z", "record-date", ""),
    ("diagnosis", "/recorded", "2026-02-03T23:00:00+14:30", "record-date", ""),
    ("diagnosis", "/recorded", "2026-02T23:00:00Z", "record-date", ""),
    ("goal", "/statement", DROP, "record-required", ""),
    ("goal", "/target/0/measure", DROP, "record-required", ""),
    ("goal", "/target/0/detail/text", "t", "record-one-of", "/target/0/detail"),
    ("goal", "/target/5/detail/range/low/comparator", "<", "record-unknown-field", ""),
    ("goal", "/target/5/detail/range", {}, "record-empty", ""),
    ("goal", "/target/1/id", "quantity", "record-duplicate-id", ""),
    ("care_team", "/members/0/role", "nurse", "record-type", ""),
    ("request", "/activity", {"code": "cbt"}, "record-misplaced", ""),
    ("request", "/type", DROP, "record-misplaced", "/medication"),
    ("request", "/type", "service", "record-misplaced", "/medication"),
    ("request", "/schedule/time", "2026", "record-one-of", "/schedule"),
    ("plan", "/status", DROP, "record-required", ""),
    ("plan", "/intent", "wish", "record-code", ""),
    ("plan", "/goals/0/statement", DROP, "record-required", ""),
    ("plan", "/goals/1/id", GOAL, "record-duplicate-id", ""),
    ("plan", "/goals/1/id", "g", "record-uuid", ""),
    ("plan", "/goals/0/patient", OTHER, "record-unknown-field", ""),
    ("plan", "/goals/0/kind", "goal", "record-unknown-field", ""),
    ("plan", "/interventions/1/medication", {"code": "x"}, "record-misplaced", ""),
    ("plan", "/patient_choices/0/decision", DROP, "record-required", ""),
    ("plan", "/relapse_prevention/emergency_contacts/0/name", DROP, "record-required", ""),
    ("plan", "/recovery/milestones/0/text", DROP, "record-required", ""),
    ("plan", "/recovery", {}, "record-empty", ""),
    ("plan", "/notes/0/text", DROP, "record-required", ""),
    ("plan", "/approved_by_patient_at", "yesterday", "record-date", ""),
]


@pytest.mark.parametrize(("kind", "place", "value", "message_id", "pointer"), FAULTS)
def test_each_fault_is_said_once_at_its_place(kind: str, place: str, value: Any, message_id: str, pointer: str) -> None:
    assert said(put(full(kind), place, value)) == [(message_id, pointer or place)]


def test_all_faults_are_said_at_once() -> None:
    plan = full("plan")
    places = {
        "/titel": ("t", "record-unknown-field"),
        "/status": (None, "record-empty"),
        "/intent": (DROP, "record-required"),
        "/created": ("2026-02-30", "record-date"),
        "/goals/0/start": ("2026-02-30", "record-date"),
        "/goals/0/target/0/due": ("soon", "record-date"),
        "/goals/1/id": (GOAL, "record-duplicate-id"),
        "/period/start": ("2030", ""),
        "/period/end": ("2029", "record-period"),
        "/care_team/0/period/end": ("2025", "record-period"),
        "/care_team/0/members/0/name": (7, "record-type"),
        "/recovery/colour": ("red", "record-unknown-field"),
    }
    for place, (value, _) in places.items():
        put(plan, place, value)
    assert sorted(said(plan)) == sorted((id_, place) for place, (_, id_) in places.items() if id_)


def test_the_nearest_field_is_named() -> None:
    issues = check(put(put(full("plan"), "/titel", "t"), "/zzz", 1))
    assert [issue.text for issue in issues] == [
        'There is no such field here. Did you mean "title"?',
        "There is no such field here.",
    ]


@pytest.mark.parametrize("form", whens())
def test_onset_and_abatement_have_four_forms(form: Tree) -> None:
    diagnosis = full("diagnosis")
    assert said({**diagnosis, "onset": form, "abatement": form}) == []


@pytest.mark.parametrize(
    ("start", "end", "right"),
    [
        ("2026-01-02", "2026-01-02", True),
        ("2026-01-02", "2026-01-01", False),
        ("2026-01-02", "2026-01", True),
        ("2026-01-02", "2026", True),
        ("2026", "2025-12-31", False),
        ("2026-02", "2026-01-31", False),
        ("2026-01-02T10:00:00Z", "2026-01-02", True),
        ("2026-01-02", "2026-01-02T00:00:00+14:00", True),
        ("2026-01-02T10:00:00Z", "2026-01-01", False),
        ("2026-01-02T10:00:00Z", "2026-01-02T11:00:00+02:00", False),
        ("2026-01-02T00:30:00+14:00", "2026-01-01T23:00:00Z", True),
        ("2026-01-02T10:00:00.5Z", "2026-01-02T10:00:00.50Z", True),
        ("2026-01-02T10:00:00.51Z", "2026-01-02T10:00:00.5Z", False),
        ("2026-12-31T23:59:60Z", "2027-01-01T00:00:00Z", True),
    ],
)
def test_a_period_does_not_end_before_it_starts(start: str, end: str, right: bool) -> None:
    plan = {**full("plan"), "period": {"start": start, "end": end}}
    assert said(plan) == ([] if right else [("record-period", "/period/end")])


def test_a_period_may_be_open() -> None:
    for name in ("start", "end"):
        assert said({**full("plan"), "period": {name: PERIOD[name]}}) == []


def test_only_the_intake_form_has_its_fields() -> None:
    assessment = put(full("assessment"), "/questionnaire", "https://careplan-adapter.org/fhir/Questionnaire/phq-9|1")
    names = "substances exposure_origin family_history social personality mental_health readiness asam".split()
    assert said(assessment) == [("record-misplaced", f"/{name}") for name in names]


def test_only_a_questionnaire_of_ours_has_instruments() -> None:
    for questionnaire in ("https://example.test/Questionnaire/1", DROP):
        assessment = put(full("assessment"), "/questionnaire", questionnaire)
        assert ("record-misplaced", "/instruments") in said(assessment)
    assert said(put(full("assessment"), "/questionnaire", INTAKE)) == []


def test_a_foreign_assessment_needs_neither_patient_nor_questionnaire() -> None:
    assert said({"kind": "assessment", "id": RECORD, "status": "completed"}) == []


@pytest.mark.parametrize("part", ["goals", "interventions", "care_team"])
def test_an_item_held_elsewhere_is_its_id_alone(part: str) -> None:
    assert said({**full("plan"), part: [{"id": OTHER}]}) == []


def test_no_text_repeats_a_value() -> None:
    marker = "Xq7Secret"
    for kind, place, value, _, _ in FAULTS:
        if isinstance(value, str) and value:
            record = put(full(kind), place, marker)
            assert all(marker not in issue.text and marker not in (issue.pointer or "") for issue in check(record))


def _mutated(draw: st.DrawFn, node: Any) -> Any:
    """The tree with one thing in it replaced, added or removed."""
    odd = st.sampled_from([None, "", [], {}, True, 0, -1, Decimal("1.0"), 1.5, "x", "2026-02-30", ["x"], {"id": "x"}])
    if isinstance(node, dict) and node and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(node)))
        action = draw(st.integers(0, 9))
        if action == 0:
            return {name: value for name, value in node.items() if name != key}
        if action == 1:
            return {**node, draw(st.sampled_from(["zzz", "id", "text", "_schema", "a/b"])): draw(odd)}
        return {**node, key: _mutated(draw, node[key])}
    if isinstance(node, list) and node and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(node) - 1))
        if draw(st.integers(0, 5)) == 0:
            return [*node, node[at]]
        return [*node[:at], _mutated(draw, node[at]), *node[at + 1 :]]
    return draw(odd)


@st.composite
def damaged(draw: st.DrawFn) -> Tree:
    kind = draw(st.sampled_from(KINDS))
    record = full(kind)
    for _ in range(draw(st.integers(1, 3))):
        record = _mutated(draw, record)
        if not isinstance(record, dict):
            return full(kind)
    record["kind"] = kind
    return record


@given(damaged())
def test_the_quick_verdict_and_the_schema_agree(record: Tree) -> None:
    base = schema(record["kind"])
    before = copy(record)
    try:
        base.load(record)
        loaded = True
    except ValidationError:
        loaded = False
    assert fits(record) is loaded
    assert bool(check(record)) is not loaded
    assert same(record, before)


@given(damaged())
def test_every_pointer_leads_to_what_is_there_or_missing(record: Tree) -> None:
    for issue in check(record):
        node: Any = record
        *steps, last = [
            s.replace("~1", "/").replace("~0", "~") for s in ("/" + (issue.pointer or "")[1:]).split("/")[1:]
        ]
        for step in steps:
            node = node[int(step)] if isinstance(node, list) else node[step]
        if issue.message_id == "record-required":
            assert last not in node
        elif issue.pointer:
            assert (int(last) < len(node)) if isinstance(node, list) else last in node


@given(damaged())
def test_the_normal_form_is_normal(record: Tree) -> None:
    once = normalise(record)
    assert same(normalise(once), once)
    assert not any(issue.message_id == "record-empty" for issue in check(once) if issue.pointer != "")


@each_kind
def test_a_record_in_normal_form_stays_as_it_is(kind: str) -> None:
    record = put(full(kind), "/extra", DROP)
    assert same(normalise(record), record)


def test_what_equals_a_default_is_left_out() -> None:
    plan = {**full("plan"), "interventions": [{"id": OTHER, "type": "service", "activity": {"code": "cbt"}}]}
    assert normalise(plan)["interventions"] == [{"id": OTHER, "activity": {"code": "cbt"}}]
    request = {"kind": "request", "id": OTHER, "type": "service"}
    assert normalise(request) == {"kind": "request", "id": OTHER}


def test_null_and_empty_are_left_out_at_every_depth() -> None:
    plan = {
        "kind": "plan",
        "title": "",
        "notes": [{"id": "n", "text": None}, {}, None],
        "recovery": {"milestones": [{}]},
    }
    assert normalise(plan) == {"kind": "plan", "notes": [{"id": "n"}]}


def test_false_and_zero_are_values() -> None:
    assert normalise({"kind": "x", "a": False, "b": 0, "c": Decimal("0.00")}) == {
        "kind": "x",
        "a": False,
        "b": 0,
        "c": Decimal("0.00"),
    }


def test_digits_are_kept() -> None:
    text = f'{{"kind": "diagnosis", "id": "{RECORD}", "patient": "{OTHER}", "onset": {{"age": 38.500}}}}'
    record = loads(text)
    assert check(record) == []
    assert str(normalise(record)["onset"]["age"]) == "38.500"


def test_checking_a_plan_is_quick() -> None:
    plan = full("plan")
    check(plan)
    started = time.perf_counter()
    for _ in range(20):
        check(plan)
    # Ten times the usual figure: a machine under load must not fail this.
    assert (time.perf_counter() - started) / 20 < 0.005


def test_a_record_as_deep_as_json_may_be_is_looked_at() -> None:
    def nested(depth: int) -> Tree:
        node: Tree = {"linkId": "1", "text": ""}
        for _ in range(depth):
            node = {"linkId": "1", "items": [node]}
        return {"kind": "assessment", "id": RECORD, "status": "completed", "answers": [node]}

    # Of the 100 levels that input may have, two go into each item.
    assert said(nested(48)) == [("record-empty", "/answers/0" + "/items/0" * 48 + "/text")]
    assert said(nested(5_000)) == [("record-too-deep", "")]


def test_issues_are_plain_data() -> None:
    issue = check({"kind": "plan"})[0]
    assert json.dumps([issue.severity, issue.code, issue.message_id, issue.text, issue.pointer])
    assert issue.is_error
