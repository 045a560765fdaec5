"""SMART Backend Services: an access token for a key. https://hl7.org/fhir/smart-app-launch/backend-services.html

The client signs a short statement of who it is (private_key_jwt, https://www.rfc-editor.org/rfc/rfc7523), and the
authorization server answers with a bearer token. The key never leaves this process, the token only to the FHIR server's
own origin.
"""

from __future__ import annotations

import json
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from threading import Lock
from typing import Any
from urllib.parse import urlencode, urlsplit

import jwt

from adapter.baton import behind
from adapter.errors import SettingsError, Unavailable
from adapter.exchange.auth import ClientCertificate
from adapter.exchange.keys import SigningKey
from adapter.exchange.limits import Limits
from adapter.exchange.pacing import retry_after
from adapter.exchange.transport import Answer, Request, Transport
from adapter.ports import Clock, SystemClock

# A statement lives as long as the specification allows at the most; a token is renewed before it runs out.
_LIFE, _MARGIN, _SKEW = 300, 30, 5
_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_REMEDIES = {
    "invalid_client": "Check the client id, that our public key is registered there (careplan server jwks), the address"
    " of its token endpoint (or --audience), and the clock of this machine.",
    "invalid_scope": "Check what is asked for with --scope.",
    "unauthorized_client": "Have client_credentials allowed for this client.",
}
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class SmartClient:
    """Who we are at an authorization server: `token_url` (https, or on this machine), the registered `client_id`, the
    `key` file (PEM or JWK) with its `key_id` where it does not say one itself (else its thumbprint is meant), and the
    scopes, such as `system/*.rs`. `audience`: by which address the authorization server knows itself, where that is not the
    one that we reach it by.
    """

    token_url: str
    client_id: str
    key: Path
    key_id: str = ""
    scope: str = "system/*.read system/*.write"
    audience: str = ""


class SmartBackend:
    """Credentials that fetch, keep and renew their token; safe between threads. Answers `Credentials`.

    Raises SettingsError for a key that cannot be read; a call raises Unavailable where no token is to be had: that is never
    a verdict on what was to be sent with it.
    """

    def __init__(
        self,
        client: SmartClient,
        *,
        clock: Clock | None = None,
        limits: Limits | None = None,
        user_agent: str = "careplan-adapter",
        tls: ClientCertificate | None = None,
    ) -> None:
        self._client = client
        self._clock = clock or SystemClock()
        self._key = SigningKey.read(client.key, client.key_id)
        self._http = Transport(
            token_origin(client.token_url), auth=None, clock=self._clock,
            limits=limits or Limits(seconds=30, size=256 * 1024), user_agent=user_agent, tls=tls,
        )  # fmt: skip
        self._lock = Lock()
        self._token, self._until, self._ahead = "", 0.0, 0.0

    def __repr__(self) -> str:
        return f"SmartBackend({self._client.token_url!r})"

    def header(self) -> str:
        """`Bearer …`, with a token that is good for a while yet."""
        with behind(self._lock):
            if not self._token or self._clock.monotonic() >= self._until:
                self._renew()
            return f"Bearer {self._token}"

    def renew(self, refused: str) -> bool:
        """After a 401 with the header `refused`: forgets that token, once for all threads that met it. True: try again."""
        with behind(self._lock):
            if refused == f"Bearer {self._token}":
                self._token = ""
        return True

    def _renew(self) -> None:
        # A key that was put in the place of an old one signs from now on; half a file is none yet.
        with suppress(SettingsError):
            self._key = SigningKey.read(self._client.key, self._client.key_id)
        answer = self._ask()
        ahead = self._skew(answer)
        if answer.status in {400, 401} and abs(ahead - self._ahead) > _SKEW:
            # Its clock is not ours: what we sign is out of date there, or not yet born.
            self._ahead = ahead
            answer = self._ask()
        found = _object(answer.body)
        code = _code(found)
        if answer.status >= 500 or answer.status in {408, 429}:
            wait = retry_after(answer.headers.get("retry-after", ""), self._clock)
            raise Unavailable(
                f"The authorization server failed (HTTP status {answer.status}).", place=answer.place, retry_after=wait
            )
        if answer.status >= 400:
            raise Unavailable(
                f"The authorization server gave no token{_reason(code)}.",
                place=answer.place, remedy=_REMEDIES.get(code, _REMEDIES["invalid_client"]),
            )  # fmt: skip
        token, seconds = found.get("access_token"), _seconds(found.get("expires_in", 300))
        right = isinstance(token, str) and _TOKEN.fullmatch(token) is not None
        if not right or str(found.get("token_type", "")).lower() != "bearer" or seconds is None:
            raise Unavailable("The authorization server's answer holds no bearer token.", place=answer.place)
        self._token = str(token)
        self._until = self._clock.monotonic() + max(1.0, min(seconds, 86_400) - min(_MARGIN, seconds / 2))

    def _ask(self) -> Answer:
        form = {
            "grant_type": "client_credentials",
            "scope": self._client.scope,
            "client_assertion_type": _TYPE,
            "client_assertion": self._statement(),
        }
        url = self._client.token_url
        place = f"POST {urlsplit(url).path or '/'} (token)"
        return self._http.send(Request("POST", url, place, body=urlencode(form).encode(), headers=_FORM))

    def _statement(self) -> str:
        # Back-dated by what clocks may differ. Keycloak takes none that lives five minutes and does not say since when.
        me, born = self._client.client_id, int(self._clock.now().timestamp() + self._ahead) - _SKEW
        claims = {
            "iss": me, "sub": me, "aud": self._client.audience or self._client.token_url, "iat": born, "exp": born + _LIFE,
            "jti": secrets.token_urlsafe(24),
        }  # fmt: skip
        return jwt.encode(claims, self._key.private, algorithm=self._key.algorithm, headers={"kid": self._key.id})

    def _skew(self, answer: Answer) -> float:
        try:
            there: datetime = parsedate_to_datetime(answer.headers.get("date", ""))
            return (there - self._clock.now()).total_seconds()
        except (TypeError, ValueError, OverflowError):
            return self._ahead

    def close(self) -> None:
        """Closes the connections to the authorization server."""
        self._http.close()


