"""/v1/conflicts and the history of records, as the commands conflicts and history have them."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from adapter.api.answers import json_answer
from adapter.api.schemas import ANY, RECORD, documented, json_of
from adapter.api.state import fault, fields, given, released, services
from adapter.errors import BadInput
from adapter.fhir_json import Tree
from adapter.services.conflicts import head

blueprint = Blueprint(
    "conflicts", "conflicts", url_prefix="/v1", description="What both sides changed, and what was decided."
)
_NUMBER = {"name": "number", "in": "path", "required": True, "schema": {"type": "integer"}}
_PATH = [
    {"name": "kind", "in": "path", "required": True, "schema": {"type": "string"}},
    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
]
_DECISION: Tree = {
    "type": "object",
    "required": ["take"],
    "properties": {"take": {"enum": ["ours", "theirs", "merged"]}, "value": {}, "by": {"type": "string"}},
    "additionalProperties": False,
}
_BACK: Tree = {
    "type": "object",
    "required": ["revision"],
    "properties": {"revision": {"type": "integer", "minimum": 1}, "by": {"type": "string"}},
    "additionalProperties": False,
}


@blueprint.get("/conflicts")
@documented(blueprint, answer=ANY)
def list_conflicts() -> Response:
    """Every element in conflict, without its values."""
    name = request.args.get("server", "")
    if name:
        services().store().server(name)
    found = services().desk().listed(name)
    return json_answer([head(one) for one in found])


@blueprint.get("/conflicts/<int:number>")
@documented(blueprint, answer=ANY, parameters=[_NUMBER], faults={404: "There is no such conflict."})
def show(number: int) -> Response:
    """One element with its three values, and the fields of the record that it is."""
    conflict = services().store().conflict(number)
    # The values leave only as the record itself may.
    released(services().store().record(conflict.kind, conflict.record_id))
    return json_answer(services().desk().show(number))


@blueprint.post("/conflicts/<int:number>")
@documented(
    blueprint, body=json_of(_DECISION), answer=ANY, parameters=[_NUMBER],
    faults={404: "There is no such conflict.", 409: "Either side has changed since."},
)  # fmt: skip
def resolve(number: int) -> Response:
    """Decide one element; with the last of its part the record is written."""
    tree = given()
    value: Any = tree.pop("value", None) if isinstance(tree, dict) else None
    asked = fields(tree, {"take": str, "by": str}, ("take",))
    if asked["take"] not in ("ours", "theirs", "merged") or (value is not None and asked["take"] != "merged"):
        text = "Expected ours, theirs, or merged with a value."
        raise BadInput(text, issues=[fault("/take", text)])
    return json_answer(services().desk().resolve(number, asked["take"], value, asked.get("by", "")))


@blueprint.get("/records/<kind>/<id_>/history")
@documented(blueprint, answer=ANY, parameters=_PATH, faults={404: "There is no such record."})
def history(kind: str, id_: str) -> Response:
    """Every revision of a record and every decision about it, oldest first; values only as the record itself may leave."""
    _, _, rows = services().history(f"{kind}/{id_}")
    revisions = services().store().revisions(kind, id_)
    released(revisions[0])
    return json_answer(rows)


@blueprint.post("/records/<kind>/<id_>/history")
@documented(
    blueprint, body=json_of(_BACK), answer=json_of(RECORD), parameters=_PATH, faults={404: "There is no such revision."}
)
def bring_back(kind: str, id_: str) -> Response:
    """An earlier revision as a new one."""
    asked = fields(given(), {"revision": int, "by": str}, ("revision",))
    kind, id_, _ = services().history(f"{kind}/{id_}")
    return json_answer(released(services().bring_back(kind, id_, asked["revision"], asked.get("by", ""))))
