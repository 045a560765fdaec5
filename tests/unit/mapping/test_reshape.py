"""Rules that wrap others, by themselves: columns, words beside a code, several places, conditions."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.mapping.codecs import Copy, Values
from adapter.mapping.concepts import Concept
from adapter.mapping.keys import NUMBER, Keys
from adapter.mapping.lists import Items
from adapter.mapping.paths import parse
from adapter.mapping.reshape import Columns, Either, When, Worded
from adapter.mapping.rules import Leaf
from adapter.mapping.scope import RelativeRefs, Scope

Tree = dict[str, Any]


def anything(_: Any) -> bool:
    return True


def leaf(name: str, path: str, codec: Any = None) -> Leaf:
    return Leaf(f"f:{name}", (name,), parse(path, {}), codec or Copy(anything))


def scope() -> Scope:
    return Scope(RelativeRefs(), "intake", "1", {}, {"resourceType": "Patient"})


def told(said: Scope) -> list[tuple[str, str, str, str, str]]:
    return [(row.severity, row.code, row.message_id, row.source, row.expression) for row in said.issues]


# -- numbered columns


def columns(*names: str) -> Columns:
    items = Items("f:c", ("rows",), parse("telecom", {}), Keys(NUMBER), [leaf("value", "value")])
    return Columns(items, names, {1: {"value": "phone1"}, 3: {"value": "phone3"}})


def test_an_element_that_has_no_column_is_said_and_the_others_read() -> None:
    said, out = scope(), {}  # type: ignore[var-annotated]
    rows = [{"id": "1", "value": "a"}, {"value": "x"}, {"id": "3", "value": "b"}]
    columns().read({"telecom": rows}, out, said)
    assert out == {"phone1": "a", "phone3": "b"}
    assert told(said) == [("information", "too-long", "map-no-column", "f:c", "Patient.telecom")]


def test_columns_may_stand_in_an_object_of_the_record() -> None:
    rule, out, node = columns("contact"), {}, {}  # type: ignore[var-annotated]
    rule.write(node, {"contact": {"phone1": "a", "phone3": "b"}, "phone1": "no"}, {}, scope())
    assert [row["value"] for row in node["telecom"]] == ["a", "b"]
    rule.read(node, out, scope())
    assert out == {"contact": {"phone1": "a", "phone3": "b"}}
    rule.write(node, {"contact": "odd"}, out, scope())
    assert node == {}


def test_an_element_that_no_column_has_room_for_stays_when_others_are_written() -> None:
    node = {"telecom": [{"id": "1", "value": "a"}, {"id": "7", "value": "theirs"}]}
    columns().write(node, {"phone3": "b"}, {"phone1": "a"}, scope())
    assert node == {"telecom": [{"id": "3", "value": "b"}, {"id": "7", "value": "theirs"}]}


# -- a code and the words beside it


WORDED = Worded(leaf("code", "code", Concept(None, "urn:ours")), ("words",), ("a", "b").__contains__)


def coding(code: str, system: str = "urn:ours") -> Tree:
    return {"system": system, "code": code}


@pytest.mark.parametrize(
    ("found", "record"),
    [
        ({"coding": [coding("a")], "text": "Words"}, {"code": "a", "words": "Words"}),
        ({"coding": [coding("a")]}, {"code": "a"}),
        ({"text": "Words"}, {"words": "Words"}),
        ({"coding": [coding("a", "urn:theirs")], "text": "Words"}, {}),
        ({"coding": [{"display": "Shown"}], "text": "Words"}, {}),
        ({"coding": [coding("z")], "text": "Words"}, {}),
        (None, {}),
    ],
)
def test_a_code_and_words_are_read_unless_they_are_of_another_system(found: Any, record: Tree) -> None:
    out: Tree = {}
    WORDED.read({"code": found} if found else {}, out, scope())
    assert out == record


def test_a_code_and_words_are_written_and_what_others_said_beside_stays() -> None:
    node: Tree = {}
    WORDED.write(node, {"code": "a", "words": "Words"}, {}, scope())
    assert node == {"code": {"coding": [coding("a")], "text": "Words"}}
    node["code"]["coding"].append(coding("x", "urn:theirs"))
    WORDED.write(node, {"code": "b", "words": "Words"}, {"code": "a", "words": "Words"}, scope())
    assert node == {"code": {"coding": [coding("b"), coding("x", "urn:theirs")], "text": "Words"}}
    WORDED.write(node, {}, {"code": "b", "words": "Words"}, scope())
    assert "text" not in node.get("code", {})
    assert coding("b") not in node.get("code", {}).get("coding", [])


def test_a_code_that_is_put_over_anothers_takes_nothing_of_it() -> None:
    node = {"code": {"coding": [coding("x", "urn:theirs"), coding("y", "urn:theirs")]}}
    WORDED.write(node, {"code": "a"}, {}, scope())
    assert node == {"code": {"coding": [coding("a")]}}


def test_a_wrapped_rule_says_whose_it_is() -> None:
    assert (WORDED.source, WORDED.names, WORDED.path.text) == ("f:code", ("code",), "code")
    assert (columns().source, columns().path.text) == ("f:c", "telecom")


# -- one of several places


def either() -> Either:
    few = Values({"F": "female"}, {"female": "F"})
    return Either("f:e", [leaf("sex", "gender", few), leaf("sex", "words", Copy(lambda value: type(value) is str))])


def test_the_first_place_that_says_it_is_read_and_only_then_is_nothing_said() -> None:
    out: Tree = {}
    said = scope()
    either().read({"gender": "odd", "words": "x"}, out, said)
    assert (out, said.issues) == ({"sex": "x"}, [])
    out = {}
    either().read({"gender": "odd"}, out, said)
    assert out == {}
    assert [issue.message_id for issue in said.issues] == ["map-not-understood"]


def test_a_value_moves_from_one_place_to_the_other_and_foreign_ones_stay() -> None:
    node = {"gender": "female"}
    either().write(node, {"sex": "x"}, {"sex": "F"}, scope())
    assert node == {"words": "x"}
    either().write(node, {"sex": "F"}, {"sex": "x"}, scope())
    assert node == {"gender": "female"}
    either().write(node, {}, {"sex": "F"}, scope())
    assert node == {}
    foreign = {"gender": "odd"}
    either().write(foreign, {"sex": "x"}, {}, scope())
    assert foreign == {"gender": "odd", "words": "x"}


def test_a_value_that_no_place_can_say_is_said_at_the_last() -> None:
    said, node = scope(), {}  # type: ignore[var-annotated]
    either().write(node, {"sex": 5}, {}, said)
    assert node == {}
    assert [(row.message_id, row.expression) for row in said.issues] == [("map-not-written", "Patient.words")]


# -- only sometimes


def when() -> When:
    return When(leaf("why", "text"), ((("state",), "off"),), [((("state",), "gone"),)])


def test_a_value_that_no_condition_lets_out_is_an_error() -> None:
    said, node = scope(), {}  # type: ignore[var-annotated]
    when().write(node, {"state": "on", "why": "x"}, {}, said)
    assert node == {}
    assert told(said) == [("error", "business-rule", "map-when", "f:why", "Patient.text")]


@pytest.mark.parametrize(
    ("new", "old", "before", "after"),
    [
        ({"state": "off", "why": "x"}, {}, {}, {"text": "x"}),
        ({"state": "on"}, {"state": "off", "why": "x"}, {"text": "x"}, {}),
        ({"state": "gone", "why": "x"}, {}, {}, {}),  # a neighbour writes it
        ({"state": "on", "why": "x"}, {"state": "on", "why": "x"}, {}, {}),  # said before
        ({"state": "off", "why": "y"}, {"state": "on", "why": "x"}, {"text": "theirs"}, {"text": "y"}),
    ],
)
def test_a_condition_is_asked_of_the_record_as_it_was_and_as_it_is(
    new: Tree, old: Tree, before: Tree, after: Tree
) -> None:
    said = scope()
    node = dict(before)
    when().write(node, new, old, said)
    assert (node, said.issues) == (after, [])
