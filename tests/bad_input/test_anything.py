"""Any bytes and any tree: an answer, never an exception, in time that grows with the input only."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.errors import BadInput
from adapter.fhir_json import loads
from adapter.issues import to_operation_outcome
from adapter.services.positions import places
from adapter.validation import Validator

Tree = dict[str, Any]
FIXTURES = Path(__file__).parents[2] / "fixtures"
US_CORE = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-"
VALIDATOR = Validator(
    profiles=[US_CORE + name for name in ("patient", "careplan", "condition-problems-health-concerns")]
)


def examples() -> list[Tree]:
    found: list[Tree] = []
    for path in sorted(FIXTURES.glob("*/*.json")):
        tree = json.loads(path.read_text("utf-8"), parse_float=Decimal)
        rows = tree.get("entry", []) if isinstance(tree, dict) else []
        found += [row["resource"] for row in rows if "resource" in row]
    return found


EXAMPLES = examples()
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False), st.text(max_size=12)
)
NAMES = st.sampled_from(
    "resourceType id meta profile extension url contained text div status coding system code display value valueString "
    "item linkId answer entry resource reference _status identifier".split()
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=25,
)
TYPES = st.sampled_from(
    ["CarePlan", "Condition", "Patient", "QuestionnaireResponse", "Questionnaire", "Bundle", "Goal"]
)


def judged(tree: Any) -> None:
    issues = VALIDATOR.validate(tree)
    outcome = to_operation_outcome(issues)
    assert outcome["issue"]
    places(issues, json.dumps(tree, default=str))


@given(st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes(data: bytes) -> None:
    try:
        tree = loads(data)
    except BadInput as error:
        tree = error.issues[0].text
    judged(tree)


@given(TREES)
@settings(deadline=None)
def test_any_tree(tree: Any) -> None:
    judged(tree)


@given(TYPES, st.dictionaries(NAMES, TREES, max_size=5))
@settings(deadline=None)
def test_any_content_of_a_known_type(name: str, content: Tree) -> None:
    judged({**content, "resourceType": name})


@given(st.data())
@settings(deadline=None)
def test_a_sound_resource_with_anything_in_one_place(data: st.DataObject) -> None:
    tree = json.loads(json.dumps(data.draw(st.sampled_from(EXAMPLES)), default=str))
    node: Any = tree
    while True:
        key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
        if not isinstance(node[key], (dict, list)) or not node[key] or data.draw(st.booleans()):
            break
        node = node[key]
    node[key] = data.draw(TREES)
    judged(tree)


def patient(count: int) -> Tree:
    return {"resourceType": "Patient", "name": [{"family": f"F{index}", "given": [""]} for index in range(count)]}


def contained(count: int) -> Tree:
    rows = [{"resourceType": "Condition", "id": f"c{index}", "subject": {"display": "x"}} for index in range(count)]
    return {
        "resourceType": "CarePlan",
        "status": "active",
        "intent": "plan",
        "subject": {"display": "x"},
        "contained": rows,
        "addresses": [{"reference": f"#c{index}"} for index in range(count)],
    }


def bundle(count: int) -> Tree:
    rows = [
        {"fullUrl": f"http://h/Goal/{index}", "resource": {"resourceType": "Goal", "id": str(index)}}
        for index in range(count)
    ]
    return {"resourceType": "Bundle", "type": "collection", "entry": rows}


def response(count: int) -> Tree:
    rows = [{"linkId": str(index), "answer": [{"valueString": "x"}]} for index in range(count)]
    form = {
        "resourceType": "Questionnaire",
        "id": "q",
        "status": "active",
        "item": [
            {
                "linkId": str(index),
                "type": "string",
                "enableWhen": [{"question": "0", "operator": "exists", "answerBoolean": True}],
            }
            for index in range(count)
        ],
    }
    return {
        "resourceType": "QuestionnaireResponse",
        "status": "completed",
        "questionnaire": "#q",
        "contained": [form],
        "item": rows,
    }


def conditions(count: int) -> Tree:
    """One item with many conditions and many children."""
    inner = [{"linkId": f"i{index}", "type": "string"} for index in range(count)]
    when = [{"question": f"i{count}", "operator": "exists", "answerBoolean": True} for _ in range(count)]
    item = {"linkId": "a", "type": "group", "item": inner, "enableWhen": when, "enableBehavior": "all"}
    return {"resourceType": "Questionnaire", "status": "active", "item": [item]}


@pytest.mark.parametrize("make", [patient, contained, bundle, response, conditions])
def test_time_grows_with_the_size_and_not_with_its_square(make: Any) -> None:
    def spent(count: int) -> float:
        tree = make(count)
        start = process_time()
        issues = VALIDATOR.validate(tree)
        places(issues, json.dumps(tree))
        return process_time() - start

    spent(50)
    small, large = min(spent(300) for _ in range(3)), min(spent(2400) for _ in range(2))
    # Eight times the size: eight times the time, and 64 times it were a square.
    assert large < 28 * max(small, 0.004)


def test_the_expressions_of_a_form_are_bounded_together() -> None:
    tree = response(1500)
    everything = {
        "url": "http://hl7.org/fhir/StructureDefinition/variable",
        "valueExpression": {"language": "text/fhirpath", "name": "a", "expression": "%resource.descendants().count()"},
    }
    for item in tree["contained"][0]["item"]:
        item["extension"] = [everything]
    start = process_time()
    VALIDATOR.validate(tree)
    # Each of them takes some 7,500 steps, all of them together would take minutes.
    assert process_time() - start < 12


def test_issues_are_bounded() -> None:
    tree = {"resourceType": "Patient", "name": [None] * 50_000}
    issues = VALIDATOR.validate(tree)
    assert len(issues) < 10_100
    assert "issues-too-many" in [issue.message_id for issue in issues]


def test_one_validator_for_many_threads() -> None:
    trees = [tree for tree in EXAMPLES if tree["resourceType"] in ("CarePlan", "Condition", "QuestionnaireResponse")]
    expected = [Validator().validate(tree) for tree in trees]
    fresh = Validator("4.3.0").with_resources([])
    known = [fresh.validate(tree) for tree in trees]
    shared = Validator("4.0.1").with_resources([])
    with ThreadPoolExecutor(8) as pool:
        rounds = list(pool.map(lambda _: [shared.validate(tree) for tree in trees], range(16)))
    assert all(found == expected for found in rounds)
    assert len(known) == len(expected)
