"""Records of a provider's own kinds, brought into the store by way of FHIR, and out of it again.

The store holds the adapter's kinds. A record of a pack's own kind is written onto the resources that it made before, as
the laws of the mapping have it, and the maps of the store say which records those are: what a server or a person added
to them stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from adapter.errors import DataError
from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.mapping import Mapper
from adapter.mapping.bundle import Owned
from adapter.mapping.mapper import PackMaps
from adapter.ports import RecordStore, StoredResource
from adapter.services.face import unchanged
from adapter.sync.receive import Key, Plan, RecordWrite, Scene, plan

Check = Callable[[Any], list[Issue]]
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a record: "new", "changed", "unchanged" or "refused", the "kind/id" of what is held for it, issues."""

    verb: str
    held: list[str] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Provider:
    """The maps of a provider (`own`) over a store that speaks others (`held`).

    `check` finds what is wrong with a held record, `judge` what the clinical rules say of several, `unsendable` why what is
    written is sent to no server; `write` carries out a plan in one transaction.
    """

    store: RecordStore
    own: Mapper
    held: PackMaps
    check: Check
    judge: Callable[[Sequence[Tree]], list[Issue]]
    unsendable: Callable[[list[Tree]], list[Issue]]
    write: Callable[[Plan], object]

    @property
    def kinds(self) -> Sequence[str]:
        """The names of the provider's kinds."""
        return list(self.own.own.kinds)

    def knows(self, record: Any) -> bool:
        """Whether it is of a kind of this provider's own."""
        return type(record) is dict and self.own.own.named(record).get("kind") in self.own.own.kinds

    def take(self, record: Tree, foreign: Mapping[str, Tree] | None = None, origin: str | None = None) -> Taken:
        """Brings one in: all that it says, or nothing where it is faulty. `foreign` are the resources that it was read from.

        Raises Conflict where somebody else wrote in between.
        """
        record = self.own.own.named(record)
        faults = self.own.check(record)
        if faults:
            return Taken("refused", issues=faults)
        scene = self._scene(record)
        present = self._parts(scene) if scene is not None else {}
        fresh, issues = self.own.parts(record, present or foreign)
        changes = _changes(present, fresh)
        if not changes:
            return Taken("unchanged", _names(present, scene), issues)
        try:
            wanted = plan(self.store, self.held, changes, self.check)
        except DataError as error:
            return Taken("refused", issues=[*issues, *error.issues])
        wanted = replace(wanted, writes=[_stamped(one, record.get("origin", origin)) for one in wanted.writes])
        # Fields of a held record are none of the record at hand: what the rules say is said of it as a whole.
        issues += [replace(issue, pointer="") for issue in self.judge([one.record for one in wanted.writes])]
        if any(issue.is_error for issue in issues):
            return Taken("refused", issues=issues)
        issues += self.unsendable([tree for tree in changes.values() if tree is not None])
        self.write(wanted)
        names = [f"{one.record['kind']}/{one.record['id']}" for one in wanted.writes]
        return Taken("changed" if present else "new", names, issues)

    def records(self) -> Iterator[Tree]:
        """Every record of the provider's kinds that the resources of the store make, in the order of their last change."""
        for type_ in sorted({map_.type_ for map_ in self.own.main if map_.kind in self.own.own.kinds}):
            for row in self._all(type_):
                scene = Scene(self.store, {(row.type, row.id): row.tree})
                owned = self._read(scene)
                if owned is not None and owned.record["kind"] in self.own.own.kinds:
                    yield self.own.own.plain(owned.record)

    def _all(self, type_: str) -> Iterator[StoredResource]:
        offset = 0
        while rows := self.store.search(type_, [], limit=_PAGE, offset=offset).rows:
            yield from rows
            offset += len(rows)

    def _scene(self, record: Tree) -> Scene | None:
        """The resource that the record was written to before, with all that it leads to; None where it is new."""
        type_ = self.own.maker(record).type_
        for kind in dict.fromkeys(map_.kind for map_ in self.held.main if map_.type_ == type_):
            main = self.store.parts(kind, record["id"]).get("")
            if main is not None and main.type == type_:
                return Scene(self.store, {(main.type, main.id): main.tree})
        return None

    def _parts(self, scene: Scene) -> dict[str, Tree]:
        owned = self._read(scene)
        trees = list(scene.trees.values())
        return {part: trees[index] for part, index in owned.parts.items()} if owned is not None else {}

    def _read(self, scene: Scene) -> Owned | None:
        """The record of the resource that a scene is about."""
        analysis = scene.analysed(self.own)
        (main,) = scene.changes
        index = list(scene.trees).index(main)
        return next((owned for owned in analysis.records() if owned.parts[""] == index), None)


def _changes(present: Mapping[str, Tree], fresh: Mapping[str, Tree]) -> dict[Key, Tree | None]:
    """What is to be written (None: deleted) so that these parts become those."""
    changes: dict[Key, Tree | None] = {}
    for part, tree in present.items():
        if part not in fresh:
            changes[tree["resourceType"], tree["id"]] = None
    for part, tree in fresh.items():
        if part not in present or not unchanged(present[part], tree):
            changes[tree["resourceType"], tree["id"]] = tree
    return changes


def _stamped(write: RecordWrite, origin: str | None) -> RecordWrite:
    record = {key: value for key, value in write.record.items() if key != "origin"}
    return replace(write, record={**record, "origin": origin} if origin is not None else record)


def _names(parts: Mapping[str, Tree], scene: Scene | None) -> list[str]:
    rows = scene.rows if scene is not None else {}
    held = [rows[tree["resourceType"], tree["id"]] for tree in parts.values()]
    return list(dict.fromkeys(f"{row.kind}/{row.record_id}" for row in held))
