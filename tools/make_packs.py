"""Write the CodeSystems, ConceptMaps and StructureDefinitions of the packs of providers from tools/packs/<pack>.yaml.

    python -m tools.make_packs

Same input, same bytes. A code of a pack stands for one code of the core pack, whose CodeSystem has the same name.
"""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import loads, pretty
from adapter.identity import NS
from adapter.terminology.code_systems import displays
from tools.make_extensions import definitions
from tools.make_terminology import CORE, ROOT, head, read_table, write

Tree = dict[str, Any]
FOLDERS = ("codesystems", "conceptmaps", "structuredefinitions")


def main() -> None:
    """Write every file of every pack; remove those that the tables no longer have."""
    for path in sorted((ROOT / "tools" / "packs").glob("*.yaml")):
        write(files(path.stem), FOLDERS, ROOT / "mappings" / path.stem)


def files(pack: str) -> dict[str, str]:
    """The text of each file of a pack by `folder/name.json`."""
    table = read_table(f"packs/{pack}.yaml")
    base = f"{NS}/{pack}"
    made: dict[str, str] = definitions(table.get("extensions", {}), base)
    for name, codes in table.get("codes", {}).items():
        made[f"codesystems/{name}.json"] = pretty(_code_system(name, codes, base)) + "\n"
        made[f"conceptmaps/{name}.json"] = pretty(_concept_map(name, codes, base)) + "\n"
    return made


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
