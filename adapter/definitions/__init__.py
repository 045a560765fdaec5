"""FHIR's own definitions, compiled into small data files and loaded lazily by type: R4, R4B and R5.

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
from typing import Any

from adapter.definitions.building import build_extension, build_part
from adapter.definitions.facts import Binding, CodeSystemFacts, Constraint, Element, ExtensionFacts, TypeFacts
from adapter.definitions.loading import Layers, Table, table
from adapter.definitions.packages import Tables, compile_package
from adapter.definitions.profiling import join, whole_id
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
    "known_version",
]

Tree = dict[str, Any]
# US Core is built in: its extensions, value sets and profiles are always known.
BUILT_IN_URLS = ("http://hl7.org/fhir/us/core/",)
# The folders of a version, what stands first counts: R4B is R4 with what it changed.
FOLDERS = {"4.0.1": ("r4", "us-core"), "4.3.0": ("r4b", "r4", "us-core"), "5.0.0": ("r5",)}
NAMES = {"4.0": "4.0.1", "R4": "4.0.1", "4.3": "4.3.0", "R4B": "4.3.0", "5.0": "5.0.0", "R5": "5.0.0"}


class Definitions:
    """The facts of one FHIR version. Everything is read on first use and kept; safe to share between threads."""

    def __init__(self, version: str, folders: Sequence[str], packages: Sequence[Tables] = ()) -> None:
        self.version = version
        self._folders = folders
        self._packages = packages
        # The types of a version are whole in its own folder.
        self._types = table(folders[0], "types.tsv")
        self._shared = table(folders[0], "constraints.tsv")
        self._extensions, self._value_sets, self._code_systems, self._hierarchies, self._profiles = (
            Layers(*(tables[name] for tables in packages), *(table(folder, f"{name}.tsv") for folder in folders))
            for name in ("extensions", "valuesets", "codesystems", "hierarchies", "profiles")
        )
        self._built: dict[str, TypeFacts] = {}
        self._joined: dict[str, Tree] = {}
        self._systems: dict[str, CodeSystemFacts] = {}
        self._code_sets: dict[str, frozenset[str] | None] = {}
        # What others compile from these facts lives as long as they do, and is shared as they are.
        self.compiled: dict[Any, Any] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._types

    def with_resources(self, resources: Iterable[Tree]) -> Definitions:
        """These definitions and those of a package or a pack: StructureDefinitions, ValueSets and CodeSystems.

        Raises UsageError naming what cannot be used.
        """
        made = Definitions(self.version, self._folders, [compile_package(self, resources), *self._packages])
        # No package changes a type.
        made._built = self._built
        return made

    def has_profile(self, url: str) -> bool:
        """Whether a profile is at hand in any version."""
        return self._profiles.get(url.partition("|")[0]) is not None

    def profile(self, url: str) -> Tree | None:
        """The constraints of a profile (see profiling.py), joined with those of the profiles it is derived from.

        None where it, or one it is derived from, is not at hand in the version asked for, or where they are derived from
        each other.
        """
        if url not in self._joined:
            joined = self._join(url)
            # What data names and is not at hand is not kept.
            if joined is None:
                return None
            self._joined[url] = joined
        return self._joined[url]

    def _join(self, url: str) -> Tree | None:
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
        if not found:
            return None
        rows: list[Tree] = []
        for facts in reversed(found):
            rows = join(rows, [{**row, "i": whole_id(row["i"], self)} for row in facts["e"]])
        return {"t": found[0]["t"], "e": rows}

    @property
    def resource_types(self) -> frozenset[str]:
        """The names of all concrete resource types."""
        return _resource_types(self._types)

    @property
    def types(self) -> list[str]:
        """The names of all types, abstract ones too."""
        return list(self._types)

    def parts(self, name: str) -> list[str]:
        """A type and its parts: `CarePlan`, `CarePlan.activity`, …"""
        return [f"{name}.{part}" if part else name for part in self._types.get(name)["p"]]

    def type(self, name: str) -> TypeFacts:
        """A type (`CarePlan`, `Quantity`) or a part of one (`CarePlan.activity.detail`). Raises KeyError."""
        if name not in self._built:
            root, _, part = name.partition(".")
            tree = self._types.get(root)
            if tree is None or part not in tree["p"]:
                raise KeyError(name)
            self._built[name] = build_part(root, tree, part, self._shared.get)
        return self._built[name]

    def extension(self, url: str) -> ExtensionFacts | None:
        """A published extension by its URL; `built_in` where only a built-in package defines it."""
        tree = self._extensions.get(url)
        if tree is None:
            return None
        facts = build_extension(url, tree)
        given = any(url in tables["extensions"] for tables in self._packages)
        return replace(facts, built_in=True) if url.startswith(BUILT_IN_URLS) and not given else facts

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

    def hierarchy(self, url: str) -> Tree:
        """The codes right above each code of a code system; empty where it is flat or not at hand."""
        found: Tree = self._hierarchies.get(url) or {}
        return found


@cache
def _resource_types(table: Table) -> frozenset[str]:
    return frozenset(name for name in table if (tree := table.get(name))["k"] == "resource" and not tree.get("a"))


def known_version(name: str | None) -> str:
    """The version of FHIR that a name stands for (`R5`, `5.0`); R4 without one. Raises UsageError for any other."""
    if name is None:
        return "4.0.1"
    version = NAMES.get(name.upper(), name)
    if version not in FOLDERS:
        old = {"1.0": "DSTU2 ", "3.0": "STU3 "}.get(name[:3], "")
        known = ", ".join(f"{version} ({name})" for name, version in NAMES.items() if name.startswith("R"))
        raise UsageError(f"No definitions of FHIR {old}{name} are at hand.", remedy=f"Known: {known}.")
    return version


@cache
def definitions(version: str = "4.0.1") -> Definitions:
    """The facts of a FHIR version. Raises UsageError where they are not at hand."""
    known = known_version(version)
    return Definitions(known, FOLDERS[known]) if known == version else definitions(known)
