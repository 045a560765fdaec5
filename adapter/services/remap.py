"""What a new version of the pack makes of the records that are there: counted first, written only where that is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from adapter.errors import Conflict, DataError
from adapter.fhir_json import same
from adapter.mapping import Mapper
from adapter.ports import RecordStore


@dataclass(slots=True)
class Remapped:
    """How many records there are by kind, how many of them the pack makes otherwise now, and what could not be made."""

    seen: dict[str, int] = field(default_factory=dict)
    changed: dict[str, int] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def remap(store: RecordStore, mapper: Mapper, *, write: bool = False) -> Remapped:
    """Maps every record again; with `write` those that come out otherwise are stored, and so are sent."""
    done = Remapped()
    for kind, id_ in list(_keys(store)):
        done.seen[kind] = done.seen.get(kind, 0) + 1
        try:
            different = _again(store, mapper, kind, id_, write=write)
        except (DataError, Conflict):
            done.failed.append(f"{kind}/{id_}")
            continue
        if different:
            done.changed[kind] = done.changed.get(kind, 0) + 1
    return done


def _keys(store: RecordStore) -> Iterator[tuple[str, str]]:
    for record in store.records():
        yield str(record["kind"]), str(record["id"])


def _again(store: RecordStore, mapper: Mapper, kind: str, id_: str, *, write: bool) -> bool:
    record, present = store.record(kind, id_), store.parts(kind, id_)
    trees = {part: stored.tree for part, stored in present.items()}
    parts, _ = mapper.parts(record, trees)
    different = parts.keys() != trees.keys() or any(not same(parts[part], tree) for part, tree in trees.items())
    if different and write:
        expect = {(one.type, one.id): str(one.version) for one in present.values()}
        store.save({**record, "pack": f"{mapper.name}@{mapper.version}"}, parts, expect=expect)
    return different
