"""Published FHIR packages, compiled by the same compiler as FHIR's own definitions.

https://hl7.org/fhir/packages.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from adapter.definitions.condense import condense_extension
from adapter.definitions.profiling import base_profile, condense_profile, condense_snapshot
from adapter.definitions.shapes import held
from adapter.definitions.terms import Expansion, Terms
from adapter.errors import UsageError

if TYPE_CHECKING:
    from adapter.definitions import Definitions

Tree = dict[str, Any]
Tables = dict[str, dict[str, Any]]


class LayeredTerms(Terms):
    """CodeSystems and ValueSets of a package or a resource, over those of the definitions."""

    def __init__(self, defs: Definitions, resources: Mapping[str, Tree]) -> None:
        super().__init__(resources)
        self.defs = defs

    def concepts(self, url: str) -> dict[str, Tree] | None:
        if url in self.resources:
            return super().concepts(url)
        if url not in self._concepts:
            facts, above = self.defs.code_system(url), self.defs.hierarchy(url)
            codes = facts.codes.items() if facts else ()
            known: dict[str, Tree] = {code: {"display": text, "_up": above.get(code, ())} for code, text in codes}
            self._concepts[url] = known if facts else None
        return self._concepts[url]

    def expand(self, url: str) -> Expansion:
        plain = url.partition("|")[0]
        found = None if plain in self.resources else self.defs.expansion(plain)
        return super().expand(url) if found is None else found


class PackageTerms(LayeredTerms):
    """Those of a package, which is refused where a ValueSet includes itself."""

    def cyclic(self, url: str) -> Expansion:
        raise UsageError("A ValueSet of the package includes itself.", place=url)


def compile_package(defs: Definitions, resources: Iterable[Tree]) -> Tables:
    """The tables of a package: profiles, extensions, valuesets, codesystems, hierarchies.

    Raises UsageError naming what is at fault.
    """
    rows: dict[str, Tree] = {}
    for row in resources:
        rows.setdefault(row["url"], row)
    terms = PackageTerms(defs, rows)
    tables: Tables = {name: {} for name in ("profiles", "extensions", "valuesets", "codesystems", "hierarchies")}
    for url, row in rows.items():
        try:
            _compile_one(tables, terms, url, row)
            for name, rows_ in tables.items():
                if url in rows_:
                    held(name, rows_[url])
        except RecursionError as error:
            raise UsageError("A definition of the package nests too deeply.", place=url) from error
        except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
            raise UsageError("A definition of the package cannot be compiled.", place=url) from error
    return tables


def _compile_one(tables: Tables, terms: LayeredTerms, url: str, row: Tree) -> None:
    if row["resourceType"] == "ValueSet":
        tables["valuesets"][url] = terms.expand(url)
    elif row["resourceType"] == "CodeSystem":
        concepts = terms.concepts(url)
        if concepts is not None:
            tables["codesystems"][url] = {code: concept["display"] for code, concept in sorted(concepts.items())}
            above = {code: sorted(concept["_up"]) for code, concept in sorted(concepts.items()) if concept["_up"]}
            if above:
                tables["hierarchies"][url] = above
    elif row["resourceType"] == "StructureDefinition" and row.get("derivation") == "constraint":
        if row.get("type") == "Extension" and "snapshot" in row:
            tables["extensions"][url] = condense_extension(row)
        elif row.get("kind") != "logical":
            tables["profiles"][url] = _profile(terms, url, row)


def _profile(terms: LayeredTerms, url: str, row: Tree) -> Tree:
    """The facts of a profile, by its differential where those that it is derived from are at hand, else by its snapshot."""
    seen = [url]
    base = base_profile(row)
    while base and base in terms.resources:
        if base in seen:
            raise UsageError("A profile of the package is derived from itself.", place=url)
        seen.append(base)
        base = base_profile(terms.resources[base])
    if not base or terms.defs.has_profile(base):
        return condense_profile(row)
    if "snapshot" not in row:
        raise UsageError(
            f"The profile is derived from {base}, which is not at hand, and has no snapshot.",
            place=url,
            remedy="Give the package that defines the other one too.",
        )
    return condense_snapshot(row, terms.defs)
