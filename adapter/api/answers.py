"""Answers: JSON by `adapter.fhir_json` only, problem details under `/v1`, OperationOutcomes under `/fhir`.

https://www.rfc-editor.org/rfc/rfc9457 · https://hl7.org/fhir/R4/http.html#summary
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Response, request

from adapter.errors import (
    AdapterError,
    BadInput,
    Conflict,
    DataError,
    Gone,
    NotFound,
    Refused,
    ServerRefused,
    Unavailable,
)
from adapter.fhir_json import dumps, pretty
from adapter.issues import Issue, to_operation_outcome, to_outcome_issue

JSON = "application/json"
FHIR_JSON = "application/fhir+json; charset=utf-8"
PROBLEM = "application/problem+json"
PROBLEM_TYPE = "https://careplan-adapter.org/problems/"
_STATUS: tuple[tuple[type[AdapterError], int], ...] = (
    (NotFound, 404),
    (Gone, 410),
    (BadInput, 400),
    (DataError, 422),
    (Refused, 403),
    (ServerRefused, 502),
    (Unavailable, 503),
)
_CODES = {
    400: "invalid",
    401: "login",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    406: "not-supported",
    409: "conflict",
    410: "deleted",
    412: "conflict",
    413: "too-long",
    415: "not-supported",
    421: "security",
    422: "processing",
    502: "transient",
    503: "transient",
}


def is_face() -> bool:
    """Whether the present request is one of FHIR's."""
    return request.path == "/fhir" or request.path.startswith("/fhir/")


def json_answer(tree: Any, status: int = 200, headers: Mapping[str, str] | None = None, mime: str = JSON) -> Response:
    """A tree as the body of an answer, every digit kept."""
    indented = request.args.get("_pretty") == "true"
    body = (pretty(tree) + "\n").encode() if indented else dumps(tree)
    return Response(body, status, headers=dict(headers or {}), content_type=mime)


def status_of(error: AdapterError) -> int:
    """The HTTP status that an error stands for."""
    if isinstance(error, Conflict):
        return 412 if error.reason == "version" else 409
    if isinstance(error, BadInput) and any(issue.message_id == "json-too-large" for issue in error.issues):
        return 413
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 400)


def error_answer(error: AdapterError) -> Response:
    """An error of ours as an OperationOutcome or as problem details, by the path that was asked."""
    status = status_of(error)
    issues = list(error.issues) if isinstance(error, (DataError, ServerRefused)) else []
    headers = {}
    if isinstance(error, Unavailable) and error.retry_after is not None:
        headers["Retry-After"] = str(max(1, round(error.retry_after)))
    return fault_answer(status, error.message, issues, headers=headers, remedy=error.remedy)


def fault_answer(
    status: int,
    text: str,
    issues: Iterable[Issue] = (),
    *,
    headers: Mapping[str, str] | None = None,
    remedy: str = "",
) -> Response:
    """A status with its reason, in the form that fits the path."""
    found = list(issues)
    if is_face():
        code = _CODES.get(status, "exception" if status >= 500 else "invalid")
        spoken = f"{text} {remedy}".strip()
        rows = found or [Issue("error", code, f"http-{status}", spoken)]
        return json_answer(to_operation_outcome(rows), status, headers, FHIR_JSON)
    tree: dict[str, Any] = {"type": f"{PROBLEM_TYPE}{_name(status)}", "title": _title(status), "status": status}
    tree["detail"] = f"{text} {remedy}".strip()
    if found:
        tree["issues"] = [{**to_outcome_issue(issue), **_pointer(issue)} for issue in found]
    return json_answer(tree, status, headers, PROBLEM)


def _pointer(issue: Issue) -> dict[str, str]:
    return {} if issue.pointer is None else {"pointer": issue.pointer}


def _title(status: int) -> str:
    from http import HTTPStatus

    return HTTPStatus(status).phrase


def _name(status: int) -> str:
    return _title(status).lower().replace(" ", "-")
