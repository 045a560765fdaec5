"""The FHIR servers that the store exchanges with: add, list, forget."""

from __future__ import annotations

import re
import secrets
from urllib.parse import urlsplit

from adapter.errors import UsageError
from adapter.ports import Server, SyncLedger
from adapter.privacy import classify

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


def add(
    ledger: SyncLedger, name: str, url: str, *, host_class: str | None = None, auth: str = "none", auth_env: str = ""
) -> Server:
    """A new server. Raises UsageError for a name, address, class or way to sign in that cannot be used."""
    if not _NAME.fullmatch(name):
        raise UsageError("A server's name is of lower-case letters, digits, dots and hyphens.", place="NAME")
    server = Server(name, _checked(url), classify(url, host_class), auth, auth_env, f"run-{secrets.token_hex(4)}")
    if server.auth not in ("none", "bearer", "basic"):
        raise UsageError("A server is signed in to with none, bearer or basic.", place="--auth")
    if server.auth != "none" and not auth_env:
        raise UsageError("Say which environment variable holds the secret.", place="--auth-env")
    if server.auth != "none" and server.host_class == "public":
        raise UsageError("To a public server no credentials are sent.", place="--auth")
    ledger.add_server(server)
    return server


def _checked(url: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.query and not parts.fragment
        good = good and parts.username is None and (parts.port is None or parts.port > 0)
    except ValueError:
        good = False
    if not good:
        raise UsageError(
            "Expected the base address of a FHIR server, without user, query or fragment.",
            place="URL",
            remedy="For example http://127.0.0.1:8080/fhir.",
        )
    return url.rstrip("/")
