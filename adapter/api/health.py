"""/health/live and /health/ready, for whoever watches over the service."""

from __future__ import annotations

from flask import Blueprint, Response

from adapter.api.answers import json_answer
from adapter.api.state import services
from adapter.errors import AdapterError

blueprint = Blueprint("health", __name__, url_prefix="/health")


@blueprint.get("/live")
def live() -> Response:
    """The process answers."""
    return json_answer({"status": "live"})


@blueprint.get("/ready")
def ready() -> Response:
    """The store can be used."""
    try:
        services().ready()
    except AdapterError:
        return json_answer({"status": "not-ready", "store": "unavailable"}, 503)
    return json_answer({"status": "ready", "store": "ready"})
