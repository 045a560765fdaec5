"""Compiles FHIR's published definitions into the small data files under adapter/definitions/data/.

    python -m tools.compile_definitions [--cache .cache] [--us-core TGZ] [--check]

Reads the packages of tools/published.py, fetched once into the cache by Maven, and the FHIR package of US Core.
Running it again gives the same bytes; `--check` writes nothing and exits with 1 where they would differ. An invariant
that cannot be compiled fails it.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from adapter.definitions import Definitions, definitions
from adapter.definitions.archives import read_package
from adapter.definitions.condense import condense_extension, condense_type
from adapter.definitions.packages import Tables, compile_package
from adapter.definitions.profiling import condense_profile
from adapter.definitions.terms import ALL, Terms
from adapter.validation.fhirpath.compiling import Unsupported
from adapter.validation.invariants import rules_of_element, rules_of_type
from tools import published

Tree = dict[str, Any]
ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "adapter" / "definitions" / "data"
LARGE = 30_000
# Large, and kept all the same: sensitivity labels, consents and encounters speak it.
KEPT = frozenset({"http://terminology.hl7.org/CodeSystem/v3-ActCode"})
# Not types of FHIR: what a package adds, profiles of data types, and the constraint languages of definitions.
FOREIGN = {"MetadataResource", "MoneyQuantity", "SimpleQuantity"}
# Parts of the URLs of value sets that come along and are no part of FHIR itself.
LATER_APART = ("/v2-",)
R5_APART = ("/v2-", "terminology.hl7.org/ValueSet/")


def types_of(resources: Iterable[Tree], foreign: set[str]) -> dict[str, Tree]:
    """Facts by type name."""
    return {
        row["name"]: condense_type(row)
        for row in resources
        if row["resourceType"] == "StructureDefinition"
        and row.get("derivation") != "constraint"
        and row["kind"] != "logical"
        and row["name"] not in foreign
    }


def small(rows: Any) -> bool:
    """Whether it is worth its bytes though no binding asks for it."""
    return len(json.dumps(rows)) < LARGE


def bound_sets(facts: Any, strengths: tuple[str, ...] = ("required", "extensible", "preferred")) -> set[str]:
    """Every value set that a binding of one of the strengths in the facts names."""
    return {url for bound in _found(facts, "b") if bound[0] in strengths for url in bound[1:]}


def _found(facts: Any, key: str) -> list[Any]:
    """Every list under a key, however deep."""
    found: list[Any] = []
    todo = [facts]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            if isinstance(node.get(key), list):
                found.append(node[key])
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)
    return found


def shared_constraints(types: dict[str, Tree]) -> Tree:
    """The constraints that several types have, by their key; in the types only the key is left of them."""
    rows = _found(types, "k")
    texts = Counter(json.dumps(each) for row in rows for each in row)
    shared: Tree = {}
    for text, count in texts.most_common():
        each = json.loads(text)
        if count > 2 and each[0] not in shared:
            shared[each[0]] = each
    for row in rows:
        row[:] = [each[0] if shared.get(each[0]) == each else each for each in row]
    return shared


def lines(rows: dict[str, Any]) -> bytes:
    """One `key<TAB>JSON` a line, sorted by key."""
    text = [f"{key}\t{json.dumps(rows[key], ensure_ascii=False, separators=(',', ':'))}\n" for key in sorted(rows)]
    return "".join(text).encode()


def compile_version(resources: list[Tree], foreign: set[str], apart: tuple[str, ...] = ()) -> Tables:
    """The tables of a version of FHIR by name."""
    by_url: dict[str, Tree] = {}
    for row in resources:
        by_url.setdefault(row["url"], row)
    structures = [row for row in by_url.values() if row["resourceType"] == "StructureDefinition"]
    types = types_of(structures, foreign)
    derived = [row for row in structures if row.get("derivation") == "constraint" and row["kind"] != "logical"]
    tables: Tables = {
        "types": types,
        "extensions": {row["url"]: condense_extension(row) for row in derived if row["type"] == "Extension"},
        "profiles": {row["url"]: condense_profile(row) for row in derived if row["type"] != "Extension"},
        **terminology(by_url, types, apart),
    }
    return {**tables, "constraints": shared_constraints(types)}


def terminology(resources: dict[str, Tree], types: dict[str, Tree], apart: tuple[str, ...]) -> Tables:
    """Value sets that bindings of the types name, and others that are small; the code systems that they use."""
    if "urn:iso:std:iso:3166" not in resources:
        resources["urn:iso:std:iso:3166"] = countries(resources)
    terms = Terms(resources)
    sets = sorted(url for url, row in terms.resources.items() if row["resourceType"] == "ValueSet")
    expansions = {url: terms.expand(url) for url in sets}
    strict = bound_sets(types, ("required", "extensible"))
    kept = {
        url: rows
        for url, rows in expansions.items()
        if url in strict or (small(rows) and not any(part in url for part in apart))
    }
    used = {system for url in strict & kept.keys() for system, codes in kept[url].items() if codes == ALL}
    systems = {
        url: concepts
        for url, row in resources.items()
        if row["resourceType"] == "CodeSystem"
        and (concepts := terms.concepts(url)) is not None
        and (url in used | KEPT or (small(displays(concepts)) and not any(part in url for part in apart)))
    }
    return {
        "valuesets": kept,
        "codesystems": {url: displays(concepts) for url, concepts in systems.items()},
        "hierarchies": {url: above for url, concepts in systems.items() if (above := hierarchy(concepts))},
    }


def displays(concepts: Tree) -> Tree:
    """Display by code."""
    return {code: concept["display"] for code, concept in sorted(concepts.items())}


def hierarchy(concepts: Tree) -> Tree:
    """The codes right above each code that has any."""
    return {code: sorted(concept["_up"]) for code, concept in sorted(concepts.items()) if concept["_up"]}


def countries(resources: dict[str, Tree]) -> Tree:
    """ISO 3166-1 as a code system: it is published as three value sets that list every code."""
    sets = [resources[f"http://hl7.org/fhir/ValueSet/iso3166-1-{part}"] for part in ("2", "3", "N")]
    concepts = [concept for each in sets for part in each["compose"]["include"] for concept in part.get("concept", [])]
    return {"resourceType": "CodeSystem", "content": "complete", "concept": concepts}


def beyond(tables: Tables, base: Tables) -> Tables:
    """What a version changed; types, which no version takes from another, stay whole."""
    return {
        name: {key: row for key, row in rows.items() if name in ("types", "constraints") or base[name].get(key) != row}
        for name, rows in tables.items()
    }


def source(version: str, package: published.Source) -> bytes:
    """Where the facts come from."""
    facts = {"name": package.name, "version": package.version, "sha256": package.sha256}
    return (json.dumps({"fhirVersion": version, "packages": [facts]}, indent=2) + "\n").encode()


def files(tables: Tables, version: str, package: published.Source) -> dict[str, bytes]:
    """The data files by name."""
    return {**{f"{name}.tsv": lines(rows) for name, rows in tables.items()}, "source.json": source(version, package)}


def compile_us_core(path: Path) -> dict[str, bytes]:
    """The data files of the built-in package; it reads those of R4, which stand already."""
    published.US_CORE.check(path)
    tables = compile_package(Definitions("4.0.1", ("r4",)), read_package(path))
    for name in ("valuesets", "codesystems"):
        tables[name] = {url: rows for url, rows in tables[name].items() if small(rows)}
    return files(tables, "4.0.1", published.US_CORE)


def uncompiled(version: str) -> list[str]:
    """The invariants of a version's types that cannot be compiled."""
    defs = definitions(version)
    found = []
    for name in defs.types:
        for part in defs.parts(name):
            facts = defs.type(part)
            try:
                list(rules_of_type(defs, facts))
                for element in facts.elements.values():
                    list(rules_of_element(defs, part, element))
            except Unsupported as error:
                found.append(f"FHIR {version}, {part}: {error}")
    return found


