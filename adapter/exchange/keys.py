"""The key that a client signs with, and what a server may know of it. https://www.rfc-editor.org/rfc/rfc7517"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt

from adapter.errors import SettingsError

ALGORITHMS = ("RS384", "ES384")
# What makes a public key, and its thumbprint. https://www.rfc-editor.org/rfc/rfc7638
_MEMBERS = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with the algorithm it signs by (one of `ALGORITHMS`) and the id under which its public half is
    registered; its repr hides it.
    """

    private: Any = field(repr=False)
    algorithm: str
    id: str

    @classmethod
    def read(cls, path: Path, key_id: str = "") -> SigningKey:
        """The key of a PEM or JWK file. Its id is the one given, else the JWK's own, else its thumbprint.

        Raises SettingsError; never repeats what is in the file.
        """
        key, own_id = _read(path)
        algorithm = _algorithm(key, path)
        return cls(key, algorithm, key_id or own_id or _thumbprint(_members(key, algorithm)))

    def public(self) -> dict[str, str]:
        """Its public half as a JWK."""
        return {**_members(self.private, self.algorithm), "kid": self.id, "alg": self.algorithm, "use": "sig"}


def key_set(paths: Iterable[Path], key_id: str = "") -> dict[str, Any]:
    """The JWK Set that an authorization server is given: the public halves of these files. Raises SettingsError."""
    return {"keys": [SigningKey.read(path, key_id).public() for path in paths]}


def _read(path: Path) -> tuple[Any, str]:
    """(key, the id that it says itself)."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    place = str(path)
    try:
        text = path.read_bytes()
        if not text.lstrip().startswith(b"{"):
            return load_pem_private_key(text, None), ""
        tree = json.loads(text)
        return jwt.PyJWK(tree, algorithm="ES384" if tree.get("kty") == "EC" else "RS384").key, str(tree.get("kid", ""))
    except OSError as error:
        raise SettingsError(f"The key cannot be read ({error.strerror}).", place=place) from None
    except (ValueError, TypeError, AttributeError, UnsupportedAlgorithm, jwt.PyJWTError):
        raise SettingsError("The key is no private key in PEM or JWK form without a password.", place=place) from None


def _algorithm(key: Any, path: Path) -> str:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

    if isinstance(key, RSAPrivateKey) and key.key_size >= 2048:
        return "RS384"
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP384R1):
        return "ES384"
    raise SettingsError("The key is neither RSA of 2048 bits or more nor of the curve P-384.", place=str(path))


def _members(key: Any, algorithm: str) -> dict[str, str]:
    maker = jwt.get_algorithm_by_name(algorithm)
    tree = json.loads(maker.to_jwk(key.public_key()))
    return {name: tree[name] for name in _MEMBERS[tree["kty"]]}


def _thumbprint(members: dict[str, str]) -> str:
    text = json.dumps(members, sort_keys=True, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
