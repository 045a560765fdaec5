"""Resources that come in, and the records that they belong to: what a write through the FHIR face changes.

A resource is looked at together with all that belongs to the same record and all that it refers to; the maps then say
which record each is part of. So a Goal that came alone joins its plan when that arrives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
    """Everything that a write may touch or has to be read with: what the changes name, lead to and belong with.

    Of what is of a type in `alone`, always a record of its own, only that record's id is asked, where it does not change
    itself.
    """

    store: RecordStore
    changes: Mapping[Key, Tree | None]
    rows: dict[Key, StoredResource] = field(default_factory=dict)
    trees: dict[Key, Tree] = field(default_factory=dict)
    absent: set[Key] = field(default_factory=set)
    alone: frozenset[str] = frozenset()
    others: dict[Key, str] = field(default_factory=dict)

    def gather(self) -> None:
        """Fills `rows` (what is stored) and `trees` (what there is once the changes are made). Raises DataError.

        What a step leads to is asked for together, so that it costs a few questions, however much there is.
        """
        todo = list(self.changes)
        while todo:
            new = self._stored(todo)
            near = dict.fromkeys(key for tree in self._now(new) for key in references(tree))
            todo = self._asked([key for key in near if key not in self.rows and key not in self.absent])
            if len(self.rows) > MOST_TOGETHER:
                raise DataError("Too many resources belong together to be written at once.")

    def analysed(self, pack: PackMaps) -> Analysis:
        """What there is, gathered and read by these maps; its indexes are the places in `trees`."""
        self.gather()
        entries = [{"resource": tree} for tree in self.trees.values()]
        analysis = Analysis(pack, take_apart({"resourceType": "Bundle", "type": "collection", "entry": entries}))
        for (type_, id_), record_id in self.others.items():
            analysis.know(type_, id_, record_id)
        return analysis

    def _asked(self, keys: list[Key]) -> list[Key]:
        """Those of which all has to be known. Of the others it is asked which records they are."""
        thin = [key for key in keys if key[0] in self.alone and key not in self.others]
        if not thin:
            return [key for key in keys if key not in self.others]
        places = self.store.places(thin)
        self.absent |= set(thin) - places.keys()
        self.others |= {key: record_id for key, (_, record_id, part) in places.items() if not part}
        return [key for key in keys if key not in self.others and key not in self.absent]

    def _stored(self, keys: Sequence[Key]) -> list[Key]:
        """Looks for these, and for what is part of the same records as they are; gives all of that."""
        found = self.store.around(keys)
        self.absent |= set(keys) - found.keys()
        self.rows |= found
        return list(dict.fromkeys([*keys, *found]))

    def _now(self, keys: Sequence[Key]) -> Iterator[Tree]:
        """What these are once the changes are made."""
        for key in keys:
            tree = self.changes[key] if key in self.changes else self.rows[key].tree if key in self.rows else None
            if tree is not None:
                self.trees[key] = tree
                yield tree


@dataclass(frozen=True, slots=True)
class _Whole:
    """A record as the maps see it: (kind, id), and by part key the index and the key of each resource."""

    key: Key
    parts: dict[str, int]
    members: dict[str, Key]


@dataclass(frozen=True, slots=True)
class _Reading:
    """How resources are read as records."""

    pack: PackMaps
    analysis: Analysis
    check: Callable[[Any], list[Issue]]


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
    scene = Scene(store, changes, alone=pack.alone)
    analysis = scene.analysed(pack)
    keys = list(scene.trees)
    wholes = [_whole(scene, analysis, keys, kind, parts) for kind, parts in _owned(analysis)]
    before: dict[Key, set[Key]] = {}
    for key, row in scene.rows.items():
        before.setdefault((row.kind, row.record_id), set()).add(key)
    touched = [one for one in wholes if _touched(changes, one, before.get(one.key, set()))]
    previous = store.records_of(one.key for one in touched)
    reading = _Reading(pack, analysis, check)
    writes = [_write(scene, reading, one, previous.get(one.key)) for one in touched]
    _refuse_lost(changes, {key for one in wholes for key in one.members.values()})
    held = {one.key for one in wholes}
    expect: dict[Key, str | None] = {key: str(row.version) for key, row in scene.rows.items()}
    expect |= {key: None for key in scene.absent if key in changes}
    return Plan(writes, sorted(before.keys() - held), expect)


def _owned(analysis: Analysis) -> list[tuple[str, dict[str, int]]]:
    found: dict[int, dict[str, int]] = {}
    for index, reader in enumerate(analysis.readers):
        if index not in analysis.owners and reader is not None:
            found[index] = {"": index}
    for target, owner in analysis.owners.items():
        found[owner][f"{analysis.types[target]}/{analysis.ids[target]}"] = target
    kinds = ((analysis.readers[index], parts) for index, parts in found.items())
    return [(reader.kind, parts) for reader, parts in kinds if reader is not None]


def _whole(scene: Scene, analysis: Analysis, keys: Sequence[Key], kind: str, parts: dict[str, int]) -> _Whole:
    main = parts[""]
    row = scene.rows.get(keys[main])
    known = row is not None and not row.part and row.kind == kind
    id_ = row.record_id if row is not None and known else analysis.ids[main]
    return _Whole((kind, id_), parts, {part: keys[index] for part, index in parts.items()})


def _touched(changes: Mapping[Key, Tree | None], one: _Whole, before: set[Key]) -> bool:
    """Whether a member changed, came or went."""
    return any(key in changes for key in one.members.values()) or before != set(one.members.values())


def _write(scene: Scene, reading: _Reading, one: _Whole, previous: Tree | None) -> RecordWrite:
    (kind, id_), members = one.key, one.members
    trees = {part: scene.trees[key] for part, key in members.items()}
    record, _ = reading.pack.record(kind, trees, previous, record_id=id_, refs=reading.analysis.read_only(one.parts))
    faults = reading.check(record)
    if faults:
        text = "The resource cannot be held as a record."
        raise DataError(text, issues=faults, place="/".join(members[""]))
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


def placed(links: Iterable[Link], plan: Plan) -> list[Link]:
    """The links of resources, at the record and part that each belongs to when the plan is carried out."""
    places = {
        (tree.get("resourceType"), tree.get("id")): (str(write.record["kind"]), str(write.record["id"]), part)
        for write in plan.writes
        for part, tree in write.parts.items()
    }
    return [
        link.replace(kind=place[0], record_id=place[1], part=place[2]) if (place := places.get(link.local)) else link
        for link in links
    ]
