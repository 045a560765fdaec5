"""Which resource of an input belongs to which record, and what its references lead to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from adapter.errors import DataError
from adapter.identity import IDENTIFIER_SYSTEM, foreign_record_id
from adapter.issues import Issue
from adapter.mapping.apart import Input
from adapter.mapping.companions import Companion
from adapter.mapping.keys import times
from adapter.mapping.lists import elements_of
from adapter.mapping.mapper import PackMaps, record_id_of
from adapter.mapping.maps import ResourceMap, reader_of
from adapter.mapping.parts import Parts
from adapter.mapping.rules import current
from adapter.mapping.scope import link_of, target_of

Tree = dict[str, Any]


@dataclass(slots=True)
class BundleRefs:
    """References inside one input. `targets` gives the index of a resource by each literal that may name it."""

    base: str
    targets: Mapping[str, int]
    ids: Sequence[str]
    types: Sequence[str]
    names: Mapping[int, str] = field(default_factory=dict)
    given: Mapping[tuple[str, str], str] = field(default_factory=dict)
    owned: Mapping[str, int] = field(default_factory=dict)
    part_of: Mapping[int, str] = field(default_factory=dict)
    fresh: dict[str, str] = field(default_factory=dict)
    fresh_names: dict[str, str] = field(default_factory=dict)
    scheme: str = "urn:uuid:"

    def _index(self, reference: Tree) -> int | None:
        literal = reference.get("reference")
        return target_of(literal, self.targets) if type(literal) is str else None

    def part(self, reference: Tree) -> str | None:
        literal = reference.get("reference")
        if type(literal) is not str:
            return None
        if literal in self.fresh:
            return self.fresh[literal]
        index = target_of(literal, self.targets)
        return None if index is None else self.part_of.get(index)

    def link(self, reference: Tree) -> tuple[str, str] | None:
        index = self._index(reference)
        if index is not None:
            return self.types[index], self.ids[index]
        return link_of(reference, self.base)

    def to_record(self, type_: str, record_id: str) -> Tree:
        literal = self.given.get((type_, record_id))
        if literal is not None:
            return {"reference": literal}
        return {"type": type_, "identifier": {"system": IDENTIFIER_SYSTEM, "value": record_id}}

    def own(self, type_: str, id_: str, part: str) -> Tree:
        literal = f"{self.scheme}{id_}"
        self.fresh[literal] = part
        self.fresh_names[part] = literal
        return {"reference": literal}

    def to_part(self, part: str, resource: Tree) -> Tree:
        literal = self.fresh_names.get(part)
        if literal is None:
            literal = self.names[self.owned[part]] if part in self.owned else f"urn:uuid:{resource['id']}"
        # A single resource without an id is the one that holds the others.
        return {"reference": literal or "#"}


@dataclass(slots=True)
class Owned:
    """A record as read, and the index of each of its resources by part key."""

    record: Tree
    map: ResourceMap
    parts: dict[str, int]


class Analysis:
    """Which resource of an input belongs to which record."""

    def __init__(self, pack: PackMaps, parts: Input) -> None:
        self.pack, self.input, self.issues = pack, parts, list[Issue]()
        self.ids: list[str] = []
        self.types: list[str] = []
        self.readers: list[ResourceMap | None] = []
        self.targets: dict[str, int] = {}
        seen: dict[str, int] = {}
        for index, resource in enumerate(parts.resources):
            self.ids.append(self._id(resource, seen))
            self.types.append(str(resource.get("resourceType")))
            self.readers.append(pack.reader(resource))
            for name in parts.name_of(index):
                self.targets.setdefault(name, index)
        self.owners = self._claim()

    def know(self, type_: str, id_: str, record_id: str) -> None:
        """A record that references lead to, and that is not read: what is of a type that is always a record of its own."""
        self.targets.setdefault(f"{type_}/{id_}", len(self.ids))
        self.types.append(type_)
        self.ids.append(record_id)

    @cached_property
    def names(self) -> Mapping[int, str]:
        """What others call each resource: only writing asks for it."""
        found = (self.input.name_of(index) for index in range(len(self.input.resources)))
        return {index: names[0] if names else "" for index, names in enumerate(found)}

    @cached_property
    def given(self) -> Mapping[tuple[str, str], str]:
        """What to call each resource, mapped or not, by (type, record id)."""
        found: dict[tuple[str, str], str] = {}
        for index, name in self.names.items():
            if name:
                found.setdefault((self.types[index], self.ids[index]), name)
        return found

    def _id(self, resource: Tree, seen: dict[str, int]) -> str:
        id_ = record_id_of(resource, self.input.base)
        count = times(id_, seen)
        return id_ if count == 1 else foreign_record_id("again", id_, str(count))

    def refs(self, owned: Mapping[str, int]) -> BundleRefs:
        """The references of one record, which owns these parts."""
        refs = self.read_only(owned)
        refs.names, refs.given = self.names, self.given
        return refs

    def read_only(self, owned: Mapping[str, int]) -> BundleRefs:
        """The same, for reading alone: what others call each resource is not looked for."""
        part_of = {index: key for key, index in owned.items() if key}
        return BundleRefs(self.input.base, self.targets, self.ids, self.types, owned=owned, part_of=part_of)

    def _claim(self) -> dict[int, int]:
        """The owner of each resource that is part of exactly one record."""
        owners: dict[int, int] = {}
        shared: set[int] = set()
        for index, reader in enumerate(self.readers):
            if reader is None or not reader.leads():
                continue
            found: set[int] = set()
            self._walk(reader, index, index, found)
            for target in found:
                if owners.setdefault(target, index) != index:
                    shared.add(target)
        claimed = {target: owner for target, owner in owners.items() if target not in shared}
        return {target: owner for target, owner in claimed.items() if owner not in claimed}

    def _walk(self, map_: ResourceMap, index: int, main: int, found: set[int]) -> None:
        """Every resource that the rules of a map lead to, from the resource at hand or the main one."""
        resources = self.input.resources
        for rule in map_.leads():
            path, maps = rule.path, [rule.map] if isinstance(rule, Companion) else rule.maps
            node = resources[main if isinstance(rule, Parts) and rule.from_main else index]
            if path.first.name not in node:
                continue
            for literal in _literals(rule, node):
                target = target_of(literal, self.targets)
                if target is None or target in found or target in (index, main):
                    continue
                inner = reader_of(maps, resources[target])
                if inner is not None:
                    found.add(target)
                    self._walk(inner, target, main, found)

    def records(self) -> list[Owned]:
        """Every record of the input, in the order of their main resources."""
        owned: dict[int, tuple[ResourceMap, dict[str, int]]] = {}
        for index, reader in enumerate(self.readers):
            if index not in self.owners and reader is not None:
                owned[index] = reader, {"": index}
        for target, owner in self.owners.items():
            owned[owner][1][f"{self.types[target]}/{self.ids[target]}"] = target
        return [self._read(index, reader, parts) for index, (reader, parts) in owned.items()]

    def _read(self, index: int, reader: ResourceMap, parts: dict[str, int]) -> Owned:
        trees = {key: self.input.resources[target] for key, target in parts.items()}
        record, issues = self.pack.record(
            reader.kind, trees, record_id=self.ids[index], refs=self.read_only(parts), base=self.input.base
        )
        self.issues.extend(issues)
        return Owned(record, reader, parts)

    def unmapped(self) -> list[Issue]:
        """One information issue for each resource that no map reads."""
        found = []
        for index, reader in enumerate(self.readers):
            if reader is None and index not in self.owners:
                type_ = self.input.resources[index].get("resourceType")
                name = type_ if isinstance(type_, str) and type_.isalpha() and len(type_) < 64 else "this type"
                place = f"Bundle.entry[{self.input.rows[index]}].resource" if self.input.bundle else name
                text = f"No map of this pack is for {name}: the resource is carried along as it is."
                found.append(Issue("information", "not-supported", "type-not-mapped", text, expression=place))
        return found


def _literals(rule: Parts | Companion, node: Tree) -> Iterator[str]:
    """What the References say that a rule leads to."""
    if isinstance(rule, Companion):
        elements, at = [current(rule.path, node)], ""
    else:
        elements, at = [row for row in elements_of(rule.path, node) if rule.path.last.matches(row)], rule.at
    for element in elements:
        reference = element.get(at) if at else element
        literal = reference.get("reference") if type(reference) is dict else None
        if type(literal) is str:
            yield literal


def refuse_single(what: str) -> DataError:
    """Records were added to or removed from what came in as one resource."""
    text = f"The input was a single resource: a record cannot be {what}."
    issue = Issue("error", "invalid", "remainder-single", text)
    return DataError(text, issues=[issue], remedy="Leave the remainder out to get a Bundle.")
