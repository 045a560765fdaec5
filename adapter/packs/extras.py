"""Fields that a pack adds to the adapter's own kinds of record: declared, typed, each with an extension of its own.

`extra.<pack>.<name>` in the record ↔ the pack's extension, or the FHIR path that the declaration names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from adapter.identity import NS

Tree = dict[str, Any]
KEYS = ("type", "text", "fhir", "many")
NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")
# What a field holds: its JSON Schema in the record, and the value[x] of its extension.
TYPES: dict[str, tuple[Tree, str]] = {
    "string": ({"type": "string"}, "String"),
    "boolean": ({"type": "boolean"}, "Boolean"),
    "integer": ({"type": "integer"}, "Integer"),
    "decimal": ({"type": "number"}, "Decimal"),
    "date": ({"type": "string", "format": "fhir-date"}, "Date"),
    "dateTime": ({"type": "string", "format": "fhir-datetime"}, "DateTime"),
    "uri": ({"type": "string"}, "Uri"),
    "code": ({"type": "string", "pattern": r"^\S+( \S+)*$"}, "Code"),
    "concept": ({"type": "object", "minProperties": 1}, "CodeableConcept"),
}


@dataclass(frozen=True, slots=True)
class Extra:
    """One field: `extra.<pack>.<name>` of a kind. `fhir` is a path of its own, else it stands in the pack's extension."""

    pack: str
    kind: str
    name: str
    type: str
    text: str = ""
    fhir: str = ""
    many: bool = False

    @property
    def url(self) -> str:
        """The URL of its extension."""
        return f"{NS}/{self.pack}/StructureDefinition/{self.name.replace('_', '-')}"

    @property
    def schema(self) -> Tree:
        """Its JSON Schema."""
        one = {**TYPES[self.type][0], "description": self.text}
        return {"type": "array", "minItems": 1, "items": one} if self.many else one

    def rule(self) -> dict[str, str]:
        """Its pair of a mapping file."""
        value, extension = f"value{TYPES[self.type][1]}", f"extension[url={self.url}]"
        row = {"record": f"extra.{self.pack}.{self.name}"}
        if self.fhir:
            row["fhir"] = self.fhir
        elif self.many:
            row |= {"fhir": extension, "leaf": value}
        else:
            row["fhir"] = f"{extension}.{value}"
        return row | ({"concept": "none"} if self.type == "concept" else {})


def extra_of(pack: str, kind: str, name: str, keys: Mapping[str, str]) -> Extra | str:
    """The field that pack.yaml declares, or what is wrong with the declaration."""
    if not NAME.fullmatch(name):
        return "expected a field of lower-case letters, digits and _"
    if not keys.keys() <= set(KEYS) or "type" not in keys or "text" not in keys:
        return f"expected an object with the keys {', '.join(KEYS)}; type and text must be there"
    if keys["type"] not in TYPES:
        return f"expected a type of {', '.join(TYPES)}"
    return Extra(pack, kind, name, keys["type"], keys["text"], keys.get("fhir", ""), keys.get("many") == "yes")


def schema_with(schema: Tree, extras: Iterable[Extra]) -> Tree:
    """The schema of a kind with the fields that packs add to it."""
    packs: dict[str, Tree] = {}
    for extra in extras:
        packs.setdefault(extra.pack, {})[extra.name] = extra.schema
    if not packs:
        return schema
    closed = {"type": "object", "minProperties": 1, "additionalProperties": False}
    inner = {pack: {**closed, "properties": fields} for pack, fields in packs.items()}
    return {**schema, "properties": {**schema["properties"], "extra": {**closed, "properties": inner}}}
