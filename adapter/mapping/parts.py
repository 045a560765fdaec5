"""Items that are resources of their own: a plan's goals, team and requests, an assessment's instruments and scores.

Each is read and written by a whole map, the same one that serves the resource when it arrives alone.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Any

from adapter.fhir_json import same
from adapter.identity import is_uuid, resource_id
from adapter.mapping.keys import NUMBER, number_of, settle_numbers
from adapter.mapping.lists import Items, elements_of, merge, store_elements
from adapter.mapping.maps import ResourceMap
from adapter.mapping.paths import Path, get, put
from adapter.mapping.resources import (
    INHERITED,
    Found,
    edit_part,
    lookup,
    make_part,
    read_part,
    remove_part,
)
from adapter.mapping.rules import Names, Rule, current, read_all, write_all
from adapter.mapping.scope import Scope

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class PartKeys:
    """How an item names its resource: by its `id`, by a field of the provider's, or by its number (of a column).

    A name that is no UUID gives one with the record, the part that holds the list, and the list.
    """

    by: str = "id"
    names: Names = ()

    def id_of(self, item: Tree, scope: Scope) -> str:
        """The id of an item of the record."""
        if self.by != NUMBER and "id" in item:
            return str(item["id"])
        key = item.get("id" if self.by == NUMBER else self.by)
        return key if is_uuid(key) else self.made(str(key), scope)  # type: ignore[return-value]

    def made(self, key: str, scope: Scope) -> str:
        """The id that a name of the provider's gives."""
        return resource_id(scope.kind, scope.record_id, f"{scope.part}/{'.'.join(self.names)}/{key}")

    def plain(self, id_: str, item: Tree, scope: Scope) -> Tree:
        """The item as the record has it: without the id where its own field says it."""
        bare = {key: value for key, value in item.items() if key != "id"}
        if self.by in bare and self.id_of(bare, scope) == id_:
            return bare
        return {"id": id_, **bare}


@dataclass(frozen=True, slots=True)
class Row:
    """An element that is ours: where it stands, its id, its item as the record has it, its resource if it is at hand."""

    index: int
    id_: str
    item: Tree
    found: Found | None


