"""The kinds of record that are a pack's own: the provider's shapes, each with a JSON Schema and the field that is its id.

https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adapter.errors import BadInput, Finding
from adapter.fhir_json import loads
from adapter.packs.reading import file_of, read_bytes

Tree = dict[str, Any]
KEYS = ("id", "schema", "system")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its schema, the field that names a record, and the system that those names are of."""

    name: str
    schema: Tree
    id_field: str = ""
    system: str = ""


@dataclass(frozen=True, slots=True)
class Declared:
    """A kind as pack.yaml declares it; `spot` is (file, line, column)."""

    name: str
    file: str
    id_field: str
    system: str
    spot: tuple[str, int, int]


def read_kinds(folder: Path, declared: Mapping[str, Declared], faults: list[Finding]) -> dict[str, Kind]:
    """The kinds of a pack, with their schemas; what is wrong is appended to `faults`."""
    found = {}
    for name, row in declared.items():
        schema = _schema(folder, row, faults)
        if schema is None:
            continue
        field = schema.get("properties", {}).get(row.id_field)
        if row.id_field and field is None:
            faults.append(Finding(*row.spot, "kind-id", f"the schema {row.file} has no field {row.id_field}"))
        elif row.id_field == "id" and field.get("format") != "uuid":
            faults.append(Finding(*row.spot, "kind-id", "a field that is called id holds UUIDs (format: uuid)"))
        else:
            found[name] = Kind(name, schema, row.id_field, row.system)
    return found


def _schema(folder: Path, row: Declared, faults: list[Finding]) -> Tree | None:
    from jsonschema import Draft202012Validator, SchemaError

    path = folder / row.file
    if not path.is_file():
        faults.append(Finding(*row.spot, "kind-schema", f"there is no file {row.file} in this pack"))
        return None
    file = file_of(path, folder)
    data = read_bytes(path, folder, faults)
    if data is None:
        return None
    try:
        tree = loads(data)
        Draft202012Validator.check_schema(tree)
    except BadInput as error:
        issue = error.issues[0]
        faults.append(Finding(file, issue.line or 1, issue.column or 1, "resource-not-json", error.message))
    except SchemaError as error:
        where = "/".join(str(step) for step in error.path)
        faults.append(Finding(file, 1, 1, "kind-schema", f"not a JSON Schema, at {where or 'its root'}"))
    else:
        if isinstance(tree, dict) and isinstance(tree.get("properties"), dict):
            return tree
        faults.append(Finding(file, 1, 1, "kind-schema", "expected the schema of an object, with properties"))
    return None
