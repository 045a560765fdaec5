"""Two processes that read from one server at a time: one reads, the other says so; where they meet all the same, nothing
is taken twice and nothing refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import Conflict, Unavailable
from adapter.ports import Link
from adapter.services.exchange import attempt, exchange
from adapter.sync.partner import Partner
from adapter.sync.pull import pull
from adapter.sync.receive import Plan
from adapter.sync.turn import CONNECTION, HELD, Turn, connection
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


def scheduled(made: Scene) -> dict[str, int]:
    """What a run of one worker among several does."""

    @contextmanager
    def connect(_: str) -> Iterator[Partner]:
        yield made.partner()

    ran = attempt(made.store, made.clock, connect, NAME, "both", shared=True)
    assert ran.error is None
    return dict(ran.report.counts())


def test_all_workers_together_have_no_more_connections_than_are_allowed(made: Scene) -> None:
    made.set(connections=2)
    first, second = connection(made.partner()), connection(made.partner())
    assert first is not None
    assert second is not None
    assert connection(made.partner()) is None
    made.edit_goal(status_reason="changed here")
    tried = made.store.state(NAME).last_try
    assert scheduled(made) == {}
    assert made.store.state(NAME).last_try == tried
    with first:
        pass
    assert scheduled(made) == {"updated": 2}
    # It gave back what it took.
    assert connection(made.partner()) is not None
    assert connection(made.partner()) is None


def test_a_connection_that_another_took_over_ends_the_run_and_leaves_nothing_leased(made: Scene) -> None:
    made.set(connections=1)
    made.edit_goal(status_reason="changed here")
    held = connection(made.partner())
    assert held is not None
    made.clock.at += timedelta(seconds=made.partner().lease + 1)
    assert made.store.take_turn(NAME, CONNECTION.format(0), "another", seconds=600)
    ran = exchange(made.partner(), hurry=False, turn=held)
    assert (ran.error, ran.report.counts()) == (None, {})
    assert not any(link.lease_until for link in made.links())
    assert made.store.state(NAME).failures == 0


def test_a_process_that_is_to_end_sends_no_other_request_and_leaves_nothing_leased(made: Scene) -> None:
    made.set(bundle=1)
    made.edit_goal(status_reason="changed here")
    before = made.client.writes
    partner = replace(made.partner(), stopping=lambda: made.client.writes > before)
    held = connection(partner)
    assert held is not None
    ran = exchange(partner, "push", hurry=False, turn=held)
    assert (ran.error, made.client.writes) == (None, before + 1)
    assert not any(link.lease_until for link in made.links())
    assert made.store.state(NAME).failures == 0
    # What it did not come to goes next time.
    assert made.push().counts() == {"updated": 1}


def test_a_connection_is_kept_up_with_the_reading_in_it(made: Scene) -> None:
    held = connection(made.partner())
    assert held is not None
    reading = Turn(made.partner(), within=held)
    assert reading.taken()
    made.clock.at += timedelta(seconds=HELD / 2)
    reading.go_on()
    made.clock.at += timedelta(seconds=HELD * 0.75)
    assert not made.store.take_turn(NAME, held.work, "another", seconds=600)


def test_who_met_another_process_of_ours_does_not_make_the_server_wait_but_for_the_second_time(made: Scene) -> None:
    @contextmanager
    def met(_: str) -> Iterator[Partner]:
        raise Conflict("Two writes met.", reason="race")
        yield

    waits = []
    for _ in range(2):
        attempt(made.store, made.clock, met, NAME, "both", shared=True)
        state = made.store.state(NAME)
        waits.append((state.error, state.failures, bool(state.not_before)))
    assert waits == [("Two writes met.", 1, False), ("Two writes met.", 2, True)]
