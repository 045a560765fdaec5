"""Starts the authorization servers of other makes on free loopback ports; they end with what started them.

oidc-provider comes by its lock (4 MB), Keycloak from Maven Central (180 MB), each once, into `.cache/` of the checkout.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import requests

from tests import node
from tests.hapi.launch import CannotBuild, CannotLaunch, cache_dir, locked
from tests.smart.issuers import Issuer, Keycloak, OidcProvider
from tests.sync.daemons import end, free_port

HERE = Path(__file__).resolve().parent
KEYCLOAK = "26.7.3"
_DIGEST = "77657f30b7e90d70f727712ce1c967f430fd6a5e9f458d32d8c6df0635345f47"
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_ADMIN = ("admin", "of-this-test-alone")
_DOWNLOAD, _START = 900, 240


@contextmanager
def oidc_provider(seconds: int, folder: Path) -> Iterator[Issuer]:
    """One whose tokens live so long. Raises CannotLaunch."""
    place, log = node.packages("oidc-provider", HERE, 4), folder / "oidc-provider.log"
    environment = {"PATH": os.environ["PATH"], "SECONDS": str(seconds)}
    with log.open("wb") as errors, _running(
        [*node.command(), str(HERE / "issuer.mjs"), str(place)], folder, errors, environment, stdout=subprocess.PIPE
    ) as process:  # fmt: skip
        assert process.stdout is not None
        lines = (line.decode() for line in process.stdout)
        base = next((line.split()[1] for line in lines if line.startswith("READY ")), "")
        if not base:
            raise CannotLaunch("oidc-provider did not start:\n" + log.read_text(errors="replace")[-2000:])
        yield OidcProvider(base, seconds)


@contextmanager
def keycloak(seconds: int, folder: Path) -> Iterator[Issuer]:
    """One whose tokens live so long, with nothing on disk but its own files. Raises CannotLaunch."""
    home, port, log = _keycloak(), free_port(), folder / "keycloak.log"
    environment = {
        "PATH": os.environ["PATH"], "JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m",
        "KC_BOOTSTRAP_ADMIN_USERNAME": _ADMIN[0], "KC_BOOTSTRAP_ADMIN_PASSWORD": _ADMIN[1],
    }  # fmt: skip
    options = ["--db=dev-mem", "--cache=local", "--http-host=127.0.0.1", f"--http-port={port}"]
    base = f"http://127.0.0.1:{port}"
    with log.open("wb") as said, _running(
        [str(home / "bin" / "kc.sh"), "start-dev", *options], folder, said, environment, stdout=said
    ) as process:  # fmt: skip
        end = time.monotonic() + _START
        while not _answers(f"{base}/realms/master"):
            if process.poll() is not None or time.monotonic() > end:
                raise CannotLaunch("Keycloak did not start:\n" + log.read_text(errors="replace")[-3000:])
            time.sleep(0.3)
        yield Keycloak(base, _ADMIN, "ward", seconds)


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.RequestException:
        return False


@contextmanager
def _running(
    command: list[str], folder: Path, errors: IO[bytes], environment: dict[str, str], *, stdout: IO[bytes] | int
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        ["setpriv", "--pdeathsig=TERM", *command],
        cwd=folder,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=errors,
    )
    try:
        yield process
    finally:
        end(process, 20)


def _keycloak() -> Path:
    """The folder of Keycloak, fetched and unpacked unless it is there. Raises CannotBuild."""
    place = cache_dir("keycloak")
    home = place / f"keycloak-{KEYCLOAK}"
    place.mkdir(parents=True, exist_ok=True)
    with locked(place / "build.lock"):
        if not (home / "complete").exists():
            shutil.rmtree(home, ignore_errors=True)
            _unpack(_fetched(place), place)
            (home / "complete").touch()
    return home


def _fetched(place: Path) -> Path:
    mvn = shutil.which("mvn")
    if mvn is None:
        raise CannotBuild("no mvn on the PATH")
    print(f"keycloak: fetching {KEYCLOAK} (180 MB, once)", file=sys.stderr, flush=True)
    artifact = f"org.keycloak:keycloak-quarkus-dist:{KEYCLOAK}:tar.gz"
    command = [mvn, "-B", "-q", _COPY, f"-Dartifact={artifact}", f"-DoutputDirectory={place}"]
    command += [f"-Dmaven.repo.local={place / 'm2'}"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, timeout=_DOWNLOAD)
    if done.returncode:
        raise CannotBuild("Maven could not fetch Keycloak:\n" + (done.stdout + done.stderr)[-2000:])
    return place / f"keycloak-quarkus-dist-{KEYCLOAK}.tar.gz"


def _unpack(archive: Path, place: Path) -> None:
    with archive.open("rb") as stream:
        if hashlib.file_digest(stream, "sha256").hexdigest() != _DIGEST:
            archive.unlink()
            raise CannotBuild("what came is not the Keycloak that the tests were written for")
    with tarfile.open(archive) as tar:
        tar.extractall(place, filter="data")
    archive.unlink()
    shutil.rmtree(place / "m2", ignore_errors=True)
