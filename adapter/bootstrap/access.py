"""How a server is signed in to: the secret from the environment, keys and certificates from files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from adapter.errors import SettingsError
from adapter.ports import Server

if TYPE_CHECKING:
    from adapter.exchange import ClientCertificate, Credentials


def credentials(server: Server) -> Credentials | None:
    """What signs in to a server. Raises SettingsError where its secret or key is not to be had."""
    from adapter.exchange import BasicAuth, BearerToken

    if server.auth == "none":
        return None
    if server.auth == "smart":
        return _smart(server)
    secret = os.environ.get(server.auth_env, "")
    user, colon, password = secret.partition(":")
    if not secret or (server.auth == "basic" and not colon):
        form = "USER:PASSWORD" if server.auth == "basic" else "token"
        raise SettingsError(
            f"The secret for {server.name} is not set: this process has no {form} in the variable {server.auth_env}.",
            remedy="Set it where the process is started, and start it again.",
        )
    return BearerToken(secret) if server.auth == "bearer" else BasicAuth(user, password)


def _smart(server: Server) -> Credentials:
    from adapter.exchange import ClientCertificate, SmartBackend, SmartClient
    from adapter.exchange.smart import discover, token_origin

    access, tls = server.options.access, certificate(server)
    url = access.get("token_url") or discover(server.url, tls=tls)
    named: dict[str, str] = {name: access[name] for name in ("key_id", "scope", "audience") if access.get(name)}
    client = SmartClient(url, access["client_id"], Path(access["key"]), **named)
    if tls is not None and token_origin(url) != token_origin(server.url):
        # Who vouches for the server vouches for its token endpoint too; our certificate is for the server alone.
        tls = ClientCertificate(ca=tls.ca)
    return SmartBackend(client, tls=tls)


def certificate(server: Server) -> ClientCertificate | None:
    """Our certificate for a server and the authorities to trust, where they are named. Raises SettingsError."""
    from adapter.exchange import ClientCertificate

    named = [server.options.access.get(name) for name in ("certificate", "certificate_key", "ca")]
    return ClientCertificate(*(Path(one) if one else None for one in named)) if any(named) else None
