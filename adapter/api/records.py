"""/v1/records: the records of the store, one by one, under ETag and If-Match."""

from __future__ import annotations

import re

from flask import Response, request
from flask_smorest import Blueprint
from werkzeug.exceptions import PreconditionFailed

from adapter.api.answers import json_answer
from adapter.api.schemas import ANY, RECORD, documented, json_of
from adapter.api.state import given, released, services
from adapter.errors import BadInput, DataError, Gone, NotFound
from adapter.fhir_json import Tree
from adapter.issues import Issue
from adapter.records import KINDS
from adapter.services.validate import alone

blueprint = Blueprint("records", "records", url_prefix="/v1/records", description="The records of the store.")
_REVISION = re.compile(r'\s*(?:W/)?"([0-9]{1,9})"\s*')
_KIND = {"name": "kind", "in": "path", "required": True, "schema": {"type": "string", "enum": list(KINDS)}}
_ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
_IF_MATCH = {"name": "If-Match", "in": "header", "schema": {"type": "string"}}
_AS_ERROR = {"name": "as-error", "in": "query", "schema": {"type": "boolean"}}
_FAULTS = {404: "There is no such record.", 410: "The record has been deleted.", 412: "It has another revision by now."}
_RECORD = json_of(RECORD)


@blueprint.get("")
@documented(blueprint, answer=json_of({"type": "array", "items": RECORD}))
def list_() -> Response:
    """Kind, id, revision and time of every record."""
    names = ("kind", "id", "revision", "recorded_at")
    rows = [{name: record[name] for name in names} for record in services().store().records()]
    return json_answer(rows)


@blueprint.get("/<kind>/<id_>")
@documented(blueprint, answer=_RECORD, parameters=[_KIND, _ID], faults=_FAULTS)
def read(kind: str, id_: str) -> Response:
    """A record, with its revision as ETag."""
    record = released(services().store().record(_known(kind), id_))
    if request.if_none_match.contains_weak(str(record["revision"])):
        return Response(status=304, headers=_tag(record))
    return json_answer(record, headers=_tag(record))


@blueprint.put("/<kind>/<id_>")
@documented(blueprint, answer=_RECORD, body=_RECORD, parameters=[_KIND, _ID, _IF_MATCH], faults=_FAULTS)
def write(kind: str, id_: str) -> Response:
    """A record, new or changed; with If-Match only onto that revision."""
    record, expected = given(), _expected()
    if not isinstance(record, dict) or (record.get("kind"), record.get("id")) != (_known(kind), id_):
        text = "The body is not the record that the address names."
        raise BadInput(text, issues=[Issue("error", "invalid", "record-differs", text, pointer="/id")])
    present = _revision(kind, id_)
    if expected is not None and expected != present:
        raise PreconditionFailed("The record has another revision by now.")
    done = services().take_in(record, expect_revision=expected)
    if done.refused:
        raise DataError("The record is not valid.", issues=alone(done.issues))
    saved = released(services().store().record(kind, id_))
    return json_answer(saved, 200 if present else 201, _tag(saved))


@blueprint.delete("/<kind>/<id_>")
@documented(blueprint, answer=ANY, status=204, parameters=[_KIND, _ID, _IF_MATCH, _AS_ERROR], faults=_FAULTS)
def delete(kind: str, id_: str) -> Response:
    """The record and its resources go; their history stays. With as-error=true servers are told that it was an error."""
    expected = _expected()
    if expected is not None and expected != _revision(_known(kind), id_):
        raise PreconditionFailed("The record has another revision by now.")
    as_error = request.args.get("as-error", "false")
    if as_error not in ("true", "false"):
        raise BadInput("as-error is true or false.")
    services().delete(_known(kind), id_, as_error=as_error == "true")
    return Response(status=204)


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise NotFound("There is no such kind of record.", remedy=f"Known kinds: {', '.join(KINDS)}.")
    return kind


def _tag(record: Tree) -> dict[str, str]:
    return {"ETag": f'W/"{record["revision"]}"'}


def _expected() -> int | None:
    header = request.headers.get("If-Match")
    if header is None:
        return None
    match = _REVISION.fullmatch(header)
    if match is None:
        raise BadInput("If-Match does not name a revision.")
    return int(match[1])


def _revision(kind: str, id_: str) -> int:
    """The present revision, 0 where there is no such record."""
    try:
        return int(services().store().record(kind, id_)["revision"])
    except (NotFound, Gone):
        return 0
