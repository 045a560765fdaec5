"""What comes in: media types, versions, bounds. https://hl7.org/fhir/R4/http.html#mime-type"""

from __future__ import annotations

from typing import Any

from flask import request
from werkzeug.datastructures import MIMEAccept
from werkzeug.exceptions import (
    BadRequest,
    NotAcceptable,
    RequestEntityTooLarge,
    RequestTimeout,
    ServiceUnavailable,
    UnsupportedMediaType,
)
from werkzeug.http import parse_options_header

from adapter.api.front import BUSY, CUT, SHORT, SLOW
from adapter.fhir_json import Bounds, loads

JSON_TYPES = frozenset({"application/fhir+json", "application/json"})
FHIR_VERSIONS = frozenset({"4.0", "4.0.1", "4.3", "4.3.0"})
CONVERTED = FHIR_VERSIONS | {"5.0", "5.0.0"}
"""What is converted and validated; the FHIR face stores R4, and R4B, which is the same tree."""
FORMATS = frozenset({"json", "application/json", "application/fhir+json", "application/fhir json"})
_PIECE = 1 << 16
_CUT = {
    SLOW: (RequestTimeout, "The body did not come in time."),
    SHORT: (BadRequest, "The body ended before the Content-Length that was said of it."),
    BUSY: (ServiceUnavailable, "Too much is being received at once. Try again in a while."),
}


def body_bytes(bounds: Bounds) -> bytes:
    """The body, and never more of it than the bounds allow, whatever Content-Length says."""
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("A compressed body is not accepted.")
    if (request.content_length or 0) > bounds.size:
        raise RequestEntityTooLarge
    if cut := request.environ.get(CUT):
        fault, text = _CUT[cut]
        raise fault(text)
    pieces, total = [], 0
    while piece := request.stream.read(_PIECE):
        total += len(piece)
        if total > bounds.size:
            raise RequestEntityTooLarge
        pieces.append(piece)
    return b"".join(pieces)


def body_tree(bounds: Bounds) -> Any:
    """The tree of a JSON body. Raises BadInput, and HTTP 413 and 415."""
    version_of_body()
    return loads(body_bytes(bounds), bounds)


def version_of_body() -> str | None:
    """The FHIR version that Content-Type names, None where it names none. Raises HTTP 415."""
    mime, options = parse_options_header(request.headers.get("Content-Type", ""))
    if mime.lower() not in JSON_TYPES:
        raise UnsupportedMediaType("The body must be application/fhir+json or application/json.")
    if options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise UnsupportedMediaType("The body must be UTF-8.")
    version = options.get("fhirVersion") or options.get("fhirversion")
    if version is not None and version not in _spoken(request.path):
        raise UnsupportedMediaType("This FHIR version is not spoken here; 4.0 is.")
    return version


def _spoken(path: str) -> frozenset[str]:
    return CONVERTED if path.startswith("/v1/") or path.endswith("validate") else FHIR_VERSIONS


def refuse_other_formats() -> None:
    """Raises HTTP 406 where the caller takes nothing that we give."""
    asked = request.args.get("_format")
    if asked is not None:
        if asked.partition(";")[0].strip().lower() not in FORMATS:
            raise NotAcceptable("Only JSON is given here.")
        return
    header = request.headers.get("Accept", "")
    accepted: MIMEAccept = request.accept_mimetypes
    if header and not any(_given(value) for value, quality in accepted if quality > 0):
        raise NotAcceptable("Only application/fhir+json of FHIR 4.0 is given here.")


def _given(value: str) -> bool:
    mime, options = parse_options_header(value)
    if mime.lower() not in JSON_TYPES | {"*/*", "application/*"}:
        return False
    version = options.get("fhirVersion") or options.get("fhirversion")
    return version is None or version in FHIR_VERSIONS
