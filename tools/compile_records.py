"""Writes adapter/records/compiled.json: what the schemas of records ask, in a form that is read without marshmallow.

    python -m tools.compile_records

A test holds that it is what the schemas say today.
"""

from __future__ import annotations

import json
from typing import Any

from adapter.records import KINDS, schema
from adapter.records.base import Base
from adapter.records.fields import Either, Leaf, Many, One
from adapter.records.plain import COMPILED

Tree = dict[str, Any]


def compiled() -> bytes:
    """The content of the file."""
    objects: dict[str, tuple[Base, Tree]] = {}
    kinds = {kind: _object(schema(kind), objects) for kind in KINDS}
    rows = [f"  {json.dumps(name)}: {json.dumps(objects[name][1])}" for name in sorted(objects)]
    text = ",\n".join(rows)
    return f'{{"kinds": {json.dumps(kinds)},\n "objects": {{\n{text}\n }}}}\n'.encode()


def _object(base: Base, objects: dict[str, tuple[Base, Tree]]) -> str:
    name = base.def_name()
    if name not in objects:
        row: Tree = {}
        # Reserved before it is filled: a schema may hold itself.
        objects[name] = (base, row)
        row["fields"] = {key: _field(field, objects) for key, field in base.fields.items()}
        row["required"] = base.required_fields
        row["rules"] = [rule.words for rule in base.rules]
    if objects[name][0] is not base:
        raise ValueError(f"two schemas are called {name}")
    return name


def _field(field: Any, objects: dict[str, tuple[Base, Tree]]) -> Tree:
    if isinstance(field, Many):
        return {"many": _field(field.inner, objects), "ids": field.ids}
    if isinstance(field, Either):
        return {"either": [field.leaf.fragment, _object(field.one.schema, objects)]}
    if isinstance(field, One):
        return {"one": _object(field.schema, objects)}
    if not isinstance(field, Leaf):
        raise TypeError(f"no test for {type(field).__name__}")
    return field.fragment


if __name__ == "__main__":
    COMPILED.write_bytes(compiled())
