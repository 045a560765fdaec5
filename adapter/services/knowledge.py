"""What is known of a pack, for the commands that tell of it: compiled, as rows, with its codes and both sides' definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from adapter.definitions import Definitions, definitions
from adapter.mapping import Mapper, Row, forget, load, shape_of, table
from adapter.mapping.shapes import Shape
from adapter.mapping.versions import fhir_version, release_of
from adapter.packs import Pack, available
from adapter.packs import load as load_pack

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Knowledge:
    """One pack, for one FHIR version. `shape_of` gives the schema of a kind of record."""

    pack: Pack
    mapper: Mapper
    rows: list[Row]
    definitions: Definitions
    shape_of: Callable[[str], Shape | None]
    release: str = "R4"

    @classmethod
    def of(cls, pack: str = "core", fhir: str | None = None, *, fresh: bool = False) -> Knowledge:
        """A pack by name or path; `fresh` reads its files again. Raises PackError, UsageError for an unknown version."""
        if fresh:
            forget()
            load_pack(pack, fresh=True)
        version = fhir_version(fhir)
        found, release = load_pack(pack), release_of(version)
        shape = partial(shape_of, pack=found)
        return cls(found, load(pack).of(version), table(found, release), definitions(version), shape, release)

    def choosing(self) -> dict[str, set[str]]:
        """By kind, the record paths that say which map a record is for."""
        found: dict[str, set[str]] = {}
        for map_ in self.mapper.maps.values():
            found.setdefault(map_.kind, set()).update(".".join(names) for names, _ in map_.when)
        return found

    def elsewhere(self, type_: str, path: str) -> list[str]:
        """The other packs that come with the adapter and have a rule for a FHIR path of a type."""
        names = [name for name in available() if name != self.pack.name]
        return [name for name in names if _maps(table(load_pack(name), self.release), type_, path)]


def _maps(rows: list[Row], type_: str, path: str) -> bool:
    return any(row.type_ == type_ and f"{row.fhir}.".startswith(f"{path}." if path else "") for row in rows)
