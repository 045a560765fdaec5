"""Whole histories: those that Hypothesis draws (`histories`), and those that were found once. `HYPOTHESIS_PROFILE=soak` draws
very many.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import process_time
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from adapter.errors import AdapterError, Gone, NotFound
from adapter.fhir_json import copy
from adapter.ports import ENDED
from adapter.services.exchange import How
from tests.sync.afresh import AFRESH
from tests.sync.histories import EAST, NORTH, SOUTH, WEST, Histories
from tests.sync.mistakes import MISTAKES
from tests.sync.silence import HOURS
from tests.sync.wire import Life
from tests.sync.world import DIAGNOSIS, GOALS, LATER, PATIENT, PLAN, World, goal, name_of


@pytest.fixture
def world() -> Iterator[World]:
    made = World(synced=True)
    yield made
    made.close()


def states(world: World, server: str) -> dict[str, str]:
    """What became of each part of the plan at a server of `west`."""
    return {link.part: link.state for link in world.adapters[WEST].store.links(server) if link.kind == "plan"}


def edit(world: World) -> None:
    """`west` writes its plan anew."""
    west = world.adapters[WEST]
    west.write({**copy(west.record("plan", PLAN)), "title": "another"})


def clash(world: World) -> Any:
    """`west` deletes its plan, which was changed there, and meets that; the plan that is there."""
    west, site = world.adapters[WEST], world.sites[NORTH]
    west.delete("plan", PLAN)
    (plan,) = site.here("CarePlan", PLAN)
    site.server.update({**plan, "title": "theirs"})
    assert west.run(NORTH, "both")
    return plan


def sent_without(world: World) -> Any:
    """A goal is deleted at `north`, and `west` sends its plan without it; what the goal was there."""
    west, site = world.adapters[WEST], world.sites[NORTH]
    (there,) = site.here("Goal", GOALS[0])
    site.server.delete("Goal", there["id"])
    world.later(HOURS)
    assert west.run(NORTH, "both")
    edit(world)
    assert west.run(NORTH, "both")
    return there


def given_up(world: World) -> list[str]:
    """The titles that the journal of `west` keeps of what was replaced."""
    entries = world.adapters[WEST].store.entries("plan", PLAN)
    return [one.before["title"] for one in entries if one.verb == "replaced"]


def test_what_was_deleted_in_a_time_that_the_server_had_twice_is_seen(world: World) -> None:
    assert world.adapters[WEST].run(NORTH, "both")
    site = world.sites[NORTH]
    site.clock.off = -3600.0
    (goal,) = site.here("Goal", GOALS[0])
    site.server.delete("Goal", goal["id"])
    world.later(HOURS)
    assert world.adapters[WEST].run(NORTH, "pull")
    assert states(world, NORTH)[f"Goal/{GOALS[0]}"] == "gone"


def test_a_backup_that_took_away_what_was_only_sent_is_noticed(world: World) -> None:
    west = world.adapters[WEST]
    edit(world)
    assert west.run(SOUTH, "push")
    world.sites[SOUTH].restore()
    world.later(HOURS)
    assert west.run(SOUTH, "pull")
    assert states(world, SOUTH)[""] == "quarantine"


def test_a_backup_is_noticed_where_the_newest_was_deleted_after_it(world: World) -> None:
    west, site = world.adapters[WEST], world.sites[SOUTH]
    edit(world)
    assert west.run(SOUTH, "both")
    world.later(HOURS)
    (goal,) = site.here("Goal", GOALS[0])
    site.server.update({**goal, "description": {"text": "another"}})
    assert west.run(SOUTH, "both")
    site.restore()
    site.server.delete("Goal", goal["id"])
    world.later(HOURS)
    assert west.run(SOUTH, "pull")
    assert states(world, SOUTH)[""] == "quarantine"


@pytest.mark.parametrize("more", [1, 4])
def test_a_backup_that_came_back_within_a_run_is_noticed_though_newer_things_are_there(world: World, more: int) -> None:
    west, site = world.adapters[WEST], world.sites[SOUTH]
    edit(world)
    assert west.run(SOUTH, "both")
    diagnosis = west.record("diagnosis", DIAGNOSIS)
    for number in range(100, 100 + more):
        west.write({**copy(diagnosis), "id": name_of(number)})
    west.run(SOUTH, "push", Life("in flight", 0, site.restore))
    assert all(site.here("Condition", name_of(number)) for number in range(100, 100 + more))
    world.later(HOURS)
    assert west.run(SOUTH, "pull")
    assert states(world, SOUTH)[""] == "quarantine"


def test_a_backup_that_took_away_what_a_conflict_showed_is_noticed_after_it_was_decided(world: World) -> None:
    west, site = world.adapters[WEST], world.sites[SOUTH]
    edit(world)
    assert west.run(SOUTH, "both")
    world.later(HOURS)
    assert west.run(SOUTH, "both")
    site.save()
    (plan,) = site.here("CarePlan", PLAN)
    site.server.update({**plan, "title": "theirs"})
    west.write({**copy(west.record("plan", PLAN)), "title": "ours"})
    # Met by the push, which reads it.
    assert west.run(SOUTH, "push")
    (conflict,) = west.store.conflicts(SOUTH)
    site.restore()
    west.desk.resolve(conflict.number, "theirs")
    world.later(HOURS)
    assert west.run(SOUTH, "pull")
    assert states(world, SOUTH)[""] == "quarantine"


def test_a_server_that_does_not_tell_what_was_deleted_from_what_never_was_is_looked_through_once(world: World) -> None:
    west, site = world.adapters[WEST], world.sites[SOUTH]
    read = site.server.read

    def forgets(type_: str, id_: str) -> Any:
        try:
            return read(type_, id_)
        except Gone:
            raise NotFound("There is none.") from None

    (goal,) = site.here("Goal", GOALS[0])
    site.server.update({**goal, "description": {"text": "another"}})
    assert west.run(SOUTH, "pull")
    site.server.delete("Goal", goal["id"])
    looks = []
    with patch.object(site.server, "read", forgets):
        for _ in range(3):
            world.later(1.0)
            assert west.run(SOUTH, "pull").error is None
            looks.append(west.store.state(SOUTH).last_sweep)
    assert looks == [looks[0]] * 3
    assert states(world, SOUTH)[f"Goal/{GOALS[0]}"] == "gone"


def test_what_a_backup_brings_back_is_asked_about(world: World) -> None:
    west, site = world.adapters[WEST], world.sites[NORTH]
    for id_ in GOALS:
        (goal,) = site.here("Goal", id_)
        site.server.delete("Goal", goal["id"])
    assert west.run(NORTH, "pull")
    assert states(world, NORTH) == {"": "linked", **{f"Goal/{id_}": "gone" for id_ in GOALS}}
    site.restore()
    (goal,) = site.here("Goal", GOALS[0])
    site.server.update({**goal, "description": {"text": "another"}})
    world.later(HOURS)
    assert west.run(NORTH, "pull")
    assert states(world, NORTH) == {"": "linked", **{f"Goal/{id_}": "conflict" for id_ in GOALS}}


def test_what_a_conflict_showed_and_a_backup_took_away_stands_in_the_journal(world: World) -> None:
    west, site = world.adapters[WEST], world.sites[NORTH]
    clash(world)
    site.restore()
    world.later(HOURS)
    assert west.run(NORTH, "both")
    assert given_up(world) == ["theirs"]


def test_a_conflict_about_what_is_then_deleted_there_too_is_over_and_what_it_showed_is_kept(world: World) -> None:
    west, site = world.adapters[WEST], world.sites[NORTH]
    plan = clash(world)
    assert west.store.conflicts(NORTH)
    site.server.delete("CarePlan", plan["id"])
    world.later(HOURS)
    assert west.run(NORTH, "both")
    assert west.store.conflicts(NORTH) == []
    assert given_up(world) == ["theirs"]


@pytest.mark.parametrize("how", ["push", "pull"])
def test_a_plan_that_was_sent_with_a_new_goal_and_had_no_answer_names_it_once(world: World, how: How) -> None:
    """Read first, the plan named a goal that was not known yet: the same goal a second time."""
    west = world.adapters[WEST]
    plan = copy(west.record("plan", PLAN))
    west.write({**plan, "goals": [*plan["goals"], goal(LATER, "another")]})
    west.wires[SOUTH].faults = ["lost answer"]
    west.run(SOUTH, "push")
    for each in (how, "both"):
        assert west.run(SOUTH, each).error is None
    (there,) = world.sites[SOUTH].here("CarePlan", PLAN)
    assert len(there["goal"]) == 3
    assert len(west.record("plan", PLAN)["goals"]) == 3
    assert there["meta"]["versionId"] == "2", "found there, and not written again"


def test_a_plan_that_had_no_answer_names_its_new_goal_once_where_a_backup_is_noticed_first() -> None:
    """Then all that is linked there is looked at, before what is in flight."""
    world = World(synced=False)
    west, site = world.adapters[WEST], world.sites[NORTH]
    try:
        west.run(NORTH, "push", Life("recorded", 0, site.restore))
        west.write({**copy(plan := west.record("plan", PLAN)), "goals": [*plan["goals"], goal(LATER, "new")]})
        west.wires[NORTH].faults = ["lost answer"]
        west.run(NORTH, "push")
        for _ in range(2):
            world.later(HOURS)
            assert west.run(NORTH, "both").error is None
        (there,) = site.here("CarePlan", PLAN)
        named = [one["reference"] for one in there["goal"]]
        assert len(named) == len(set(named)) == 3
    finally:
        world.close()


def test_a_goal_that_two_adapters_add_is_named_once(world: World) -> None:
    """The second one reads the plan of the first before it sends its own."""
    for name in (WEST, EAST):
        adapter = world.adapters[name]
        plan = copy(adapter.record("plan", PLAN))
        adapter.write({**plan, "goals": [*plan["goals"], goal(LATER, "another")]})
        for _ in range(2):
            assert adapter.run(NORTH, "both").error is None
    (there,) = world.sites[NORTH].here("CarePlan", PLAN)
    assert len(there["goal"]) == 3


@pytest.mark.parametrize("fault", ["late", "lost request"])
def test_a_goal_that_two_add_is_named_once_and_both_are_asked_where_an_answer_is_lost(world: World, fault: str) -> None:
    """What is found under our identifier is not taken for ours, and edited since: ours never came."""
    for name, text in ((EAST, "theirs"), (WEST, "ours")):
        adapter = world.adapters[name]
        plan = copy(adapter.record("plan", PLAN))
        adapter.write({**plan, "goals": [*plan["goals"], goal(LATER, text)]})
        if name == EAST:
            assert adapter.run(NORTH, "both")
            assert adapter.run(NORTH, "both")
    west = world.adapters[WEST]
    west.wires[NORTH].faults = ["down", fault]
    for _ in range(4):
        west.run(NORTH, "push")
        world.later(HOURS)
    west.wires[NORTH].deliver()
    (there,) = world.sites[NORTH].here("CarePlan", PLAN)
    assert len(there["goal"]) == 3
    assert len(west.record("plan", PLAN)["goals"]) == 3
    assert [(one.ours, one.theirs) for one in west.store.conflicts(NORTH)] == [("ours", "theirs")]


def test_a_goal_that_two_add_is_named_once_where_an_edit_of_its_plan_is_on_its_way(world: World) -> None:
    """What became of that edit is looked up before anything is read, when the goal is not known by its id there."""
    west, east = world.adapters[WEST], world.adapters[EAST]
    west.write({**copy(west.record("plan", PLAN)), "title": "ours"})
    west.wires[NORTH].faults = ["lost request"]
    assert west.run(NORTH, "push")
    for adapter in (west, east):
        plan = copy(adapter.record("plan", PLAN))
        adapter.write({**plan, "goals": [*plan["goals"], goal(LATER, adapter.name)]})
    for adapter in (east, west, west):
        world.later(HOURS)
        assert adapter.run(NORTH, "both")
    (there,) = world.sites[NORTH].here("CarePlan", PLAN)
    assert len(there["goal"]) == 3
    assert len(west.record("plan", PLAN)["goals"]) == 3
    assert [(one.ours, one.theirs) for one in west.store.conflicts(NORTH)] == [(WEST, EAST)]


def test_what_becomes_a_record_of_its_own_while_it_is_looked_up_is_leased_no_more(world: World) -> None:
    """It was known by the name that it had, and nobody could go on with it before the lease ran out."""
    east = world.adapters[EAST]
    plan = copy(east.record("plan", PLAN))
    plan["goals"][0]["statement"]["text"] = "theirs"
    east.write(plan)
    east.wires[NORTH].faults = ["lost request"]
    assert east.run(NORTH, "push")
    sent_without(world)
    assert east.run(NORTH, "both")
    assert [link for link in east.links() if link.lease_until] == []


def test_what_is_there_again_is_named_again_by_what_was_sent_without_it(world: World) -> None:
    west, site = world.adapters[WEST], world.sites[NORTH]
    there = sent_without(world)
    assert len(site.here("CarePlan", PLAN)[0]["goal"]) == 1
    site.server.update(there)
    world.later(HOURS)
    assert west.run(NORTH, "both")
    assert [conflict.path for conflict in west.store.conflicts(NORTH)] == [""]
    assert len(site.here("CarePlan", PLAN)[0]["goal"]) == 2
    before = len(site.versions())
    world.later(HOURS)
    assert west.run(NORTH, "both")
    assert len(site.versions()) == before


def test_what_is_deleted_before_its_creation_is_recorded_is_gone() -> None:
    """Sent once more, it had another id, and the plan there named the one that was deleted."""
    world = World(synced=False)
    west, site = world.adapters[WEST], world.sites[NORTH]

    def delete() -> None:
        (goal,) = site.here("Goal", GOALS[0])
        site.server.delete("Goal", goal["id"])

    try:
        # Patient, then diagnoses, then the plan with its goals.
        west.run(NORTH, "push", Life("answered", 2, delete))
        world.later(HOURS)
        for _ in range(3):
            assert west.run(NORTH, "both").error is None
        assert states(world, NORTH)[f"Goal/{GOALS[0]}"] == "gone"
        assert not site.here("Goal", GOALS[0])
    finally:
        world.close()


@pytest.mark.parametrize("send", [True, False])
def test_what_a_conflict_showed_and_an_incident_took_away_stands_in_the_journal(world: World, send: bool) -> None:
    west, site = world.adapters[WEST], world.sites[NORTH]
    clash(world)
    site.server._held.clear()
    west.resume(NORTH, send=send)
    assert given_up(world) == ["theirs"]
    assert west.store.conflicts(NORTH) == []


@pytest.mark.parametrize("fault", ["lost answer", "lost request"])
def test_what_was_withdrawn_without_an_answer_and_is_kept_after_all_is_as_it_is_here(world: World, fault: str) -> None:
    west, site = world.adapters[WEST], world.sites[SOUTH]
    plan = copy(west.record("plan", PLAN))
    west.delete("plan", PLAN)
    west.wires[SOUTH].faults = [fault] * 3
    west.run(SOUTH, "push")
    west.write(plan)
    for _ in range(2):
        world.later(HOURS)
        assert west.run(SOUTH, "both").error is None
    assert [one["status"] for one in site.here("CarePlan", PLAN)] == ["active"]
    assert [one["lifecycleStatus"] for id_ in GOALS for one in site.here("Goal", id_)] == ["active", "active"]
    assert set(states(world, SOUTH).values()) == {"linked"}
    assert west.record("plan", PLAN)["status"] == "active"


def test_what_was_removed_there_and_is_brought_back_here_is_sent_anew() -> None:
    world = World(synced=True, removal="delete")
    west, site = world.adapters[WEST], world.sites[NORTH]
    try:
        plan = copy(west.record("plan", PLAN))
        west.delete("plan", PLAN)
        assert west.run(NORTH, "both").error is None
        assert not site.here("CarePlan", PLAN)
        west.write(plan)
        for _ in range(2):
            world.later(HOURS)
            assert west.run(NORTH, "both").error is None
        (there,) = site.here("CarePlan", PLAN)
        assert [site.now(*one["reference"].split("/"))["resourceType"] for one in there["goal"]] == ["Goal", "Goal"]
        assert set(states(world, NORTH).values()) == {"linked"}
    finally:
        world.close()


@pytest.mark.parametrize(("take", "goals"), [("theirs", 2), ("ours", 0)])
def test_the_parts_of_what_is_deleted_here_and_changed_there_wait_for_the_decision(take: Any, goals: int) -> None:
    world = World(synced=True, removal="delete")
    west, site = world.adapters[WEST], world.sites[NORTH]
    try:
        clash(world)
        assert len([one for id_ in GOALS for one in site.here("Goal", id_)]) == 2
        (conflict,) = west.store.conflicts(NORTH)
        west.desk.resolve(conflict.number, take)
        for _ in range(2):
            world.later(HOURS)
            assert west.run(NORTH, "both").error is None
        assert len([one for id_ in GOALS for one in site.here("Goal", id_)]) == goals
        assert set(states(world, NORTH).values()) == ({"linked"} if goals else {"closed"})
    finally:
        world.close()


def test_what_was_deleted_on_both_sides_and_is_kept_after_all_is_sent_anew(world: World) -> None:
    west, site = world.adapters[WEST], world.sites[NORTH]
    clash(world)
    (there,) = site.here("Goal", GOALS[0])
    site.server.delete("Goal", there["id"])
    world.later(HOURS)
    assert west.run(NORTH, "both").error is None
    assert states(world, NORTH)[f"Goal/{GOALS[0]}"] == "closed"
    (conflict,) = west.store.conflicts(NORTH)
    west.desk.resolve(conflict.number, "theirs")
    for _ in range(2):
        world.later(HOURS)
        assert west.run(NORTH, "both").error is None
    goals = {f"Goal/{one['id']}" for id_ in GOALS for one in site.here("Goal", id_)}
    (plan,) = site.here("CarePlan", PLAN)
    assert len(goals) == 2
    assert {one["reference"] for one in plan["goal"]} == goals
    assert set(states(world, NORTH).values()) == {"linked"}


def test_what_two_parts_of_ours_mean_is_the_one_s_that_has_it(world: World) -> None:
    """A goal that was deleted here with its plan, and is back by itself, while its deletion there is still to be decided."""
    west, site = world.adapters[WEST], world.sites[SOUTH]
    west.delete("plan", PLAN)
    (there,) = site.here("Goal", GOALS[1])
    site.server.update({**there, "description": {"text": "theirs"}})
    west.write({**goal(GOALS[1], "back"), "kind": "goal", "patient": PATIENT})
    for how in ("push", "both", "both"):
        west.run(SOUTH, how)
        world.later(HOURS)
    states = {link.kind: link.state for link in west.store.links(SOUTH) if link.remote_id == there["id"]}
    assert states == {"plan": "conflict"}
    west.desk.resolve(west.store.conflicts(SOUTH)[0].number, "ours")
    for _ in range(2):
        assert west.run(SOUTH, "both").error is None
        world.later(HOURS)
    links = [link for link in west.store.links(SOUTH) if link.remote_id == there["id"] and link.state not in ENDED]
    assert [link.kind for link in links] == ["goal"]


@pytest.mark.parametrize("late", [True, False])
def test_what_is_written_there_just_before_our_deletion_arrives_stands_in_the_journal(late: bool) -> None:
    """Servers delete whatever the version."""
    world = World(synced=True, removal="delete")
    west, site = world.adapters[WEST], world.sites[NORTH]

    def change() -> None:
        (plan,) = site.here("CarePlan", PLAN)
        site.server.update({**plan, "title": "theirs"})

    try:
        west.delete("plan", PLAN)
        west.wires[NORTH].faults = ["late"] * 3 if late else []
        west.run(NORTH, "push", Life("writing", 0, change))
        west.wires[NORTH].deliver()
        for _ in range(2):
            world.later(HOURS)
            assert west.run(NORTH, "both").error is None
        assert not site.here("CarePlan", PLAN)
        assert given_up(world) == ["theirs"]
    finally:
        world.close()


PROFILE = settings.get_current_profile_name()
LONG = PROFILE == "soak"
# After so many histories a mistake is to be found; in the long run, where others are drawn each time, luck has more room. The
# first two are cheap: they are tried each time.
SOON = 2_000 if LONG else 120
TRIED = list(MISTAKES) if LONG else list(MISTAKES)[:2]
TELL = 500


def drawn(most: int, **more: Any) -> settings:
    """So many histories, each by itself; the same at each run of the tests, others in the long one."""
    phases = tuple(Phase) if LONG else (Phase.generate,)
    given: dict[str, Any] = {"derandomize": not LONG, "phases": phases, "backend": AFRESH, "stateful_step_count": 12}
    return settings(max_examples=most, **{**given, **more})


class Counted(Histories):
    """A history that is counted when it held; `-s` shows how many there were."""

    made = 0

    def teardown(self) -> None:
        super().teardown()
        Counted.made += 1
        if Counted.made % TELL == 0:
            print(f"{Counted.made:,} histories held, {process_time() / Counted.made:.2f} s each", flush=True)


TestHistories = Counted.TestCase
# What fails in the long run is made small.
TestHistories.settings = drawn({"soak": 5_000, "mutants": 3}.get(PROFILE, 120))


@pytest.mark.parametrize("mistake", TRIED)
def test_a_mistake_is_found(mistake: str) -> None:
    """Else that no history fails says little."""
    tried = 0

    class Tried(Histories):
        def teardown(self) -> None:
            super().teardown()
            nonlocal tried
            tried += 1

    how = drawn(SOON, phases=(Phase.generate,), database=None)
    with MISTAKES[mistake](), pytest.raises((AssertionError, AdapterError, ExceptionGroup)):
        run_state_machine_as_test(Tried, settings=how)
    print(f"{mistake}: found after {tried} histories", flush=True)
