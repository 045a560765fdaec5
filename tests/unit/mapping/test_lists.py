"""Where items go: what is not ours stays in place, survivors keep their slots, new ones follow their neighbour."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir_json import copy
from adapter.mapping.codecs import Copy, is_text
from adapter.mapping.keys import Keys
from adapter.mapping.lists import Items, Scalars, merge
from adapter.mapping.paths import parse
from adapter.mapping.rules import Leaf
from adapter.mapping.scope import RelativeRefs, Scope

Tree = dict[str, Any]


def put(elements: list[str], wanted: list[str]) -> list[str]:
    """Capitals are foreign, the rest ours by themselves."""
    boxes = [[element] for element in elements]
    ours = {index: element for index, element in enumerate(elements) if element.islower()}
    return [box[0] for box in merge(boxes, ours, [(word, [word]) for word in wanted])]


def test_foreign_elements_stay_in_place() -> None:
    assert put(["a", "X", "b", "Y", "c"], ["b", "c"]) == ["X", "b", "Y", "c"]


def test_moved_items_swap_slots() -> None:
    assert put(["a", "X", "b"], ["b", "a"]) == ["b", "X", "a"]


def test_a_new_item_follows_its_neighbour() -> None:
    assert put(["a", "X", "b"], ["a", "n", "b"]) == ["a", "n", "X", "b"]


def test_a_new_first_item_stands_before_the_first_of_ours() -> None:
    assert put(["X", "a"], ["n", "a"]) == ["X", "n", "a"]


def test_without_survivors_new_items_go_last() -> None:
    assert put(["X", "a", "Y"], ["n"]) == ["X", "Y", "n"]
    assert merge([["X"], ["Y"]], {}, [("n", ["n"])], 1) == [["X"], ["n"], ["Y"]]


words = st.lists(st.sampled_from("abcdefXYZ"), unique=True)


@given(words, st.lists(st.sampled_from("abcdefgh"), unique=True))
def test_ours_come_in_the_wanted_order_and_foreign_ones_in_theirs(elements: list[str], wanted: list[str]) -> None:
    out = put(elements, wanted)
    assert [word for word in out if word.islower()] == wanted
    assert [word for word in out if word.isupper()] == [word for word in elements if word.isupper()]


@given(words)
def test_nothing_changed_changes_nothing(elements: list[str]) -> None:
    assert put(elements, [word for word in elements if word.islower()]) == elements


# -- the rules


def text(name: str, path: str = "") -> Leaf:
    return Leaf(f"f:{name}", (name,), parse(path or name, {}), Copy(is_text))


def scope() -> Scope:
    return Scope(RelativeRefs(), "plan", "1", {}, {})


def edited(rule: Items | Scalars, node: Tree, new: Tree) -> Tree:
    """The node with the edit of a record that was read from it, which reads back."""
    old: Tree = {}
    rule.read(node, old, scope())
    rule.write(node, new, old, scope())
    back: Tree = {}
    rule.read(node, back, scope())
    assert back == new
    return node


def test_items_known_by_what_they_hold_keep_what_is_foreign_on_each() -> None:
    rule = Items("f", ("rows",), parse("item", {}), Keys("value"), [text("name"), text("value")])
    one, other = {"name": "a", "value": "1"}, {"name": "b", "value": "1", "mark": "theirs"}
    assert edited(rule, {"item": [copy(one), copy(other)]}, {"rows": [{"name": "b", "value": "1"}]}) == {
        "item": [other]
    }


def test_items_of_one_field_keep_what_is_foreign_on_each() -> None:
    rule = Items("f", ("rows",), parse("item", {}), Keys("name"), [text("name"), text("value")])
    node = {"item": [{"name": "a", "value": "1"}, {"name": "b", "value": "2", "mark": "theirs"}]}
    assert edited(rule, node, {"rows": [{"name": "b", "value": "3"}]}) == {
        "item": [{"name": "b", "value": "3", "mark": "theirs"}]
    }


def test_the_last_value_takes_the_list_its_siblings_and_what_held_it_along() -> None:
    rule = Scalars("f", ("given",), parse("name.given", {}), Copy(is_text))
    node = {"name": {"given": ["a", "b"], "_given": [None, {"id": "x"}]}}
    assert edited(rule, node, {"given": ["b"]}) == {"name": {"given": ["b"], "_given": [{"id": "x"}]}}
    assert edited(rule, node, {}) == {}
    assert edited(rule, {"name": {"given": ["a"]}}, {}) == {}
    assert edited(rule, node, {"given": ["c"]}) == {"name": {"given": ["c"]}}
    assert edited(rule, {"name": {"given": ["a"], "use": "usual"}}, {}) == {"name": {"use": "usual"}}


@pytest.mark.parametrize("leaf", ["text", "reason.text"])
def test_a_list_of_values_alone_leaves_elements_that_say_more_to_others(leaf: str) -> None:
    rule = Scalars("f", ("words",), parse("note", {}), Copy(is_text), leaf=parse(leaf, {}), alone=True)
    first: Tree = {}
    rule.write(first, {"words": ["a"]}, {}, scope())
    (ours,) = first["note"]
    node = {"note": [copy(ours), {**ours, "time": "2026"}, {**ours, "id": "x", "extension": []}]}
    assert edited(rule, copy(node), {"words": ["a", "a"]}) == node
    assert edited(rule, node, {}) == {"note": [{**ours, "time": "2026"}]}
