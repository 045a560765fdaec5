"""`pack.yaml`: name, version, what it extends, FHIR versions, prefixes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from adapter.errors import Finding, PackError
from adapter.fhir_json import dumps
from adapter.packs import cache
from adapter.packs.extras import Extra
from adapter.packs.kinds import Declared
from adapter.packs.reading import read_bytes

KEYS = ("examples", "extends", "extra", "fhir", "kinds", "name", "prefixes", "title", "version")
FHIR_VERSIONS = ("4.0.1", "4.3.0", "5.0.0")


@dataclass(frozen=True, slots=True)
class Head:
    """What `pack.yaml` says; `extends` is empty where the pack stands by itself, `examples` a path from its folder."""

    name: str
    version: str
    title: str = ""
    extends: str = ""
    fhir_versions: tuple[str, ...] = ("4.0.1",)
    prefixes: dict[str, str] = field(default_factory=dict)
    examples: str = "examples"
    kinds: dict[str, Declared] = field(default_factory=dict)
    extra: tuple[Extra, ...] = ()


def read_head(path: Path) -> Head:
    """The head of the pack in a folder, from its pack.yaml. Raises PackError with every fault as file:line:column."""
    folder = path.parent.name
    faults: list[Finding] = []
    data = read_bytes(path, path.parent, faults)
    if data is None:
        raise unusable(folder, faults)
    key = cache.key_of("head", (folder.encode("utf-8", "surrogateescape"), data))
    kept = cache.read(key, _head)
    if kept is not None:
        return kept
    from adapter.packs.head_text import parsed

    head = parsed(data, folder)
    cache.put(key, dumps(asdict(head)))
    return head


def unusable(folder: str, faults: Iterable[Finding]) -> PackError:
    """The error of a pack whose pack.yaml has faults."""
    return PackError(f"The pack in the folder {folder} cannot be used.", faults=list(faults))


def _head(entry: dict[str, Any]) -> Head:
    kinds = {
        name: Declared(**row | {"spot": (row["spot"][0], row["spot"][1], row["spot"][2])})
        for name, row in entry["kinds"].items()
    }
    extra = tuple(Extra(**row) for row in entry["extra"])
    return Head(**entry | {"kinds": kinds, "extra": extra, "fhir_versions": tuple(entry["fhir_versions"])})
