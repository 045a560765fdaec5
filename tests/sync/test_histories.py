"""Whole histories, drawn by Hypothesis: edits, deletions, runs that die or lose their answers, clocks that jump, a backup that
comes back; after every silence the eight invariants hold on all sides (docs/sync.md).

An edit writes a word that is used once. What became of the word is then looked for: it stands on every side, or who wrote
over it had seen it, or a conflict or the journal has it. `HYPOTHESIS_PROFILE=soak` draws very many.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from adapter.errors import Unavailable
from adapter.fhir_json import copy
from adapter.services.exchange import How
from adapter.sync.differences import differences
from adapter.sync.partner import bare
from tests.sync.wire import FAULTS, GONE, POINTS, Life, as_there, references
from tests.sync.world import GOALS, LEASE, PLAN, Adapter, World

Tree = dict[str, Any]
HOURS = 7200.0
ROUNDS = 12
# (record or item, field): the word that stands there.
PLACES = [("CarePlan", PLAN), *(("Goal", id_) for id_ in GOALS)]
WEST, EAST, NORTH, SOUTH = "west", "east", "north", "south"
adapters, servers = st.sampled_from([WEST, EAST]), st.sampled_from([NORTH, SOUTH])
hows = st.sampled_from(["push", "pull", "both"])


def word_there(resource: Tree) -> str:
    """The word that a resource has."""
    return str(resource["title"] if resource["resourceType"] == "CarePlan" else resource["description"]["text"])


def word_here(adapter: Adapter, type_: str, id_: str) -> str | None:
    """The word that a record or one of its goals has, None where it is not there."""
    plan = adapter.record("plan", PLAN)
    if type_ == "CarePlan":
        return None if plan is None else plan["title"]
    goals = [*(plan or {}).get("goals", []), adapter.record("goal", id_)]
    return next((goal["statement"]["text"] for goal in goals if goal is not None and goal["id"] == id_), None)


class Histories(RuleBasedStateMachine):
    """One history."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World
        self.before: dict[str, str | None] = {}
        self.places: dict[str, tuple[str, str]] = {}
        self.forgotten: set[str] = set()
        self.deleted: set[str] = set()
        self.ended: set[str] = set()
        self.decided: set[str] = set()
        self.restored = False

    # What happens

    @initialize(synced=st.booleans(), policy=st.sampled_from(["ask", "ours", "theirs"]))
    def begin(self, synced: bool, policy: Any) -> None:
        self.world = World(synced=synced, policy=policy)

    def word(self, place: tuple[str, str], before: str | None) -> str:
        """A new word for a place, written over another."""
        new = f"word {len(self.before)}"
        self.before[new], self.places[new] = before, place
        return new

    @rule(name=adapters, place=st.sampled_from(PLACES))
    def edit_here(self, name: str, place: tuple[str, str]) -> None:
        adapter = self.world.adapters[name]
        plan, before = adapter.record("plan", PLAN), word_here(adapter, *place)
        if plan is None or before is None:
            return
        plan = copy(plan)
        goal = next((one for one in plan.get("goals", []) if one["id"] == place[1]), None)
        if place[0] == "CarePlan":
            plan["title"] = self.word(place, before)
        elif goal is not None:
            goal["statement"]["text"] = self.word(place, before)
        adapter.write(plan)

    @rule(name=servers, place=st.sampled_from(PLACES))
    def edit_there(self, name: str, place: tuple[str, str]) -> None:
        site = self.world.sites[name]
        for resource in site.here(*place):
            word = self.word(place, word_there(resource))
            field = {"title": word} if place[0] == "CarePlan" else {"description": {"text": word}}
            site.server.update({**resource, **field})

    @rule(name=adapters)
    def delete_here(self, name: str) -> None:
        adapter = self.world.adapters[name]
        if adapter.record("plan", PLAN) is not None:
            self.ended |= {word for place in PLACES if (word := word_here(adapter, *place)) is not None}
            expect = {(row.type, row.id): str(row.version) for row in adapter.store.parts("plan", PLAN).values()}
            adapter.store.delete("plan", PLAN, expect=expect)
            self.deleted.add(name)

    @rule(name=servers, goal=st.sampled_from(GOALS))
    def delete_there(self, name: str, goal: str) -> None:
        for resource in self.world.sites[name].here("Goal", goal):
            self.ended.add(word_there(resource))
            self.world.sites[name].server.delete("Goal", resource["id"])

    @rule(name=adapters, server=servers, how=hows)
    def run(self, name: str, server: str, how: How) -> None:
        self._run(name, server, how, Life())

    @rule(
        name=adapters, server=servers, how=hows, fates=st.lists(st.sampled_from(["", *FAULTS]), min_size=1, max_size=3)
    )
    def run_badly(self, name: str, server: str, how: How, fates: list[str]) -> None:
        wire = self.world.adapters[name].wires.get(server)
        if wire is not None:
            wire.faults = fates
            self._run(name, server, how, Life())
            wire.faults = []

    @rule(name=adapters, server=servers, how=hows, point=st.sampled_from(POINTS), skip=st.integers(0, 2))
    def run_and_die(self, name: str, server: str, how: How, point: str, skip: int) -> None:
        self._run(name, server, how, Life(point, skip))

    def _run(self, name: str, server: str, how: How, life: Life) -> None:
        if server in self.world.adapters[name].wires:
            self.world.adapters[name].run(server, how, life)

    @rule(name=adapters, off=st.sampled_from([-3600.0, 0.0, 3600.0]))
    def clock_jumps(self, name: str, off: float) -> None:
        """Where two clocks are set back together nobody can tell: either those here jump, or those there."""
        if not any(site.clock.off for site in self.world.sites.values()):
            self.world.adapters[name].clock.off = off

    @rule(name=servers, off=st.sampled_from([-3600.0, 3600.0]))
    def clock_there_jumps(self, name: str, off: float) -> None:
        """Once: of a clock that goes back and forth between two looks nobody can tell."""
        clock = self.world.sites[name].clock
        if not any(adapter.clock.off for adapter in self.world.adapters.values()):
            clock.off = clock.off or off

    @rule(seconds=st.sampled_from([1.0, LEASE + 1.0, HOURS]))
    def time_passes(self, seconds: float) -> None:
        self.world.later(seconds)

    @rule(name=servers)
    def back_up(self, name: str) -> None:
        self.world.sites[name].save()

    @rule(name=servers)
    def restore(self, name: str) -> None:
        """Words that only the server knew are forgotten with it; so is that something was deleted."""
        site = self.world.sites[name]
        site.restore()
        known = self._told() + repr(site.versions()) + repr([other.versions() for other in self.world.sites.values()])
        self.forgotten |= {word for word in self.before if repr(word) not in known}
        self.restored = True

    @rule(name=adapters, take=st.sampled_from(["ours", "theirs"]))
    def decide(self, name: str, take: Any) -> None:
        adapter = self.world.adapters[name]
        for conflict in adapter.store.conflicts()[:1]:
            adapter.desk.resolve(conflict.number, take)
            self.decided.add(name)

    @rule(wire=st.sampled_from([(WEST, SOUTH), (EAST, NORTH)]), sick=st.booleans())
    def fall_sick(self, wire: tuple[str, str], sick: bool) -> None:
        self.world.adapters[wire[0]].wires[wire[1]].sick = sick

    # Silence, and what holds then

    @precondition(lambda self: self.before or self.deleted)
    @rule()
    def silence(self) -> None:
        for adapter, server in self.world.pairs:
            adapter.wires[server].deliver()
        self.world.later(HOURS)
        for _ in range(ROUNDS):
            if not self._moved():
                break
        else:
            raise AssertionError("no silence: something is written again and again")
        self._nothing_is_written()
        for adapter, server in self.world.pairs:
            if not adapter.wires[server].sick:
                self._one_resource_each(adapter, server)
                self._equal(adapter, server)
        self._nothing_is_lost()
        self._nothing_comes_back()

    def _moved(self) -> bool:
        moved = False
        for adapter, server in self.world.pairs:
            ran = adapter.run(server, "both")
            assert ran is not None
            if adapter.wires[server].sick:
                assert isinstance(ran.error, Unavailable)
                continue
            if adapter.store.server(server).paused:
                assert self.restored, adapter.store.server(server).paused
                adapter.resume(server, send=True)
                moved = True
                continue
            assert ran.error is None, ran.error
            moved = moved or any(step.verb != "waiting" for step in ran.report.steps)
        return moved

    def _nothing_is_written(self) -> None:
        """I6, I7: once all is quiet, a look changes nothing."""
        before = {name: len(site.versions()) for name, site in self.world.sites.items()}
        assert not self._moved()
        assert {name: len(site.versions()) for name, site in self.world.sites.items()} == before

    def _one_resource_each(self, adapter: Adapter, server: str) -> None:
        """I2: a duplicate is there only where it has been set aside and is said."""
        site = self.world.sites[server]
        for type_, id_ in PLACES:
            found = site.here(type_, id_)
            aside = [link for link in adapter.links() if link.type == type_ and link.state == "quarantine"]
            assert len(found) <= 1 or aside, f"{len(found)} of {type_} on {server}"
        remote = [link.remote for link in adapter.store.links(server) if link.remote_id]
        assert len(remote) == len(set(remote))

    def _equal(self, adapter: Adapter, server: str) -> None:
        """I3: what is linked is the same on both sides; I4: what it refers to is there."""
        site, links = self.world.sites[server], list(adapter.store.links(server))
        names = {
            "/".join(link.local): "/".join(link.remote) if link.remote_id and link.state != "gone" else GONE
            for link in links
        }
        # What was deleted there may be back, without a sign, from a backup that had it.
        dead = site.dead() | {"/".join(link.remote): GONE for link in links if link.state == "gone"}
        for link in links:
            if link.state != "linked":
                continue
            assert (link.wanted, link.in_flight) == (link.acked, ""), link
            row = adapter.store.resources([link.local])[link.local]
            if row.deleted:
                continue
            there = site.now(*link.remote)
            if there is None:
                # What a backup took away is noticed when it is next touched, at the latest.
                assert self.restored, link
                continue
            ours, theirs = (as_there(tree, dead, "") for tree in (as_there(row.tree, names, site.server.base), there))
            found = list(differences(bare(ours), bare(theirs)))
            assert found == [], (adapter.name, server, found)
            for reference in references(there):
                assert reference in site.server._held, reference

    def _nothing_is_lost(self) -> None:
        """I1: every word stands somewhere, was seen by who wrote over it, or is in a conflict or in the journal."""
        told = self._told(records=False)
        standing = {word for place in PLACES for word in self._standing(place)}
        seen = set(self.ended)
        for word in standing | self.ended | {word for word in self.before if f"'{word}'" in told}:
            over = self.before.get(word)
            while over is not None and over not in seen:
                seen.add(over)
                over = self.before.get(over)
        for word in self.before:
            kept = word in standing or word in seen or word in self.forgotten or f"'{word}'" in told
            assert kept, f"{word} of {self.places[word]} is lost; there stand {standing}"

    def _standing(self, place: tuple[str, str]) -> set[str]:
        here = {word_here(adapter, *place) for adapter in self.world.adapters.values()}
        there = {word_there(one) for site in self.world.sites.values() for one in site.here(*place)}
        return {word for word in here | there if word is not None}

    def _told(self, *, records: bool = True) -> str:
        """All that conflicts and journals, and the records' own histories, say."""
        texts = []
        for adapter in self.world.adapters.values():
            clashes = [one for state in ("open", "decided", "resolved") for one in adapter.store.conflicts(state=state)]
            texts += [repr((one.ours, one.theirs, one.base)) for one in clashes]
            texts += [repr(link.theirs) for link in adapter.links() if link.theirs is not None]
            for kind, id_ in [("plan", PLAN), *(("goal", id_) for id_ in GOALS)]:
                texts += [repr((one.before, one.after)) for one in adapter.store.entries(kind, id_)]
                if records and adapter.record(kind, id_) is not None:
                    texts.append(repr(adapter.store.revisions(kind, id_)))
        return "\n".join(texts)

    def _nothing_comes_back(self) -> None:
        """I5: a plan that was deleted stays so where nobody decided otherwise."""
        for name in self.deleted - self.decided:
            assert self.world.adapters[name].record("plan", PLAN) is None, name

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                if self.before or self.deleted:
                    self.silence()
            finally:
                self.world.close()


# Histories that were found once, and stay.


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
    expect = {(row.type, row.id): str(row.version) for row in west.store.parts("plan", PLAN).values()}
    west.store.delete("plan", PLAN, expect=expect)
    (plan,) = site.here("CarePlan", PLAN)
    site.server.update({**plan, "title": "theirs"})
    assert west.run(NORTH, "both")
    site.restore()
    world.later(HOURS)
    assert west.run(NORTH, "both")
    given_up = [one.before for one in west.store.entries("plan", PLAN) if one.verb == "replaced"]
    assert [tree["title"] for tree in given_up] == ["theirs"]


PROFILE = settings.get_current_profile_name()
TestHistories = Histories.TestCase
# The same histories at each run of the tests; others, and made small where one fails, in the long one.
TestHistories.settings = settings(
    max_examples={"soak": 10_000, "mutants": 3}.get(PROFILE, 120),
    stateful_step_count=12,
    derandomize=PROFILE != "soak",
    phases=tuple(Phase) if PROFILE == "soak" else (Phase.generate,),
)
