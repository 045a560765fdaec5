"""Write the CodeSystems, ConceptMaps and StructureDefinitions of the packs of providers from tools/packs/<pack>.yaml, and
those of the fields that a pack adds from its pack.yaml (`extra`).

    python -m tools.make_packs

Same input, same bytes. A code of a pack stands for one code of the core pack, whose CodeSystem has the same name.
"""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import loads, pretty
from adapter.identity import NS
from adapter.mapping import table
from adapter.packs import Extra, Pack, available, load
from adapter.terminology.code_systems import displays
from tools.make_extensions import definitions
from tools.make_terminology import CORE, ROOT, head, read_table, write

Tree = dict[str, Any]
FOLDERS = ("codesystems", "conceptmaps", "structuredefinitions")


def main() -> None:
    """Write every file of every pack; remove those that the tables no longer have."""
    for pack in packs():
        write(files(pack), FOLDERS, ROOT / "mappings" / pack)


def packs() -> list[str]:
    """The packs that have files of these."""
    tables = {path.stem for path in (ROOT / "tools" / "packs").glob("*.yaml")}
    return sorted(tables | {name for name in available() if _own(load(name))})


def files(pack: str) -> dict[str, str]:
    """The text of each file of a pack by `folder/name.json`."""
    path = ROOT / "tools" / "packs" / f"{pack}.yaml"
    spec = read_table(f"packs/{path.name}") if path.is_file() else {}
    base = f"{NS}/{pack}"
    made: dict[str, str] = definitions({**spec.get("extensions", {}), **_added(pack)}, base)
    for name, codes in spec.get("codes", {}).items():
        made[f"codesystems/{name}.json"] = pretty(_code_system(name, codes, base)) + "\n"
        made[f"conceptmaps/{name}.json"] = pretty(_concept_map(name, codes, base)) + "\n"
    return made


def _own(pack: Pack) -> list[Extra]:
    return [extra for extra in pack.extra if extra.pack == pack.name and not extra.fhir]


def _added(name: str) -> Tree:
    """The extensions of the fields that a pack adds, as a table: where they stand is where its rules put them."""
    pack = load(name)
    rows = table(pack) if pack.extra else []
    found = {}
    for extra in _own(pack):
        places = {row.type_ for row in rows if row.record == f"extra.{name}.{extra.name}" and row.kind == extra.kind}
        found[extra.url.rpartition("/")[2]] = {
            "text": extra.text,
            "on": sorted(places),
            "value": "CodeableConcept" if extra.type == "concept" else extra.type,
            "cardinality": "0..*" if extra.many else "0..1",
        }
    return found


def _code_system(name: str, codes: dict[str, list[str]], base: str) -> Tree:
    concepts = [{"code": code, "display": words} for code, (words, _) in codes.items()]
    return {**head("CodeSystem", name, base), "caseSensitive": True, "content": "complete", "concept": concepts}


def _concept_map(name: str, codes: dict[str, list[str]], base: str) -> Tree:
    core = displays(loads((CORE / "codesystems" / f"{name}.json").read_bytes()))
    elements = [
        {
            "code": code,
            "display": words,
            "target": [{"code": target, "equivalence": "equivalent", "display": core[target]}],
        }
        for code, (words, target) in codes.items()
    ]
    group = {"source": f"{base}/CodeSystem/{name}", "target": f"{NS}/CodeSystem/{name}", "element": elements}
    return {**head("ConceptMap", name, base), "group": [group]}


if __name__ == "__main__":
    main()
