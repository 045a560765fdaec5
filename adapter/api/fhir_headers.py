"""ETag, If-Match, If-None-Match, Last-Modified, Location, Prefer. https://hl7.org/fhir/R4/http.html#versionaware"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flask import Response, request
from werkzeug.exceptions import PreconditionFailed
from werkzeug.http import http_date, parse_date

from adapter.api.answers import FHIR_JSON, json_answer
from adapter.api.state import released
from adapter.issues import Issue, to_operation_outcome
from adapter.ports import StoredResource
from adapter.services.face import Written, faulty

_ETAG = re.compile(r'\s*(?:W/)?"?([A-Za-z0-9\-.]{1,64})"?\s*')


def base_url() -> str:
    """The base of the FHIR face, as the caller named it."""
    return f"{request.host_url}fhir"


def if_match() -> str | None:
    """The version that If-Match names. Raises BadInput where it names none, HTTP 412 for `*` is left to the caller."""
    header = request.headers.get("If-Match")
    if header is None:
        return None
    match = _ETAG.fullmatch(header)
    if match is None:
        if header.strip() == "*":
            raise PreconditionFailed("If-Match names one version here; * is not understood.")
        raise faulty("If-Match does not name a version.", "if-match-invalid")
    return match[1]


def lenient() -> bool:
    """Whether unknown search parameters are to be left out. https://hl7.org/fhir/R4/search.html#errors"""
    return "lenient" in _preference("handling")


def _preference(name: str) -> str:
    found = re.search(rf"(?:^|[;,\s]){name}=([A-Za-z]+)", request.headers.get("Prefer", ""))
    return found[1] if found else ""


def stamped(instant: str) -> datetime:
    """An instant as FHIR writes it."""
    return datetime.fromisoformat(instant).astimezone(UTC)


def _headers(version: int, last_updated: str) -> dict[str, str]:
    headers = {"ETag": f'W/"{version}"'}
    if last_updated:
        headers["Last-Modified"] = http_date(stamped(last_updated))
    return headers


def not_modified(found: StoredResource) -> Response:
    """The resource, or 304 where the caller has this version already."""
    headers = _headers(found.version, found.last_updated)
    if _has_it(found):
        return Response(status=304, headers=headers)
    return json_answer(released(found.served), 200, headers, FHIR_JSON)


def _has_it(found: StoredResource) -> bool:
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        return tags.strip() == "*" or str(found.version) in [
            match[1] for match in map(_ETAG.fullmatch, tags.split(",")) if match
        ]
    since = parse_date(request.headers.get("If-Modified-Since"))
    return (
        since is not None and bool(found.last_updated) and stamped(found.last_updated).replace(microsecond=0) <= since
    )


def written(done: Written) -> Response:
    """The answer to a create or an update, with as much of a body as the caller prefers."""
    row = done.row
    headers = _headers(row.version, row.last_updated)
    place = f"{base_url()}/{row.type}/{row.id}/_history/{row.version}"
    headers["Location" if done.created else "Content-Location"] = place
    if done.existed:
        headers["Location"] = place
    status = 201 if done.created else 200
    preferred = _preference("return")
    if preferred == "minimal":
        return Response(status=status, headers=headers)
    if preferred == "OperationOutcome":
        text = "Created." if done.created else "Stored."
        said = to_operation_outcome([Issue("information", "informational", "stored", text)])
        return json_answer(said, status, headers, FHIR_JSON)
    return json_answer(released(row.served), status, headers, FHIR_JSON)
