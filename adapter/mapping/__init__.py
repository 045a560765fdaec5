"""Mapping files → two-way functions between records and FHIR.

`load("core")` gives a `Mapper`: `from_fhir`, `to_fhir` for whole inputs; `parts`, `record` for one record.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from adapter.mapping import convert
from adapter.mapping.compiler import Context, compile_maps
from adapter.mapping.convert import Converted, Create, Read
from adapter.mapping.mapper import PackMaps
from adapter.mapping.shapes import Shape
from adapter.mapping.table import Row, rows_of

if TYPE_CHECKING:
    from adapter.packs import Pack

Tree = dict[str, Any]
__all__ = ["Converted", "Mapper", "Read", "Row", "load", "table"]


class Mapper(PackMaps):
    """A pack, compiled; immutable, shared between threads."""

    __slots__ = ()

    def from_fhir(self, tree: Any, *, base: str = "none", fhir: str | None = None) -> Read:
        """A resource or Bundle → records, remainder, issues. Raises BadInput."""
        return convert.from_fhir(self, tree, base=base, fhir=fhir)

    def to_fhir(
        self,
        records: list[Tree],
        remainder: Any = None,
        *,
        bundle_type: str | None = None,
        create: Create = "put",
        fhir: str | None = None,
    ) -> Converted:
        """Records → a Bundle, or with the remainder what came in. Raises UsageError, DataError."""
        return convert.to_fhir(self, records, remainder, bundle_type=bundle_type, create=create, fhir=fhir)


@lru_cache(maxsize=8)
def load(pack: str = "core") -> Mapper:
    """The mapper of a pack, by name or path. Raises PackError with file, line and column of every fault."""
    from adapter.packs import load as load_pack
    from adapter.terminology import compile_tables

    found = load_pack(pack)
    tables = compile_tables(found.concept_maps, found.code_systems, found.prefixes.get("cs", ""), pack=found.name)
    maps = compile_maps(_texts(found), Context(found.prefixes, tables, _shape))
    main = sorted((map_ for map_ in maps.values() if not map_.part_only), key=lambda map_: not map_.match)
    return Mapper(found.name, found.version, maps, tuple(main))


def table(pack: Pack) -> list[Row]:
    """The rules of a pack as rows, in the order of its files. Raises PackError."""
    return rows_of(_texts(pack), pack.prefixes)


def _texts(pack: Pack) -> dict[str, tuple[str, str]]:
    return {name: (_place(path), path.read_text("utf-8")) for name, path in pack.maps.items()}


def _place(path: Any) -> str:
    return "/".join(str(path).replace("\\", "/").split("/")[-3:])


def _shape(kind: str) -> Shape | None:
    from adapter.records import KINDS, json_schema

    if kind not in KINDS:
        return None
    schema = json_schema(kind)
    return Shape(schema, schema)
