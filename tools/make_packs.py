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
from tools.make_terminology import COPYRIGHTS, CORE, ROOT, head, read_table, write

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
        made[f"conceptmaps/{name}.json"] = (
            pretty(_concept_map(name, codes, base, name in spec.get("published", ()))) + "\n"
        )
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


def _concept_map(name: str, codes: dict[str, list[str]], base: str, published: bool) -> Tree:
    """From the pack's codes to those of the core pack, and with `published` on to what those are published as."""
    core = displays(loads((CORE / "codesystems" / f"{name}.json").read_bytes()))
    elements = [
        {
            "code": code,
            "display": words,
            "target": [{"code": target, "equivalence": "equivalent", "display": core[target]}],
        }
        for code, (words, target) in codes.items()
    ]
    groups: list[Tree] = [
        {"source": f"{base}/CodeSystem/{name}", "target": f"{NS}/CodeSystem/{name}", "element": elements}
    ]
    if published:
        beyond = loads((CORE / "conceptmaps" / f"{name}.json").read_bytes())
        groups += [
            made for group in beyond["group"] if "target" in group and (made := _onward(group, codes, base, name))
        ]
    notices = [COPYRIGHTS[group["target"]] for group in groups if group["target"] in COPYRIGHTS]
    copyright_ = {"copyright": " ".join(notices)} if notices else {}
    return {**head("ConceptMap", name, base), **copyright_, "group": groups}


def _onward(group: Tree, codes: dict[str, list[str]], base: str, name: str) -> Tree:
    """A group of the core pack's map, from the pack's codes instead of core's; empty where none is in it."""
    targets = {element["code"]: element["target"] for element in group["element"]}
    elements = [
        {"code": code, "display": words, "target": targets[core]}
        for code, (words, core) in codes.items()
        if core in targets
    ]
    return {"source": f"{base}/CodeSystem/{name}", "target": group["target"], "element": elements} if elements else {}


if __name__ == "__main__":
    main()
