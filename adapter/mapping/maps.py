"""One mapping file, compiled: the rules between a record shape and a FHIR type, both ways."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from adapter.identity import IDENTIFIER_SYSTEM
from adapter.mapping.derived import drop_unused_members
from adapter.mapping.paths import Path, get, put
from adapter.mapping.rules import Names, Rule, current, read_all, write_all
from adapter.mapping.scope import Scope

Tree = dict[str, Any]
WARM = 32
"""After how many resources a map's functions are generated: for fewer it would not pay."""


@dataclass(frozen=True, slots=True)
class Generated:
    """What `adapter.mapping.fast` makes of a map: `read(resource, out, scope)`, `fill(resource, record, scope)`."""

    read: Callable[[Tree, Tree, Scope], Tree]
    fill: Callable[[Tree, Tree, Scope], None]


@dataclass(slots=True)
class ResourceMap:
    """One mapping file, compiled: the rules between a record shape and a FHIR type.

    `generate` makes its fast functions once it is used often; without it the rules are asked one by one.
    """

    name: str
    kind: str
    type_: str
    rules: list[Rule]
    when: tuple[tuple[Names, Any], ...] = ()
    match: tuple[tuple[Path, Any], ...] = ()
    source: str = ""
    part_only: bool = False
    one_identifier: bool = False
    generate: Callable[[ResourceMap], Generated] | None = None
    fast: Generated | None = None
    _uses: int = 0
    _leads: tuple[Any, ...] | None = None

    def leads(self) -> tuple[Any, ...]:
        """Its rules that lead to resources of their own, out of what wraps them."""
        if self._leads is None:
            inner = [getattr(rule, "inner", rule) for rule in self.rules]
            self._leads = tuple(rule for rule in inner if hasattr(rule, "clear"))
        return self._leads

    def _hot(self) -> Generated | None:
        """The generated functions, made when they pay."""
        if self.fast is None and self.generate is not None:
            self._uses += 1
            if self._uses > WARM:
                self.fast = self.generate(self)
        return self.fast

    def reads(self, resource: Any) -> bool:
        """Whether this map is for that resource."""
        if type(resource) is not dict or resource.get("resourceType") != self.type_:
            return False
        return not self.match or all(current(path, resource) == value for path, value in self.match)

    def makes(self, record: Tree) -> bool:
        """Whether this map is for that record or item."""
        return not self.when or all(get(record, names) == value for names, value in self.when)

    def read(self, resource: Tree, scope: Scope, out: Tree | None = None) -> Tree:
        """The record's content, without kind and id; into `out` where it is given."""
        out = {} if out is None else out
        for names, value in self.when:
            if value is not None:
                put(out, names, value)
        fast = self.fast or self._hot()
        return fast.read(resource, out, scope) if fast else read_all(self.rules, resource, out, scope)

    def write(self, resource: Tree, new: Tree, old: Tree, scope: Scope) -> None:
        """Write the difference between two records onto the resource that `old` was read from."""
        write_all(self.rules, resource, new, old, scope)
        drop_unused_members(scope.holder)

    def make(self, record: Tree, scope: Scope) -> None:
        """Fill a new resource, `scope.root`, which has its type and id."""
        resource = scope.root
        identifier = {"system": IDENTIFIER_SYSTEM, "value": record["id"]}
        resource["identifier"] = identifier if self.one_identifier else [identifier]
        fast = self.fast or self._hot()
        if fast:
            fast.fill(resource, record, scope)
        else:
            write_all(self.rules, resource, record, {}, scope)


def reader_of(maps: Iterable[ResourceMap], resource: Tree) -> ResourceMap | None:
    """The first of these maps that reads a resource."""
    return next((map_ for map_ in maps if map_.reads(resource)), None)
