"""Items that are resources of their own, the plain case: known by their id, in an array of the resource at hand.

What is out of it (an item that stands in the array itself, a list in which something stands already, two items of one
id) goes to the rule object before anything is read or made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adapter.mapping.parts import PartKeys, Parts
from adapter.mapping.paths import Path, get, put
from adapter.mapping.resources import INHERITED, lookup, make_part, read_part
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
Beside = Callable[[Tree, Tree, Scope], Any]
"""The generated function for what an element says of its item beyond the reference."""
FIELDS = frozenset({"source", "names", "path", "maps", "at", "inline", "keys", "held", "beside", "beside_names"})


def is_plain_list(rule: Parts) -> bool:
    """Whether items are known by their id and stand in an array of the resource itself."""
    return PartKeys(names=rule.keys.names) == rule.keys and not rule.path.steps and inline_keys(rule) is not None


def inline_keys(rule: Parts) -> frozenset[str] | None:
    """The names in an element that speak of an item which stands in it; None where a rule does not say its path."""
    paths = [getattr(inner, "path", None) for inner in (rule.inline.rules if rule.inline is not None else ())]
    if not all(isinstance(path, Path) for path in paths):
        return None
    return frozenset(path.steps[0].name if path.steps else path.name for path in paths if path is not None)


def read_parts(rule: Parts, node: Tree, out: Tree, scope: Scope, beside: Beside, inline: frozenset[str]) -> None:
    """What `rule.read` does; `inline` are its `inline_keys`."""
    elements = node.get(rule.path.name)
    if type(elements) is not list:
        return
    if inline and any(type(element) is dict and not inline.isdisjoint(element) for element in elements):
        rule.read(node, out, scope)
        return
    at, last = rule.at, rule.path.last
    items: list[Tree] = []
    taken: set[str] = set()
    for element in elements:
        if type(element) is dict and last.matches(element):
            item = _item(rule, element, element.get(at) if at else element, scope, beside)
            if item is not None and item["id"] not in taken:
                taken.add(item["id"])
                items.append(item)
    if items:
        put(out, rule.names, items)


def _item(rule: Parts, element: Tree, reference: Any, scope: Scope, beside: Beside) -> Tree | None:
    if type(reference) is not dict:
        return None
    found = lookup(rule.maps, reference, scope)
    if found is None:
        link = scope.refs.link(reference)
        if link is None:
            return None
        item = {"id": link[1]}
        beside(element, item, scope)
        return item
    content = read_part(found, scope)
    for name in INHERITED:
        content.pop(name, None)
    beside(element, content, scope)
    content.pop("id", None)
    return {"id": found.item_id, **content}


def fill_parts(rule: Parts, node: Tree, new: Tree, scope: Scope, beside: Beside) -> None:
    """What `rule.write` does on a new resource."""
    wanted = get(new, rule.names) or []
    name, at, others = rule.path.name, rule.at, rule.beside_names
    if not wanted and not node.get(name):
        return
    if node.get(name) or not _are_plain(wanted, rule.held):
        rule.write(node, new, {}, scope)
        return
    made = []
    for item in wanted:
        own = {key: value for key, value in item.items() if key not in others} if others else item
        map_ = next((map_ for map_ in rule.maps if map_.makes(own)), rule.maps[0])
        reference = scope.refs.to_record(map_.type_, own["id"]) if len(own) == 1 else make_part(map_, own, scope)
        element = rule.path.last.make()
        element.update({at: reference} if at else reference)
        beside(element, item, scope)
        made.append(element)
    node[name] = made


def _are_plain(wanted: Any, held: str) -> bool:
    if type(wanted) is not list:
        return False
    ids = [item.get("id") if type(item) is dict and item.get(held) is not True else None for item in wanted]
    return all(type(id_) is str for id_ in ids) and len(set(ids)) == len(ids)
