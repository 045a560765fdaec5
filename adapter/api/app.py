"""The Flask application: its parts put together, its bounds, its headers, and every error as an answer."""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response
from flask_smorest import Api
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from adapter import __version__
from adapter.api.access import Door, at_the_door
from adapter.api.answers import error_answer, fault_answer
from adapter.bootstrap import Services
from adapter.errors import AdapterError
from adapter.fhir_json import Bounds

SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_log = logging.getLogger("adapter.api")


def create_app(services: Services, *, bounds: Bounds | None = None, door: Door | None = None) -> Flask:
    """The application over these services; `door` says who may come in: as shipped, who is on this machine."""
    entrance = door or Door()
    app = Flask("adapter.api", static_folder=None)
    app.config.update(
        API_TITLE="Care-plan adapter",
        API_VERSION=__version__,
        OPENAPI_VERSION="3.1.0",
        API_SPEC_OPTIONS={
            "info": {"description": "Records to FHIR and back, without loss; the store and the exchange."}
        },
    )
    app.extensions["careplan"] = services
    app.extensions["careplan_bounds"] = bounds or Bounds()
    _register(app)
    app.before_request(lambda: at_the_door(entrance))
    app.after_request(_secure)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(AdapterError, error_answer)
    app.register_error_handler(Exception, _own_fault)
    return app


def _register(app: Flask) -> None:
    from adapter.api import conflicts, convert, docs, fhir, health, metrics, records, sync, validate

    api = Api(app)
    for blueprint in (convert.blueprint, records.blueprint, sync.blueprint, conflicts.blueprint):
        api.register_blueprint(blueprint)
    for plain in (fhir.blueprint, validate.blueprint, health.blueprint, metrics.blueprint):
        app.register_blueprint(plain)
    docs.register(app, api)


def _secure(response: Response) -> Response:
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Content-Security-Policy", STRICT_POLICY)
    return response


def _http_error(error: HTTPException) -> Response:
    headers = {}
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        headers["Allow"] = ", ".join(sorted(error.valid_methods))
    text = error.description or "The request cannot be answered."
    return fault_answer(error.code or 500, " ".join(text.split()), headers=headers)


def _own_fault(error: Exception) -> Response:
    # Neither the answer nor the log repeats what the error says: it may hold a patient's values.
    where: Any = error.__traceback__
    while where is not None and where.tb_next is not None:
        where = where.tb_next
    spot = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where is not None else "?"
    _log.error("fault of the adapter: %s at %s", type(error).__name__, spot)
    return fault_answer(500, "The adapter failed; this is a fault of the adapter.")
