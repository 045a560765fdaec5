from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter import fhir_json
from adapter.definitions import definitions
from adapter.errors import UsageError
from adapter.validation import AS_REFERENCE, TIERS, Validator, second_opinion, validate
from adapter.validation.messages import MESSAGES

Tree = dict[str, Any]
R4 = definitions("4.0.1")
TYPES = ["CarePlan", "Condition", "Patient", "Questionnaire", "QuestionnaireResponse", "Bundle", "Goal", "Observation"]
NAMES = sorted(
    {name for type_ in TYPES for name in R4.type(type_).elements}
    | {
        "item",
        "answer",
        "linkId",
        "reference",
        "value",
        "valueString",
        "url",
        "coding",
        "code",
        "system",
        "div",
        "resource",
    }
)
KEYS = st.sampled_from(NAMES) | st.sampled_from(NAMES).map("_{}".format) | st.text(max_size=4)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals()
    | st.text(max_size=8)
    | st.sampled_from(
        ["#", "#a", "2020-02-30", "2020", "Patient/1", "<div", "a", "http://hl7.org/fhir/item-type", "group"]
    )
)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
RESOURCES = st.builds(
    lambda type_, tree: {**tree, "resourceType": type_},
    st.sampled_from(TYPES),
    st.dictionaries(KEYS, TREES, max_size=8),
)
FORM = {
    "resourceType": "Questionnaire",
    "url": "http://q",
    "status": "active",
    "item": [{"linkId": "a", "type": "choice", "answerOption": [{"valueString": "x"}]}],
}


@given(TREES | RESOURCES)
def test_nothing_that_is_given_raises(tree: Any) -> None:
    for issue in Validator(quirks=AS_REFERENCE).validate(tree):
        assert issue.message_id in MESSAGES
        assert "{" not in issue.text


@given(RESOURCES)
def test_a_questionnaire_of_any_shape_raises_nothing(tree: Tree) -> None:
    response = {"resourceType": "QuestionnaireResponse", "questionnaire": "http://q", "status": "completed", **tree}
    response["resourceType"] = "QuestionnaireResponse"
    response["questionnaire"] = "http://q"
    form = {**tree, "resourceType": "Questionnaire", "url": "http://q"}
    Validator(questionnaires={"http://q": form}).validate(response)
    Validator(questionnaires={"http://q": FORM}).validate(response)


@given(st.data())
def test_a_clean_resource_with_one_place_changed(data: st.DataObject) -> None:
    tree: Any = {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"reference": "Patient/1"},
        "contained": [{"resourceType": "Goal", "id": "g"}],
        "activity": [
            {"detail": {"status": "completed", "goal": [{"reference": "#g"}], "scheduledPeriod": {"start": "2020"}}}
        ],
        "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'},
        "extension": [
            {"url": "http://hl7.org/fhir/StructureDefinition/patient-citizenship", "extension": [{"url": "code"}]}
        ],
    }
    node = tree
    while isinstance(node, (dict, list)) and node:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else list(range(len(node)))))
        if not isinstance(node[key], (dict, list)) or data.draw(st.booleans()):
            node[key] = data.draw(TREES)
            break
        node = node[key]
    validate(tree)


def test_no_value_is_repeated(plan: Tree) -> None:
    secret = "Zebra77"
    plan.update({"status": secret, "created": secret, secret + " x": 1, "title": [secret]})
    plan["subject"] = {"reference": f"#{secret}"}
    plan["contained"][0]["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": secret}]}
    for issue in validate(plan):
        assert secret not in f"{issue.text} {issue.expression} {issue.source}", issue


def test_very_deep_trees_are_said_to_be_so() -> None:
    tree: Tree = {"resourceType": "Questionnaire", "status": "active"}
    node = tree
    for number in range(3000):
        node["item"] = [{"linkId": str(number), "type": "group"}]
        node = node["item"][0]
    assert [issue.message_id for issue in validate(tree)] == ["resource-too-deep"]


