"""Items that are resources of their own, the plain case: known by their id, in an array of the resource at hand.

What is out of it (an item that stands in the array itself, a list in which something stands already, two items of one
id) goes to the rule object before anything is read or made.
"""

from __future__ import annotations

from typing import Any

from adapter.mapping.parts import PartKeys, Parts
from adapter.mapping.paths import get, put
from adapter.mapping.resources import INHERITED, lookup, make_part, read_part
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
FIELDS = frozenset({"source", "names", "path", "maps", "at", "inline", "keys"})


def is_plain_list(rule: Parts) -> bool:
    """Whether items are known by their id and stand in an array of the resource itself."""
    keys = PartKeys(names=rule.keys.names)
    return keys == rule.keys and rule.under is None and not rule.from_main and not rule.path.steps


def read_parts(rule: Parts, node: Tree, out: Tree, scope: Scope) -> None:
    """What `rule.read` does."""
    elements = node.get(rule.path.name)
    if type(elements) is not list:
        return
    at, last = rule.at, rule.path.last
    if rule.inline is not None and any(type(element) is dict and element.keys() != {at} for element in elements):
        rule.read(node, out, scope)
        return
    items: list[Tree] = []
    taken: set[str] = set()
    for element in elements:
        if type(element) is dict and last.matches(element):
            item = _item(rule, element.get(at) if at else element, scope)
            if item is not None and item["id"] not in taken:
                taken.add(item["id"])
                items.append(item)
    if items:
        put(out, rule.names, items)


def _item(rule: Parts, reference: Any, scope: Scope) -> Tree | None:
    if type(reference) is not dict:
        return None
    found = lookup(rule.maps, reference, scope)
    if found is None:
        link = scope.refs.link(reference)
        return {"id": link[1]} if link is not None else None
    content = read_part(found, scope)
    for name in (*INHERITED, "id"):
        content.pop(name, None)
    return {"id": found.item_id, **content}


def fill_parts(rule: Parts, node: Tree, new: Tree, scope: Scope) -> None:
    """What `rule.write` does on a new resource."""
    wanted = get(new, rule.names) or []
    name, at = rule.path.name, rule.at
    if not wanted and not node.get(name):
        return
    if node.get(name) or not _are_plain(wanted):
        rule.write(node, new, {}, scope)
        return
    made = []
    for item in wanted:
        map_ = next((map_ for map_ in rule.maps if map_.makes(item)), rule.maps[0])
        reference = scope.refs.to_record(map_.type_, item["id"]) if len(item) == 1 else make_part(map_, item, scope)
        element = rule.path.last.make()
        element.update({at: reference} if at else reference)
        made.append(element)
    node[name] = made


def _are_plain(wanted: Any) -> bool:
    if type(wanted) is not list:
        return False
    ids = [item.get("id") if type(item) is dict else None for item in wanted]
    return all(type(id_) is str for id_ in ids) and len(set(ids)) == len(ids)
