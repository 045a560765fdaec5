"""One step of a path, and where among the elements of other rules a new one belongs."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.mapping.path_steps import NO_SIBLINGS, Siblings, Slice, Step


def by(**keys: str) -> Step:
    return Step("item", "element", tuple(keys.items()))


STEPS = Siblings([by(a="1"), by(b="1", a="2"), Slice("item", "element", deep=(("c.d", "x"),)), by(a="3"), by(a="2")])
values = st.sampled_from(["1", "2", "3", None, 1, [], {}, {"d": "x"}])
elements = st.one_of(st.dictionaries(st.sampled_from("abc"), values), st.none(), st.just("text"))


@given(st.lists(elements, max_size=6), st.integers(0, len(STEPS)))
def test_a_new_element_stands_before_the_first_that_a_later_rule_selects(rows: list[Any], rank: int) -> None:
    step = STEPS[rank] if rank < len(STEPS) else by(a="nobody's")
    later = STEPS[rank + 1 :]
    wanted = [at for at, row in enumerate(rows) if any(other.matches(row) for other in later)]
    assert STEPS.slot(rows, step) == (wanted[0] if wanted else len(rows))


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
