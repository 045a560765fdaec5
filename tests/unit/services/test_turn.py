"""Two processes that read from one server at a time: one reads, the other says so; where they meet all the same, nothing
is taken twice and nothing refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import Unavailable
from adapter.ports import Link
from adapter.services.exchange import exchange
from adapter.sync.pull import pull
from adapter.sync.receive import Plan
from adapter.sync.turn import Turn
from tests.unit.services.scene import NAME, Scene, scene

GOAL = {"resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Theirs"}}


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    made = scene(tmp_path)
    made.push()
    made.pull()
    return made


def new_there(made: Scene) -> dict[str, Any]:
    return made.client.create({**GOAL, "subject": made.goal()["subject"]}).resource


def test_the_schedule_leaves_reading_to_who_reads_and_sends_all_the_same(made: Scene) -> None:
    new_there(made)
    other = Turn(made.partner())
    assert other.taken()
    made.edit_goal(status_reason="changed here")
    ran = exchange(made.partner(), hurry=False)
    assert ran.error is None
    assert ran.report.counts() == {"busy": 1, "updated": 2}
    with other:
        pass
    assert exchange(made.partner(), hurry=False).report.counts() == {"adopted": 1}


def test_who_asks_in_person_does_not_wait_and_the_other_stops(made: Scene) -> None:
    new_there(made)
    other = Turn(made.partner())
    assert other.taken()
    assert exchange(made.partner(), "pull").report.counts() == {"adopted": 1}
    assert made.partner().store.take_turn(NAME, "pull", "a third", seconds=600)
    made.clock.at = made.clock.at.replace(hour=made.clock.at.hour, minute=made.clock.at.minute + 2)
    with pytest.raises(Unavailable, match="taken over"):
        other.go_on()


def test_a_turn_is_kept_up_page_by_page(made: Scene) -> None:
    turn = Turn(made.partner(), _renewed=-1e9)
    taken = made.partner().store.take_turn(NAME, "pull", turn.holder, seconds=1)
    pull(made.partner(), turn=turn)
    made.clock.at = made.clock.at.replace(second=made.clock.at.second + 30)
    assert taken
    assert not Turn(made.partner()).taken()


def test_two_that_take_the_same_over_make_one_record_and_refuse_none(made: Scene) -> None:
    new_there(made)
    met: list[bool] = []

    def late(plan: Plan, links: Sequence[Link]) -> None:
        if not met:
            met.append(True)
            pull(made.partner())
        made.carry_out(plan, links)

    pull(replace(made.partner(), carry_out=late))
    assert met
    assert made.store.arrivals(NAME, "refused") == []
    assert [one["statement"]["text"] for one in made.store.records("goal")] == ["Theirs"]
    made.pull()
    assert made.store.arrivals(NAME) == []
    assert len(made.links("Goal")) == len({link.remote_id for link in made.links("Goal")})
