"""The FHIR face over HTTP: routes, headers, negotiation. https://hl7.org/fhir/R4/http.html"""

from __future__ import annotations

import re

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException

from adapter.api.answers import FHIR_JSON, json_answer
from adapter.api.bodies import body_bytes, refuse_other_formats
from adapter.api.bundles import history_bundle, search_bundle
from adapter.api.fhir_headers import base_url, if_match, lenient, not_modified, written
from adapter.api.state import bounds, given, released, services
from adapter.errors import BadInput
from adapter.fhir_json import Tree
from adapter.issues import Issue, to_operation_outcome
from adapter.services.face import Face, faulty
from adapter.services.searching import COUNT, MOST, parse, whole

blueprint = Blueprint("fhir", __name__, url_prefix="/fhir")
ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")


@blueprint.before_request
def _negotiate() -> None:
    refuse_other_formats()


def _face() -> Face:
    return services().face()


def resource() -> Tree:
    """The resource of the body. Raises BadInput."""
    tree = given()
    if not isinstance(tree, dict) or not isinstance(tree.get("resourceType"), str):
        text = "The body is not a FHIR resource."
        raise BadInput(text, issues=[Issue("fatal", "structure", "fhir-no-type", text)])
    return tree


def checked_id(id_: str) -> str:
    """The id of the URL. Raises BadInput."""
    if not ID.fullmatch(id_):
        raise faulty("This is not an id: 1 to 64 letters, digits, hyphens and dots.", "id-invalid")
    return id_


@blueprint.get("/metadata")
def metadata() -> Response:
    """The CapabilityStatement."""
    from adapter.api.capability import statement

    return json_answer(statement(_face().types, base_url(), services().now()), mime=FHIR_JSON)


@blueprint.get("/<type_>/<id_>")
def read(type_: str, id_: str) -> Response:
    """The present version."""
    return not_modified(_face().read(type_, checked_id(id_)))


@blueprint.get("/<type_>/<id_>/_history/<version>")
def vread(type_: str, id_: str, version: str) -> Response:
    """One version."""
    return not_modified(_face().read(type_, checked_id(id_), version))


@blueprint.get("/<type_>/<id_>/_history")
def history(type_: str, id_: str) -> Response:
    """Every version of a resource, newest first."""
    return _history(type_, checked_id(id_))


@blueprint.get("/<type_>/_history")
def type_history(type_: str) -> Response:
    """Every version of every resource of a type, newest first."""
    return _history(type_, None)


def _history(type_: str, id_: str | None) -> Response:
    offset = whole(request.args, "_offset", 0, 10**9)
    count = whole(request.args, "_count", COUNT, MOST)
    page = _face().history(type_, id_, request.args.get("_since"), count, offset)
    return json_answer(released(history_bundle(page, request.args, offset)), mime=FHIR_JSON)


@blueprint.get("/<type_>")
def search(type_: str) -> Response:
    """A page of what matches."""
    return _search(type_, list(request.args.items(multi=True)))


@blueprint.post("/<type_>/_search")
def search_by_form(type_: str) -> Response:
    """The same with the parameters in a form."""
    from urllib.parse import parse_qsl

    if request.mimetype != "application/x-www-form-urlencoded":
        from werkzeug.exceptions import UnsupportedMediaType

        raise UnsupportedMediaType("A search by POST is a form.")
    form = parse_qsl(body_bytes(bounds()).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=200)
    return _search(type_, [*request.args.items(multi=True), *form])


def _search(type_: str, params: list[tuple[str, str]]) -> Response:
    found = parse(type_, params, lenient=lenient())
    bundle = search_bundle(_face().search(found), found, params)
    return json_answer(released(bundle), mime=FHIR_JSON)


@blueprint.post("/<type_>")
def create(type_: str) -> Response:
    """A new resource."""
    done = _face().create(type_, resource(), request.headers.get("If-None-Exist"))
    return written(done)


@blueprint.put("/<type_>/<id_>")
def update(type_: str, id_: str) -> Response:
    """The resource at this id, new or changed."""
    return written(_face().update(type_, checked_id(id_), resource(), if_match()))


@blueprint.delete("/<type_>/<id_>")
def delete(type_: str, id_: str) -> Response:
    """No resource at this id any more."""
    done = _face().delete(type_, checked_id(id_), if_match())
    headers = {} if done is None else {"ETag": f'W/"{done.row.version}"'}
    return Response(status=204, headers=headers)


@blueprint.post("", strict_slashes=False)
@blueprint.post("/")
def transaction() -> Response:
    """A transaction, all or nothing, or a batch, each entry by itself."""
    from adapter.services.transaction import batch, transaction

    bundle = resource()
    kind = bundle.get("type") if bundle["resourceType"] == "Bundle" else None
    if kind == "transaction":
        return json_answer(released(transaction(_face(), bundle)), mime=FHIR_JSON)
    if kind == "batch":
        return json_answer(released(batch(_face(), bundle, _said)), mime=FHIR_JSON)
    raise faulty("Here a Bundle of type transaction or batch is expected.", "bundle-type", "Bundle.type")


def _said(error: Exception) -> tuple[int, Tree]:
    """The status and OperationOutcome of one entry of a batch."""
    from adapter.api.answers import error_answer
    from adapter.errors import AdapterError
    from adapter.fhir_json import loads

    if isinstance(error, AdapterError):
        answer = error_answer(error)
        return answer.status_code, loads(answer.get_data())
    status = (error.code or 500) if isinstance(error, HTTPException) else 500
    text = "The entry cannot be answered."
    return status, to_operation_outcome([Issue("error", "exception", "entry-failed", text)])
