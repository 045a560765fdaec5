"""Rules that are written and never read: constants, which a field may take away again, and pairs that go one way."""

from __future__ import annotations

from typing import Any

from adapter.mapping.codecs import Copy
from adapter.mapping.oneway import Constant, Derived, OneWay
from adapter.mapping.paths import parse
from adapter.mapping.rules import Leaf
from adapter.mapping.scope import RelativeRefs, Scope
from adapter.mapping.shapes import is_flag

SCOPE = Scope(RelativeRefs(), "goal", "g", {}, {})
ABSENT = {"coding": [{"code": "unknown"}]}


def constant(path: str, value: Any, *unless: str) -> Constant:
    return Constant("x:1:1", parse(path, {}), value, tuple((name,) for name in unless))


def written(rule: Any, node: dict[str, Any], new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    rule.write(node, new, old, SCOPE)
    return node


def test_a_constant_is_written_when_the_element_is_made_and_not_again() -> None:
    rule = constant("meta.profile", ["p"])
    node = written(rule, {}, {"id": "1"}, {})
    assert node == {"meta": {"profile": ["p"]}}
    assert node["meta"]["profile"] is not rule.value
    assert written(rule, {}, {"id": "1"}, {"id": "0"}) == {}


def test_a_list_goes_before_what_stands_there_and_nothing_else_is_touched() -> None:
    assert written(constant("category", ["a"]), {"category": ["b"]}, {}, {}) == {"category": ["a", "b"]}
    assert written(constant("category", "a"), {"category": ["b"]}, {}, {}) == {"category": ["b"]}
    assert written(constant("status", "final"), {"status": "draft"}, {}, {}) == {"status": "draft"}
    assert written(constant("status", ["final"]), {"status": "draft"}, {}, {}) == {"status": "draft"}


def test_the_field_takes_the_constant_away_and_brings_it_back() -> None:
    rule = constant("why.absent", ABSENT, "total")
    assert written(rule, {}, {"total": 5}, {}) == {}
    made = written(rule, {}, {"id": "1"}, {})
    assert made == {"why": {"absent": ABSENT}}
    assert written(rule, made, {"id": "1", "total": 5}, {"id": "1"}) == {}
    assert written(rule, {}, {"id": "1"}, {"id": "1", "total": 5}) == {"why": {"absent": ABSENT}}


def test_another_s_value_is_not_taken_away() -> None:
    rule = constant("why.absent", ABSENT, "total")
    other = {"why": {"absent": {"text": "theirs"}}}
    assert written(rule, other, {"total": 5}, {"id": "1"}) == {"why": {"absent": {"text": "theirs"}}}
    ours = {"why": {"absent": ABSENT}}
    assert written(rule, ours, {"total": 6}, {"total": 5}) == {"why": {"absent": ABSENT}}
    assert written(rule, {"why": {"absent": ABSENT, "theirs": 1}}, {"total": 5}, {"id": "1"}) == {"why": {"theirs": 1}}


def test_a_pair_that_goes_one_way_is_written_and_not_read() -> None:
    rule = OneWay(Leaf("x:1:1", ("told",), parse("told", {}), Copy(is_flag)))
    assert written(rule, {}, {"told": True}, {}) == {"told": True}
    out: dict[str, Any] = {}
    rule.read({"told": True}, out, SCOPE)
    assert out == {}
    assert rule.source == "x:1:1"


def test_what_is_derived_is_written_where_there_is_something_to_say() -> None:
    said = Derived("x:1:1", parse("text.div", {}), lambda stands, new, old, scope: new.get("say"))
    assert written(said, {}, {"say": "a"}, {}) == {"text": {"div": "a"}}
    assert written(said, {"text": {"div": "b"}}, {}, {}) == {"text": {"div": "b"}}
