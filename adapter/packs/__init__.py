"""A pack: a folder of mapping files, ConceptMaps, CodeSystems, Questionnaires and extensions, read and checked.

`load("core")` gives a `Pack`; what lies where in the folder is told in docs/packs.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from adapter.errors import Finding, PackError
from adapter.packs.extras import Extra
from adapter.packs.head import Head, read_head
from adapter.packs.kinds import Kind, read_kinds
from adapter.packs.trees import canonical, read_trees

Tree = dict[str, Any]
__all__ = ["Extra", "Kind", "Pack", "available", "folder_of", "load", "read", "root"]


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as it lies on disk, what it extends put in.

    `maps` are files by name; the trees are by the name of their file, questionnaires by `url|version`. `heads` are its pack.yaml and those of what it extends, which `extends` names,
    the packs that were put in, the nearest first.
    """

    name: str
    version: str
    folder: Path
    extends: tuple[str, ...]
    fhir_versions: tuple[str, ...]
    prefixes: dict[str, str]
    maps: dict[str, Path]
    concept_maps: dict[str, Tree]
    code_systems: dict[str, Tree]
    value_sets: dict[str, Tree]
    structure_definitions: dict[str, Tree]
    questionnaires: dict[str, Tree]
    title: str = ""
    examples_path: str = "examples"
    kinds: dict[str, Kind] = field(default_factory=dict)
    extra: tuple[Extra, ...] = ()
    heads: tuple[Path, ...] = ()

    @property
    def examples(self) -> Path:
        """The folder of its examples; it need not be there."""
        return (self.folder / self.examples_path).resolve()


def root() -> Path:
    """Where the packs that come with the adapter lie: in the wheel, or in a checkout."""
    inside = Path(__file__).parent.parent / "_data" / "mappings"
    return inside if inside.is_dir() else Path(__file__).parent.parent.parent / "mappings"


def available() -> list[str]:
    """The names of the packs that come with the adapter."""
    return sorted(folder.parent.name for folder in root().glob("*/pack.yaml"))


def load(name_or_path: str | Path = "core", *, fresh: bool = False) -> Pack:
    """A pack by name or by the path of its folder. Raises PackError with file, line and column of each fault.

    A pack is read once in a process; `fresh` reads it again, for whoever watches its files.
    """
    if fresh:
        _load.cache_clear()
    return _load(folder_of(str(name_or_path)))


@lru_cache(maxsize=16)
def _load(folder: Path) -> Pack:
    faults: list[Finding] = []
    pack = _read(folder, (), faults)
    if pack is None or faults:
        raise PackError(f"The pack in the folder {folder.name} cannot be used.", faults=faults)
    return pack


def read(name_or_path: str | Path, faults: list[Finding]) -> Pack | None:
    """A pack as far as it can be read, for whoever tells all that is wrong; the faults of its files are appended.

    None where pack.yaml cannot be used. Raises PackError where there is no such pack.
    """
    return _read(folder_of(str(name_or_path)), (), faults)


def folder_of(name_or_path: str, beside: Path | None = None) -> Path:
    """The folder of a pack; a bare name is first looked for beside the pack that extends it, then among those shipped."""
    path = Path(name_or_path)
    bare = path.name == name_or_path and path.name not in ("", ".", "..")
    for place in (beside, root() if bare else None, Path()):
        if place is not None and _holds_pack(place / path):
            return (place / path).resolve()
    known = ", ".join(available())
    raise PackError(f"There is no pack {name_or_path}.", remedy=f"Give the path of its folder, or one of: {known}.")


def _holds_pack(folder: Path) -> bool:
    try:
        return (folder / "pack.yaml").is_file()
    except (OSError, ValueError):
        return False


def _read(folder: Path, way: tuple[Path, ...], faults: list[Finding]) -> Pack | None:
    if folder in way:
        loop = " → ".join(path.name for path in (*way[way.index(folder) :], folder))
        raise PackError(f"The pack {folder.name} extends itself: {loop}.", place=f"{folder.name}/pack.yaml")
    head = _head(folder, faults)
    trees = read_trees(folder, faults)
    if head is None:
        return None
    own = _own(folder, head, trees, read_kinds(folder, head.kinds, faults))
    if not head.extends:
        return own
    parent = _read(folder_of(head.extends, folder.parent), (*way, folder), faults)
    return _merged(parent, own) if parent is not None else None


def _head(folder: Path, faults: list[Finding]) -> Head | None:
    try:
        return read_head(folder / "pack.yaml")
    except PackError as error:
        faults.extend(error.faults)
        return None


def _own(folder: Path, head: Head, trees: dict[str, dict[str, Tree]], kinds: dict[str, Kind]) -> Pack:
    return Pack(
        name=head.name,
        version=head.version,
        folder=folder,
        extends=(),
        fhir_versions=head.fhir_versions,
        prefixes=head.prefixes,
        maps={path.stem: path for path in sorted((folder / "maps").glob("*.yaml"))},
        concept_maps=trees["conceptmaps"],
        code_systems=trees["codesystems"],
        value_sets=trees["valuesets"],
        structure_definitions=trees["structuredefinitions"],
        questionnaires={canonical(tree): tree for tree in trees["questionnaires"].values()},
        title=head.title,
        examples_path=head.examples,
        kinds=kinds,
        extra=head.extra,
        heads=(folder / "pack.yaml",),
    )


def _merged(parent: Pack, own: Pack) -> Pack:
    """The pack with everything of its parent that it does not have itself."""
    return Pack(
        name=own.name,
        version=own.version,
        folder=own.folder,
        extends=(parent.name, *parent.extends),
        fhir_versions=own.fhir_versions,
        prefixes=parent.prefixes | own.prefixes,
        maps=parent.maps | own.maps,
        concept_maps=parent.concept_maps | own.concept_maps,
        code_systems=parent.code_systems | own.code_systems,
        value_sets=parent.value_sets | own.value_sets,
        structure_definitions=parent.structure_definitions | own.structure_definitions,
        questionnaires=parent.questionnaires | own.questionnaires,
        title=own.title,
        examples_path=own.examples_path,
        kinds=parent.kinds | own.kinds,
        extra=parent.extra + own.extra,
        heads=parent.heads + own.heads,
    )
