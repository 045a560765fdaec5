"""Items that are resources of their own: a plan's goals, team and requests, an assessment's instruments and scores.

Each is read and written by a whole map, the same one that serves the resource when it arrives alone.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from adapter.fhir_json import same
from adapter.identity import foreign_record_id, resource_id
from adapter.mapping.lists import Items, elements_of, merge, store_elements
from adapter.mapping.maps import ResourceMap
from adapter.mapping.paths import Path, get, put
from adapter.mapping.rules import Names, current, write_all
from adapter.mapping.scope import Scope, own_identifier

Tree = dict[str, Any]
INHERITED = ("patient",)


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


def _lookup(maps: list[ResourceMap], reference: Any, scope: Scope) -> Found | None:
    if type(reference) is not dict:
        return None
    literal = reference.get("reference")
    if type(literal) is str and literal.startswith("#"):
        return _contained(maps, literal, scope)
    key = scope.refs.part(reference)
    resource = scope.parts.get(key) if key else None
    if key is None or resource is None:
        return None
    map_ = next((map_ for map_ in maps if map_.reads(resource)), None)
    if map_ is None:
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


def _read_part(found: Found, scope: Scope) -> Tree:
    inner = scope.of(scope.part if found.key.startswith("#") else found.key, found.resource)
    return found.map.read(found.resource, inner)


def _edit_part(found: Found, new: Tree, scope: Scope, beside: Tree | None = None) -> None:
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


def _make_part(map_: ResourceMap, item: Tree, scope: Scope) -> Tree:
    key = f"{map_.type_}/{item['id']}"
    id_ = resource_id(scope.kind, scope.record_id, key)
    inner = scope.of(key, {})
    inherited = {name: scope.owner[name] for name in INHERITED if name in scope.owner}
    reference = scope.refs.own(map_.type_, id_, key)
    inner.root = scope.parts[key] = {"resourceType": map_.type_, "id": id_}
    map_.make({**item, **inherited}, inner)
    return reference


def _remove_part(found: Found, scope: Scope) -> None:
    if not found.key.startswith("#"):
        for rule in found.map.rules:
            companion = rule.found(found.resource, scope) if isinstance(rule, Companion) else None
            if companion is not None:
                scope.parts.pop(companion.key, None)
        scope.parts.pop(found.key, None)
        return
    contained = [resource for resource in scope.root["contained"] if resource is not found.resource]
    if contained:
        scope.root["contained"] = contained
    else:
        del scope.root["contained"]


@dataclass(slots=True)
class Parts:
    """A list of items ↔ an array of references to resources; `at` is where in the element the reference stands.

    An element whose resource is not among the parts is an item that holds only its id. `inline` reads elements that
    hold the item itself (CarePlan.activity.detail).
    """

    source: str
    names: Names
    path: Path
    maps: list[ResourceMap]
    at: str = ""
    inline: Items | None = None

    def _reference(self, element: Any) -> Any:
        return element.get(self.at) if self.at and type(element) is dict else element

    def rows(self, elements: list[Any], scope: Scope) -> list[tuple[int, Tree, Found | None]]:
        """(index, item, its resource) of each element that refers to one; only the id where it is not at hand."""
        rows: list[tuple[int, Tree, Found | None]] = []
        taken: set[str] = set()
        for index, element in enumerate(elements):
            row = self._item(element, scope)
            if row is not None and row[0]["id"] not in taken:
                taken.add(row[0]["id"])
                rows.append((index, *row))
        return rows

    def _item(self, element: Any, scope: Scope) -> tuple[Tree, Found | None] | None:
        if not self.path.last.matches(element):
            return None
        reference = self._reference(element)
        found = _lookup(self.maps, reference, scope)
        if found is not None:
            content = _read_part(found, scope)
            return {"id": found.item_id} | {key: content[key] for key in content if key not in INHERITED}, found
        link = scope.refs.link(reference) if type(reference) is dict else None
        return ({"id": link[1]}, None) if link is not None else None

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        elements = elements_of(self.path, node)
        items = [(index, item) for index, item, _ in self.rows(elements, scope)]
        items += self.inline_rows(elements, scope)
        if items:
            put(out, self.names, [item for _, item in sorted(items, key=itemgetter(0))])

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        wanted, before = get(new, self.names) or [], get(old, self.names) or []
        moved = any(new.get(key) != old.get(key) for key in INHERITED)
        if same(wanted, before) and not moved:
            return
        elements = elements_of(self.path, node)
        rows = {row[1]["id"]: row for row in self.rows(elements, scope)}
        inline = {item["id"]: (index, item) for index, item in self.inline_rows(elements, scope)}
        made: list[tuple[Hashable, Any]] = []
        for item in wanted:
            id_ = item.get("id")
            if id_ in rows:
                made.append((id_, self._edit(elements[rows[id_][0]], rows[id_], item, scope)))
            elif id_ in inline and self.inline is not None:
                index, base = inline[id_]
                write_all(self.inline.rules, elements[index], item, base, scope)
                made.append((id_, elements[index]))
            else:
                made.append((id_, self._make(item, scope)))
        kept = {key for key, _ in made}
        for id_, (_, _, found) in rows.items():
            if id_ not in kept and found is not None:
                _remove_part(found, scope)
        ours: dict[int, Hashable] = {row[0]: id_ for id_, row in rows.items()}
        ours.update({index: id_ for id_, (index, _) in inline.items()})
        store_elements(self.path, node, merge(elements, ours, made))
        if self.inline is not None:
            edited = [(element, item) for (id_, element), item in zip(made, wanted, strict=True) if id_ in inline]
            self.inline.settle_ids([element for element, _ in edited], [item for _, item in edited], scope)

    def inline_rows(self, elements: list[Any], scope: Scope) -> list[tuple[int, Tree]]:
        """(index, item) of each element that holds its item itself."""
        if self.inline is None:
            return []
        rows = self.inline.items(elements, scope)
        return [(index, item) for index, item in rows if self._item(elements[index], scope) is None]

    def _edit(self, element: Any, row: tuple[int, Tree, Found | None], item: Tree, scope: Scope) -> Any:
        _, before, found = row
        if same(item, before) and found is None:
            return element
        if found is not None and found.map.makes(item) and len(item) > 1:
            _edit_part(found, item, scope)
            return element
        if found is not None:
            _remove_part(found, scope)
        return self._make(item, scope)

    def _make(self, item: Tree, scope: Scope) -> Any:
        map_ = next((map_ for map_ in self.maps if map_.makes(item)), self.maps[0])
        if item.keys() == {"id"}:
            reference = scope.refs.to_record(map_.type_, item["id"])
        else:
            reference = _make_part(map_, item, scope)
        element = self.path.last.make()
        element.update({self.at: reference} if self.at else reference)
        return element


@dataclass(slots=True)
class Companion:
    """Fields of the same record that stand on a second resource, found by a reference: a score beside its answers."""

    source: str
    path: Path
    map: ResourceMap
    fields: frozenset[str]

    def found(self, node: Tree, scope: Scope) -> Found | None:
        """The second resource, or None where there is none."""
        return _lookup([self.map], current(self.path, node), scope)

    def _of(self, record: Tree) -> Tree:
        return {key: value for key, value in record.items() if key in self.fields}

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        found = self.found(node, scope)
        if found is not None:
            item = _read_part(found, scope)
            out.update({key: value for key, value in item.items() if key in self.fields})

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        found = self.found(node, scope)
        if found is not None:
            _edit_part(found, new, scope, old)
            return
        if not old or (self._of(new) and not same(self._of(new), self._of(old))):
            reference = _make_part(self.map, new, scope)
            self.path.make_holder(node)[self.path.name] = reference