@dataclass(slots=True)
class Parts:
    """A list of items ↔ an array of references to resources; `at` is where in the element the reference stands.

    An element whose resource is not among the parts is an item that holds only its id. `inline` reads elements that
    hold the item itself (CarePlan.activity.detail); such an item has the flag `held`, and with it a new one is made so
    too. `beside` are rules over the element, for what it says of an item beyond the reference. With `from_main` the array is one of the record's main resource, and
    `under` says where an item's resource refers to the one that it belongs to: those that do are the items.
    """

    source: str
    names: Names
    path: Path
    maps: list[ResourceMap]
    at: str = ""
    inline: Items | None = None
    keys: PartKeys = field(default_factory=PartKeys)
    under: Path | None = None
    from_main: bool = False
    held: str = ""
    beside: Sequence[Rule] = ()
    beside_names: frozenset[str] = frozenset()

    def holder(self, node: Tree, scope: Scope) -> Tree:
        """The resource or element that the array stands in."""
        return scope.parts[""] if self.from_main else node

    def reference(self, element: Any) -> Any:
        """The reference in an element."""
        return element.get(self.at) if self.at and type(element) is dict else element

    def rows(self, elements: list[Any], scope: Scope) -> list[Row]:
        """Each element that refers to an item; with only the id where its resource is not at hand."""
        rows: list[Row] = []
        taken: set[str] = set()
        number = 0
        for index, element in enumerate(elements):
            row = self._row(index, element, scope)
            if row is None or row.id_ in taken:
                continue
            taken.add(row.id_)
            if self.keys.by == NUMBER:
                number = number_of(element, number)
                row = replace(row, item={**row.item, "id": str(number)})
            rows.append(row)
        return rows

    def _row(self, index: int, element: Any, scope: Scope) -> Row | None:
        if not self.path.last.matches(element):
            return None
        reference = self.reference(element)
        found = lookup(self.maps, reference, scope.of("", scope.parts[""]) if self.from_main else scope)
        if found is not None and not self._belongs(found, scope):
            return None
        if found is not None:
            content = read_part(found, scope)
            content = {key: content[key] for key in content if key not in INHERITED}
            read_all(self.beside, element, content, scope)
            return Row(index, found.item_id, self.keys.plain(found.item_id, content, scope), found)
        link = scope.refs.link(reference) if type(reference) is dict and not self.from_main else None
        if link is None:
            return None
        return Row(index, link[1], read_all(self.beside, element, {"id": link[1]}, scope), None)

    def _belongs(self, found: Found, scope: Scope) -> bool:
        if self.under is None or not self.from_main:
            return True
        owner = current(self.under, found.resource)
        return type(owner) is dict and scope.refs.part(owner) == scope.part

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        elements = elements_of(self.path, self.holder(node, scope))
        items = [(row.index, row.item) for row in self.rows(elements, scope)]
        items += self.inline_rows(elements, scope)
        if items:
            put(out, self.names, [item for _, item in sorted(items, key=itemgetter(0))])

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        wanted, before = get(new, self.names) or [], get(old, self.names) or []
        moved = any(new.get(key) != old.get(key) for key in INHERITED)
        if same(wanted, before) and not moved:
            return
        node = self.holder(node, scope)
        elements = elements_of(self.path, node)
        rows = {self._name(row.id_, row.item): row for row in self.rows(elements, scope)}
        places = {id(elements[row.index]): name for name, row in rows.items()}
        inline = {item["id"]: (index, item) for index, item in self.inline_rows(elements, scope)}
        places.update({id(elements[index]): name for name, (index, _) in inline.items()})
        made: list[tuple[str, Any]] = []
        named = self._named(wanted, scope)
        for name, item in named.items():
            if self._is_inline(item, name in inline):
                made.append((name, self._write_inline(elements, item, inline.get(name), scope)))
            elif name in rows:
                made.append((name, self._edit(elements[rows[name].index], rows[name], item, scope)))
            else:
                made.append((name, self._make(item, scope)))
                places[id(made[-1][1])] = name
        kept = {name for name, item in named.items() if not self._is_inline(item, name in inline)}
        for name, row in rows.items():
            if name not in kept and row.found is not None:
                remove_part(row.found, scope)
        # Items that hold items of this same array have changed it meanwhile.
        elements = elements_of(self.path, node)
        ours: dict[int, Hashable] = {
            index: places[id(element)] for index, element in enumerate(elements) if id(element) in places
        }
        store_elements(self.path, node, merge(elements, ours, made))
        self._settle(made, named, inline, scope)

    def _is_inline(self, item: Tree, was: bool) -> bool:
        return item.get(self.held) is True if self.held else was

    def _write_inline(self, elements: list[Any], item: Tree, stands: tuple[int, Tree] | None, scope: Scope) -> Any:
        inline: Any = self.inline
        element = self.path.last.make() if stands is None else elements[stands[0]]
        write_all(inline.rules, element, item, {} if stands is None else stands[1], scope)
        return element

    def _named(self, wanted: list[Tree], scope: Scope) -> dict[str, Tree]:
        named: dict[str, Tree] = {}
        for item in wanted:
            if named.setdefault(self._name(self.keys.id_of(item, scope), item), item) is not item:
                scope.say(
                    "error",
                    "duplicate",
                    "map-item-twice",
                    "Two items of one list have the same name; the second was left out.",
                    source=self.source,
                    path=self.path.text,
                )
        return named

    def clear(self, node: Tree, scope: Scope) -> None:
        """Take the items away, with the resource that they belong to."""
        held: Tree = {}
        self.read(node, held, scope)
        self.write(node, {}, held, scope)

    def _name(self, id_: str, item: Tree) -> str:
        return str(item["id"]) if self.keys.by == NUMBER else id_

    def _settle(self, made: list[tuple[str, Any]], named: dict[str, Tree], inline: Tree, scope: Scope) -> None:
        if self.keys.by == NUMBER:
            settle_numbers((element, named[name]) for name, element in made)
        if self.inline is not None:
            held = [(element, named[name]) for name, element in made if self._is_inline(named[name], name in inline)]
            self.inline.settle_ids([element for element, _ in held], [item for _, item in held], scope)

    def inline_rows(self, elements: list[Any], scope: Scope) -> list[tuple[int, Tree]]:
        """(index, item) of each element that holds its item itself."""
        if self.inline is None:
            return []
        rows = self.inline.items(elements, scope)
        flag = {self.held: True} if self.held else {}
        return [(index, item | flag) for index, item in rows if self._row(index, elements[index], scope) is None]

    def _edit(self, element: Any, row: Row, item: Tree, scope: Scope) -> Any:
        own = self._own(item)
        if row.found is None and same(own, self._own(row.item)):
            write_all(self.beside, element, item, row.item, scope)
            return element
        if row.found is not None and row.found.map.makes(own) and (len(own) > 1 or self.keys.by != "id"):
            edit_part(row.found, {**own, "id": row.id_}, scope)
            write_all(self.beside, element, item, row.item, scope)
            return element
        if row.found is not None:
            remove_part(row.found, scope)
        return self._make(item, scope)

    def _own(self, item: Tree) -> Tree:
        """What the resource says of an item, without what its element says."""
        return {key: value for key, value in item.items() if key not in self.beside_names}

    def _make(self, item: Tree, scope: Scope) -> Any:
        own = self._own(item)
        map_ = next((map_ for map_ in self.maps if map_.makes(own)), self.maps[0])
        element, main = self.path.last.make(), scope.parts.get("", {})

        def ready(reference: Tree) -> None:
            element.update({self.at: reference} if self.at else reference)
            if self.from_main:
                # It stands before those that belong to it, and no longer where it belonged before.
                rows = elements_of(self.path, main)
                others = [row for row in rows if _part_of(self.reference(row), scope) != _part_of(reference, scope)]
                store_elements(self.path, main, [*others, element])

        if own.keys() == {"id"} and self.keys.by != NUMBER:
            ready(scope.refs.to_record(map_.type_, own["id"]))
        else:
            make_part(map_, {**own, "id": self.keys.id_of(own, scope)}, scope, self.under, ready)
        write_all(self.beside, element, item, {}, scope)
        return element


def _part_of(reference: Any, scope: Scope) -> Any:
    """The part that a Reference leads to; what leads to none is only the same as itself."""
    part = scope.refs.part(reference) if type(reference) is dict else None
    return part if part is not None else id(reference)
