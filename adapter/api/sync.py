"""/v1/servers, /v1/sync, /v1/conflicts: the exchange, as the commands server, push, pull, status and conflicts have it."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from adapter.api.answers import json_answer
from adapter.api.schemas import ANY, documented, json_of
from adapter.api.state import given, services
from adapter.errors import AdapterError, BadInput, UsageError
from adapter.fhir_json import Tree
from adapter.services import servers
from adapter.services.pull import pull
from adapter.services.push import push
from adapter.services.status import row, status

blueprint = Blueprint("sync", "sync", url_prefix="/v1", description="The exchange with other servers.")
_NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
_SERVER: Tree = {
    "type": "object",
    "required": ["name", "url"],
    "properties": {
        "name": {"type": "string", "pattern": "^[a-z0-9][a-z0-9._-]{0,62}$"},
        "url": {"type": "string"},
        "class": {"type": "string", "enum": ["own", "partner", "public"]},
        "auth": {"type": "string", "enum": ["none", "bearer", "basic"]},
        "auth_env": {"type": "string"},
    },
    "additionalProperties": False,
}
_RUN: Tree = {
    "type": "object",
    "required": ["direction"],
    "properties": {
        "direction": {"type": "string", "enum": ["push", "pull"]},
        "server": {"type": "string"},
        "dry_run": {"type": "boolean"},
    },
    "additionalProperties": False,
}


@blueprint.get("/servers")
@documented(blueprint, answer=json_of({"type": "array", "items": _SERVER}))
def list_servers() -> Response:
    """Every server: name, class, address."""
    return json_answer([_shown(one) for one in services().store().servers()])


@blueprint.post("/servers")
@documented(blueprint, body=json_of(_SERVER), answer=json_of(_SERVER), status=201)
def add_server() -> Response:
    """Name a server; nothing is sent to it yet."""
    asked = _fields(given(), {"name": str, "url": str, "class": str, "auth": str, "auth_env": str}, ("name", "url"))
    made = servers.add(
        services().store(), asked["name"], asked["url"], host_class=asked.get("class"),
        auth=asked.get("auth", "none"), auth_env=asked.get("auth_env", ""),
    )  # fmt: skip
    return json_answer(_shown(made), 201)


@blueprint.delete("/servers/<name>")
@documented(blueprint, answer=ANY, status=204, parameters=[_NAME])
def remove_server(name: str) -> Response:
    """Forget a server; nothing on it changes."""
    services().store().remove_server(name)
    return Response(status=204)


@blueprint.get("/sync")
@documented(blueprint, answer=ANY)
def sync_status() -> Response:
    """What is in step, waiting, refused or in conflict, for each server."""
    found = status(services().store())
    return json_answer(
        [{"server": one.name, "counts": one.counts, "open": [row(link) for link in one.open]} for one in found]
    )


@blueprint.post("/sync")
@documented(blueprint, body=json_of(_RUN), answer=ANY, faults={503: "A server is unavailable."})
def sync() -> Response:
    """Push to a server or pull from it, or to and from all; what was done with each part, and which server failed."""
    asked = _fields(given(), {"direction": str, "server": str, "dry_run": bool}, ("direction",))
    if asked["direction"] not in ("push", "pull"):
        raise UsageError("direction is push or pull.")
    run = push if asked["direction"] == "push" else pull
    names = [asked["server"]] if "server" in asked else [one.name for one in services().store().servers()]
    steps: list[Tree] = []
    failed: list[Tree] = []
    for name in names:
        try:
            with services().partner(name) as partner:
                done = run(partner, dry_run=asked.get("dry_run", False))
            steps += [{"server": one.server, "record": one.record, "part": one.part, "result": one.verb, "reason": one.reason} for one in done.steps]  # fmt: skip
        except AdapterError as error:
            if "server" in asked:
                raise
            failed.append({"server": name, "reason": error.message})
    return json_answer({"steps": steps, "failed": failed})


@blueprint.get("/conflicts")
@documented(blueprint, answer=ANY)
def conflicts() -> Response:
    """Every conflict, with the elements that both sides changed."""
    name = request.args.get("server")
    links = [link for one in status(services().store(), name) for link in one.open if link.state == "conflict"]
    return json_answer([row(link) for link in links])


def _shown(server: Any) -> Tree:
    return {"name": server.name, "url": server.url, "class": server.host_class, "auth": server.auth}


def _fields(tree: object, known: dict[str, type], required: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(tree, dict):
        raise BadInput("The body is an object.")
    strange = sorted(name for name, value in tree.items() if name not in known or type(value) is not known[name])
    missing = [name for name in required if name not in tree]
    if strange or missing:
        raise BadInput(
            "The body has fields that are unknown or of another type, or lacks some.",
            remedy=f"Known: {', '.join(known)}; required: {', '.join(required)}.",
        )
    return tree
