"""Who may ask the service from another machine: bearer tokens, shown once, kept as hashes.

https://www.rfc-editor.org/rfc/rfc6750 — a token is 32 random bytes, so that a plain SHA-256 of it cannot be guessed back.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from adapter.errors import UsageError
from adapter.ports import HostClass, Token

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_PREFIX = "cpa_"


class TokenStore(Protocol):
    """Keeps tokens by the hash of their secret."""

    def add_token(self, token: Token) -> None:
        """A new one. Raises UsageError where the name is taken."""

    def tokens(self) -> Sequence[Token]:
        """All, by name."""

    def token_by_hash(self, digest: str) -> Token | None:
        """The one with this hash."""

    def remove_token(self, name: str) -> None:
        """Forgets one. Raises UsageError where there is none of that name."""


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token and its secret, which is nowhere else."""

    token: Token
    secret: str


def make(
    store: TokenStore, name: str, *, host_class: HostClass, writes: bool, now: datetime, days: int | None = None
) -> NewToken:
    """A new token for a caller of this class; good for `days`, or until it is removed. Raises UsageError."""
    if not _NAME.fullmatch(name):
        raise UsageError("A token's name is of lower-case letters, digits, dots and hyphens.", place="NAME")
    if host_class == "public":
        raise UsageError("Who asks with a token is our own or a partner.", place="--class")
    secret = _PREFIX + secrets.token_urlsafe(32)
    until = "" if days is None else (now + timedelta(days=days)).isoformat(timespec="seconds")
    token = Token(name, digest_of(secret), host_class, writes, now.isoformat(timespec="seconds"), until)
    store.add_token(token)
    return NewToken(token, secret)


def known(store: TokenStore, secret: str, now: datetime) -> Token | None:
    """The token of a secret, if it is still good."""
    found = store.token_by_hash(digest_of(secret)) if secret.startswith(_PREFIX) else None
    if found is None or (found.until and datetime.fromisoformat(found.until) <= now):
        return None
    return found


def digest_of(secret: str) -> str:
    """The hash under which a secret is kept."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