def discover(base: str, *, tls: ClientCertificate | None = None, clock: Clock | None = None) -> str:
    """The token endpoint that a FHIR server names in its .well-known/smart-configuration, if it is on its own origin:
    one elsewhere is for a person to name. Raises Unavailable, SettingsError.
    """
    limits, place = Limits(seconds=30, size=256 * 1024), "GET smart-configuration"
    http = Transport(
        base, auth=None, clock=clock or SystemClock(), limits=limits, user_agent="careplan-adapter", tls=tls
    )
    headers = {"Accept": "application/json"}
    answer = http.send(Request("GET", f"{base}/.well-known/smart-configuration", place, headers=headers))
    http.close()
    if answer.status >= 500 or answer.status in {408, 429}:
        raise Unavailable(f"The server failed (HTTP status {answer.status}).", place=place)
    url = _object(answer.body).get("token_endpoint") if answer.status == 200 else None
    if not isinstance(url, str):
        raise SettingsError("The server names no token endpoint.", place=base, remedy="Say it with --token-url.")
    if token_origin(url) != token_origin(base):
        named = url if url.isprintable() and len(url) < 500 else "URL"
        raise SettingsError(
            "The server's token endpoint is on another host.",
            place=base,
            remedy=f"If you trust it: --token-url {named}",
        )
    return url


def token_origin(url: str) -> str:
    """Scheme, host and port of a token endpoint. Raises SettingsError where it is no plain https address."""
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.username is None and not parts.fragment
        good = good and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in {"127.0.0.1", "::1", "localhost"})
        )
    except ValueError:
        good = False
    if not good:
        raise SettingsError("A token endpoint is an https address without user or fragment.", place="token endpoint")
    return f"{parts.scheme}://{parts.netloc}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        tree = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return tree if isinstance(tree, dict) else {}


def _code(found: dict[str, Any]) -> str:
    """The error code of RFC 6749 §5.2; never the free text beside it."""
    code = found.get("error")
    return code if isinstance(code, str) and re.fullmatch(r"[a-z_]{1,40}", code) else ""


def _seconds(value: Any) -> float | None:
    """How long a token lives; some say it as a word."""
    if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value):
        return float(value)
    return value if type(value) in (int, float) else None


def _reason(code: str) -> str:
    return f" ({code})" if code else ""
