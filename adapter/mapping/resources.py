"""One mapping file, compiled, and the resources of a record that it reads, makes, edits and takes away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from adapter.fhir_json import same
from adapter.identity import IDENTIFIER_SYSTEM, foreign_record_id, resource_id
from adapter.mapping.derived import drop_unused_members
from adapter.mapping.paths import Path, get, put
from adapter.mapping.rules import Names, Rule, current, read_all, set_value, write_all
from adapter.mapping.scope import Scope, own_identifier

Tree = dict[str, Any]
INHERITED = ("patient",)


@dataclass(slots=True)
class ResourceMap:
    """One mapping file, compiled: the rules between a record shape and a FHIR type."""

    name: str
    kind: str
    type_: str
    rules: list[Rule]
    when: tuple[tuple[Names, Any], ...] = ()
    match: tuple[tuple[Path, Any], ...] = ()
    source: str = ""
    part_only: bool = False

    def reads(self, resource: Any) -> bool:
        """Whether this map is for that resource."""
        if type(resource) is not dict or resource.get("resourceType") != self.type_:
            return False
        return all(current(path, resource) == value for path, value in self.match)

    def makes(self, record: Tree) -> bool:
        """Whether this map is for that record or item."""
        return all(get(record, names) == value for names, value in self.when)

    def read(self, resource: Tree, scope: Scope) -> Tree:
        """The record's content, without kind and id."""
        out: Tree = {}
        for names, value in self.when:
            if value is not None:
                put(out, names, value)
        return read_all(self.rules, resource, out, scope)

    def write(self, resource: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        """Write the difference between two records onto the resource that `old` was read from."""
        write_all(self.rules, resource, new, old, scope)
        drop_unused_members(resource)

    def make(self, record: Tree, scope: Scope) -> None:
        """Fill a new resource, `scope.root`, which has its type and id."""
        resource = scope.root
        identifier = {"system": IDENTIFIER_SYSTEM, "value": record["id"]}
        # R4: a QuestionnaireResponse has one identifier, every other type mapped here a list.
        resource["identifier"] = identifier if self.type_ == "QuestionnaireResponse" else [identifier]
        write_all(self.rules, resource, record, {}, scope)


def item_id(resource: Tree, base: str = "none", container: str = "") -> str:
    """The id of the record that a resource is: ours by our identifier, else derived."""
    own = own_identifier(resource)
    if own is not None:
        return own
    return foreign_record_id(base, str(resource.get("resourceType")), f"{container}{resource.get('id')}")


@dataclass(slots=True)
class Found:
    """A resource that an element refers to: its part key, or its contained id with a leading '#'."""

    key: str
    resource: Tree
    item_id: str
    map: ResourceMap


class Leading(Protocol):
    """A rule that leads to resources of their own."""

    def clear(self, node: Tree, scope: Scope) -> None:
        """Take away what it leads to from a resource that is about to go."""


def leading(rules: Iterable[Any]) -> Iterator[Any]:
    """The rules of a list that lead to resources of their own, out of what wraps them."""
    for rule in rules:
        inner = getattr(rule, "inner", rule)
        if hasattr(inner, "clear"):
            yield inner


def lookup(maps: list[ResourceMap], reference: Any, scope: Scope) -> Found | None:
    """The resource of this record that a Reference leads to, where one of these maps reads it."""
    if type(reference) is not dict:
        return None
    literal = reference.get("reference")
    if type(literal) is str and literal.startswith("#"):
        return _contained(maps, literal, scope)
    key = scope.refs.part(reference)
    resource = scope.parts.get(key) if key else None
    map_ = next((map_ for map_ in maps if map_.reads(resource)), None)
    if key is None or resource is None or map_ is None:
        return None
    return Found(key, resource, key.partition("/")[2], map_)


def _contained(maps: list[ResourceMap], literal: str, scope: Scope) -> Found | None:
    contained = scope.root.get("contained")
    for resource in contained if type(contained) is list else []:
        if type(resource) is dict and resource.get("id") == literal[1:]:
            map_ = next((map_ for map_ in maps if map_.reads(resource)), None)
            if map_ is not None:
                return Found(literal, resource, item_id(resource, scope.record_id, literal), map_)
    return None


def read_part(found: Found, scope: Scope) -> Tree:
    """The item that a resource is, without its id."""
    inner = scope.of(scope.part if found.key.startswith("#") else found.key, found.resource)
    return found.map.read(found.resource, inner)


def edit_part(found: Found, new: Tree, scope: Scope, beside: Tree | None = None) -> None:
    """Write an item onto its resource. `beside` is what the item was on another resource: one-way rules ask for it."""
    inner = scope.of(found.key, found.resource)
    old = {**(beside or {}), **found.map.read(found.resource, inner)}
    full = {**new, **{key: _inherit(key, old, scope) for key in INHERITED}}
    full = {key: value for key, value in full.items() if value is not None}
    if not same({**old, "id": ""}, {**full, "id": ""}):
        found.map.write(found.resource, full, {**old, "id": new["id"]}, inner)


def _inherit(key: str, old: Tree, scope: Scope) -> Any:
    was = old.get(key)
    return scope.owner.get(key) if was == scope.owner_base.get(key) else was


def make_part(map_: ResourceMap, item: Tree, scope: Scope, under: Path | None = None) -> Tree:
    """Make the resource of an item, which has its id; the Reference to it. `under` is where it refers to the part at hand."""
    key = f"{map_.type_}/{item['id']}"
    id_ = resource_id(scope.kind, scope.record_id, key)
    inner = scope.of(key, {})
    inherited = {name: scope.owner[name] for name in INHERITED if name in scope.owner}
    reference = scope.refs.own(map_.type_, id_, key)
    inner.root = scope.parts[key] = {"resourceType": map_.type_, "id": id_}
    map_.make({**item, **inherited}, inner)
    if under is not None:
        owner = scope.refs.to_part(scope.part, scope.parts[scope.part])
        set_value(under, under.make_holder(inner.root), owner)
    return reference


def remove_part(found: Found, scope: Scope) -> None:
    """Take a resource away, and those that belong to it."""
    if not found.key.startswith("#"):
        inner = scope.of(found.key, found.resource)
        for rule in leading(found.map.rules):
            rule.clear(found.resource, inner)
        scope.parts.pop(found.key, None)
        return
    contained = [resource for resource in scope.root["contained"] if resource is not found.resource]
    if contained:
        scope.root["contained"] = contained
    else:
        del scope.root["contained"]
