"""Mapping files → two-way functions between records and FHIR.

`load("core")` gives a `Mapper`: `from_fhir`, `to_fhir` for whole inputs; `parts`, `record` for one record.
"""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from adapter.errors import Finding
from adapter.mapping import convert, versions
from adapter.mapping.choosing import Context
from adapter.mapping.compiler import compile_maps
from adapter.mapping.convert import Converted, Create, Read
from adapter.mapping.kinds import OwnKinds
from adapter.mapping.mapper import PackMaps
from adapter.mapping.maps import Generated, ResourceMap
from adapter.mapping.pausing import LARGE, paused, size_of_records, size_of_resource
from adapter.mapping.shapes import Shape
from adapter.mapping.source import Faults
from adapter.mapping.table import Row, rows_of
from adapter.packs.reading import file_of, read_bytes

if TYPE_CHECKING:
    from adapter.issues import Issue
    from adapter.packs import Pack

Tree = dict[str, Any]
__all__ = ["Converted", "Mapper", "Read", "Row", "forget", "load", "shape_of", "table", "texts_of"]


class Mapper(PackMaps):
    """A pack, compiled; immutable, shared between threads."""

    __slots__ = ()

    def of(self, fhir: str | None) -> Mapper:
        """The mapper of the same pack for a FHIR version. Raises UsageError for one that is not spoken."""
        release = versions.release_of(versions.fhir_version(fhir))
        return self if release == self.release else load(self.path, release)

    def check(self, record: Any) -> list[Issue]:
        """What is wrong with a record: by the schema of its pack where its kind is the pack's own."""
        from adapter.records import ENVELOPE, check

        kind = record.get("kind") if type(record) is dict else None
        if type(kind) is str and kind in self.own.kinds:
            return self.own.faults(record, ENVELOPE)
        return check(record) + self.own.extra_faults(record)

    def from_fhir(self, tree: Any, *, base: str = "none", fhir: str | None = None) -> Read:
        """A resource or Bundle → records, remainder, issues. Raises BadInput."""
        version = versions.of_input(tree, fhir)
        with paused(size_of_resource(tree)):
            return convert.from_fhir(self.of(version), tree, base=base, fhir=version)

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
        pack = self.of(versions.of_remainder(remainder, fhir))
        with paused(size_of_records(records)):
            return convert.to_fhir(pack, records, remainder, bundle_type=bundle_type, create=create)


def load(pack: str = "core", release: str = "R4") -> Mapper:
    """The mapper of a pack, by name or path, for a FHIR release (`R4`, which is R4B too, or `R5`).

    Raises PackError with file, line and column of every fault.
    """
    return _load(pack, release)


def forget() -> None:
    """Let go of every pack that was compiled, for whoever watches its files."""
    _load.cache_clear()


@lru_cache(maxsize=16)
def _load(pack: str, release: str) -> Mapper:
    with paused(LARGE):
        return _compiled(pack, release)


def _compiled(pack: str, release: str) -> Mapper:
    from adapter.packs import load as load_pack
    from adapter.terminology import compile_tables

    found = load_pack(pack)
    tables = compile_tables(found.concept_maps, found.code_systems, found.prefixes.get("cs", ""), pack=found.name)
    context = Context(found.prefixes, tables, partial(shape_of, pack=found), release=release)
    maps = compile_maps(texts_of(found, context.faults), context)
    for map_ in maps.values():
        map_.generate = _generate
    main = sorted((map_ for map_ in maps.values() if not map_.part_only), key=lambda map_: not map_.match)
    return Mapper(found.name, found.version, maps, tuple(main), pack, release, OwnKinds(found.kinds, found.extra))


def _generate(map_: ResourceMap) -> Generated:
    from adapter.mapping.fast import generate

    return generate(map_)


def table(pack: Pack, release: str = "R4") -> list[Row]:
    """The rules of a pack as rows, in the order of its files, of one FHIR release. Raises PackError."""
    faults = Faults()
    rows = rows_of(texts_of(pack, faults), pack.prefixes, faults, release)
    faults.check("The pack")
    return rows


def texts_of(pack: Pack, faults: list[Finding]) -> dict[str, tuple[str, bytes]]:
    """(file, bytes) of each mapping file that can be read."""
    found = {}
    heads = {f"{path.parent.name}/pack.yaml": path for path in pack.heads} if pack.extra else {}
    for name, path in heads.items():
        data = read_bytes(path, path.parent, faults)
        if data is not None:
            found[name] = (file_of(path, path.parent), data)
    for name, path in pack.maps.items():
        folder = path.parent.parent
        data = read_bytes(path, folder, faults)
        if data is not None:
            found[name] = (file_of(path, folder), data)
    return found


def shape_of(kind: str, pack: Pack | None = None) -> Shape | None:
    """The schema of a kind of record, of a pack's own or the adapter's with what the pack adds, or None where there is none."""
    from adapter.mapping.kept import schemas
    from adapter.packs.extras import schema_with

    own = pack.kinds if pack is not None else {}
    if kind not in own and kind not in schemas():
        return None
    extras = [extra for extra in pack.extra if extra.kind == kind] if pack is not None else []
    schema = schema_with(own[kind].schema if kind in own else schemas()[kind], extras)
    return Shape(schema, schema)
