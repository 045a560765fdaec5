"""FHIR's own definitions, compiled into small data files and loaded lazily by type.

>>> from adapter.definitions import definitions
>>> definitions("4.0.1").type("CarePlan").elements["status"].binding.strength
'required'

The files are made by `tools/compile_definitions.py` from published packages; `source.json` beside them says which.
https://hl7.org/fhir/R4/downloads.html
"""

from __future__ import annotations

from functools import cache

from adapter.definitions.building import build_extension, build_part
from adapter.definitions.facts import Binding, CodeSystemFacts, Constraint, Element, ExtensionFacts, TypeFacts
from adapter.definitions.loading import Table
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
FOLDERS = {"4.0.1": "r4", "4.0": "r4", "4.3.0": "r4", "4.3": "r4"}


class Definitions:
    """The facts of one FHIR version. Everything is read on first use and kept; safe to share between threads."""

    def __init__(self, version: str, folder: str) -> None:
        self.version = version
        self._types = Table(folder, "types.tsv")
        self._extensions = Table(folder, "extensions.tsv")
        self._value_sets = Table(folder, "valuesets.tsv")
        self._code_systems = Table(folder, "codesystems.tsv")
        self._built: dict[str, TypeFacts] = {}
        self._systems: dict[str, CodeSystemFacts | None] = {}
        self._code_sets: dict[str, frozenset[str] | None] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._types

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
        """A published extension by its URL."""
        tree = self._extensions.get(url)
        return None if tree is None else build_extension(url, tree)

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
        if url not in self._systems:
            codes = self._code_systems.get(url)
            self._systems[url] = None if codes is None else CodeSystemFacts(url, codes)
        return self._systems[url]


@cache
def _resource_types(table: Table) -> frozenset[str]:
    return frozenset(name for name in table if (tree := table.get(name))["k"] == "resource" and not tree.get("a"))


@cache
def definitions(version: str = "4.0.1") -> Definitions:
    """The facts of a FHIR version. Raises UsageError where they are not at hand."""
    if version not in FOLDERS:
        raise UsageError(f"No definitions of FHIR {version} are at hand.", remedy=f"Known: {', '.join(FOLDERS)}.")
    return Definitions(version, FOLDERS[version])
