"""The JSON Schema of mapping files, for editors: made from the table of keywords that the compiler itself uses.

    # yaml-language-server: $schema=mapping.schema.json

https://json-schema.org/draft/2020-12
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapter.identity import NS
from adapter.mapping.derived import DERIVED
from adapter.mapping.keywords import FILE_KEYS, KEYWORDS, NEEDS, REQUIRED, Keyword

Tree = dict[str, Any]


def file_schema() -> Tree:
    """A JSON Schema 2020-12 of a mapping file; a new tree with each call.

    Beside whole files it takes files that only give groups to others (`groups.yaml`).
    """
    shared = {"properties": {"groups": {}}, "required": ["groups"], "maxProperties": 1}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{NS}/schema/mapping",
        "title": "Mapping file",
        "description": "Pairs of record fields and FHIR elements, both ways.",
        **_object(FILE_KEYS),
        "anyOf": [{"required": list(REQUIRED)}, shared],
        "$defs": {"rule": _rule()},
    }


def _rule() -> Tree:
    tree = {"description": "One pair.", **_object(KEYWORDS), "dependentSchemas": _needs()}
    tree["properties"]["derive"] |= {"type": "string", "enum": sorted(DERIVED)}
    return tree


def _object(known: Mapping[str, Keyword]) -> Tree:
    rows = {name: {"description": keyword.says, **keyword.form.schema} for name, keyword in known.items()}
    return {"type": "object", "properties": rows, "additionalProperties": False}


def _needs() -> Tree:
    return {name: {"anyOf": [{"required": [other]} for other in others]} for name, others in NEEDS.items()}
