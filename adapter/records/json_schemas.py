"""The JSON Schema of a kind of record, made from its marshmallow schema. https://json-schema.org/draft/2020-12

Every leaf has `type`, and where it helps `format`: `uuid`, and of FHIR's primitives `fhir-date`, `fhir-datetime`,
`fhir-instant`, `fhir-time`. Objects are `$ref` to `#/$defs/…`. What JSON Schema cannot say (a calendar, the order of a
period, ids that differ) only `check` says.
"""

from __future__ import annotations

from typing import Any

from adapter.fhir_json import Tree, copy
from adapter.identity import NS
from adapter.records.base import Base
from adapter.records.fields import Either, Leaf, Many, One
from adapter.records.shared import Record

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema_of(kind: str, schema: Base) -> Tree:
    """A JSON Schema 2020-12 of a kind's schema; a new tree with each call."""
    defs: dict[str, Tree] = {}
    body = _object(schema, defs)
    body["properties"] = _ordered(body["properties"])
    head = {"$schema": DIALECT, "$id": f"{NS}/schema/{kind}", "title": kind}
    tree: Tree = copy({**head, **body, "$defs": dict(sorted(defs.items()))})
    return tree


def _ordered(properties: Tree) -> Tree:
    """What a record is first, then its content, then the store's fields."""
    last = [name for name in Record().fields if name != "id"]
    first = ["kind", "id", *(name for name in properties if name == "patient")]
    between = [name for name in properties if name not in first and name not in last]
    return {name: properties[name] for name in (*first, *between, *last)}


def _object(schema: Base, defs: dict[str, Tree]) -> Tree:
    tree: Tree = {
        "description": (schema.__doc__ or "").strip(),
        "type": "object",
        "properties": {name: _field(field, defs) for name, field in schema.fields.items()},
        "additionalProperties": False,
    }
    if schema.required_fields:
        tree["required"] = schema.required_fields
    else:
        tree["minProperties"] = 1
    for rule in schema.rules:
        tree.update(rule.fragment)
    return tree


def _field(field: Any, defs: dict[str, Tree]) -> Tree:
    if isinstance(field, Many):
        tree = {"type": "array", "minItems": 1, "items": _field(field.inner, defs)}
        return tree if field.default is None else {**tree, "default": field.default}
    if isinstance(field, Either):
        return {"anyOf": [_field(field.leaf, defs), _field(field.one, defs)]}
    if isinstance(field, One):
        return _ref(field.schema, defs)
    if not isinstance(field, Leaf):
        raise TypeError(f"no JSON Schema for {type(field).__name__}")
    return field.fragment


def _ref(schema: Base, defs: dict[str, Tree]) -> Tree:
    name = schema.def_name()
    if name not in defs:
        # Reserved before it is filled: a schema may hold itself.
        defs[name] = {}
        defs[name] = _object(schema, defs)
    return {"$ref": f"#/$defs/{name}"}
