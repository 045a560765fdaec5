"""/v1/servers, /v1/sync, /v1/hooks: the exchange, as the commands server, push, pull, sync and status have it."""

from __future__ import annotations

import dataclasses
import hmac
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from adapter.api.answers import fault_answer, json_answer
from adapter.api.schemas import ANY, documented, json_of
from adapter.api.state import fault, fields, given, services
from adapter.errors import BadInput, NotFound, UsageError
from adapter.fhir_json import Tree
from adapter.ports import Arrival, Options, Server
from adapter.services import servers
from adapter.services.exchange import row, run_all
from adapter.services.status import status, told
from adapter.services.tokens import digest_of

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
        "direction": {"type": "string", "enum": ["both", "push", "pull"]},
        "kinds": {"type": "array", "items": {"type": "string"}},
        "patients": {"oneOf": [{"enum": ["all", "linked"]}, {"type": "array", "items": {"type": "string"}}]},
        "every": {"type": "integer", "minimum": 1},
        "policies": {"type": "object", "additionalProperties": {"enum": ["ours", "theirs", "newest", "ask"]}},
        "removal": {"type": "string", "enum": ["withdraw", "delete"]},
        "rate": {"type": "number", "minimum": 0},
        "bundle": {"type": "integer", "minimum": 1},
        "connections": {"type": "integer", "minimum": 1},
        "recipient": {"type": "array", "items": {"type": "string"}},
        "purpose": {"type": "string", "pattern": "^[A-Z]{2,20}$"},
        "consent": {"type": "string", "enum": ["heed", "require"]},
    },
    "additionalProperties": False,
}
_RUN: Tree = {
    "type": "object",
    "properties": {
        "direction": {"type": "string", "enum": ["push", "pull", "both"]},
        "server": {"type": "string"},
        "dry_run": {"type": "boolean"},
    },
    "additionalProperties": False,
}


_FIXED = ("name", "url", "class", "auth", "auth_env")
_CHANGE: Tree = {
    "type": "object",
    "properties": {"paused": {"type": "string"}, **{k: v for k, v in _SERVER["properties"].items() if k not in _FIXED}},
    "additionalProperties": False,
}
# What is shown of a server is more than what is said of it here: `careplan server` has more options.
_SHOWN: Tree = {
    "type": "object",
    "required": [*_FIXED, *(one.name for one in dataclasses.fields(Options)), "paused", "webhook", "also"],
    "properties": {
        **_SERVER["properties"], "auth": {"type": "string", "enum": ["none", "bearer", "basic", "smart"]},
        "patients": {"enum": ["all", "linked", "listed"]}, "paused": {"type": "string"}, "webhook": {"type": "boolean"},
        "also": {"type": "array", "items": {"type": "string"}, "description": "Other names of the same server."},
    },
}  # fmt: skip
_ABSENT = {404: "There is no server of that name."}
# What the commands call otherwise than the body does.
_PLACES = {"NAME": "name", "URL": "url", "--policy": "policies", "--client-id, --key-file": "auth"}
_ADD = {"name": str, "url": str, "class": str, "auth": str, "auth_env": str, "direction": str, "kinds": list,
        "every": int, "policies": dict, "removal": str, "rate": float, "bundle": int, "connections": int,
        "recipient": list, "purpose": str, "consent": str}  # fmt: skip
_SET = {name: kind for name, kind in _ADD.items() if name not in _FIXED}
_SET |= {"paused": str}
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,63}/[A-Za-z0-9\-.]{1,64}")


@blueprint.get("/servers")
@documented(blueprint, answer=json_of({"type": "array", "items": _SHOWN}))
def list_servers() -> Response:
    """Every server: name, class, address, options."""
    return json_answer([_shown(one) for one in services().store().servers()])


@blueprint.post("/servers")
@documented(blueprint, body=json_of(_SERVER), answer=json_of(_SHOWN), status=201)
def add_server() -> Response:
    """Name a server; nothing is sent to it yet."""
    tree = given()
    patients = tree.pop("patients", "linked") if isinstance(tree, dict) else None
    asked = fields(tree, _ADD, ("name", "url"))
    which, listed = _patients(patients)
    policies = [f"{field}={take}" for field, take in asked.get("policies", {}).items()]
    with _pointed():
        options = servers.options_of(
            direction=asked.get("direction", "both"), kinds=asked.get("kinds", ()), patients=which,
            every=asked.get("every", 300), policies=policies, removal=asked.get("removal", "withdraw"),
            rate=asked.get("rate", 0.0), recipient=asked.get("recipient", ()), purpose=asked.get("purpose", "TREAT"),
            consent=asked.get("consent", "heed"), bundle=asked.get("bundle", 100),
        )  # fmt: skip
        made = servers.add(
            services().store(), asked["name"], asked["url"], host_class=asked.get("class"),
            auth=asked.get("auth", "none"), auth_env=asked.get("auth_env", ""), options=options,
            connections=asked.get("connections"), patients=listed,
        )  # fmt: skip
    return json_answer(_shown(made), 201)


@blueprint.get("/servers/<name>")
@documented(blueprint, answer=json_of(_SHOWN), parameters=[_NAME], faults=_ABSENT)
def show_server(name: str) -> Response:
    """A server: class, address, options."""
    return json_answer(_shown(_known(name)))


