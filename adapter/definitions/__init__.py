"""FHIR's own definitions, compiled into small data files and loaded lazily by type.

>>> from adapter.definitions import definitions
>>> definitions("4.0.1").type("CarePlan").elements["status"].binding.strength
'required'

The files are made by `tools/compile_definitions.py` from published packages; `source.json` beside them says which.
https://hl7.org/fhir/R4/downloads.html
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from adapter.definitions.building import build_extension, build_part
from adapter.definitions.facts import Binding, CodeSystemFacts, Constraint, Element, ExtensionFacts, TypeFacts
from adapter.definitions.loading import Layers, Table
from adapter.definitions.packages import Tables, compile_package, read_package
from adapter.definitions.profiling import join
from adapter.definitions.terms import ALL, UNKNOWN, Expansion
from adapter.errors import UsageError

__all__ = [
    "Binding",
    "CodeSystemFacts",
    "Constraint",
    "Definitions",
    "Element",
    "ExtensionFacts",
    "TypeFacts",
    "definitions",
]

# R4B changed none of the types that the adapter maps; its own definitions are the R4 ones here.
Tree = dict[str, Any]
# US Core is built in: its extensions, value sets and profiles are always known.
BUILT_IN = ("us-core",)
BUILT_IN_URLS = ("http://hl7.org/fhir/us/core/",)
FOLDERS = {"4.0.1": "r4", "4.0": "r4", "4.3.0": "r4", "4.3": "r4"}


class Definitions:
    """The facts of one FHIR version. Everything is read on first use and kept; safe to share between threads."""

    def __init__(self, version: str, folder: str, packages: Sequence[Tables] = ()) -> None:
        self.version = version
        self._types = Table(folder, "types.tsv")
        self._extensions, self._value_sets, self._code_systems, self._profiles = (
            Layers(
                *(
                    Table(folder, f"{name}.tsv")
                    for folder in (folder, *BUILT_IN)
                    if (folder, name) != ("r4", "profiles")
                ),
                *(tables[name] for tables in packages),
            )
            for name in ("extensions", "valuesets", "codesystems", "profiles")
        )
        self._folder = folder
        self._built: dict[str, TypeFacts] = {}
        self._systems: dict[str, CodeSystemFacts] = {}
        self._code_sets: dict[str, frozenset[str] | None] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def with_packages(self, paths: Sequence[str | Path]) -> Definitions:
        """These definitions and those of published packages (`.tgz`). Raises UsageError for what is no package."""
        tables: list[Tables] = []
        for path in paths:
            known = Definitions(self.version, self._folder, tables)
            tables.append(compile_package(known, read_package(path)))
        return Definitions(self.version, self._folder, tables)

    def with_resources(self, resources: Iterable[Tree]) -> Definitions:
        """These definitions and single StructureDefinitions, ValueSets and CodeSystems."""
        return Definitions(self.version, self._folder, [compile_package(self, resources)])

    def profile(self, url: str) -> Tree | None:
        """The constraints of a profile (see profiling.py), joined with those of the profiles it is derived from.

        None where it, or one it is derived from, is not at hand in the version asked for, or where they are derived from
        each other.
        """
        plain, _, version = url.partition("|")
        found: list[Tree] = []
        seen: set[str] = set()
        while plain:
            facts = self._profiles.get(plain)
            if facts is None or plain in seen or version not in ("", facts.get("v")):
                return None
            seen.add(plain)
            found.append(facts)
            plain, _, version = facts.get("b", "").partition("|")
        rows: list[Tree] = []
        for facts in reversed(found):
            rows = join(rows, facts["e"])
        return {"t": found[0]["t"], "e": rows}

    @property
    def resource_types(self) -> frozenset[str]:
        """The names of all concrete resource types."""
        return _resource_types(self._types)

    def type(self, name: str) -> TypeFacts:
        """A type (`CarePlan`, `Quantity`) or a part of one (`CarePlan.activity.detail`). Raises KeyError."""
        if name not in self._built:
            root, _, part = name.partition(".")
            tree = self._types.get(root)
            if tree is None or part not in tree["p"]:
                raise KeyError(name)
            self._built[name] = build_part(root, tree, part)
        return self._built[name]

    def extension(self, url: str) -> ExtensionFacts | None:
        """A published extension by its URL; `built_in` where only a built-in package defines it."""
        tree = self._extensions.get(url)
        if tree is None:
            return None
        facts = build_extension(url, tree)
        return replace(facts, built_in=True) if url.startswith(BUILT_IN_URLS) else facts

    def expansion(self, value_set: str) -> Expansion | None:
        """A value set as `{system: "*" | [code] | "?"}` (`?`: the content is not at hand); None where it is unknown."""
        found: Expansion | None = self._value_sets.get(value_set.partition("|")[0])
        return found

    def codes(self, value_set: str) -> frozenset[str] | None:
        """Every code of a value set, whatever its system; None where it is unknown or its content not at hand."""
        if value_set not in self._code_sets:
            self._code_sets[value_set] = self._codes(value_set)
        return self._code_sets[value_set]

    def _codes(self, value_set: str) -> frozenset[str] | None:
        expansion = self.expansion(value_set)
        if expansion is None:
            return None
        total: set[str] = set()
        for system, codes in expansion.items():
            if codes == ALL:
                facts = self.code_system(system)
                if facts is None:
                    return None
                total.update(facts.codes)
            elif codes == UNKNOWN:
                return None
            else:
                total.update(codes)
        return frozenset(total)

    def code_system(self, url: str) -> CodeSystemFacts | None:
        """A code system whose content is at hand: its codes with their displays."""
        found = self._systems.get(url)
        if found is None:
            codes = self._code_systems.get(url)
            if codes is None:
                return None
            found = self._systems[url] = CodeSystemFacts(url, codes)
        return found


@cache
def _resource_types(table: Table) -> frozenset[str]:
    return frozenset(name for name in table if (tree := table.get(name))["k"] == "resource" and not tree.get("a"))


@cache
def definitions(version: str = "4.0.1") -> Definitions:
    """The facts of a FHIR version. Raises UsageError where they are not at hand."""
    if version not in FOLDERS:
        raise UsageError(f"No definitions of FHIR {version} are at hand.", remedy=f"Known: {', '.join(FOLDERS)}.")
    return Definitions(version, FOLDERS[version])
