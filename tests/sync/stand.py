"""deploy/ as an operator sets it up, by what stands there: run by test_deploy.py in a network and mounts of its own.

    unshare --net --mount python -m tests.sync.stand FOLDER

Only the containers are missing. Hosts have the names of compose.yaml, PostgreSQL and Redis their usual ports; processes
have no home, no rights, and a user who owns nothing but the key of the store.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import requests
import yaml

from tests.sync.daemons import CAREPLAN, ROOT, postgresql, redis, running, serving, until

PASSWORD = "of-this-test-alone"
USER = re.search(r"useradd .*--uid (\d+)", (ROOT / "deploy" / "Dockerfile").read_text("utf-8"))[1]  # type: ignore[index]
SECRETS = Path("/run/secrets")
CASE = ROOT / "fixtures" / "dual-diagnosis" / "records.json"
SERVICE, NORTH = "http://127.0.0.1:8080", 9090
Tree = dict[str, Any]


def alone(folder: Path) -> None:
    """Loopback, the hosts' names, and a /run of our own; gone with this process."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        up = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, up)  # SIOCSIFFLAGS
    (folder / "hosts").write_text("127.0.0.1 localhost postgres redis\n")
    _mount("--bind", folder / "hosts", "/etc/hosts")
    _mount("-t", "tmpfs", "tmpfs", "/run")
    SECRETS.mkdir()
    _let_reach(Path(sys.base_prefix), folder / "python")


def _mount(*words: object) -> None:
    subprocess.run(["mount", *map(str, words)], check=True)


def _let_reach(python: Path, aside: Path) -> None:
    """Python for everybody, where it lies in a folder that is its owner's alone."""
    closed = [place for place in python.parents if not place.stat().st_mode & stat.S_IXOTH]
    if closed:
        aside.mkdir()
        _mount("--bind", python, aside)
        _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", closed[-1])
        python.mkdir(parents=True)
        _mount("--bind", aside, python)


class Stand:
    """The services of compose.yaml, by the words that stand there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.services: Tree = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text("utf-8"))["services"]

    def environment(self, name: str) -> dict[str, str]:
        """What the process of a service has; the files are those of the example."""
        service = self.services[name]
        assert service["env_file"] == "careplan.env"
        lines = (ROOT / "deploy" / "careplan.env.example").read_text("utf-8").splitlines()
        given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
        said = {
            key: re.sub(r"\$\{POSTGRES_PASSWORD:\?[^}]*\}", PASSWORD, value)
            for key, value in service["environment"].items()
        }
        return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": "/nonexistent", **given, **said}

    def command(self, name: str, *words: str) -> list[str]:
        """What is run for a service, or other words in its place (`docker compose run NAME WORDS`)."""
        return [*self._nobody(), *CAREPLAN, *(words or self.services[name]["command"])]

    @staticmethod
    def _nobody() -> list[str]:
        who = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
        return ["setpriv", "--pdeathsig=TERM", *who]

    def run(self, name: str, *words: str, data: bytes | None = None) -> str:
        """Runs one to its end; fails with what it said."""
        done = subprocess.run(
            self.command(name, *words), cwd="/", env=self.environment(name), input=data, capture_output=True, timeout=60
        )
        assert done.returncode == 0, (words, done.stderr.decode())
        return done.stdout.decode()

    def healthy(self, name: str) -> bool:
        """What its health check says."""
        kind, program, *words = self.services[name]["healthcheck"]["test"]
        assert (kind, program) == ("CMD", "python")
        command = [*self._nobody(), sys.executable, *words]
        return (
            subprocess.run(command, cwd="/", env=self.environment(name), capture_output=True, timeout=60).returncode
            == 0
        )

    @contextmanager
    def up(self, name: str) -> Iterator[subprocess.Popen[bytes]]:
        """One that goes on, until the end of the test."""
        log = (self.folder / f"{name}.log").open("wb")
        process = subprocess.Popen(self.command(name), cwd="/", env=self.environment(name), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)
            log.close()


def prepare(stand: Stand) -> str:
    """README.md, before the first start; a token for who asks."""
    keys = SECRETS / "store.keys"
    keys.touch()
    keys.write_text(stand.run("migrate", "db", "key"))
    shutil.chown(keys, int(USER))
    keys.chmod(0o400)
    stand.run("migrate")
    stand.run("migrate", "db", "seal")
    return stand.run("migrate", "token", "add", "dashboard", "--class", "own").strip()


def ask(path: str, token: str = "", host: str = "fhir.clinic.example") -> int:
    """The status that who comes through the proxy gets."""
    headers: Mapping[str, str] = {"Host": host, **({"Authorization": f"Bearer {token}"} if token else {})}
    return requests.get(SERVICE + path, headers=headers, timeout=10).status_code


def check(stand: Stand, stack: ExitStack) -> None:
    """Everything is up, only who bears a token is let in, and what was brought in reaches the other side."""
    token = prepare(stand)
    going = {name: stack.enter_context(stand.up(name)) for name in ("service", "worker-one", "worker-two", "scheduler")}
    until(lambda: stand.healthy("service"), 60, "the service does not get healthy")
    assert [ask("/fhir/metadata"), ask("/fhir/metadata", token), ask("/metrics", token)] == [401, 200, 200]
    assert [ask("/health/ready", token), ask("/fhir/metadata", token, host="elsewhere.example")] == [200, 421]
    headers = {"Host": "fhir.clinic.example", "Authorization": f"Bearer {token}"}
    page = requests.get(f"{SERVICE}/fhir/Patient", headers=headers, timeout=10).json()
    assert page["link"][0]["url"].startswith("https://fhir.clinic.example/fhir/Patient"), page["link"]
    other = {"CAREPLAN_DATABASE_URL": f"sqlite:///{stand.folder / 'north.db'}"}
    stack.enter_context(running("serve", "--port", str(NORTH), folder=stand.folder, **other))
    until(lambda: serving(NORTH), 60, "the other side did not start")
    stand.run("migrate", "server", "add", "north", f"http://127.0.0.1:{NORTH}/fhir", "--every", "1s")
    stand.run("migrate", "records", "import", "--origin", "synthetic", data=CASE.read_bytes())
    there = f"http://127.0.0.1:{NORTH}/fhir/CarePlan"
    until(lambda: bool(requests.get(there, timeout=10).json().get("entry")), 60, "no plan reached the other side")
    assert '"north"' in stand.run("migrate", "status", "--json")
    assert {name: process.poll() for name, process in going.items()} == dict.fromkeys(going)


def main() -> None:
    """Runs it all; ends with what was wrong."""
    folder = Path(sys.argv[1])
    alone(folder)
    with ExitStack() as stack:
        url = stack.enter_context(postgresql(5432, password=PASSWORD))
        stack.enter_context(redis(6379))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE careplan")
        check(Stand(folder), stack)


if __name__ == "__main__":
    main()
