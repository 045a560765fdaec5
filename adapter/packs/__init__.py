"""A pack: a folder of mapping files, ConceptMaps, CodeSystems, Questionnaires and extensions, read and checked."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from adapter.errors import PackError
from adapter.fhir_json import loads

Tree = dict[str, Any]
KEYS = {"name", "version", "extends", "fhir", "prefixes", "title"}
_NAME = re.compile(r"[a-z][a-z0-9-]*")
_VERSION = re.compile(r"\d+\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack as it lies on disk, what it extends put in; maps by name are files, the rest are trees."""

    name: str
    version: str
    folder: Path
    fhir_versions: tuple[str, ...]
    prefixes: dict[str, str]
    maps: dict[str, Path]
    concept_maps: dict[str, Tree]
    code_systems: dict[str, Tree]
    value_sets: dict[str, Tree]
    structure_definitions: dict[str, Tree]
    questionnaires: dict[str, Tree]

    @property
    def examples(self) -> Path:
        """The folder of its examples."""
        return self.folder / "examples"


def root() -> Path:
    """Where the packs that come with the adapter lie: in the wheel, or in a checkout."""
    inside = Path(__file__).parent.parent / "_data" / "mappings"
    return inside if inside.is_dir() else Path(__file__).parent.parent.parent / "mappings"


def available() -> list[str]:
    """The names of the packs that come with the adapter."""
    return sorted(folder.parent.name for folder in root().glob("*/pack.yaml"))


@lru_cache(maxsize=16)
def load(name_or_path: str = "core") -> Pack:
    """A pack by name or by the path of its folder. Raises PackError with file, line and column of each fault."""
    return _load(name_or_path, ())


def _load(name_or_path: str, way: tuple[str, ...]) -> Pack:
    folder = Path(name_or_path) if "/" in name_or_path or Path(name_or_path).is_dir() else root() / name_or_path
    if not (folder / "pack.yaml").is_file():
        raise PackError(f"There is no pack {name_or_path}.", remedy=f"Known are {', '.join(available())}.")
    if str(folder.resolve()) in way:
        raise PackError(f"The pack {name_or_path} extends itself.", place=f"{name_or_path}/pack.yaml")
    head = _head(folder)
    parent = _load(head["extends"], (*way, str(folder.resolve()))) if "extends" in head else None
    own = Pack(
        name=head["name"],
        version=head["version"],
        folder=folder,
        fhir_versions=tuple(head["fhir"].replace(",", " ").split()),
        prefixes=head["prefixes"],
        maps={path.stem: path for path in sorted((folder / "maps").glob("*.yaml"))},
        concept_maps=dict(_trees(folder / "conceptmaps")),
        code_systems=dict(_trees(folder / "codesystems")),
        value_sets=dict(_trees(folder / "valuesets")),
        structure_definitions=dict(_trees(folder / "structuredefinitions")),
        questionnaires={
            f"{tree.get('url')}|{tree.get('version')}": tree for _, tree in _trees(folder / "questionnaires")
        },
    )
    return _merged(parent, own) if parent is not None else own


def _merged(parent: Pack, own: Pack) -> Pack:
    return Pack(
        own.name,
        own.version,
        own.folder,
        own.fhir_versions,
        {**parent.prefixes, **own.prefixes},
        {**parent.maps, **own.maps},
        {**parent.concept_maps, **own.concept_maps},
        {**parent.code_systems, **own.code_systems},
        {**parent.value_sets, **own.value_sets},
        {**parent.structure_definitions, **own.structure_definitions},
        {**parent.questionnaires, **own.questionnaires},
    )


def _trees(folder: Path) -> Iterator[tuple[str, Tree]]:
    for path in sorted(folder.glob("*.json")):
        tree = loads(path.read_bytes())
        if not isinstance(tree, dict):
            raise PackError("A file of a pack holds one resource.", place=f"{folder.name}/{path.name}")
        yield path.stem, tree


def _head(folder: Path) -> dict[str, Any]:
    file = f"{folder.name}/pack.yaml"
    try:
        node = yaml.compose((folder / "pack.yaml").read_text("utf-8"), Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}:{mark.line + 1}:{mark.column + 1}" if mark else file
        raise PackError("The file is not YAML.", place=place) from None
    faults: list[str] = []
    head = _texts(node, file, faults)
    for key, node_line in list(head.get("_lines", {}).items()):
        if key not in KEYS:
            faults.append(f"{file}:{node_line}: unknown key {key}; known are {', '.join(sorted(KEYS))}")
    for key, form in (("name", _NAME), ("version", _VERSION)):
        if not isinstance(head.get(key), str) or not form.fullmatch(head[key]):
            faults.append(f"{file}:1:1: expected {key} in the form {form.pattern}")
    if not isinstance(head.get("fhir", "4.0.1"), str):
        faults.append(f"{file}:1:1: expected fhir as versions with spaces between")
    if faults:
        raise PackError(f"The pack in {folder.name} cannot be used.", faults=faults)
    return {"fhir": "4.0.1", "prefixes": {}, **head}


def _texts(node: Any, file: str, faults: list[str]) -> dict[str, Any]:
    """A mapping of texts, at most one level deep; `_lines` gives line:column of each key."""
    found: dict[str, Any] = {"_lines": {}}
    if not isinstance(node, yaml.MappingNode):
        faults.append(f"{file}:1:1: expected an object with name, version and fhir")
        return found
    for key, value in node.value:
        place = f"{key.start_mark.line + 1}:{key.start_mark.column + 1}"
        found["_lines"][str(key.value)] = place
        if isinstance(value, yaml.ScalarNode):
            found[str(key.value)] = str(value.value)
        elif isinstance(value, yaml.MappingNode) and key.value == "prefixes":
            found["prefixes"] = {str(k.value): str(v.value) for k, v in value.value if isinstance(v, yaml.ScalarNode)}
        else:
            faults.append(f"{file}:{place}: expected text")
    return found
