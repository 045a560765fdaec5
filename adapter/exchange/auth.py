"""Who we say we are: small objects whose repr hides the secret.

https://www.rfc-editor.org/rfc/rfc6750 and https://www.rfc-editor.org/rfc/rfc7617
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from adapter.errors import SettingsError, UsageError

_TOKEN = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Credentials(Protocol):
    """What goes into the Authorization header of every request to the server's own origin, and nowhere else."""

    def header(self) -> str:
        """The header's value."""

    def renew(self, refused: str) -> bool:
        """After a 401 with the header `refused`: whether another try can go better."""


@dataclass(frozen=True, slots=True)
class BearerToken:
    """A token that is the whole secret. Raises UsageError where it could not stand in a header."""

    token: str = field(repr=False)

    def __post_init__(self) -> None:
        if not _TOKEN.fullmatch(self.token):
            raise UsageError(
                "The bearer token holds characters that no token has.", remedy="Look for spaces or quotes."
            )

    def header(self) -> str:
        """`Bearer …`."""
        return f"Bearer {self.token}"

    def renew(self, refused: str) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class BasicAuth:
    """User and password. Raises UsageError where they could not stand in a header."""

    user: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        if ":" in self.user or _CONTROL.search(self.user + self.password):
            raise UsageError("User or password hold characters that basic authentication cannot carry.")

    def header(self) -> str:
        """`Basic …`, in UTF-8."""
        return "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()

    def renew(self, refused: str) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """Mutual TLS: our certificate and key (PEM files; one file may hold both), and the authorities to trust (`ca`, else
    those of the machine). https://www.rfc-editor.org/rfc/rfc8705
    """

    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None

    def __post_init__(self) -> None:
        for path in (self.certificate, self.key, self.ca):
            if path is not None and not path.is_file():
                raise SettingsError("There is no such file.", place=str(path))
