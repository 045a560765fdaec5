"""Items that are resources of their own, the plain case: known by their id, in an array of the resource at hand.

What is out of it (an item that stands in the array itself, a list in which something stands already, two items of one
id) goes to the rule object before anything is read or made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.identity import resource_id
from adapter.mapping.parts import PartKeys, Parts
from adapter.mapping.paths import Path, get, put
from adapter.mapping.resources import INHERITED, lookup, read_part
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
Beside = Callable[[Tree, Tree, Scope], Any]
"""The generated function for what an element says of its item beyond the reference."""


def is_plain_list(rule: Parts) -> bool:
    """Whether items are known by their id and stand in an array of the resource itself."""
    return PartKeys(names=rule.keys.names) == rule.keys and not rule.path.steps and inline_keys(rule) is not None


def inline_keys(rule: Parts) -> frozenset[str] | None:
    """The names in an element that speak of an item which stands in it; None where a rule does not say its path."""
    paths = [getattr(inner, "path", None) for inner in (rule.inline.rules if rule.inline is not None else ())]
    if not all(isinstance(path, Path) for path in paths):
        return None
    return frozenset(path.steps[0].name if path.steps else path.name for path in paths if path is not None)


def read_parts(rule: Parts, node: Tree, out: Tree, scope: Scope, beside: Beside | None, inline: frozenset[str]) -> None:
    """What `rule.read` does; `inline` are its `inline_keys`."""
    elements = node.get(rule.path.name)
    if type(elements) is not list:
        return
    if inline and _holds_item(elements, inline):
        rule.read(node, out, scope)
        return
    at, matches = rule.at, rule.path.last.matches
    # One scope, which is at one part after the other.
    inner = scope.of(scope.part, scope.root)
    items: dict[str, Tree] = {}
    for element in elements:
        if matches(element):
            reference = element.get(at) if at else element
            if type(reference) is dict:
                item = _item(rule, reference, scope, inner)
                if item is not None:
                    items.setdefault(item["id"], _beside(item, element, scope, beside) if beside else item)
    if items:
        put(out, rule.names, list(items.values()))


def _holds_item(elements: list[Any], inline: frozenset[str]) -> bool:
    return any(type(element) is dict and not inline.isdisjoint(element) for element in elements)


def _item(rule: Parts, reference: Tree, scope: Scope, inner: Scope) -> Tree | None:
    literal = reference.get("reference")
    if type(literal) is str and literal[:1] == "#":
        found = lookup(rule.maps, reference, scope)
        if found is None:
            return _named(reference, scope)
        return _own({"id": found.item_id, **read_part(found, scope)}, found.item_id)
    key = scope.refs.part(reference)
    if not key:
        return _named(reference, scope)
    resource = scope.parts.get(key)
    for map_ in rule.maps:
        if map_.reads(resource):
            inner.part, inner.root = key, scope.parts[key]
            id_ = key.partition("/")[2]
            return _own(map_.read(inner.root, inner, {"id": id_}), id_)
    return _named(reference, scope)


def _named(reference: Tree, scope: Scope) -> Tree | None:
    """An item of which only the reference is at hand."""
    link = scope.refs.link(reference)
    return None if link is None else {"id": link[1]}


def _own(content: Tree, id_: str) -> Tree:
    """The item with its id, which stands first, and without what it has from its record."""
    for name in INHERITED:
        if name in content:
            del content[name]
    content["id"] = id_
    return content


def _beside(item: Tree, element: Tree, scope: Scope, beside: Beside) -> Tree:
    """The item with what the element says of it."""
    id_ = item["id"]
    beside(element, item, scope)
    item["id"] = id_
    return item


def fill_parts(rule: Parts, node: Tree, new: Tree, scope: Scope, beside: Beside | None) -> None:
    """What `rule.write` does on a new resource."""
    wanted = get(new, rule.names) or []
    name, others = rule.path.name, rule.beside_names
    if not wanted and not node.get(name):
        return
    if node.get(name) or not _are_plain(wanted, rule.held):
        rule.write(node, new, {}, scope)
        return
    inner = scope.of(scope.part, scope.root)
    inherited = {name: scope.owner[name] for name in INHERITED if name in scope.owner}
    start, at = rule.path.last.make(), rule.at
    made = []
    for item in wanted:
        own = {key: value for key, value in item.items() if key not in others} if others else item
        reference = _reference(rule, own, inherited, inner)
        element = {**start, at: reference} if at else {**start, **reference} if start else reference
        if beside is not None:
            beside(element, item, scope)
        made.append(element)
    node[name] = made


def _reference(rule: Parts, own: Tree, inherited: Tree, inner: Scope) -> Tree:
    """The Reference to the resource of an item, which is made; to its record, where the item is no more than an id."""
    for map_ in rule.maps:
        if map_.makes(own):
            break
    else:
        map_ = rule.maps[0]
    id_ = own["id"]
    if len(own) == 1:
        return inner.refs.to_record(map_.type_, id_)
    inner.part = key = f"{map_.type_}/{id_}"
    made = resource_id(inner.kind, inner.record_id, key)
    reference = inner.refs.own(map_.type_, made, key)
    inner.root = inner.parts[key] = {"resourceType": map_.type_, "id": made}
    map_.make({**own, **inherited}, inner)
    return reference


def _are_plain(wanted: Any, held: str) -> bool:
    return type(wanted) is list and len({row["id"] for row in wanted if _is_plain(row, held)}) == len(wanted)


def _is_plain(item: Any, held: str) -> bool:
    return type(item) is dict and type(item.get("id")) is str and item.get(held) is not True
