"""Who may ask, and under which name. https://www.rfc-editor.org/rfc/rfc6750#section-3

On this machine everybody who can reach the port may; from elsewhere only with a bearer token, and nothing but `/health/live`
answers without one (`/v1/hooks` looks for the secret of its server).
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Response, g, request

from adapter.api.answers import fault_answer
from adapter.api.state import services
from adapter.privacy import Recipient, is_loopback
from adapter.services.tokens import known

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
# Asked by POST, and still only reads.
_QUESTIONS = ("/_search", "/$validate", "/v1/convert/to-fhir", "/v1/convert/from-fhir", "/v1/validate")


@dataclass(frozen=True, slots=True)
class Door:
    """The names under which the service may be asked, and whether a token is needed."""

    names: frozenset[str] = LOOPBACK
    tokens: bool = False


def at_the_door(door: Door) -> Response | None:
    """The refusal of a request that may not come in; None for one that may."""
    name = urlsplit(f"//{request.host}").hostname or ""
    if name.lower() not in door.names:
        # A page of somebody else's can make its own name lead here.
        return fault_answer(421, "This service is not asked under that name.")
    origin = request.headers.get("Origin")
    if origin is not None and origin != request.host_url.rstrip("/"):
        return fault_answer(403, "Pages of another origin may not ask this service.")
    g.recipient = _by_address()
    if not door.tokens or request.path == "/health/live" or request.path.startswith("/v1/hooks/"):
        # A webhook bears a secret of its own.
        return None
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    token = known(services().store(), secret.strip(), services().now()) if scheme.lower() == "bearer" else None
    if token is None:
        return fault_answer(401, "A bearer token is needed.", headers={"WWW-Authenticate": 'Bearer realm="careplan"'})
    if not token.writes and request.method not in _READS and not request.path.endswith(_QUESTIONS):
        headers = {"WWW-Authenticate": 'Bearer realm="careplan", error="insufficient_scope"'}
        return fault_answer(403, "This token reads and changes nothing.", headers=headers)
    g.recipient = Recipient(token.name, token.host_class, inside=token.host_class == "own")
    return None


def _by_address() -> Recipient:
    if is_loopback(request.remote_addr or ""):
        return Recipient("this machine", "own", inside=True)
    return Recipient("an unknown caller", "public")
