"""Write the core pack's CodeSystems, ConceptMaps and ValueSets from tools/terminology.yaml. Same input, same bytes.

python -m tools.make_terminology
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from adapter.definitions import definitions
from adapter.fhir_json import pretty
from adapter.identity import NS
from adapter.terminology import PREFERRED

ROOT = Path(__file__).parent.parent
CORE = ROOT / "mappings" / "core"
Tree = dict[str, Any]
RELATIONS = {"<": "narrower", ">": "wider", "~": "relatedto"}
COPYRIGHTS = {
    "http://loinc.org": (
        "This material contains content from LOINC (http://loinc.org). LOINC is copyright © Regenstrief Institute, Inc. "
        "and the Logical Observation Identifiers Names and Codes (LOINC) Committee and is available at no cost under the "
        "license at http://loinc.org/license. LOINC® is a registered United States trademark of Regenstrief Institute, "
        "Inc."
    ),
    "http://snomed.info/sct": (
        "Codes of SNOMED CT, which is copyright of SNOMED International; who uses them needs its license, or lives in "
        "a member country."
    ),
}


def main() -> None:
    """Write every file; remove those that the table no longer has."""
    write(files(), ("codesystems", "conceptmaps", "valuesets"))


def files() -> dict[str, str]:
    """The text of each file by `folder/name.json`."""
    table = read_table("terminology.yaml")
    made: dict[str, Tree] = {}
    for name, spec in table.items():
        source = table[spec["copy"]] if "copy" in spec else spec
        rows, targets = _rows(source), source.get("targets", [])
        made[f"codesystems/{name}.json"] = _code_system(name, rows)
        made[f"valuesets/{name}.json"] = _value_set(name, rows, targets)
        if "plain" not in spec:
            made[f"conceptmaps/{name}.json"] = _concept_map(name, rows, targets)
    return {name: pretty(tree) + "\n" for name, tree in made.items()}


def read_table(name: str) -> Tree:
    """A table of this folder; every scalar is text."""
    table: Tree = yaml.load((ROOT / "tools" / name).read_text("utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    return table


def write(made: dict[str, str], folders: tuple[str, ...], pack: Path = CORE) -> None:
    """Make these files the only ones of these folders of a pack."""
    for folder in folders:
        for path in (pack / folder).glob("*.json"):
            if f"{folder}/{path.name}" not in made:
                path.unlink()
    for name, text in made.items():
        (pack / name).parent.mkdir(exist_ok=True)
        (pack / name).write_text(text, "utf-8")


def _rows(spec: Tree) -> dict[str, list[str]]:
    return {code: [part.strip() for part in row.split("|")] for code, row in spec["codes"].items()}


def head(type_: str, name: str, base: str = NS) -> Tree:
    """What every resource of a pack begins with; `base` is where the pack's own URLs begin."""
    title = name.replace("-", " ")
    return {
        "resourceType": type_,
        "id": name,
        "url": f"{base}/{type_}/{name}",
        "version": "1.0.0",
        "name": "".join(word.capitalize() for word in name.split("-")),
        "title": title[:1].upper() + title[1:],
        "status": "active",
        "experimental": False,
    }


def _code_system(name: str, rows: dict[str, list[str]]) -> Tree:
    concepts = [{"code": code, "display": row[0]} for code, row in rows.items()]
    return {**head("CodeSystem", name), "caseSensitive": True, "content": "complete", "concept": concepts}


def _concept_map(name: str, rows: dict[str, list[str]], targets: list[str]) -> Tree:
    groups = []
    for column, system in enumerate(targets, start=1):
        shown, elements = _displays(system, rows, column), []
        for code, row in rows.items():
            published = row[column] if column < len(row) else "-"
            if published != "-":
                elements.append({"code": code, "display": row[0], "target": [_target(published, shown)]})
        groups.append({"source": f"{NS}/CodeSystem/{name}", "target": system, "element": elements})
    without = [code for code, row in rows.items() if all(cell == "-" for cell in row[1:])]
    if without:
        unmatched = [
            {"code": code, "display": rows[code][0], "target": [{"equivalence": "unmatched"}]} for code in without
        ]
        groups.append({"source": f"{NS}/CodeSystem/{name}", "element": unmatched})
    groups = [group for group in groups if group["element"]]
    notices = [COPYRIGHTS[system] for system in targets if system in COPYRIGHTS]
    return {**head("ConceptMap", name), **({"copyright": " ".join(notices)} if notices else {}), "group": groups}


def _displays(system: str, rows: dict[str, list[str]], column: int) -> dict[str, str]:
    """The words of a published system: its own where FHIR's definitions have them, else those that the table says."""
    facts = definitions().code_system(system)
    if facts is not None:
        return dict(facts.codes)
    said = (row[column].partition(" ") for row in rows.values() if column < len(row))
    return {code.lstrip("!<>~"): words for code, _, words in said if words}


def _target(cell: str, shown: dict[str, str]) -> Tree:
    cell = cell.partition(" ")[0]
    code = cell.lstrip("!<>~")
    marks = cell.removesuffix(code)
    relation = next((word for mark, word in RELATIONS.items() if mark in marks), "equivalent")
    target: Tree = {"code": code, **({"display": shown[code]} if code in shown else {}), "equivalence": relation}
    if relation == "narrower":
        target["comment"] = "The target says more than our code does."
    if "!" in marks:
        target["extension"] = [{"url": PREFERRED, "valueBoolean": True}]
    return target


def _value_set(name: str, rows: dict[str, list[str]], targets: list[str]) -> Tree:
    """Every code that may stand for one of ours: ours, and the published ones."""
    parts: list[Tree] = [{"system": f"{NS}/CodeSystem/{name}"}]
    for column, system in enumerate(targets, start=1):
        cells = [
            row[column].partition(" ")[0].lstrip("!<>~")
            for row in rows.values()
            if column < len(row) and row[column] != "-"
        ]
        if cells:
            parts.append({"system": system, "concept": [{"code": code} for code in dict.fromkeys(cells)]})
    tree = head("ValueSet", name)
    notices = [COPYRIGHTS[system] for system in targets if system in COPYRIGHTS]
    return {**tree, **({"copyright": " ".join(notices)} if notices else {}), "compose": {"include": parts}}


if __name__ == "__main__":
    main()
