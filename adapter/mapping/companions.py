"""A second resource of the same record: a score beside its answers, the patient of an intake."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adapter.fhir_json import same
from adapter.identity import resource_id
from adapter.mapping.maps import ResourceMap
from adapter.mapping.paths import Path
from adapter.mapping.resources import Found, edit_part, lookup, make_part, read_part, remove_part
from adapter.mapping.rules import current
from adapter.mapping.scope import Scope

Tree = dict[str, Any]


@dataclass(slots=True)
class Companion:
    """Fields of the same record that stand on a second resource, found by a reference: a score beside its answers."""

    source: str
    path: Path
    map: ResourceMap
    fields: frozenset[str]
    apart: bool = False

    def found(self, node: Tree, scope: Scope) -> Found | None:
        """The second resource, or None where there is none."""
        return lookup([self.map], current(self.path, node), scope)

    def clear(self, node: Tree, scope: Scope) -> None:
        """Take the second resource away, with the first."""
        found = self.found(node, scope)
        if found is not None:
            remove_part(found, scope)

    def _of(self, record: Tree) -> Tree:
        return {key: value for key, value in record.items() if key in self.fields}

    def read(self, node: Tree, out: Tree, scope: Scope) -> None:
        found = self.found(node, scope)
        if found is not None:
            item = read_part(found, scope)
            out.update({key: value for key, value in item.items() if key in self.fields})

    def write(self, node: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        found = self.found(node, scope)
        if found is not None:
            edit_part(found, new, scope, old)
            return
        # Without a second resource nothing of it was read: what there is now has come with the edit.
        if not old or not same(self._of(new), self._of(old)):
            id_ = apart_id(self.map.type_, scope) if self.apart else new["id"]
            reference = make_part(self.map, {**new, "id": id_}, scope)
            self.path.make_holder(node)[self.path.name] = reference


def apart_id(type_: str, scope: Scope) -> str:
    """The id of a second resource that is a thing of its own: the patient of an intake."""
    return resource_id(scope.kind, scope.record_id, f"{scope.part}{type_}")
