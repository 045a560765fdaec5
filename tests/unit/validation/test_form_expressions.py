"""Constraints and expressions inside a Questionnaire."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.issues import Issue
from adapter.validation import Validator

Tree = dict[str, Any]
CONSTRAINT = "http://hl7.org/fhir/StructureDefinition/questionnaire-constraint"
SDC = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-"
VARIABLE = "http://hl7.org/fhir/StructureDefinition/variable"


def constraint(expression: str, severity: str = "error", key: str = "c-1") -> Tree:
    parts = [("key", "Id", key), ("severity", "Code", severity), ("expression", "String", expression)]
    rows: list[Tree] = [{"url": url, f"value{kind}": value} for url, kind, value in parts]
    return {"url": CONSTRAINT, "extension": [*rows, {"url": "human", "valueString": "Said by the form"}]}


def expression(url: str, text: str, name: str | None = None) -> Tree:
    value = {"language": "text/fhirpath", "expression": text} | ({"name": name} if name else {})
    return {"url": url, "valueExpression": value}


def said(items: list[Tree], answers: list[Tree], *extensions: Tree, only: str = "response-") -> list[Issue]:
    form = {
        "resourceType": "Questionnaire",
        "status": "active",
        "url": "http://example.org/q",
        "extension": list(extensions),
        "item": items,
    }
    response = {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "http://example.org/q",
        "item": answers,
    }
    found = Validator(questionnaires={"http://example.org/q": form}, tiers=["questionnaire"]).validate(response)
    return [issue for issue in found if issue.message_id.startswith((only, "invariant-"))]


def number(link_id: str, *extensions: Tree, **more: Any) -> Tree:
    return {"linkId": link_id, "type": "integer", "text": link_id, "extension": list(extensions), **more}


def answer(link_id: str, value: int) -> Tree:
    return {"linkId": link_id, "text": link_id, "answer": [{"valueInteger": value}]}


def brief(issues: list[Issue]) -> list[tuple[str, str, str]]:
    return [(issue.message_id, issue.expression, issue.severity) for issue in issues]


TWO = [answer("a", 3), answer("b", 5)]


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        ("%resource.item.where(linkId='a').answer.value < %resource.item.where(linkId='b').answer.value", False),
        ("%resource.item.where(linkId='a').answer.value > %resource.item.where(linkId='b').answer.value", True),
        ("item.answer.value.ofType(integer).count() = 2", False),
        ("item.answer.valueInteger.count() = 3", True),
        ("item.where(linkId='none').answer.value > 3", True),
        ("%questionnaire.item.count() = 2", False),
        ("today() > '2020-01-01'", False),
    ],
)
def test_a_constraint_of_the_form(text: str, broken: bool) -> None:
    found = brief(said([number("a"), number("b")], TWO, constraint(text)))
    assert found == ([("response-constraint", "QuestionnaireResponse", "error")] if broken else [])


def test_a_constraint_of_an_item_stands_at_the_item_and_has_its_own_severity() -> None:
    items = [number("a"), number("b", constraint("answer.value < 5", "warning", "b-1"))]
    [issue] = said(items, TWO)
    assert brief([issue]) == [("response-constraint", "QuestionnaireResponse.item[1]", "warning")]
    assert issue.text == "b-1: Said by the form"


@pytest.mark.parametrize("text", ["nonsense(", "aggregate($total)", "(1).repeat($this + 1).exists()", ""])
def test_what_cannot_be_checked_is_named_by_its_key(text: str) -> None:
    [issue] = said([number("a"), number("b")], TWO, constraint(text))
    assert (issue.message_id, issue.severity) == ("invariant-not-checked", "information")
    assert "c-1" in issue.text


def test_data_that_an_expression_does_not_fit_gives_no_verdict() -> None:
    assert said([number("a"), number("b")], TWO, constraint("item.linkId + 1 > 3")) == []
    assert said([number("a"), number("b")], TWO, constraint("%patient.exists()")) == []


def test_variables_hold_below_where_they_stand() -> None:
    extension = expression(VARIABLE, "%resource.item.where(linkId='a').answer.value", "first")
    items = [number("a"), number("b", constraint("answer.value > %first"))]
    assert said(items, TWO, extension) == []
    items[1] = number("b", constraint("answer.value < %first"))
    assert brief(said(items, TWO, extension)) == [("response-constraint", "QuestionnaireResponse.item[1]", "error")]


@pytest.mark.parametrize(("limit", "enabled"), [(2, True), (4, False)])
def test_an_item_is_enabled_by_an_expression(limit: int, enabled: bool) -> None:
    when = expression(SDC + "enableWhenExpression", f"%resource.item.where(linkId='a').answer.value > {limit}")
    items = [number("a"), number("b", when, required=True)]
    given, missing = brief(said(items, TWO)), brief(said(items, TWO[:1]))
    assert given == ([] if enabled else [("response-disabled", "QuestionnaireResponse.item[1]", "error")])
    assert missing == ([("response-required", "QuestionnaireResponse", "error")] if enabled else [])


@pytest.mark.parametrize(("total", "wrong"), [(8, False), (9, True)])
def test_a_total_that_the_form_calculates(total: int, wrong: bool) -> None:
    sums = "%resource.item.where(linkId='a').answer.value + %resource.item.where(linkId='b').answer.value"
    items = [number("a"), number("b"), number("sum", expression(SDC + "calculatedExpression", sums))]
    found = brief(said(items, [*TWO, answer("sum", total)]))
    assert found == ([("response-calculated", "QuestionnaireResponse.item[2].answer[0]", "warning")] if wrong else [])
