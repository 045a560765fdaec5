"""Foreign resources of wrong shapes: each fault is said with its place, the rest is converted, and all comes back."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adapter.bootstrap import converter
from adapter.cli import main
from adapter.definitions import definitions
from adapter.fhir_json import copy, loads, same
from adapter.services.shapes import Shapes
from adapter.validation import Validator
from tests.bad_input.rows import ROOT
from tests.laws.foreign import damaged

IDS = frozenset(
    {
        "element-not-list",
        "element-is-list",
        "element-not-object",
        "element-null",
        "primitive-not-string",
        "primitive-not-boolean",
        "primitive-not-number",
    }
)
CONVERTER = converter()
SHAPES = Shapes(definitions("4.0.1"))
VALIDATOR = Validator("4.0.1", tiers={"structure"})
GOAL: dict[str, Any] = {
    "resourceType": "Goal",
    "lifecycleStatus": "active",
    "description": {"text": "Work"},
    "subject": {"reference": "Patient/p"},
    "target": [{"dueDate": "2024-05-01"}, {"measure": {"text": "days"}}],
    "note": [{"text": "one"}],
}


@cache
def foreign() -> list[Any]:
    """The resources of the fixtures as another system could send them."""
    found = []
    for path in sorted((ROOT / "fixtures").glob("*/fhir.json")):
        tree = loads(path.read_bytes())
        found += [entry["resource"] for entry in tree["entry"]] if tree["resourceType"] == "Bundle" else [tree]
    return [GOAL, *found]


def told(tree: Any) -> list[tuple[str, str]]:
    _, issues = CONVERTER.from_fhir(tree)
    return [(issue.message_id, issue.expression) for issue in issues if issue.message_id in IDS]


@pytest.mark.parametrize(
    ("damage", "issue"),
    [
        ({"note": {"text": "one"}}, ("element-not-list", "Goal.note")),
        ({"description": [{"text": "one"}]}, ("element-is-list", "Goal.description")),
        ({"description": "one"}, ("element-not-object", "Goal.description")),
        ({"target": [None]}, ("element-null", "Goal.target[0]")),
        ({"startDate": None}, ("element-null", "Goal.startDate")),
        ({"startDate": 2024}, ("primitive-not-string", "Goal.startDate")),
        ({"target": [{"detailInteger": "7"}]}, ("primitive-not-number", "Goal.target[0].detailInteger")),
        ({"target": [{"detailBoolean": "true"}]}, ("primitive-not-boolean", "Goal.target[0].detailBoolean")),
        ({"contained": [{"resourceType": "Patient", "name": {}}]}, ("element-not-list", "Goal.contained[0].name")),
    ],
)
def test_a_wrong_shape_is_said_and_the_rest_is_converted(damage: Any, issue: tuple[str, str]) -> None:
    tree = {**GOAL, **damage}
    result, _ = CONVERTER.from_fhir(tree)
    (record,) = result["records"]
    assert issue in told(tree)
    assert record["lifecycle"] == "active"
    assert same(CONVERTER.to_fhir(result)[0], tree)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_what_is_said_is_what_the_validator_says(data: st.DataObject) -> None:
    broken = data.draw(damaged(data.draw(st.sampled_from(foreign()))))
    found = VALIDATOR.validate(broken)
    if any(issue.severity == "fatal" for issue in found):
        return
    wanted = {issue.message_id for issue in found if issue.message_id in IDS and "null" not in issue.message_id}
    assert {id_ for id_, _ in told(broken) if "null" not in id_} >= wanted


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_damage_never_stops_a_conversion_and_is_never_lost(data: st.DataObject) -> None:
    whole = [data.draw(damaged(data.draw(st.sampled_from(foreign())))) for _ in range(2)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": tree} for tree in whole]}
    before = copy(bundle)
    result, issues = CONVERTER.from_fhir(bundle)
    assert same(bundle, before)
    assert same(CONVERTER.to_fhir(result)[0], bundle)
    assert all(issue.expression for issue in issues if issue.message_id in IDS)


def test_a_clean_resource_has_no_wrong_shape() -> None:
    assert [issue for tree in foreign() for issue in SHAPES.issues(tree)] == []


def test_contained_resources_ten_thousand_deep_are_refused_in_a_sentence() -> None:
    inner = '{"resourceType":"Goal","contained":['
    data = (inner * 10_000 + json.dumps(GOAL) + "]}" * 10_000).encode()
    done = CliRunner().invoke(main, ["convert", "from-fhir"], input=data)
    assert done.exit_code == 1
    assert done.stderr.startswith("careplan: stdin: The input nests deeper than 100 levels.")
    assert done.stdout == ""


def test_contained_resources_as_deep_as_json_may_be_are_converted() -> None:
    tree: Any = {"resourceType": "Goal", "note": {"text": "inside"}}
    for _ in range(40):
        tree = {"resourceType": "Goal", "contained": [tree]}
    result, issues = CONVERTER.from_fhir(tree)
    assert [issue.expression for issue in issues if issue.message_id in IDS] == [
        "Goal" + ".contained[0]" * 40 + ".note"
    ]
    assert same(CONVERTER.to_fhir(result)[0], tree)
