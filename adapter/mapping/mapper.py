"""One record and its resources: a pack's maps, ready to run both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from adapter.errors import DataError
from adapter.fhir_json import canonical, copy
from adapter.identity import content_id, resource_id
from adapter.issues import Issue
from adapter.mapping.kinds import OwnKinds
from adapter.mapping.maps import ResourceMap
from adapter.mapping.scope import Refs, RelativeRefs, Scope, item_id, own_identifier
from adapter.records.kinds import content_of

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PackMaps:
    """The compiled maps of one pack; made by `adapter.mapping.load`."""

    name: str
    version: str
    maps: Mapping[str, ResourceMap]
    main: tuple[ResourceMap, ...] = field(default=())
    path: str = "core"
    release: str = "R4"
    own: OwnKinds = field(default_factory=OwnKinds)

    _readers: Mapping[str, tuple[ResourceMap, ...]] = field(init=False, repr=False, compare=False)
    _makers: Mapping[str, tuple[ResourceMap, ...]] = field(init=False, repr=False, compare=False)
    _alone: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        readers = {map_.type_: tuple(other for other in self.main if other.type_ == map_.type_) for map_ in self.main}
        makers = {map_.kind: tuple(other for other in self.main if other.kind == map_.kind) for map_ in self.main}
        object.__setattr__(self, "_readers", readers)
        object.__setattr__(self, "_makers", makers)
        object.__setattr__(self, "_alone", frozenset(readers) - _together(self.main))

    @property
    def alone(self) -> frozenset[str]:
        """The types that are only read as records of their own, of one resource each: no other's part, and without parts."""
        return self._alone

    def kind_of(self, resource: Any) -> str | None:
        """The kind of record that a resource is by itself, or None where this pack does not map its type."""
        map_ = self.reader(resource)
        return map_.kind if map_ is not None else None

    def main_type(self, kind: str) -> str:
        """The FHIR type of a kind's main resource."""
        maps = [map_ for map_ in self.main if map_.kind == kind]
        return min(maps, key=lambda map_: (bool(map_.when), bool(map_.match))).type_

    def reader(self, resource: Any) -> ResourceMap | None:
        """The map that reads a resource."""
        type_ = resource.get("resourceType") if type(resource) is dict else None
        for map_ in self._readers.get(type_, ()) if type(type_) is str else ():
            if map_.reads(resource):
                return map_
        return None

    def maker(self, record: Tree) -> ResourceMap:
        """The map that makes a record's main resource. Raises DataError where there is none."""
        kind = record.get("kind")
        for map_ in self._makers.get(kind, ()) if type(kind) is str else ():
            if map_.makes(record):
                return map_
        issue = Issue(
            "fatal", "not-supported", "record-unknown-kind", "No map of this pack is for this kind of record."
        )
        raise DataError("The record is of no known kind.", issues=[issue])

    def parts(
        self, record: Tree, onto: Mapping[str, Tree] | None = None, refs: Refs | None = None, new_id: str = ""
    ) -> tuple[dict[str, Tree], list[Issue]]:
        """Record → its resources by part key: "" for the main one, else `Type/<item id>`.

        With `onto` the record is written onto copies of these resources: what no rule owns stays as it is. `new_id` is the
        id of a main resource that is made, where the caller knows it.
        """
        parts: dict[str, Tree] = {key: copy(resource) for key, resource in onto.items()} if onto else {}
        record = self.own.named(record)
        content = content_of(record)
        refs = _indexed(refs, parts)
        scope = Scope(refs, str(record["kind"]), str(record["id"]), parts, {}, owner=content)
        map_ = self.maker(content)
        root = parts.get("")
        if root is not None and self.reader(root) is map_:
            quiet = Scope(refs, scope.kind, scope.record_id, parts, root)
            base = {"kind": scope.kind, "id": scope.record_id, **map_.read(root, quiet)}
            scope.root, scope.owner_base = root, base
            map_.write(root, content, base, scope)
        else:
            id_ = (
                root["id"] if root is not None and "id" in root else new_id or resource_id(scope.kind, scope.record_id)
            )
            scope.root = parts[""] = {"resourceType": map_.type_, "id": id_}
            map_.make(content, scope)
        return parts, scope.issues

    def record(
        self,
        kind: str,
        parts: Mapping[str, Tree],
        previous: Tree | None = None,
        *,
        record_id: str | None = None,
        refs: Refs | None = None,
        base: str = "none",
    ) -> tuple[Tree, list[Issue]]:
        """Resources by part key → the record. Raises DataError where the main one is not of that kind."""
        main = parts[""]
        map_ = self.reader(main)
        if map_ is None or map_.kind != kind:
            types = sorted({map_.type_ for map_ in self.main if map_.kind == kind})
            raise DataError(f"The main resource of a {kind} must be of type {' or '.join(types)}.")
        id_ = record_id or (previous or {}).get("id") or record_id_of(main, base)
        scope = Scope(_indexed(refs, parts), kind, id_, dict(parts), main)
        return {"kind": kind, "id": id_, **map_.read(main, scope)}, scope.issues


def _together(maps: Iterable[ResourceMap]) -> set[str]:
    """The types of resources that hold others as parts of their record, and of those parts."""
    found: set[str] = set()
    for map_ in maps:
        inner = [part for rule in map_.leads() for part in ([rule.map] if hasattr(rule, "map") else rule.maps)]
        if inner:
            found |= {map_.type_, *(part.type_ for part in inner), *_together(inner)}
    return found


def record_id_of(resource: Tree, base: str = "none", ordinal: int = 0) -> str:
    """Ours by our identifier, else derived from type and id, else, where it has none, from its content."""
    own = own_identifier(resource)
    if own is not None:
        return own
    if isinstance(resource.get("id"), str):
        return item_id(resource, base)
    return content_id(canonical(resource), ordinal)


def _indexed(refs: Refs | None, parts: Mapping[str, Tree]) -> Refs:
    if refs is not None:
        return refs
    index = {f"{tree.get('resourceType')}/{tree.get('id')}": key for key, tree in parts.items() if key}
    return RelativeRefs(parts=index)