def main() -> int:
    """Writes the files, or with --check compares them."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path, default=ROOT / ".cache")
    options.add_argument("--us-core", type=Path, default=ROOT.parent / "shared" / "packages" / published.US_CORE.file)
    options.add_argument("--check", action="store_true")
    chosen = options.parse_args()
    r4 = compile_version(published.read_xml(published.R4.fetch(chosen.cache)), FOREIGN)
    differs = write("r4", files(r4, "4.0.1", published.R4), check=chosen.check)
    r4b = compile_version(published.read_xml(published.R4B.fetch(chosen.cache)), FOREIGN, LATER_APART)
    differs |= write("r4b", files(beyond(r4b, r4), "4.3.0", published.R4B), check=chosen.check)
    r5 = compile_version(published.read_r5(published.R5.fetch(chosen.cache)), FOREIGN - {"MetadataResource"}, R5_APART)
    differs |= write("r5", files(r5, "5.0.0", published.R5), check=chosen.check)
    if chosen.us_core.exists():
        differs |= write("us-core", compile_us_core(chosen.us_core), check=chosen.check)
    else:
        print(f"{chosen.us_core} is not there: US Core stays as it is", file=sys.stderr)
    faults = [fault for version in ("4.0.1", "4.3.0", "5.0.0") for fault in uncompiled(version)]
    print("\n".join(faults), file=sys.stderr)
    return 1 if differs or faults else 0


def write(folder: str, made: dict[str, bytes], *, check: bool) -> bool:
    """Writes the files of a folder; with `check` says whether they differ."""
    differs = False
    for name, data in made.items():
        target = DATA / folder / name
        if check:
            same = target.exists() and target.read_bytes() == data
            differs |= not same
            print(f"{target.relative_to(ROOT)}: {'the same' if same else 'differs'}", file=sys.stderr)
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        print(f"{target.relative_to(ROOT)}: {len(data)} bytes", file=sys.stderr)
    return differs


if __name__ == "__main__":
    sys.exit(main())
