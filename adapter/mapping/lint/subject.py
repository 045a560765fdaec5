"""What lint looks at: a pack with its maps and rows, both schemas, and the findings so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from adapter.definitions import Definitions
from adapter.errors import Finding
from adapter.mapping.lint.messages import MESSAGES
from adapter.mapping.lint.walking import Spot, Walker
from adapter.mapping.maps import ResourceMap
from adapter.mapping.paths import Path, PathError, parse
from adapter.mapping.shapes import Shape
from adapter.mapping.source import place
from adapter.mapping.table import Row
from adapter.mapping.wrapping import follow

if TYPE_CHECKING:
    from adapter.packs import Pack
    from adapter.terminology import Table

Tree = dict[str, Any]


@dataclass
class Subject:
    """One pack under one FHIR version.

    `sources` are (file, tree) of its mapping files as they are, `trees` those of this version with short forms told out.
    """

    pack: Pack
    definitions: Definitions
    rows: list[Row]
    sources: Mapping[str, tuple[str, Any]]
    trees: Mapping[str, tuple[str, Any]]
    maps: Mapping[str, ResourceMap]
    tables: Mapping[str, Table]
    shape_of: Callable[[str], Shape | None]
    found: list[Finding] = field(default_factory=list)
    profiled: dict[str, dict[str, list[Tree]]] = field(default_factory=dict)

    def say(self, row: Row, id_: str, text: str, key: str = "fhir", near: str = "") -> None:
        """Add a finding at a rule, at one of its keys."""
        self.add(row.file, place(row.keys, key), id_, text, near, rule=row.line)

    def say_file(self, map_: str, id_: str, text: str, key: str = "", near: str = "") -> None:
        """Add a finding at a key of a mapping file."""
        file, tree = self.trees[map_]
        self.add(file, place(tree, key or None), id_, text, near)

    def say_key(self, node: Any, key: str, id_: str, text: str, near: str = "", *, rule: int = 0) -> None:
        """Add a finding at a key of an object of a mapping file."""
        self.add(node.file, place(node, key), id_, text, near, rule=rule)

    def add(
        self,
        file: str,
        spot: tuple[int, int],
        id_: str,
        text: str,
        near: str = "",
        *,
        pointer: str = "",
        rule: int = 0,
    ) -> None:
        """Add a finding at a line and column."""
        self.found.append(Finding(file, *spot, id_, text, MESSAGES[id_].severity, near, pointer, rule))

    def path(self, text: str) -> Path | None:
        """A FHIR path; None where it cannot be read, which the compiler tells."""
        try:
            return parse(text, self.pack.prefixes)
        except PathError:
            return None

    def shape(self, row: Row, path: str | None = None) -> Shape | None:
        """The schema of a record path of a row, from the top of its kind; None where the compiler has told that there is none."""
        return follow(self.shape_of(row.kind), row.record if path is None else path)

    def closed(self, row: Row) -> bool:
        """Whether the items of a row are those of a group that is told already, further up."""
        return isinstance((row.keys or {}).get("items"), str) and f"{row.selector}." not in self._bases

    @cached_property
    def _bases(self) -> set[str]:
        return {row.base for row in self.rows}

    @cached_property
    def spots(self) -> dict[int, Spot | None]:
        """Where each row leads in FHIR, by its number in `rows`; what leads nowhere is told when first asked for."""
        return {index: self._spot(row) for index, row in enumerate(self.rows)}

    def _spot(self, row: Row) -> Spot | None:
        walker = Walker(self.definitions)
        start = walker.start(row.type_)
        if start is None:
            return None
        spot: Spot | None = start
        # Above a row are the lists that it is inside of: each of their elements is meant.
        above = row.base.partition(".")[2].removesuffix(".")
        if above:
            path = self.path(above)
            spot = walker.walk(start, path, each=True) if path is not None else None
        walker.wrong.clear()
        path = self.path(row.selector[len(row.base) :])
        spot = walker.walk(spot, path) if path is not None else None
        for wrong in walker.wrong:
            self.say(row, wrong.id, wrong.text, near=wrong.near)
        return spot
