"""What holds of a world that has fallen silent: the eight invariants of docs/sync.md, on all sides.

An edit writes a word that is used once. What became of the word is then looked for: it stands on every side, or who wrote
over it had seen it, or a conflict or the journal has it.
"""

from __future__ import annotations

from typing import Any

from adapter.errors import Unavailable
from adapter.ports import ENDED
from adapter.sync.differences import differences
from adapter.sync.partner import bare
from tests.sync.wire import GONE, as_there, references
from tests.sync.world import GOALS, LATER, PLAN, Adapter, World

Tree = dict[str, Any]
HOURS = 7200.0
ROUNDS = 12
# Said at each look, and nothing is done.
QUIET = ("waiting", "left there")
# (type, record or item): the word that stands there.
PLACES = [("CarePlan", PLAN), *(("Goal", id_) for id_ in [*GOALS, LATER])]


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


class Silence:
    """A world in which something was done, and what of that matters for what holds afterwards."""

    def __init__(self) -> None:
        super().__init__()
        self.world: World
        # Each word, and over which it was written.
        self.before: dict[str, str | None] = {}
        self.places: dict[str, tuple[str, str]] = {}
        # Words that only a server knew which then came back from a backup, or that got a number there which another had
        # before; those that stood where somebody deleted.
        self.forgotten: set[str] = set()
        self.ended: set[str] = set()
        # Adapters at which the plan was deleted, and at which somebody decided.
        self.deleted: set[str] = set()
        self.decided: set[str] = set()
        self.restored = False

    def silence(self) -> None:
        """Everything that is on its way arrives, everybody exchanges until nothing moves any more, and then it holds."""
        for adapter, server in self.world.pairs:
            adapter.wires[server].deliver()
        self.world.later(HOURS)
        for _ in range(ROUNDS):
            before = {name: len(site.versions()) for name, site in self.world.sites.items()}
            if not self._moved():
                break
        else:
            raise AssertionError("no silence: something is written again and again")
        # I6, I7: once all is quiet, a look changes nothing.
        assert {name: len(site.versions()) for name, site in self.world.sites.items()} == before
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
            moved = moved or any(step.verb not in QUIET for step in ran.report.steps)
        return moved

    def _one_resource_each(self, adapter: Adapter, server: str) -> None:
        """I2: a duplicate is there only where it has been set aside and is said."""
        site = self.world.sites[server]
        for type_, id_ in PLACES:
            found = site.here(type_, id_)
            aside = [link for link in adapter.links() if link.type == type_ and link.state == "quarantine"]
            assert len(found) <= 1 or aside, f"{len(found)} of {type_} on {server}"
        remote = [link.remote for link in adapter.store.links(server) if link.remote_id and link.state not in ENDED]
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
            named = references(there)
            assert len(named) == len(set(named)), f"something is named twice: {named}"
            for reference in named:
                assert reference in site.server._held or self.restored, reference

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
        # After a backup came back, what was edited there as often as before looks like one edit more of theirs: then the
        # record's own history has what stood here.
        told = self._told() if self.restored else told
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
            for kind, id_ in [("plan", PLAN), *(("goal", id_) for id_ in [*GOALS, LATER])]:
                texts += [repr((one.before, one.after)) for one in adapter.store.entries(kind, id_)]
                if records and adapter.record(kind, id_) is not None:
                    texts.append(repr(adapter.store.revisions(kind, id_)))
        return "\n".join(texts)

    def _nothing_comes_back(self) -> None:
        """I5: a plan that was deleted stays so where nobody decided otherwise."""
        for name in self.deleted - self.decided:
            assert self.world.adapters[name].record("plan", PLAN) is None, name
