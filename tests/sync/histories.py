"""Whole histories, drawn by Hypothesis: edits, deletions, runs that die, that lose their answers, or in the midst of which
something else happens, clocks that jump, a backup that comes back. What holds then is in `silence`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from adapter.errors import Conflict
from adapter.fhir_json import copy
from adapter.services.exchange import How
from tests.sync.silence import HOURS, PLACES, Silence, word_here, word_there
from tests.sync.wire import FAULTS, POINTS, Life
from tests.sync.world import LATER, LEASE, PLAN, World, goal

Place = tuple[str, str]
WEST, EAST, NORTH, SOUTH = "west", "east", "north", "south"
LINES = [(WEST, NORTH), (WEST, SOUTH), (EAST, NORTH)]
MEANWHILE = ("edit there", "edit here", "delete there", "delete here", "others", "another", "another, later", "restore")
adapters, servers, lines = st.sampled_from([WEST, EAST]), st.sampled_from([NORTH, SOUTH]), st.sampled_from(LINES)
hows = st.sampled_from(["push", "pull", "both"])
# None is where something was written last: there it is where two meet.
places = st.none() | st.sampled_from(PLACES)

# What can happen: how often, and how.
STEPS: dict[str, tuple[int, dict[str, st.SearchStrategy[Any]]]] = {
    "edit": (4, {"line": lines, "place": places, "sides": st.sampled_from(["here", "there", "both"])}),
    "delete": (1, {"line": lines, "place": places, "sides": st.sampled_from(["here", "there", "both"])}),
    "run": (3, {"line": lines, "how": hows, "fates": st.lists(st.sampled_from(["", *FAULTS]), max_size=3)}),
    "run_until": (4, {
        "line": lines, "how": hows, "point": st.sampled_from(POINTS), "skip": st.integers(0, 2), "place": places,
        "what": st.sampled_from(["", *MEANWHILE]),
    }),
    "run_while_it_commits": (2, {"line": lines, "how": hows, "place": places}),
    "arrive": (1, {"line": lines}),
    "fall_sick": (1, {"line": st.sampled_from(LINES[1:]), "sick": st.booleans()}),
    "clock_jumps": (1, {"name": adapters | servers, "off": st.sampled_from([-3600.0, 0.0, 3600.0])}),
    "time_passes": (1, {"seconds": st.sampled_from([1.0, LEASE + 1.0, HOURS])}),
    "back_up": (1, {"name": servers, "back": st.booleans()}),
    "decide": (2, {"name": adapters, "take": st.sampled_from(["ours", "theirs"])}),
    "agree": (1, {"name": adapters}),
    "fall_silent": (1, {}),
}  # fmt: skip
_NAMES = [name for name, (often, _) in STEPS.items() for _ in range(often)]
steps = st.sampled_from(_NAMES).flatmap(lambda name: st.tuples(st.just(name), st.fixed_dictionaries(STEPS[name][1])))


class Histories(Silence, RuleBasedStateMachine):
    """One history. One rule for all that can happen: of several Hypothesis leaves out half each time, and what two of them do
    together is not found.
    """

    @initialize(
        synced=st.booleans(),
        policy=st.sampled_from(["ask", "ours", "theirs"]),
        removal=st.sampled_from(["withdraw", "delete"]),
        few=st.sampled_from([1, 25]),
    )
    def begin(self, synced: bool, **how: Any) -> None:
        self.world = World(synced=synced, **how)

    @rule(step=steps)
    def step(self, step: tuple[str, dict[str, Any]]) -> None:
        name, how = step
        getattr(self, name)(**how)

    def word(self, place: Place, before: str | None) -> str:
        """A new word for a place, written over another."""
        new = f"word {len(self.before)}"
        self.before[new], self.places[new] = before, place
        return new

    def _here(self, name: str, place: Place) -> None:
        adapter = self.world.adapters[name]
        plan, before = adapter.record("plan", PLAN), word_here(adapter, *place)
        if plan is None or (before is None and place[1] != LATER):
            return
        if before is None:
            plan = copy(plan)
            plan.setdefault("goals", []).append(goal(LATER, self.word(place, None)))
            adapter.write(plan)
        elif place[0] == "CarePlan" or any(one["id"] == place[1] for one in plan.get("goals", [])):
            self._write(name, place, self.word(place, before))

    def _write(self, name: str, place: Place, word: str) -> None:
        adapter = self.world.adapters[name]
        plan = copy(adapter.record("plan", PLAN))
        if place[0] == "CarePlan":
            plan["title"] = word
        for one in plan.get("goals", []):
            if one["id"] == place[1]:
                one["statement"]["text"] = word
        adapter.write(plan)

    def _there(self, name: str, place: Place, since: Any = None) -> None:
        site = self.world.sites[name]
        for resource in site.here(*place):
            word = self.word(place, word_there(resource))
            field = {"title": word} if place[0] == "CarePlan" else {"description": {"text": word}}
            if site.update({**resource, **field}, since=since):
                self.forgotten.add(word)

    def _at(self, place: Place | None) -> Place:
        return place or next(reversed(self.places.values()), PLACES[0])

    def edit(self, line: Place, place: Place | None, sides: str) -> None:
        at = self._at(place)
        if sides != "there":
            self._here(line[0], at)
        if sides != "here":
            self._there(line[1], at)

    def delete(self, line: Place, place: Place | None, sides: str) -> None:
        """A plan here, one of its goals there; or that is edited there."""
        at = self._at(place)
        if sides == "both":
            self._there(line[1], at)
        if sides != "there":
            self._delete_here(line[0])
        elif at[0] == "Goal":
            self._delete_there(line[1], at[1])

    def _delete_here(self, name: str) -> None:
        adapter = self.world.adapters[name]
        if adapter.record("plan", PLAN) is not None:
            self.ended |= {word for place in PLACES if (word := word_here(adapter, *place)) is not None}
            adapter.delete("plan", PLAN)
            self.deleted.add(name)

    def _delete_there(self, name: str, id_: str) -> None:
        for resource in self.world.sites[name].here("Goal", id_):
            self.ended.add(word_there(resource))
            self.world.sites[name].server.delete("Goal", resource["id"])

    # Runs

    def run(self, line: Place, how: How, fates: Sequence[str] = (), life: Life | None = None) -> None:
        """A run, and what becomes of its first requests that write."""
        adapter, wire = self.world.adapters[line[0]], self.world.adapters[line[0]].wires[line[1]]
        wire.faults = list(fates)
        adapter.run(line[1], how, life)
        wire.faults = []

    def run_until(self, line: Place, how: How, point: str, skip: int, place: Place | None, what: str) -> None:
        """A run in the midst of which the process dies, or something else happens."""
        self.run(line=line, how=how, life=Life(point, skip, self._meanwhile(line, self._at(place), what)))

    def _meanwhile(self, line: Place, place: Place, what: str) -> Callable[[], object] | None:
        name, server = line
        happens: dict[str, Callable[[], object]] = {
            "edit there": lambda: self._there(server, place),
            "edit here": lambda: self._here(name, place),
            "delete there": lambda: self._delete_there(server, place[1]),
            "delete here": lambda: self._delete_here(name),
            "others": lambda: self.run(line=(EAST if name == WEST else WEST, NORTH), how="both"),
            "another": lambda: self.run(line=line, how="both"),
            "another, later": lambda: (self.world.later(LEASE + 1.0), self.run(line=line, how="both")),
            "restore": lambda: self._restore(server),
        }
        return happens.get(what)

    def run_while_it_commits(self, line: Place, how: How, place: Place | None) -> None:
        """What is written there in a transaction that began before becomes visible after it."""
        site, at = self.world.sites[line[1]], self._at(place)
        since, before = site.clock.now(), site.here(*at)
        self.run(line=line, how=how)
        if site.here(*at) == before:
            self._there(line[1], at, since)

    def arrive(self, line: Place) -> None:
        """What was sent, and is late, gets there now."""
        self.world.adapters[line[0]].wires[line[1]].deliver()

    def fall_sick(self, line: Place, sick: bool) -> None:
        self.world.adapters[line[0]].wires[line[1]].sick = sick

    # Time

    def clock_jumps(self, name: str, off: float) -> None:
        """Where two clocks are set back together nobody can tell: either those here jump, or those there, and those once: of
        a clock that goes back and forth between two looks nobody can tell.
        """
        here = [adapter.clock for adapter in self.world.adapters.values()]
        there = [site.clock for site in self.world.sites.values()]
        if name in self.world.adapters and not any(clock.off for clock in there):
            self.world.adapters[name].clock.off = off
        elif name in self.world.sites and not any(clock.off for clock in here):
            self.world.sites[name].clock.off = self.world.sites[name].clock.off or off

    def time_passes(self, seconds: float) -> None:
        self.world.later(seconds)

    def back_up(self, name: str, back: bool) -> None:
        """A backup is taken, or comes back."""
        if back:
            self._restore(name)
        else:
            self.world.sites[name].save()

    def _restore(self, name: str) -> None:
        """Words that only the server knew are forgotten with it; so is that something was deleted."""
        site = self.world.sites[name]
        site.restore()
        known = self._told() + repr(site.versions()) + repr([other.versions() for other in self.world.sites.values()])
        self.forgotten |= {word for word in self.before if repr(word) not in known}
        self.restored = True

    # People

    def decide(self, name: str, take: Any) -> None:
        adapter = self.world.adapters[name]
        for conflict in adapter.store.conflicts()[:1]:
            # Where the record has changed since, they look at it again.
            with suppress(Conflict):
                adapter.desk.resolve(conflict.number, take)
                self.decided.add(name)

    def agree(self, name: str) -> None:
        """They write here what stands there, over what they see here."""
        adapter = self.world.adapters[name]
        plan = adapter.record("plan", PLAN) or {}
        held = {("CarePlan", PLAN), *(("Goal", one["id"]) for one in plan.get("goals", []))} if plan else set()
        for conflict in adapter.store.conflicts()[:1]:
            link = adapter.store.link(conflict.key)
            place = ("Goal", conflict.part.partition("/")[2]) if conflict.part else ("CarePlan", conflict.record_id)
            if link is not None and link.theirs is not None and place in held:
                self.ended.add(word_here(adapter, *place) or "")
                self._write(name, place, word_there(link.theirs))

    def fall_silent(self) -> None:
        self.silence()

    def teardown(self) -> None:
        if hasattr(self, "world"):
            try:
                if self.before or self.deleted:
                    self.silence()
            finally:
                self.world.close()
