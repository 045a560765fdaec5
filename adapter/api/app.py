"""The Flask application: its parts put together, its bounds, its headers, and every error as an answer."""

from __future__ import annotations

import logging
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from flask_smorest import Api
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from adapter import __version__
from adapter.api.answers import error_answer, fault_answer
from adapter.bootstrap import Services
from adapter.errors import AdapterError
from adapter.fhir_json import Bounds

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
STRICT_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
_log = logging.getLogger("adapter.api")


def create_app(services: Services, *, bounds: Bounds | None = None, hosts: frozenset[str] = LOOPBACK) -> Flask:
    """The application over these services. `hosts` are the names under which it may be asked: a page of somebody else's
    that made its own name lead here is refused.
    """
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
    app.before_request(lambda: _refuse_strangers(hosts))
    app.after_request(_secure)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(AdapterError, error_answer)
    app.register_error_handler(Exception, _own_fault)
    return app


def _register(app: Flask) -> None:
    from adapter.api import conflicts, convert, docs, fhir, health, metrics, records, sync

    api = Api(app)
    for blueprint in (convert.blueprint, records.blueprint, sync.blueprint, conflicts.blueprint):
        api.register_blueprint(blueprint)
    for plain in (fhir.blueprint, health.blueprint, metrics.blueprint):
        app.register_blueprint(plain)
    docs.register(app, api)


def _refuse_strangers(hosts: frozenset[str]) -> Response | None:
    name = urlsplit(f"//{request.host}").hostname or ""
    if name.lower() not in hosts:
        return fault_answer(421, "This service is not asked under that name.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != request.host_url.rstrip("/"):
        return fault_answer(403, "Pages of another origin may not ask this service.")
    return None


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