@blueprint.patch("/servers/<name>")
@documented(blueprint, body=json_of(_CHANGE), answer=json_of(_SHOWN), parameters=[_NAME], faults=_ABSENT)
def change_server(name: str) -> Response:
    """Other options of a server; `paused` with a reason stops the exchange with it, empty resumes it."""
    _known(name)
    tree = given()
    patients = tree.pop("patients", None) if isinstance(tree, dict) else None
    asked = fields(tree, _SET, ())
    store = services().store()
    reason = asked.pop("paused", None)
    listed = None
    if patients is not None:
        asked["patients"], listed = _patients(patients)
    for several in ("kinds", "recipient"):
        if several in asked:
            asked[several] = tuple(asked[several])
    with _pointed():
        changed = servers.change(store, name, listed=listed, **asked)
    if reason is not None:
        changed = servers.pause(store, name, reason) if reason else servers.resume(store, name)
    return json_answer(_shown(changed))


def _shown(server: Server) -> Tree:
    return servers.shown(server, servers.others(services().store(), server))


def _known(name: str) -> Server:
    """The server that the path names. Raises NotFound."""
    found = {one.name: one for one in services().store().servers()}.get(name)
    if found is None:
        raise NotFound("There is no server of that name.", remedy="GET /v1/servers lists them.")
    return found


@contextmanager
def _pointed() -> Iterator[None]:
    """An option that cannot be used is told by its place in the body."""
    try:
        yield
    except UsageError as error:
        place = error.place.lstrip("-").replace("-", "_")
        name = _PLACES.get(error.place, place)
        if name not in _SERVER["properties"]:
            raise
        raise BadInput(error.message, issues=[fault(f"/{name}", error.message)], remedy=error.remedy) from None


def _patients(value: Any) -> tuple[str, list[str]]:
    """Which patients: all, linked, or those of a list. Raises BadInput."""
    if value in ("all", "linked"):
        return value, []
    if isinstance(value, list) and value and all(isinstance(one, str) and one.strip() for one in value):
        return "listed", value
    text = "Expected all, linked, or a list of record ids and system|value."
    raise BadInput(text, issues=[fault("/patients", text)])


@blueprint.delete("/servers/<name>")
@documented(blueprint, answer=ANY, status=204, parameters=[_NAME], faults=_ABSENT)
def remove_server(name: str) -> Response:
    """Forget a server; nothing on it changes."""
    _known(name)
    services().store().remove_server(name)
    return Response(status=204)


@blueprint.get("/sync")
@documented(blueprint, answer=ANY)
def sync_status() -> Response:
    """What is in step, waiting, refused or in conflict, for each server."""
    return json_answer([told(one, services().now()) for one in status(services().store())])


@blueprint.post("/sync")
@documented(blueprint, body=json_of(_RUN), answer=ANY, faults={503: "A server is unavailable."})
def sync() -> Response:
    """Pull from a server, push to it, or both, or with all; what was done with each part, and which server failed."""
    asked = fields(given(), {"direction": str, "server": str, "dry_run": bool}, ())
    how = asked.get("direction", "both")
    if how not in ("push", "pull", "both"):
        text = "Expected push, pull or both."
        raise BadInput(text, issues=[fault("/direction", text)])
    store = services().store()
    names = [store.server(asked["server"]).name] if "server" in asked else [one.name for one in store.servers()]
    steps: list[Tree] = []
    failed: list[Tree] = []
    for ran in run_all(services().partner, names, how, dry_run=asked.get("dry_run", False)):
        steps += [row(step) for step in ran.report.steps]
        if ran.error is not None:
            if "server" in asked:
                raise ran.error
            failed.append({"server": ran.server, "reason": ran.error.message})
    return json_answer({"steps": steps, "failed": failed})


@blueprint.route("/hooks/<name>", methods=["POST", "PUT"])
@blueprint.route("/hooks/<name>/<type_>/<id_>", methods=["POST", "PUT"])
def hook(name: str, type_: str = "", id_: str = "") -> Response:
    """What a server's Subscription calls: a hint that something changed there, which is then read from the server itself.

    What the call holds is neither kept nor believed; it must bear the secret that `careplan server hook` gave.
    """
    known = {one.name: one for one in services().store().servers()}.get(name)
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    borne = digest_of(secret.strip()) if scheme.lower() == "bearer" else ""
    if known is None or not known.hook or not hmac.compare_digest(borne, known.hook):
        return fault_answer(401, "The webhook does not bear the secret of this server.")
    reference = f"{type_}/{id_}" if type_ else _named()
    store = services().store()
    if _REFERENCE.fullmatch(reference):
        store.arrive([Arrival(name, *reference.split("/"))])
    # Looked at in the next turn of whoever watches, and covered by the next look in any case.
    store.note(name, last_try="")
    return Response(status=204)


def _named() -> str:
    """The resource in the body, where there is one that names itself."""
    if not request.content_length:
        return ""
    tree = given()
    return f"{tree.get('resourceType')}/{tree.get('id')}" if isinstance(tree, dict) else ""
