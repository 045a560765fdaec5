"""Where items go: what is not ours stays in place, survivors keep their slots, new ones follow their neighbour."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adapter.mapping.lists import merge, occurrence_keys


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


def test_equal_items_stay_apart() -> None:
    assert occurrence_keys(["a", "b", "a"], lambda item: item) == [("a", 1), ("b", 1), ("a", 2)]
