"""One step of a path, and where among the elements of other rules a new one belongs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.mapping import path_steps
from adapter.mapping.path_steps import NO_SIBLINGS, Siblings, Slice, Step


def by(**keys: str) -> Step:
    return Step("item", "element", tuple(keys.items()))


@pytest.fixture(autouse=True)
def _patterns_are_made_anew() -> None:
    path_steps._pattern.cache_clear()


def neighbours() -> Siblings:
    return Siblings([by(a="1"), by(b="1", a="2"), Slice("item", "element", deep=(("c.d", "x"),)), by(a="3"), by(a="2")])


values = st.sampled_from(["1", "2", "3", None, 1, [], {}, {"d": "x"}])
elements = st.one_of(st.dictionaries(st.sampled_from("abc"), values), st.none(), st.just("text"))


@given(st.lists(elements, max_size=6), st.integers(0, 5))
def test_a_new_element_stands_before_the_first_that_a_later_rule_selects(rows: list[Any], rank: int) -> None:
    steps = neighbours()
    step = steps[rank] if rank < len(steps) else by(a="nobody's")
    later = steps[rank + 1 :]
    wanted = [at for at, row in enumerate(rows) if any(other.matches(row) for other in later)]
    assert steps.slot(rows, step) == (wanted[0] if wanted else len(rows))


def test_without_neighbours_it_goes_to_the_end() -> None:
    assert NO_SIBLINGS.slot([{"a": "1"}, {}], by(a="1")) == 2


def test_elements_known_by_a_key_are_looked_up_and_not_asked_rule_by_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """A form with hundreds of linkIds: every rule asked of every answer took seconds for one record."""
    many = Siblings([by(linkId=str(number)) for number in range(500)])
    rows: list[Any] = [{"linkId": str(number)} for number in range(500)]
    asked: list[Any] = []
    monkeypatch.setattr(Step, "matches", lambda _, element: asked.append(element))
    assert many.slot(rows, many[249]) == 250
    assert many.slot(rows[:250], many[250]) == 250
    assert asked == []


@pytest.mark.parametrize(
    ("rows", "rank", "at"),
    [
        ([{"a": "1"}, {"a": "2", "b": "1"}], 0, 1),
        ([{"a": "1"}, {"a": "2"}, {"a": "3"}], 0, 1),
        ([{"a": "3"}, {"a": "2"}], 3, 1),
        ([{"a": "3"}, {"a": "2"}], 4, 2),
        ([{"c": {"d": "x"}}, {"a": "3"}], 0, 0),
        ([{"c": {"d": "x"}}, {"a": "3"}], 2, 1),
        ([{"c": {"d": "x"}}], 3, 1),
        ([{"a": ["3"]}, {"a": None}, "3", {"a": "3"}], 0, 3),
        ([{"c": {"d": "y"}}], 0, 1),
    ],
)
def test_where_a_new_element_of_a_rule_stands(rows: list[Any], rank: int, at: int) -> None:
    steps = neighbours()
    assert steps.slot(rows, steps[rank]) == at


def test_what_a_slice_asks_for_beyond_its_keys_is_asked_too() -> None:
    sliced = Slice("identifier", "element", (("use", "official"),), deep=(("type.text", "MR"),))
    steps = Siblings([by(a="1"), sliced])
    rows: list[Any] = [{"use": "official"}, {"use": "official", "type": {"text": "MR"}}]
    assert steps.slot(rows, steps[0]) == 1


def test_the_neighbours_stay_in_their_order() -> None:
    assert [step.keys for step in neighbours()] == [
        (("a", "1"),),
        (("b", "1"), ("a", "2")),
        (),
        (("a", "3"),),
        (("a", "2"),),
    ]
    assert len(NO_SIBLINGS) == 0


def test_a_step_knows_its_elements() -> None:
    step = Step("item", "element", (("a", "1"),), (("b", "2"),))
    assert step.make() == {"a": "1", "b": "2"}
    assert [step.matches(row) for row in ({"a": "1"}, {"a": "2"}, {"b": "2"}, "a", None)] == [True, *[False] * 4]
    assert step.bare({"a": "1", "b": "2", "id": "x"})
    assert step.bare({"a": "1"})
    assert not step.bare({"a": "1", "c": 1})
    assert step.plain
    only = Step("item", "only", has="x")
    assert (only.plain, only.matches({"x": 0}), only.matches({"y": 0})) == (False, True, False)
    assert only.only([{"x": 1}, {"y": 1}]) == {"x": 1}
    assert only.only([{"x": 1}, {"x": 2}]) is None
    assert Step("item", "only").only(["a"]) == "a"
    assert Step("item", "only").only([]) is None


def test_a_slice_is_what_a_profile_cuts() -> None:
    step = Slice(
        "category", "element", (("use", "a"),), deep=(("coding.system", "s"), ("coding.code", "c"), ("kind.text", "k"))
    )
    made = {"use": "a", "coding": [{"system": "s", "code": "c"}], "kind": {"text": "k"}}
    assert step.make() == made
    assert step.make() is not step.make()
    assert step.make()["coding"] is not step.make()["coding"]
    assert step.matches({**made, "more": 1})
    assert step.matches({**made, "coding": [{"system": "x"}, {"system": "s", "code": "c", "display": "C"}]})
    assert not step.matches({**made, "coding": [{"system": "s"}, {"code": "c"}]})
    assert not step.matches({**made, "coding": {"system": "s", "code": "c"}})
    assert not step.matches({**made, "kind": [{"text": "k"}]})
    assert not step.matches("a")
    assert step.plain is False
    assert step.bare({**made, "id": "x"})
    assert not step.bare({**made, "more": 1})
    assert not step.bare({**made, "use": "b"})
