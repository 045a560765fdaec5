"""Lists: which elements are ours, which item each one is, and where they go when items come, go or move.

Elements that no rule reads stay where they are. An item is known again by its key: the id of the element, the record
that a reference leads to, a linkId and its occurrence, or the value itself. An element without an id has one derived
from its content; the id is written down only where the derived one would be another.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

from adapter.fhir_json import canonical, same
from adapter.mapping.codecs import Codec
from adapter.mapping.keys import NUMBER, Keys, keyed, settle_numbers
from adapter.mapping.paths import Path, Step, get, put
from adapter.mapping.rules import Names, Rule, not_written, read_all, write_all
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
# The version of a derived id, which is a UUIDv5, in its fifteenth place.
DERIVED = "5"


def elements_of(path: Path, node: Tree) -> list[Any]:
    """The array at the end of a path; empty where there is none."""
    holder = path.holder(node)
    value = holder.get(path.name) if holder is not None else None
    return value if type(value) is list else []


def store_elements(path: Path, node: Tree, elements: list[Any]) -> None:
    """Put an array at the end of a path; take it and its empty holders away when nothing is in it."""
    if elements:
        path.make_holder(node)[path.name] = elements
        return
    holder = path.holder(node)
    if holder is not None:
        holder.pop(path.name, None)
        path.prune(node)


def merge(
    elements: list[Any], ours: dict[int, Hashable], wanted: Sequence[tuple[Hashable, Any]], slot: int | None = None
) -> list[Any]:
    """The array with `wanted` (key, element) in the places of ours.

    `ours` gives the key of each index that is ours. Survivors keep the slots of survivors; a new element follows the
    one before it in `wanted`; removed ones leave; the rest stays. Where none of ours survives, they go to index `slot`.
    """
    new_keys = {key for key, _ in wanted}
    slots: list[Any] = []
    survivors = []
    for index, element in enumerate(elements):
        key = ours.get(index)
        if index not in ours:
            slots.append([element])
        elif key in new_keys:
            slots.append(None)
            survivors.append(key)
    alive = set(survivors)
    chunks: list[list[Any]] = []
    lead: list[Any] = []
    for key, element in wanted:
        if key in alive:
            chunks.append([element])
        elif chunks:
            chunks[-1].append(element)
        else:
            lead.append(element)
    filled = iter(chunks)
    out: list[Any] = []
    for chunk in slots:
        out.extend(chunk if chunk is not None else next(filled))
    if not chunks:
        position = len(out) if slot is None else min(slot, len(out))
        return out[:position] + lead + out[position:]
    position = next(index for index, element in enumerate(out) if element is chunks[0][0])
    return out[:position] + lead + out[position:]


@dataclass(slots=True)
class Items:
    """A list of objects ↔ an array of elements, each by its own rules."""

    source: str
    names: Names
    path: Path
    keys: Keys
    rules: list[Rule] = field(default_factory=list)
    others: tuple[Step, ...] = ()
    never: tuple[Step, ...] = ()

    def _ours(self, element: Any) -> bool:
        others = self.others + self.never
        return self.path.last.matches(element) and not any(step.matches(element) for step in others)

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        items = [item for _, item in self.items(elements_of(self.path, node), scope)]
        if items:
            put(out, self.names, items)

    def items(self, elements: list[Any], scope: Scope) -> list[tuple[int, Tree]]:
        """(index, item) of each element that is ours."""
        found = []
        seen: dict[Any, int] = {}
        for index, element in enumerate(elements):
            if not self._ours(element):
                continue
            item = self._read_item(element, scope, seen)
            if item is not None:
                found.append((index, item))
        return found

    def _read_item(self, element: Tree, scope: Scope, seen: dict[Any, int]) -> Tree | None:
        item: Tree = {}
        if self.keys.by == "id":
            item["id"] = self.keys.of(element, scope, seen)
        read_all(self.rules, element, item, scope)
        if self.keys.by == NUMBER:
            return {"id": self.keys.of(element, scope, seen), **item} if item else None
        if len(item) > 1 or (item and self.keys.by != "id"):
            return item
        return item if self.keys.linked(element, scope) else None

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        wanted, before = get(new, self.names) or [], get(old, self.names) or []
        if same(wanted, before):
            return
        elements = elements_of(self.path, node)
        pairs = self.items(elements, scope)
        stock = dict(keyed(pairs, lambda pair: self._key(pair[1])))
        made = []
        for key, item in keyed(wanted, self._key):
            if key in stock:
                index, base = stock[key]
                element = elements[index]
                write_all(self.rules, element, item, base, scope)
            else:
                element = self._make(item, scope)
            made.append((key, element))
        ours: dict[int, Hashable] = {pair[0]: key for key, pair in stock.items()}
        store_elements(self.path, node, merge(elements, ours, made, self.path.slot(elements)))
        self.settle_ids([element for _, element in made], wanted, scope)

    def _key(self, item: Any) -> Hashable:
        if type(item) is not dict or self.keys.by == "value":
            return canonical(item)
        value = item.get("id" if self.keys.by == NUMBER else self.keys.by)
        return value if isinstance(value, str) else canonical(item)

    def _make(self, item: Any, scope: Scope) -> Tree:
        element = self.path.last.make()
        if type(item) is dict:
            if self.keys.by == "id":
                self.keys.refer(element, item.get("id"), scope)
            write_all(self.rules, element, item, {}, scope)
        return element

    def settle_new_ids(self, elements: list[Tree], items: list[Any], scope: Scope) -> None:
        """The same for elements that were all made just now: an id that is no derived one differs from every such."""
        ids = [item.get("id") if type(item) is dict else None for item in items]
        if self.keys.link is not None or any(type(id_) is str and id_[14:15] == DERIVED for id_ in ids):
            self.settle_ids(elements, items, scope)
            return
        for element, id_ in zip(elements, ids, strict=True):
            if type(id_) is str:
                element["id"] = id_

    def settle_ids(self, elements: list[Tree], items: list[Any], scope: Scope) -> None:
        """Write down the id of each element whose derived one would be another."""
        if self.keys.by == NUMBER:
            settle_numbers(zip(elements, items, strict=True))
        if self.keys.by != "id":
            return
        seen: dict[Any, int] = {}
        for element, item in zip(elements, items, strict=True):
            wanted = item.get("id") if type(item) is dict else None
            if isinstance(wanted, str) and self.keys.of(element, scope, seen) != wanted:
                element["id"] = wanted


@dataclass(frozen=True, slots=True)
class Scalars:
    """A list of plain values ↔ an array: of primitives, or of elements that hold the value at `leaf`."""

    source: str
    names: Names
    path: Path
    codec: Codec
    leaf: Path | None = None
    without: frozenset[str] = frozenset()
    default: Any = None
    alone: bool = False

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        rows = self.values(elements_of(self.path, node), scope)
        if rows and self.said(rows):
            put(out, self.names, [value for _, value in rows])

    def said(self, rows: list[tuple[int, Any]]) -> bool:
        """Whether the values are data: those that are written for a field left out are not."""
        return not rows or self.default is None or not same([value for _, value in rows], self.default)

    def values(self, elements: list[Any], scope: Scope) -> list[tuple[int, Any]]:
        """(index, value) of each element that is ours."""
        found = []
        for index, element in enumerate(elements):
            if self.without and self.left_out(element):
                value = None
            elif self.leaf is None:
                value = self.codec.decode(element, scope) if element is not None else None
            elif self.path.last.matches(element) and not (self.alone and _beside(element, self.leaf)):
                holder = self.leaf.holder(element)
                raw = holder.get(self.leaf.name) if holder is not None else None
                value = self.codec.decode(raw, scope) if raw is not None else None
            else:
                value = None
            if value is not None:
                found.append((index, value))
        return found

    def left_out(self, element: Any) -> bool:
        """Whether an element says one of the codes that another rule reads."""
        codings = element.get("coding") if type(element) is dict else None
        rows = codings if type(codings) is list else []
        codes = (coding.get("code") for coding in rows if type(coding) is dict)
        return any(type(code) is str and code in self.without for code in codes)

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        wanted, before = get(new, self.names) or [], get(old, self.names) or []
        if same(wanted, before) and (old or self.default is None):
            return
        wanted = wanted or self.default or []
        elements = elements_of(self.path, node)
        pairs = self.values(elements, scope)
        stock = dict(keyed(pairs, lambda pair: canonical(pair[1])))
        siblings = self._siblings(node, len(elements))
        rows = [(element, sibling) for element, sibling in zip_longest(elements, siblings)]
        made = []
        for key, value in keyed(wanted, canonical):
            row = rows[stock[key][0]] if key in stock else (self._make(value, scope), None)
            if row[0] is not None:
                made.append((key, row))
        ours: dict[int, Hashable] = {pair[0]: key for key, pair in stock.items()}
        merged = merge(rows, ours, made, self.path.slot(elements))
        store_elements(self.path, node, [element for element, _ in merged])
        self._store_siblings(node, [sibling for _, sibling in merged])

    def _make(self, value: Any, scope: Scope) -> Any:
        encoded = self.codec.encode(value, None, scope)
        if encoded is None:
            not_written(self.source, self.path, scope)
        if self.leaf is None or encoded is None:
            return encoded
        element = self.path.last.make()
        self.leaf.make_holder(element)[self.leaf.name] = encoded
        return element

    def _siblings(self, node: Tree, length: int) -> list[Any]:
        holder = self.path.holder(node)
        found = holder.get(f"_{self.path.name}") if holder is not None and self.leaf is None else None
        return found[:length] if type(found) is list else []

    def _store_siblings(self, node: Tree, siblings: list[Any]) -> None:
        holder = self.path.holder(node)
        if holder is None or self.leaf is not None:
            return
        if any(sibling is not None for sibling in siblings):
            holder[f"_{self.path.name}"] = siblings
        else:
            holder.pop(f"_{self.path.name}", None)
            self.path.prune(node)


def _beside(element: Tree, leaf: Path) -> bool:
    """Whether an element holds more than the value: then it is not ours."""
    return not element.keys() <= {"id", "extension", leaf.first.name}
