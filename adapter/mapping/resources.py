"""One mapping file, compiled, and the resources of a record that it reads, makes, edits and takes away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from adapter.fhir_json import same
from adapter.identity import resource_id
from adapter.mapping.maps import ResourceMap, reader_of
from adapter.mapping.paths import Path
from adapter.mapping.rules import set_value
from adapter.mapping.scope import Scope, item_id

Tree = dict[str, Any]
INHERITED = ("patient", "patient_name")
"""What a part has from the record that it belongs to."""


@dataclass(slots=True)
class Found:
    """A resource that an element refers to: its part key, or its contained id with a leading '#'."""

    key: str
    resource: Tree
    item_id: str
    map: ResourceMap


def lookup(maps: list[ResourceMap], reference: Any, scope: Scope) -> Found | None:
    """The resource of this record that a Reference leads to, where one of these maps reads it."""
    if type(reference) is not dict:
        return None
    literal = reference.get("reference")
    if type(literal) is str and literal.startswith("#"):
        return _contained(maps, literal, scope)
    key = scope.refs.part(reference)
    if not key or key not in scope.parts:
        return None
    resource = scope.parts[key]
    map_ = reader_of(maps, resource)
    return Found(key, resource, key.partition("/")[2], map_) if map_ is not None else None


def _contained(maps: list[ResourceMap], literal: str, scope: Scope) -> Found | None:
    contained = scope.holder.get("contained")
    for resource in contained if type(contained) is list else []:
        if type(resource) is dict and resource.get("id") == literal[1:]:
            map_ = reader_of(maps, resource)
            if map_ is not None:
                return Found(literal, resource, item_id(resource, scope.record_id, literal), map_)
    return None


def read_part(found: Found, scope: Scope) -> Tree:
    """The item that a resource is, without its id."""
    return found.map.read(found.resource, _at(found, scope))


def _at(found: Found, scope: Scope) -> Scope:
    return scope.inside(found.resource) if found.key.startswith("#") else scope.of(found.key, found.resource)


def edit_part(found: Found, new: Tree, scope: Scope, beside: Tree | None = None) -> None:
    """Write an item onto its resource. `beside` is what the item was on another resource: one-way rules ask for it."""
    inner = _at(found, scope)
    old = {**(beside or {}), **found.map.read(found.resource, inner), "id": new["id"]}
    full = {**new, **{key: _inherit(key, old, scope) for key in INHERITED}}
    full = {key: value for key, value in full.items() if value is not None}
    if not same(old, full):
        found.map.write(found.resource, full, old, inner)


def _inherit(key: str, old: Tree, scope: Scope) -> Any:
    was = old.get(key)
    return scope.owner.get(key) if was == scope.owner_base.get(key) else was


def make_part(
    map_: ResourceMap, item: Tree, scope: Scope, under: Path | None = None, ready: Callable[[Tree], None] | None = None
) -> Tree:
    """Make the resource of an item, which has its id; the Reference to it.

    `under` is where it refers to the part at hand. `ready` is given the Reference before the resource is filled.
    """
    key = f"{map_.type_}/{item['id']}"
    id_ = resource_id(scope.kind, scope.record_id, key)
    inner = scope.of(key, {})
    inherited = {name: scope.owner[name] for name in INHERITED if name in scope.owner}
    reference = scope.refs.own(map_.type_, id_, key)
    inner.root = scope.parts[key] = {"resourceType": map_.type_, "id": id_}
    if ready is not None:
        ready(reference)
    map_.make({**item, **inherited}, inner)
    if under is not None:
        put_under(under, inner.root, scope)
    return reference


def put_under(under: Path, resource: Tree, scope: Scope) -> None:
    """Make a resource refer to the part at hand as the one that it belongs to."""
    owner = scope.refs.to_part(scope.part, scope.parts[scope.part])
    set_value(under, under.make_holder(resource), owner)


def remove_part(found: Found, scope: Scope) -> None:
    """Take a resource away, and those that belong to it."""
    inner = _at(found, scope)
    for rule in found.map.leads():
        rule.clear(found.resource, inner)
    if not found.key.startswith("#"):
        scope.parts.pop(found.key, None)
        return
    contained = [resource for resource in scope.holder["contained"] if resource is not found.resource]
    if contained:
        scope.holder["contained"] = contained
    else:
        del scope.holder["contained"]
