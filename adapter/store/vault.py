"""Columns sealed at rest: AES-256-GCM, a nonce for each value, the column's name as associated data.

https://nvlpubs.nist.gov/nistpubs/Legacy/SP/nistspecialpublication800-38d.pdf — what is found by (identifiers, names,
codes, references) is kept as an HMAC, so that equal values still meet; dates of care stay legible, because ranges of them
are asked for. A value that was written before there was a key is read as it is, until `careplan db seal` seals it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Text
from sqlalchemy.types import TypeDecorator

from adapter.errors import SettingsError, Unavailable

_MARK = "sealed:"
_NONCE = 12
REMEDY = "Name the file with all keys in use in CAREPLAN_STORE_KEY_FILE."


class Vault:
    """Seals and opens with these keys of 32 bytes; the first seals, all open. Without keys it lets everything through."""

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._keys = {_name(key): AESGCM(key) for key in keys}
        self._first = _name(keys[0]) if keys else ""
        self._index = hashlib.sha256(b"index:" + keys[0]).digest() if keys else b""

    def __bool__(self) -> bool:
        return bool(self._first)

    def seal(self, text: str, place: str) -> str:
        """A text as it is kept."""
        if not self._first:
            return text
        nonce = secrets.token_bytes(_NONCE)
        sealed = self._keys[self._first].encrypt(nonce, text.encode(), place.encode())
        return f"{_MARK}{self._first}:{base64.b64encode(nonce + sealed).decode()}"

    def open(self, kept: str, place: str) -> str:
        """The text. Raises Unavailable where the key is not at hand, or the value was changed or moved."""
        if not kept.startswith(_MARK):
            return kept
        name, _, body = kept.removeprefix(_MARK).partition(":")
        if name not in self._keys:
            raise Unavailable("The store is sealed with a key that is not at hand.", place=place, remedy=REMEDY)
        try:
            raw = base64.b64decode(body, validate=True)
            return self._keys[name].decrypt(raw[:_NONCE], raw[_NONCE:], place.encode()).decode()
        except (binascii.Error, InvalidTag, ValueError):
            raise Unavailable("A sealed value of the store has been damaged or moved.", place=place) from None

    def stale(self, kept: str) -> bool:
        """Whether a kept value is not sealed with the present key."""
        return bool(self._first) and not kept.startswith(f"{_MARK}{self._first}:")

    def hashed(self, text: str) -> str:
        """What a text is found by: itself without keys."""
        if not self._first:
            return text
        return hmac.new(self._index, text.encode(), hashlib.sha256).hexdigest()[:32]


def read_keys(path: str) -> Vault:
    """The vault of a file with base64 keys, one a line; of no file, one that seals nothing. Raises SettingsError."""
    if not path:
        return Vault()
    place = "CAREPLAN_STORE_KEY_FILE"
    try:
        lines = Path(path).read_text("ascii").split()
        keys = [base64.b64decode(line, validate=True) for line in lines]
    except OSError as error:
        raise SettingsError(f"The keys of the store cannot be read ({error.strerror}).", place=place) from None
    except ValueError:
        keys = []
    if not keys or any(len(key) != 32 for key in keys):
        raise SettingsError("A key of the store is 32 bytes in base64, one a line.", place=place, remedy="`careplan db key` makes one.")  # fmt: skip
    return Vault(keys)


def new_key() -> str:
    """A new key as a line of the file."""
    return base64.b64encode(secrets.token_bytes(32)).decode()


class Sealed(TypeDecorator[str]):
    """A text column that is sealed; `place` is table.column. The engine's vault hangs on its dialect."""

    impl = Text
    cache_ok = True

    def __init__(self, place: str) -> None:
        super().__init__()
        self.place = place

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else vault_of(dialect).seal(value, self.place)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        return None if value is None else vault_of(dialect).open(value, self.place)


def vault_of(dialect: Any) -> Vault:
    """The vault of an engine, by its dialect."""
    found: Vault = getattr(dialect, "careplan_vault", _OPEN)
    return found


_OPEN = Vault()


def _name(key: bytes) -> str:
    return hashlib.sha256(b"name:" + key).hexdigest()[:8]
