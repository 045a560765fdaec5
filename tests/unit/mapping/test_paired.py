"""One value of the record in two elements of FHIR: a question whose answers are coded, and whether others may be given."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.codecs import Values
from adapter.mapping.paired import Paired
from adapter.mapping.paths import parse
from adapter.mapping.rules import Leaf
from adapter.mapping.scope import RelativeRefs, Scope

Tree = dict[str, Any]
WORDS = {"choice": "coding", "open": "coding optionsOrString", "text": "text"}
VALUES = Values(WORDS, {value: key for key, value in WORDS.items()})
RULE = Paired(Leaf("f:1:1", ("type",), parse("type", {}), VALUES), VALUES, parse("constraint", {}))


def scope() -> Scope:
    return Scope(RelativeRefs(), "form", "1", {}, {"resourceType": "Questionnaire"})


@pytest.mark.parametrize(
    ("node", "value"),
    [
        ({"type": "coding"}, "choice"),
        ({"type": "coding", "constraint": "optionsOrString"}, "open"),
        ({"type": "coding", "constraint": "optionsOnly"}, "choice"),
        ({"type": "text", "constraint": "optionsOrString"}, "text"),
        ({"constraint": "optionsOrString"}, None),
        ({}, None),
    ],
)
def test_both_words_are_read_and_an_unknown_second_is_left_alone(node: Tree, value: str | None) -> None:
    out: Tree = {}
    said = scope()
    RULE.read(node, out, said)
    assert out == ({"type": value} if value else {})
    assert said.issues == []


def test_a_first_word_that_nobody_knows_is_said() -> None:
    out: Tree = {}
    said = scope()
    RULE.read({"type": "riddle"}, out, said)
    assert out == {}
    assert [(issue.message_id, issue.source) for issue in said.issues] == [("map-not-understood", "f:1:1")]


@pytest.mark.parametrize(
    ("old", "new", "before", "after"),
    [
        (None, "open", {}, {"type": "coding", "constraint": "optionsOrString"}),
        (None, "choice", {}, {"type": "coding"}),
        ("open", "choice", {"type": "coding", "constraint": "optionsOrString"}, {"type": "coding"}),
        ("choice", "open", {"type": "coding"}, {"type": "coding", "constraint": "optionsOrString"}),
        ("open", None, {"type": "coding", "constraint": "optionsOrString", "x": 1}, {"x": 1}),
        (
            "choice",
            "choice",
            {"type": "coding", "constraint": "optionsOnly"},
            {"type": "coding", "constraint": "optionsOnly"},
        ),
    ],
)
def test_both_words_are_written_and_go_together(old: str | None, new: str | None, before: Tree, after: Tree) -> None:
    said = scope()
    node = dict(before)
    RULE.write(node, {"type": new} if new else {}, {"type": old} if old else {}, said)
    assert node == after
    assert said.issues == []


def test_a_value_that_no_words_say_is_said_and_not_written() -> None:
    said, node = scope(), {"type": "coding", "constraint": "optionsOrString"}
    RULE.write(node, {"type": "riddle"}, {"type": "open"}, said)
    assert node == {}
    assert [(issue.message_id, issue.source) for issue in said.issues] == [("map-not-written", "f:1:1")]


def test_it_stands_where_its_first_word_does() -> None:
    assert (RULE.source, RULE.path.text) == ("f:1:1", "type")