@pytest.mark.parametrize("tier", TIERS)
def test_each_tier_can_be_switched_off(plan: Tree, tier: str) -> None:
    plan.update(
        {"status": "begun", "nonsense": 1, "addresses": [{"reference": "#d"}], "period": {"start": "2", "end": "1"}}
    )
    others = [name for name in TIERS if name != tier]
    without = {issue.message_id for issue in validate(plan, tiers=others)}
    alone = {issue.message_id for issue in validate(plan, tiers=[tier])} & {
        "binding-required",
        "reference-contained-missing",
    }
    assert not without & alone


def test_unknown_tiers_and_versions_are_refused() -> None:
    with pytest.raises(UsageError, match="colour"):
        Validator(tiers=["colour"])
    with pytest.raises(UsageError, match="3"):
        Validator("3.0.2")


def test_threads_share_a_validator(plan: Tree, condition: Tree) -> None:
    plan["status"] = "begun"
    validator = Validator()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(validator.validate, [plan, condition] * 50))
    assert [len([issue for issue in issues if issue.is_error]) for issues in found] == [1, 0] * 50


def test_decimals_read_from_text_are_checked() -> None:
    tree = fhir_json.loads(
        '{"resourceType": "Basic", "code": {"text": "x"}, "extension": [{"url": "http://e", "valueDecimal": 1.50}]}'
    )
    assert not [issue for issue in validate(tree) if issue.is_error]


def test_second_opinion(plan: Tree) -> None:
    assert second_opinion(plan) == []
    plan["nonsense"] = 1
    assert [(issue.expression, issue.message_id) for issue in second_opinion(plan)] == [
        ("CarePlan.nonsense", "typed-model")
    ]
    assert "typed-model" in [issue.message_id for issue in validate(plan, tiers=["typed"])]
    assert second_opinion({"resourceType": "Nothing"}) == []


def test_every_message_is_used_and_every_used_one_is_there(root: Path) -> None:
    text = "\n".join(
        path.read_text("utf-8")
        for path in (root / "adapter" / "validation").rglob("*.py")
        if path.name != "messages.py"
    )
    stems = {"binding-required", "binding-extensible", "binding-max"}
    unused = {name for name in MESSAGES if f'"{name}"' not in text} - stems
    assert unused == set()
    for name in re.findall(r'run\.add\(\s*"([a-z-]+)"', text):
        assert name in MESSAGES


def test_the_page_of_messages_is_true(root: Path) -> None:
    from tools.document_messages import page

    assert (root / "docs" / "validation-messages.md").read_text("utf-8") == page()


@pytest.mark.parametrize(
    ("value", "ours", "reference"),
    [
        ({"valueString": ["x"]}, "value.ofType(string)", "value[x]"),
        ({"valueQuantity": {"nothing": 1}}, "value.ofType(Quantity)", "value[x]"),
        # The calendar is looked at when the type is known.
        ({"valueDateTime": "2021-02-30"}, "value.ofType(dateTime)", "value.ofType(dateTime)"),
    ],
)
def test_the_place_of_what_is_wrong_inside_a_choice(value: dict[str, Any], ours: str, reference: str) -> None:
    tree = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, **value}
    for made, place in ((Validator(), ours), (Validator(quirks=AS_REFERENCE), reference)):
        assert {each.expression for each in made.validate(tree) if each.is_error} == {"Observation." + place}


def test_a_code_without_a_system_is_in_no_value_set_though_the_reference_lets_it_pass() -> None:
    language = {"language": {"coding": [{"code": "en"}]}}
    tree = {"resourceType": "Patient", "communication": [language]}
    assert "binding-max" in [each.message_id for each in Validator().validate(tree)]
    assert "binding-max" not in [each.message_id for each in Validator(quirks=AS_REFERENCE).validate(tree)]


def test_what_is_said_of_a_resource_is_said_of_it_again() -> None:
    system = "http://hl7.org/fhir/us/core/CodeSystem/careplan-category"
    category = [{"coding": [{"system": system, "code": "assess-plan"}]}]
    tree = {"resourceType": "CarePlan", "status": "active", "intent": "plan", "category": category}
    tree["subject"] = {"reference": "Patient/1"}
    validator = Validator()
    first = validator.validate(tree)
    assert "code-not-checked" in [each.message_id for each in first]
    assert [validator.validate(tree) for _ in range(5)] == [first] * 5
