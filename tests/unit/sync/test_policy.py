"""Who wins where both changed: the longest path, by server; a person where nothing says so."""

from __future__ import annotations

import pytest

from adapter.errors import UsageError
from adapter.sync.merge import MISSING, UNDECIDED, Clash
from adapter.sync.policy import Policies, Times, policy_of, take_for


def test_the_longest_path_counts() -> None:
    policies = {"*": "ours", "Goal": "theirs", "Goal.note": "ask"}
    assert take_for(policies, "Goal.statusReason") == "theirs"
    assert take_for(policies, "Goal.note[id=n1].text") == "ask"
    assert take_for(policies, "CarePlan.title") == "ours"
    assert take_for({}, "CarePlan.title") == "ask"


@pytest.mark.parametrize(("here", "there", "newest"), [(10, 20, "theirs"), (20, 10, "ours"), (10, 11, "ask")])
def test_newest_asks_where_the_clocks_are_too_close(here: float, there: float, newest: str) -> None:
    assert Times(here, there).newest == newest


def test_what_is_taken_away_may_win() -> None:
    choose = Policies({"*": "theirs"}, Times(0, 0), [])
    assert choose(Clash("Goal.note", "a", "b", None)) is MISSING
    assert Policies({}, Times(0, 0), [])(Clash("Goal.note", "a", "b", "c")) is UNDECIDED


@pytest.mark.parametrize(
    "text", ["Goal", "Goal=mine", "=ours", "goal.note=ours", "Goal.note[1]=ours", "Goal=ours=theirs"]
)
def test_a_policy_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        policy_of(text)
