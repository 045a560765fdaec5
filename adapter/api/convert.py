"""/v1/convert and /v1/validate: one document in, one out; nothing is stored."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from adapter.api.answers import json_answer
from adapter.api.bodies import version_of_body
from adapter.api.schemas import BODY_RECORDS, BODY_RESOURCE, BUNDLE, OUTCOME, RESULT, documented
from adapter.api.state import given, services
from adapter.errors import UsageError
from adapter.issues import to_operation_outcome
from adapter.services.validate import mode_issues

blueprint = Blueprint(
    "convert", "convert", url_prefix="/v1", description="Records to FHIR and back; nothing is stored."
)
_FHIR = {"name": "fhir", "in": "query", "schema": {"type": "string", "enum": ["4.0.1", "4.3.0", "5.0.0"]}}
_PROFILE = {"name": "profile", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}}
_MODE = {"name": "mode", "in": "query", "schema": {"type": "string", "enum": ["create", "update"]}}
_STRICT = {"name": "strict", "in": "query", "schema": {"type": "boolean", "default": False}}
_TYPE = {"name": "type", "in": "query", "schema": {"type": "string", "enum": ["collection", "transaction"]}}
_CREATE = {"name": "create", "in": "query", "schema": {"type": "string", "enum": ["put", "conditional"]}}


def _options(*names: str) -> dict[str, Any]:
    """The options of the query; others are refused. Raises UsageError."""
    unknown = sorted(set(request.args) - {*names, "fhir", "strict", "_pretty"})
    if unknown:
        raise UsageError(
            "There is a query parameter that is not known here.", remedy=f"Known: fhir, strict {' '.join(names)}."
        )
    options: dict[str, Any] = {"fhir": request.args.get("fhir") or version_of_body()}
    strict = request.args.get("strict", "false")
    if strict not in ("true", "false"):
        raise UsageError("strict is true or false.")
    return {**options, "strict": strict == "true"}


def _choice(name: str, *allowed: str) -> str | None:
    value = request.args.get(name)
    if value is not None and value not in allowed:
        raise UsageError(f"{name} is one of {', '.join(allowed)}.")
    return value


@blueprint.post("/convert/to-fhir")
@documented(blueprint, body=BODY_RECORDS, answer=BUNDLE, parameters=[_TYPE, _CREATE, _FHIR, _STRICT])
def to_fhir() -> Response:
    """Records, a list of them, or what from-fhir gave: one Bundle, or what once came in."""
    options = _options("type", "create")
    kind, create = _choice("type", "collection", "transaction"), _choice("create", "put", "conditional")
    converter = services().converter(**options, bundle_type=kind, create=create or "put")
    tree, _ = converter.to_fhir(given())
    return json_answer(tree, mime="application/fhir+json; charset=utf-8")


@blueprint.post("/convert/from-fhir")
@documented(blueprint, body=BODY_RESOURCE, answer=RESULT, parameters=[_FHIR, _STRICT])
def from_fhir() -> Response:
    """A resource or Bundle: its records, the remainder for the way back, and issues."""
    tree, _ = services().converter(**_options()).from_fhir(given())
    return json_answer(tree)


@blueprint.post("/validate")
@documented(
    blueprint,
    body=BODY_RESOURCE,
    answer=OUTCOME,
    parameters=[_FHIR, _PROFILE, _MODE],
)
def validate() -> Response:
    """A resource, Bundle, record or list of records: one OperationOutcome, with status 200 also where it holds errors."""
    options = _options("profile", "mode")
    del options["strict"]
    checker = services().checker(**options, profiles=tuple(request.args.getlist("profile")))
    tree, mode = given(), _choice("mode", "create", "update")
    issues = mode_issues(tree, mode, "", None, given=True) if mode else []
    return json_answer(
        to_operation_outcome([*issues, *checker.issues(tree)]), mime="application/fhir+json; charset=utf-8"
    )
