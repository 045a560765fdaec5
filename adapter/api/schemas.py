"""What the OpenAPI says of bodies and answers; the schemas of records are those of `careplan schema`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from flask_smorest import Blueprint

Tree = dict[str, Any]
View = Callable[..., Any]

_OBJECT: Tree = {"type": "object"}
RESOURCE: Tree = {"type": "object", "required": ["resourceType"], "properties": {"resourceType": {"type": "string"}}}
RECORD: Tree = {"type": "object", "required": ["kind", "id"], "properties": {"kind": {"type": "string"}, "id": {"type": "string"}}}  # fmt: skip
_RESULT: Tree = {
    "type": "object",
    "required": ["records"],
    "properties": {"records": {"type": "array", "items": RECORD}, "remainder": _OBJECT, "issues": {"type": "array"}},
}
PROBLEM: Tree = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "issues": {"type": "array", "items": _OBJECT},
    },
}


def json_of(schema: Tree, *mimes: str) -> Tree:
    """Content of these media types, JSON where none is named."""
    return {mime: {"schema": schema} for mime in mimes or ("application/json",)}


BODY_RECORDS = json_of({"oneOf": [RECORD, {"type": "array", "items": RECORD}, _RESULT]})
BODY_RESOURCE = json_of(RESOURCE, "application/fhir+json", "application/json")
BUNDLE = json_of(RESOURCE, "application/fhir+json")
OUTCOME = json_of(RESOURCE, "application/fhir+json")
RESULT = json_of(_RESULT)
ANY = json_of({})
FAULTS = {
    400: "The body or a parameter cannot be read.",
    403: "It may not leave for who asks, or the page that asks is another's.",
    406: "Nothing is given in the media type asked for.",
    413: "The body is too large.",
    415: "The media type of the body is not accepted.",
    421: "The service is not asked under that name.",
    422: "What the body holds is not valid.",
}


def documented(
    blueprint: Blueprint,
    *,
    answer: Tree,
    body: Tree | None = None,
    parameters: Sequence[Tree] = (),
    status: int = 200,
    faults: dict[int, str] | None = None,
) -> Callable[[View], View]:
    """Describes a route in the OpenAPI; the route itself reads the body and makes the answer."""
    told = {
        str(code): {"description": text, "content": json_of(PROBLEM, "application/problem+json")}
        for code, text in {**FAULTS, **(faults or {})}.items()
    }
    operation: Tree = {
        "responses": {str(status): {"description": "Done.", "content": answer}, **told},
        "parameters": list(parameters),
    }
    if status == 204:
        operation["responses"]["204"] = {"description": "Done."}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": body}
    mark: Callable[[View], View] = blueprint.doc(**operation)
    return mark
