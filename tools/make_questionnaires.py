"""Write the core pack's Questionnaires from tools/questionnaires.yaml. Same input, same bytes.

    python -m tools.make_questionnaires

Answers are the codings that the mapping writes: the published one where our code has one alone, else ours.
https://hl7.org/fhir/R4/questionnaire.html
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from adapter.fhir_json import loads, pretty
from adapter.identity import NS
from adapter.terminology import Table, compile_table
from tools.make_terminology import COPYRIGHTS, head, read_table, write
from tools.make_terminology import files as terminology

Tree = dict[str, Any]
FOLDER = "questionnaires"
BASE = "http://hl7.org/fhir/StructureDefinition/"
LOINC = "http://loinc.org"
TYPES = {"open": "open-choice"}
BOUNDS = re.compile(r"(\d+)\.\.(\d*)")


def main() -> None:
    """Write every file; remove those that the table no longer has."""
    write(files(), (FOLDER,))


def files() -> dict[str, str]:
    """The text of each file by `folder/name.json`."""
    sheet = read_table("questionnaires.yaml")
    terms = {name: loads(text) for name, text in terminology().items()}
    made = {name: _instrument(name, spec, _Terms(terms)) for name, spec in sheet["instruments"].items()}
    made["intake"] = _intake(sheet["intake"], _Terms(terms))
    return {f"{FOLDER}/{name}.json": pretty(tree) + "\n" for name, tree in made.items()}


class _Terms:
    """Codings of our codes, and the value sets that one form contains."""

    def __init__(self, terms: dict[str, Tree]) -> None:
        self.terms = terms
        self.contained: dict[str, Tree] = {}

    def codings(self, name: str) -> list[Tree]:
        """A coding for each code of a table, in its order."""
        system = f"{NS}/CodeSystem/{name}"
        rows = self.terms[f"codesystems/{name}.json"]["concept"]
        concept_map = self.terms.get(f"conceptmaps/{name}.json")
        table = compile_table(concept_map, system) if concept_map else None
        return [self._coding(table, system, row) for row in rows]

    def _coding(self, table: Table | None, system: str, row: Tree) -> Tree:
        found = table.codings(row["code"]) if table else None
        first = found[0] if found else {"system": system, "code": row["code"]}
        return {**first, "display": row["display"]}

    def value_set(self, name: str) -> str:
        """Contains the value set of a table; its place."""
        parts: dict[str, list[Tree]] = {}
        for coding in self.codings(name):
            concept = {"code": coding["code"], "display": coding["display"]}
            rows = parts.setdefault(coding["system"], [])
            if coding["code"] not in [row["code"] for row in rows]:
                rows.append(concept)
        self.contained[name] = {
            "resourceType": "ValueSet",
            "id": name,
            "name": head("ValueSet", name)["name"],
            "status": "active",
            "compose": {"include": [{"system": system, "concept": rows} for system, rows in parts.items()]},
        }
        return f"#{name}"


def _instrument(name: str, spec: Tree, terms: _Terms) -> Tree:
    codings = dict(zip(_codes(terms, "answers"), terms.codings("answers"), strict=True))
    items = []
    for link_id, row in spec["items"].items():
        text, code, answers = [*(part.strip() for part in row.split("|")), "-", "-"][:3]
        items.append(
            {
                "linkId": link_id,
                **({"code": [{"system": LOINC, "code": code}]} if code != "-" else {}),
                "text": text,
                "type": "choice",
                "answerOption": [
                    {"valueCoding": codings[each]} for each in (spec["answers"] if answers == "-" else answers.split())
                ],
            }
        )
    tree = head("Questionnaire", name) | {"title": spec["title"]}
    tree |= {"subjectType": ["Patient"], "description": spec["text"]}
    tree |= {"copyright": f"{spec['notice']} {COPYRIGHTS[LOINC]}"}
    return tree | {"code": [{"system": LOINC, "code": spec["panel"]}], "item": items}


def _codes(terms: _Terms, name: str) -> list[str]:
    return [row["code"] for row in terms.terms[f"codesystems/{name}.json"]["concept"]]


def _intake(spec: Tree, terms: _Terms) -> Tree:
    items = _items("", spec, terms)
    tree = head("Questionnaire", "intake") | {"title": "Intake assessment"}
    tree |= {"subjectType": ["Patient"], "copyright": COPYRIGHTS["http://snomed.info/sct"]}
    contained = list(terms.contained.values())
    first = {key: tree.pop(key) for key in ("resourceType", "id")}
    return {**first, "contained": contained, **tree, "item": items}


def _items(above: str, rows: Tree, terms: _Terms) -> list[Tree]:
    return [_item(f"{above}{name}", row, terms) for name, row in rows.items()]


def _item(link_id: str, row: Any, terms: _Terms) -> Tree:
    if isinstance(row, dict):
        repeats = {"repeats": True} if row["is"].endswith("*") else {}
        items = _items(f"{link_id}.", row["items"], terms)
        return {"linkId": link_id, "text": row["text"], "type": "group", **repeats, "item": items}
    kind, text = (part.strip() for part in row.split("|"))
    type_, *words = kind.split()
    item: Tree = {"linkId": link_id}
    bounds = next((found for found in map(BOUNDS.fullmatch, words) if found), None)
    if bounds:
        item["extension"] = _limits(type_, bounds)
    item |= {"text": text, "type": TYPES.get(type_, type_)}
    item |= {"required": True} if "+" in words else {}
    item |= {"repeats": True} if "*" in words else {}
    if type_ == "open":
        item["answerValueSet"] = terms.value_set(words[0])
    elif type_ == "choice":
        item["answerOption"] = [{"valueCoding": coding} for coding in terms.codings(words[0])]
    return item


def _limits(type_: str, bounds: re.Match[str]) -> list[Tree]:
    key = f"value{type_.capitalize()}"
    number = int if type_ == "integer" else Decimal
    ends = zip(("minValue", "maxValue"), bounds.groups(), strict=True)
    return [{"url": BASE + name, key: number(value)} for name, value in ends if value]


if __name__ == "__main__":
    main()
