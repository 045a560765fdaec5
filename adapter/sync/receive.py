"""Resources that come in, and the records that they belong to: what a write through the FHIR face changes.

A resource is looked at together with all that belongs to the same record and all that it refers to; the maps then say
which record each is part of. So a Goal that came alone joins its plan when that arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import DataError
from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.mapping.apart import take_apart
from adapter.mapping.bundle import Analysis
from adapter.mapping.mapper import PackMaps
from adapter.mapping.scope import split_reference
from adapter.ports import Link, RecordStore, StoredResource
from adapter.sync.references import literals

Key = tuple[str, str]
MOST_TOGETHER = 20_000


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """A record with all its resources by part key."""

    record: Tree
    parts: Mapping[str, Tree]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written in one transaction: records, records that are no more, and the version that each resource
    looked at must still have (None: it must not be there).
    """

    writes: Sequence[RecordWrite]
    deletes: Sequence[tuple[str, str]]
    expect: Mapping[Key, str | None]


@dataclass(slots=True)
class Scene:
    """Everything that a write may touch or has to be read with: what the changes name, lead to and belong with."""

    store: RecordStore
    changes: Mapping[Key, Tree | None]
    rows: dict[Key, StoredResource] = field(default_factory=dict)
    trees: dict[Key, Tree] = field(default_factory=dict)
    absent: set[Key] = field(default_factory=set)

    def gather(self) -> None:
        """Fills `rows` (what is stored) and `trees` (what there is once the changes are made). Raises DataError."""
        todo = list(self.changes)
        while todo:
            key = todo.pop()
            if key in self.rows or key in self.absent:
                continue
            todo += self._add(key)
            if len(self.rows) > MOST_TOGETHER:
                raise DataError("Too many resources belong together to be written at once.")

    def analysed(self, pack: PackMaps) -> Analysis:
        """What there is, gathered and read by these maps; its indexes are the places in `trees`."""
        self.gather()
        entries = [{"resource": tree} for tree in self.trees.values()]
        return Analysis(pack, take_apart({"resourceType": "Bundle", "type": "collection", "entry": entries}))

    def _add(self, key: Key) -> list[Key]:
        row = _present(self.store, key)
        near: list[Key] = []
        if row is None:
            self.absent.add(key)
        else:
            self.rows[key] = row
            near = [(one.type, one.id) for one in self.store.parts(row.kind, row.record_id).values()]
        tree = self.changes.get(key, row.tree if row is not None else None)
        if tree is not None:
            self.trees[key] = tree
            near += references(tree)
        return near


@dataclass(frozen=True, slots=True)
class _Reading:
    """How resources are read as records."""

    pack: PackMaps
    analysis: Analysis
    check: Callable[[Any], list[Issue]]


def _present(store: RecordStore, key: Key) -> StoredResource | None:
    try:
        return store.resource(*key)
    except DataError:
        return None


def references(tree: Any) -> list[Key]:
    """Every relative literal reference in a tree, as (type, id)."""
    found = (split_reference(literal) for literal in literals(tree))
    return [split[1:] for split in found if split is not None and split[0] == "none"]


def plan(
    store: RecordStore, pack: PackMaps, changes: Mapping[Key, Tree | None], check: Callable[[Any], list[Issue]]
) -> Plan:
    """What writing these resources (None: deleting) means for the records.

    Raises DataError for a resource that no record can hold, with the place of each fault.
    """
    scene = Scene(store, changes)
    analysis = scene.analysed(pack)
    keys = list(scene.trees)
    reading = _Reading(pack, analysis, check)
    owned = _owned(analysis)
    writes, held = [], set[tuple[str, str]]()
    claimed: set[Key] = set()
    for kind, parts in owned:
        main = keys[parts[""]]
        row = scene.rows.get(main)
        known = row is not None and not row.part and row.kind == kind
        id_ = row.record_id if row is not None and known else analysis.ids[parts[""]]
        members = {part: keys[index] for part, index in parts.items()}
        claimed |= set(members.values())
        held.add((kind, id_))
        if _touched(scene, kind, id_, members):
            writes.append(_write(scene, reading, kind, id_, parts, members))
    _refuse_lost(changes, claimed)
    before = {(row.kind, row.record_id) for row in scene.rows.values()}
    expect: dict[Key, str | None] = {key: str(row.version) for key, row in scene.rows.items()}
    expect |= {key: None for key in scene.absent if key in changes}
    return Plan(writes, sorted(before - held), expect)


def _owned(analysis: Analysis) -> list[tuple[str, dict[str, int]]]:
    found: dict[int, dict[str, int]] = {}
    for index, reader in enumerate(analysis.readers):
        if index not in analysis.owners and reader is not None:
            found[index] = {"": index}
    for target, owner in analysis.owners.items():
        found[owner][f"{analysis.types[target]}/{analysis.ids[target]}"] = target
    kinds = ((analysis.readers[index], parts) for index, parts in found.items())
    return [(reader.kind, parts) for reader, parts in kinds if reader is not None]


def _touched(scene: Scene, kind: str, id_: str, members: Mapping[str, Key]) -> bool:
    """Whether a member changed, came or went."""
    if any(key in scene.changes for key in members.values()):
        return True
    before = {key for key, row in scene.rows.items() if (row.kind, row.record_id) == (kind, id_)}
    return before != set(members.values())


def _write(
    scene: Scene, reading: _Reading, kind: str, id_: str, parts: dict[str, int], members: Mapping[str, Key]
) -> RecordWrite:
    trees = {part: scene.trees[key] for part, key in members.items()}
    try:
        previous: Tree | None = scene.store.record(kind, id_)
    except DataError:
        previous = None
    record, _ = reading.pack.record(kind, trees, previous, record_id=id_, refs=reading.analysis.refs(parts))
    faults = reading.check(record)
    if faults:
        text = "The resource cannot be held as a record."
        raise DataError(text, issues=faults, place=f"{members[''][0]}/{members[''][1]}")
    envelope = {"origin": previous["origin"]} if previous is not None and "origin" in previous else {}
    return RecordWrite({**record, **envelope, "pack": f"{reading.pack.name}@{reading.pack.version}"}, trees)


def _refuse_lost(changes: Mapping[Key, Tree | None], claimed: set[Key]) -> None:
    lost = [key for key, tree in changes.items() if tree is not None and key not in claimed]
    if lost:
        text = "No record here can hold this resource by itself: it is part of one that is not here."
        issues = [
            Issue("error", "not-supported", "resource-without-record", text, expression=type_) for type_, _ in lost
        ]
        raise DataError(text, issues=issues, place=f"{lost[0][0]}/{lost[0][1]}")


def placed(link: Link, plan: Plan) -> Link:
    """The link of a resource, at the record and part that it belongs to when the plan is carried out."""
    for write in plan.writes:
        for part, tree in write.parts.items():
            if (tree.get("resourceType"), tree.get("id")) == link.local:
                return link.replace(kind=str(write.record["kind"]), record_id=str(write.record["id"]), part=part)
    return link
