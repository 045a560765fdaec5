"""An adapter that is named and set up by its commands, with a key of its own, before a guarded FHIR server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from click.testing import CliRunner

from adapter.bootstrap import Services
from adapter.cli import main
from adapter.exchange import SmartBackend, SmartClient
from adapter.ports import Clock
from tests.smart.guard import Guard
from tests.smart.issuers import Issuer
from tests.sync.site import NAME, Site

_MADE_BY = {
    "RS384": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
    "ES384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
}


def new_key(path: Path, algorithm: str) -> Path:
    """A key as the page for hospitals says to make one."""
    subprocess.run(["openssl", "genpkey", *_MADE_BY[algorithm], "-out", str(path)], check=True, capture_output=True)
    return path


def careplan(folder: Path, *words: str) -> Any:
    """What a command of ours says; fails with what it said where it does not end well."""
    done = CliRunner().invoke(main, list(words), env={"CAREPLAN_DATABASE_URL": f"sqlite:///{folder / 'store.db'}"})
    assert done.exit_code == 0, done.stderr
    return done.stdout


def public(folder: Path, *keys: Path) -> list[dict[str, Any]]:
    """What is registered of these keys."""
    found: list[dict[str, Any]] = json.loads(careplan(folder, "server", "jwks", *map(str, keys)))["keys"]
    return found


@dataclass
class SignedIn:
    """`site.proxy` is the guard; `client_id` is registered with `key`."""

    site: Site
    guard: Guard
    issuer: Issuer
    client_id: str
    key: Path

    @classmethod
    @contextmanager
    def start(cls, folder: Path, issuer: Issuer, upstream: str, algorithm: str) -> Iterator[Self]:
        folder.mkdir()
        key = new_key(folder / "key.pem", algorithm)
        client_id = issuer.register(algorithm, public(folder, key))
        with Guard(upstream, issuer) as guard, Services(url=f"sqlite:///{folder / 'store.db'}") as services:
            smart = ["--auth", "smart", "--client-id", client_id, "--key-file", str(key), "--scope", "system/*.cruds"]
            careplan(folder, "server", "add", NAME, guard.base, *smart, "--token-url", issuer.token_url)
            yield cls(Site(folder, upstream, guard, services), guard, issuer, client_id, key)

    def client(self, **other: Any) -> SmartClient:
        """Who we are there, with what is another."""
        scope = "system/*.cruds"
        named = {"token_url": self.issuer.token_url, "client_id": self.client_id, "key": self.key, "scope": scope}
        return SmartClient(**{**named, **other})

    def backend(self, clock: Clock | None = None, **other: Any) -> SmartBackend:
        """Credentials beside those of the adapter."""
        return SmartBackend(self.client(**other), clock=clock)
