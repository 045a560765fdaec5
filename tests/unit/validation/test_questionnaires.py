"""The table of reference rules: a response against its Questionnaire, a row for each."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from adapter.validation import Quirks, Validator

Tree = dict[str, Any]
EXT = "http://hl7.org/fhir/StructureDefinition/"


def limit(name: str, **value: Any) -> Tree:
    return {"url": EXT + name, **value}


def form(*items: Tree, **more: Any) -> Tree:
    return {
        "resourceType": "Questionnaire",
        "url": "http://q",
        "version": "1",
        "status": "active",
        "item": list(items),
        **more,
    }


def check(questionnaire: Tree, items: list[Tree], status: str = "completed", **more: Any) -> list[tuple[str, str]]:
    """(place below the response, message id without its `response-`) of what the tier says."""
    tree = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://q|1", "status": status, **more}
    if items:
        tree["item"] = items
    found = Validator(questionnaires={"http://q": questionnaire}, tiers=["questionnaire"]).validate(tree)
    return [
        (issue.expression.removeprefix("QuestionnaireResponse").lstrip("."), issue.message_id.removeprefix("response-"))
        for issue in found
        if issue.message_id.startswith("response-")
    ]


def item(type_: str = "string", link_id: str = "a", **more: Any) -> Tree:
    return {"linkId": link_id, "type": type_, **more}


def answered(*values: Any, link_id: str = "a", name: str = "valueString") -> Tree:
    return {"linkId": link_id, "answer": [{name: value} for value in values]}


def test_a_right_response_has_no_fault() -> None:
    questionnaire = form(item("group", "g", item=[item(required=True, text="Why?"), item("display", "d", text="So")]))
    response = {"linkId": "g", "item": [{**answered("x"), "text": "Why?"}, {"linkId": "d"}]}
    assert check(questionnaire, [response]) == []


def test_a_questionnaire_that_is_not_there() -> None:
    assert check(form(version="2"), []) == [("questionnaire", "questionnaire-missing")]
    tree = {"resourceType": "QuestionnaireResponse", "status": "completed"}
    assert [issue.message_id for issue in Validator().validate(tree) if "response" in issue.message_id] == [
        "response-no-questionnaire"
    ]


@pytest.mark.parametrize(
    ("questionnaire", "items", "found"),
    [
        (form(item()), [answered("x", link_id="b")], [("", "link-id-unknown")]),
        (form(item("group", "g", item=[item()])), [answered("x")], [("", "item-misplaced")]),
        (form(item(), item(link_id="b")), [answered("x", link_id="b"), answered("x")], [("", "item-order")]),
        (form(item(text="Why?")), [{**answered("x"), "text": "How?"}], [("item[0]", "text-differs")]),
        (form(item(required=True)), [], [("", "required")]),
        (form(item(required=True)), [{"linkId": "a"}], [("item[0]", "required")]),
        (form(item()), [answered("x", "y")], [("item[0]", "repeats")]),
        (form(item()), [answered("x"), answered("y")], [("", "repeats")]),
        (
            form(item(repeats=True, extension=[limit("questionnaire-minOccurs", valueInteger=2)])),
            [answered("x")],
            [("item[0]", "min-occurs")],
        ),
        (
            form(item(repeats=True, extension=[limit("questionnaire-maxOccurs", valueInteger=1)])),
            [answered("x", "y")],
            [("item[0]", "max-occurs")],
        ),
        (form(item("integer")), [answered("x")], [("item[0].answer[0].value.ofType(string)", "answer-type")]),
        (
            form(item("text")),
            [answered({"code": "x"}, name="valueCoding")],
            [("item[0].answer[0].value.ofType(Coding)", "answer-type")],
        ),
        (form(item()), [{"linkId": "a", "answer": [{}]}], [("item[0].answer[0]", "answer-missing")]),
        (form(item("group")), [answered("x")], [("item[0]", "no-answer-here")]),
        (form(item("display")), [answered("x")], [("item[0]", "no-answer-here")]),
        (form(item("question")), [answered("x")], [("item[0]", "no-answer-here")]),
        (
            form(item(item=[item(link_id="b")])),
            [{**answered("x"), "item": [{"linkId": "b"}]}],
            [("item[0]", "item-in-answer")],
        ),
        (form(item("group", required=True, item=[item(link_id="b")])), [{"linkId": "a"}], [("item[0]", "group-empty")]),
        (
            form(item("choice", answerOption=[{"valueString": "x"}])),
            [answered("y")],
            [("item[0].answer[0]", "not-an-option")],
        ),
        (
            form(item("choice", answerOption=[{"valueCoding": {"code": "x", "display": "X"}}])),
            [answered({"code": "x"}, name="valueCoding")],
            [],
        ),
        (form(item("open-choice", answerOption=[{"valueCoding": {"code": "x"}}])), [answered("y")], []),
        (
            form(item("choice", answerValueSet="http://hl7.org/fhir/ValueSet/item-type")),
            [answered({"system": "http://hl7.org/fhir/item-type", "code": "z"}, name="valueCoding")],
            [("item[0].answer[0]", "not-in-value-set")],
        ),
        (
            form(item("choice", answerValueSet="http://e/none")),
            [answered({"code": "z"}, name="valueCoding")],
            [("item[0].answer[0]", "value-set-missing")],
        ),
        (
            form(item("integer", extension=[limit("minValue", valueInteger=3)])),
            [answered(2, name="valueInteger")],
            [("item[0].answer[0].value.ofType(integer)", "min-value")],
        ),
        (
            form(item("date", extension=[limit("maxValue", valueDate="2022-06")])),
            [answered("2022-06-30", name="valueDate")],
            [("item[0].answer[0].value.ofType(date)", "max-value")],
        ),
        (
            form(item("decimal", extension=[limit("maxDecimalPlaces", valueInteger=1)])),
            [answered(Decimal("1.50"), name="valueDecimal")],
            [("item[0].answer[0].value.ofType(decimal)", "decimal-places")],
        ),
        (
            form(item(extension=[limit("minLength", valueInteger=2)])),
            [answered("x")],
            [("item[0].answer[0].value.ofType(string)", "min-length")],
        ),
        (form(item(maxLength=1)), [answered("xy")], [("item[0].answer[0].value.ofType(string)", "max-length")]),
        (
            form(item(extension=[limit("regex", valueString="[0-9]+")])),
            [answered("x")],
            [("item[0].answer[0].value.ofType(string)", "regex")],
        ),
        (
            form(item(extension=[limit("regex", valueString="(a)\\1")])),
            [answered("x")],
            [("item[0].answer[0].value.ofType(string)", "regex-not-checked")],
        ),
        (
            form(item("quantity", extension=[limit("questionnaire-unitOption", valueCoding={"code": "km"})])),
            [answered({"value": 1, "code": "m"}, name="valueQuantity")],
            [("item[0].answer[0].value.ofType(Quantity)", "unit")],
        ),
        (
            form(item("quantity", extension=[limit("minValue", valueQuantity={"value": 1, "code": "km"})])),
            [answered({"value": 1, "code": "m"}, name="valueQuantity")],
            [("item[0].answer[0].value.ofType(Quantity)", "incomparable")],
        ),
        (
            form(item("attachment", extension=[limit("mimeType", valueCode="a/b")])),
            [answered({"contentType": "c/d"}, name="valueAttachment")],
            [("item[0].answer[0]", "attachment-type")],
        ),
        (
            form(item("attachment", extension=[limit("maxSize", valueDecimal=1)])),
            [answered({"size": 1_000_001}, name="valueAttachment")],
            [("item[0].answer[0]", "attachment-size")],
        ),
        (
            form(item("reference", extension=[limit("questionnaire-referenceResource", valueCode="Goal")])),
            [answered({"reference": "Patient/1"}, name="valueReference")],
            [("item[0].answer[0].value.ofType(Reference)", "reference-type")],
        ),
        (
            form(item("reference")),
            [answered({"reference": "http://e/Chicken/1"}, name="valueReference")],
            [("item[0].answer[0].value.ofType(Reference)", "reference-type")],
        ),
    ],
)
def test_rows_of_the_table(questionnaire: Tree, items: list[Tree], found: list[tuple[str, str]]) -> None:
    assert check(questionnaire, items) == found


def test_an_option_that_excludes_others() -> None:
    options = [
        {"valueString": "none", "extension": [limit("questionnaire-optionExclusive", valueBoolean=True)]},
        {"valueString": "x"},
    ]
    questionnaire = form(item("choice", repeats=True, answerOption=options))
    assert check(questionnaire, [answered("none", "x")]) == [("item[0].answer[0]", "option-exclusive")]
    assert check(questionnaire, [answered("none")]) == []


def test_what_is_missing_is_a_warning_while_in_progress() -> None:
    tree = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://q", "status": "in-progress"}
    found = Validator(questionnaires={"http://q": form(item(required=True))}).validate(tree)
    assert ("warning", "response-required") in [(issue.severity, issue.message_id) for issue in found]


def test_maximal_size_in_bytes_as_the_reference_reads_it() -> None:
    questionnaire = form(item("attachment", extension=[limit("maxSize", valueDecimal=50)]))
    tree = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://q", "status": "completed"}
    tree["item"] = [answered({"data": "AAAA" * 20}, name="valueAttachment")]
    given = {"questionnaires": {"http://q": questionnaire}, "tiers": ["questionnaire"]}
    assert Validator(**given).validate(tree) == []
    assert len(Validator(**given, quirks=Quirks(max_size_in_bytes=True)).validate(tree)) == 1


def test_the_period_of_the_questionnaire() -> None:
    questionnaire = form(effectivePeriod={"start": "2020", "end": "2021-06"})
    assert check(questionnaire, [], authored="2019-12-31") == [("authored", "outside-period")]
    assert check(questionnaire, [], authored="2021-06-30T10:00:00Z") == []


def when(operator: str, link_id: str = "b", **answer: Any) -> Tree:
    return {"question": link_id, "operator": operator, **answer}


@pytest.mark.parametrize(
    ("conditions", "answers", "enabled"),
    [
        ([when("exists", answerBoolean=True)], ["x"], True),
        ([when("exists", answerBoolean=True)], [], False),
        ([when("exists", answerBoolean=False)], [], True),
        ([when("=", answerString="x")], ["y", "x"], True),
        ([when("=", answerString="x")], ["y"], False),
        ([when("!=", answerString="x")], ["x", "y"], True),
        ([when("!=", answerString="x")], [], False),
        ([when(">", answerString="a")], ["b"], True),
        ([when("<=", answerString="a")], ["b"], False),
        ([when("=", answerString="x"), when("=", answerString="y")], ["x"], False),
    ],
)
def test_enabling(conditions: list[Tree], answers: list[str], enabled: bool) -> None:
    questionnaire = form(
        item(link_id="b", repeats=True), item(required=True, enableWhen=conditions, enableBehavior="all")
    )
    given = [answered(*answers, link_id="b")] if answers else []
    assert check(questionnaire, given) == ([("", "required")] if enabled else [])
    assert check(questionnaire, [*given, answered("z")]) == ([] if enabled else [(f"item[{len(given)}]", "disabled")])


def test_enabling_by_any() -> None:
    conditions = [when("=", answerString="x"), when("=", answerString="y")]
    questionnaire = form(item(link_id="b"), item(required=True, enableWhen=conditions, enableBehavior="any"))
    assert check(questionnaire, [answered("x", link_id="b")]) == [("", "required")]


def test_the_nearest_answer_counts() -> None:
    inner = item(enableWhen=[when("=", answerString="x")])
    questionnaire = form(item("group", "g", repeats=True, item=[item(link_id="b"), inner]))
    groups = [{"linkId": "g", "item": [answered(value, link_id="b"), answered("z")]} for value in ("x", "y")]
    assert check(questionnaire, groups) == [("item[1].item[1]", "disabled")]


def test_children_of_a_question_stand_under_its_answer() -> None:
    questionnaire = form(item(item=[item(link_id="b", required=True)]))
    response = {"linkId": "a", "answer": [{"valueString": "x", "item": [answered("y", link_id="b")]}]}
    assert check(questionnaire, [response]) == []
    assert check(questionnaire, [answered("x")]) == [("item[0].answer[0]", "required")]


def test_a_value_set_that_the_questionnaire_contains() -> None:
    contained = {
        "resourceType": "ValueSet",
        "id": "v",
        "compose": {"include": [{"system": "s:s", "concept": [{"code": "x"}]}]},
    }
    questionnaire = form(item("choice", answerValueSet="#v"), contained=[contained])
    assert check(questionnaire, [answered({"system": "s:s", "code": "x"}, name="valueCoding")]) == []
    assert check(questionnaire, [answered({"system": "s:s", "code": "y"}, name="valueCoding")]) == [
        ("item[0].answer[0]", "not-in-value-set")
    ]


def test_a_questionnaire_in_the_same_bundle_or_contained() -> None:
    questionnaire = form(item(required=True), id="q")
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://q", "status": "completed"}
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": questionnaire}, {"resource": response}],
    }
    found = Validator(tiers=["questionnaire"]).validate(bundle)
    assert ("Bundle.entry[1].resource", "response-required") in [(each.expression, each.message_id) for each in found]
    within = {**response, "questionnaire": "#q", "contained": [questionnaire]}
    assert [each.message_id for each in Validator(tiers=["questionnaire"]).validate(within)] == ["response-required"]


@pytest.mark.parametrize(
    ("constraint", "answer", "found"),
    [
        (None, {"valueCoding": {"system": "s", "code": "a"}}, []),
        (None, {"valueCoding": {"system": "s", "code": "z"}}, [("item[0].answer[0]", "not-an-option")]),
        ("optionsOnly", {"valueCoding": {"system": "s", "code": "z"}}, [("item[0].answer[0]", "not-an-option")]),
        ("optionsOrString", {"valueString": "another"}, []),
        ("optionsOrType", {"valueCoding": {"system": "s", "code": "z"}}, []),
        ("optionsOnly", {"valueBoolean": True}, [("item[0].answer[0].value.ofType(boolean)", "answer-type")]),
    ],
)
def test_r5_says_coding_and_whether_other_answers_may_be_given(constraint: Any, answer: Tree, found: list[Any]) -> None:
    more = {"answerConstraint": constraint} if constraint else {}
    options = [{"valueCoding": {"system": "s", "code": code}} for code in "ab"]
    assert check(form(item("coding", answerOption=options, **more)), [{"linkId": "a", "answer": [answer]}]) == found
