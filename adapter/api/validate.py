"""$validate of the FHIR face. https://hl7.org/fhir/R4/resource-operation-validate.html

Of a resource in the body, or of the one that is held at an id; with a `profile`, and a `mode`: whether it could be
created, updated, deleted, or, as it is held, conforms to the profile. Nothing is stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request

from adapter.api.answers import FHIR_JSON, json_answer
from adapter.api.bodies import body_bytes, refuse_other_formats, version_of_body
from adapter.api.fhir import checked_id, resource
from adapter.api.state import bounds, released, services
from adapter.fhir_json import Tree, loads
from adapter.issues import Issue, to_operation_outcome
from adapter.services.face import faulty
from adapter.services.validate import MODES, mode_issues

blueprint = Blueprint("fhir_validate", __name__, url_prefix="/fhir")
blueprint.before_request(refuse_other_formats)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be validated: a resource (None: the one that is held), by which profiles, in which mode."""

    resource: Any
    profiles: tuple[str, ...]
    mode: str = ""


@blueprint.post("/$validate")
@blueprint.post("/<type_>/$validate")
def validate(type_: str = "") -> Response:
    """The issues of the resource in the body, as one OperationOutcome."""
    asked = _asked(resource())
    if asked.resource is None:
        raise faulty("$validate of a type takes a resource.", "parameters-resource", "Parameters.parameter")
    return _answer(asked, type_, None)


@blueprint.get("/<type_>/<id_>/$validate")
@blueprint.post("/<type_>/<id_>/$validate")
def validate_instance(type_: str, id_: str) -> Response:
    """The issues of the resource in the body as the one with this id, or without a body of the one that is held."""
    body = body_bytes(bounds()) if request.method == "POST" else b""
    if body.strip():
        version_of_body()
        tree = loads(body, bounds())
    else:
        tree = {"resourceType": "Parameters"}
    return _answer(_asked(tree), type_, checked_id(id_))


def _asked(tree: Any) -> Asked:
    """Raises BadInput for parameters that say too much, and for a mode that there is not."""
    profiles, mode = request.args.getlist("profile"), request.args.get("mode", "")
    found: Any = tree
    if isinstance(tree, dict) and tree.get("resourceType") == "Parameters":
        given = tree.get("parameter")
        rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
        resources = [row["resource"] for row in rows if row.get("name") == "resource" and "resource" in row]
        if len(resources) > 1:
            raise faulty("$validate takes one resource.", "parameters-resource", "Parameters.parameter")
        found = resources[0] if resources else None
        profiles += _values(rows, "profile", "valueUri", "valueCanonical")
        mode = next(iter(_values(rows, "mode", "valueCode", "valueString")), mode)
    if mode not in ("", *MODES):
        raise faulty(f"mode is one of {', '.join(MODES)}.", "mode-unknown", "Parameters.parameter")
    return Asked(found, tuple(profiles), mode)


def _values(rows: list[Tree], name: str, *kinds: str) -> list[str]:
    found = (row.get(kind) for row in rows if row.get("name") == name for kind in kinds)
    return [value for value in found if isinstance(value, str)]


def _answer(asked: Asked, type_: str, id_: str | None) -> Response:
    held = None
    if id_ is not None and (asked.resource is None or asked.mode in ("profile", "delete")):
        held = released(services().face().read(type_, id_).tree)
    tree = held if asked.resource is None else asked.resource
    issues = mode_issues(tree, asked.mode, type_, id_, given=asked.resource is not None, profiles=asked.profiles)
    if asked.mode != "delete":
        issues += services().checker(profiles=asked.profiles, fhir=_version()).resource(tree)
    return json_answer(to_operation_outcome(issues or [_fine(asked.mode)]), mime=FHIR_JSON)


def _version() -> str | None:
    """The FHIR version that the body's media type names."""
    return version_of_body() if request.content_length else None


def _fine(mode: str) -> Issue:
    text = f"The {mode or 'check'} would find nothing wrong." if mode else "No issues found."
    return Issue("information", "informational", "all-fine", text)
