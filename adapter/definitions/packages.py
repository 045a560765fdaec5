"""Published FHIR packages: read within bounds, compiled by the same compiler as FHIR's own definitions.

https://hl7.org/fhir/packages.html
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adapter.definitions.condense import condense_extension
from adapter.definitions.profiling import condense_profile
from adapter.definitions.terms import UNKNOWN, Expansion, Terms
from adapter.errors import UsageError

if TYPE_CHECKING:
    from adapter.definitions import Definitions

Tree = dict[str, Any]
Tables = dict[str, dict[str, Any]]
LARGEST, MOST = 300 * 1024 * 1024, 50_000
KINDS = ("StructureDefinition", "ValueSet", "CodeSystem", "Questionnaire")


class LayeredTerms(Terms):
    """CodeSystems and ValueSets of a package or a resource, over those of the definitions."""

    def __init__(self, defs: Definitions, resources: Mapping[str, Tree]) -> None:
        super().__init__(resources)
        self.defs = defs

    def concepts(self, url: str) -> dict[str, Tree] | None:
        if url in self.resources:
            return super().concepts(url)
        facts = self.defs.code_system(url)
        return None if facts is None else {code: {"display": text, "row": {}} for code, text in facts.codes.items()}

    def expand(self, url: str) -> Expansion:
        plain = url.partition("|")[0]
        found = None if plain in self.resources else self.defs.expansion(plain)
        return super().expand(url) if found is None else found

    def _filtered(self, system: str, filters: list[Tree]) -> Any:
        # Hierarchies of published systems are not kept.
        return super()._filtered(system, filters) if system in self.resources else UNKNOWN


def read_package(path: str | Path) -> list[Tree]:
    """The resources of a package (`.tgz`) that matter here. Raises UsageError, naming it, for what is no package."""
    try:
        with tarfile.open(path) as archive:
            return _resources(archive, str(path))
    except (OSError, tarfile.TarError, EOFError, ValueError) as error:
        raise UsageError(
            "The package cannot be read.", place=str(path), remedy="Give a FHIR package (.tgz)."
        ) from error


def _resources(archive: tarfile.TarFile, name: str) -> list[Tree]:
    found: list[Tree] = []
    size = 0
    for count, member in enumerate(archive):
        size += member.size
        if count > MOST or size > LARGEST:
            raise UsageError("The package is too large.", place=name, remedy=f"At most {LARGEST} bytes unpacked.")
        parts = member.name.split("/")
        if ".." in parts or member.name.startswith("/"):
            raise UsageError("The package names a path outside itself.", place=name)
        file = archive.extractfile(member) if member.isfile() and _wanted(parts) else None
        if file is None:
            continue
        tree = json.load(file)
        if isinstance(tree, dict) and tree.get("resourceType") in KINDS and isinstance(tree.get("url"), str):
            found.append(tree)
    return found


def _wanted(parts: list[str]) -> bool:
    return len(parts) == 2 and parts[1].partition("-")[0] in KINDS and parts[1].endswith(".json")


def compile_package(defs: Definitions, resources: Iterable[Tree]) -> Tables:
    """The tables of a package: profiles, extensions, valuesets, codesystems. Raises UsageError naming what is at fault."""
    rows = {row["url"]: row for row in resources}
    terms = LayeredTerms(defs, rows)
    tables: Tables = {"profiles": {}, "extensions": {}, "valuesets": {}, "codesystems": {}}
    for url, row in rows.items():
        try:
            _compile_one(tables, terms, url, row)
        except (KeyError, TypeError, AttributeError, ValueError, IndexError, RecursionError) as error:
            raise UsageError("A definition of the package cannot be compiled.", place=url) from error
    return tables


def _compile_one(tables: Tables, terms: LayeredTerms, url: str, row: Tree) -> None:
    if row["resourceType"] == "ValueSet":
        tables["valuesets"][url] = terms.expand(url)
    elif row["resourceType"] == "CodeSystem":
        concepts = terms.concepts(url)
        if concepts is not None:
            tables["codesystems"][url] = {code: concept["display"] for code, concept in sorted(concepts.items())}
    elif row["resourceType"] == "StructureDefinition":
        if row.get("type") == "Extension" and "snapshot" in row:
            tables["extensions"][url] = condense_extension(row)
        elif row.get("derivation") == "constraint":
            tables["profiles"][url] = condense_profile(row)
