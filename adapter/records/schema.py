"""JSON Schemas of the record kinds, made from the marshmallow schemas. https://json-schema.org/draft/2020-12"""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, fields

from adapter.identity import NS
from adapter.records.base import Shape
from adapter.records.fields import Plain

Tree = dict[str, Any]


def schema_of(kind: str, schema: Schema) -> Tree:
    """The JSON Schema of one kind; shapes that recur stand under `$defs` by name."""
    defs: Tree = {}
    body = _object(schema, defs)
    body["properties"]["kind"] = {"const": kind, "type": "string"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{NS}/schema/{kind}",
        "title": kind,
        **body,
        "$defs": dict(sorted(defs.items())),
    }


def _object(schema: Schema, defs: Tree) -> Tree:
    tree: Tree = {
        "type": "object",
        "properties": {name: _field(field, defs) for name, field in sorted(schema.fields.items())},
        "additionalProperties": False,
    }
    required = sorted(name for name, field in schema.fields.items() if field.required)
    if required:
        tree["required"] = required
    if isinstance(schema, Shape) and schema.one_of:
        tree["oneOf"] = [{"required": [name]} for name in schema.one_of]
    if isinstance(schema, Shape) and schema.some_of:
        tree["anyOf"] = [{"required": [name]} for name in schema.some_of]
    return tree


def _field(field: Any, defs: Tree) -> Tree:
    if isinstance(field, Plain):
        return field.json_schema()
    if isinstance(field, fields.List):
        return {"type": "array", "items": _field(field.inner, defs), "minItems": 1}
    name = type(field.schema).__name__
    if name not in defs:
        defs[name] = {}
        defs[name] = _object(field.schema, defs)
    return {"$ref": f"#/$defs/{name}"}
