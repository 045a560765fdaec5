"""Real PostgreSQL and Redis on loopback, in a folder of their own, and processes of ours, that end with the tests."""

from __future__ import annotations

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CAREPLAN = [sys.executable, "-m", "adapter.cli"]
_PLACES = ("/usr/lib/postgresql/*/bin", "/usr/local/bin", "/usr/bin")


class Missing(RuntimeError):
    """A program that the tests need is not on this machine; `make test` installs it."""


def program(name: str) -> str:
    """Where a program is. Raises Missing."""
    found = [str(path / name) for place in _PLACES for path in sorted(Path("/").glob(place.lstrip("/")), reverse=True)]
    for path in [shutil.which(name), *found]:
        if path and os.access(path, os.X_OK):
            return path
    raise Missing(name)


def free_port() -> int:
    """A port of loopback that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bound(*, nobody: bool = False) -> list[str]:
    """Words before a command: the kernel ends it when the tests end, however they end; as `nobody` where asked."""
    who = ["--reuid=nobody", "--regid=nogroup", "--clear-groups"] if nobody else []
    return [program("setpriv"), "--pdeathsig=TERM", *who]


def _start(command: list[str], folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)


@contextmanager
def postgresql(port: int | None = None, *, password: str = "") -> Iterator[str]:
    """A fresh cluster, on a free port unless one is given; gives the URL of its database. With a password nobody is let in
    without it. Raises Missing.
    """
    initdb, server = program("initdb"), program("postgres")
    folder = Path(tempfile.mkdtemp(prefix="careplan-pg-"))
    # PostgreSQL refuses to run as root.
    nobody = os.geteuid() == 0
    if nobody:
        shutil.chown(folder, "nobody", "nogroup")
    data, port = folder / "data", port or free_port()
    (folder / "password").write_text(password)
    auth = ["--auth=scram-sha-256", f"--pwfile={folder / 'password'}"] if password else ["--auth=trust"]
    made = [initdb, "-D", str(data), "-U", "careplan", *auth, "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8"]
    subprocess.run([*_bound(nobody=nobody), *made], check=True, capture_output=True, cwd=folder)
    options = ("fsync=off", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}", "max_connections=60")
    command = [server, "-D", str(data), "-p", str(port), *(word for one in options for word in ("-c", one))]
    process = _start([*_bound(nobody=nobody), *command], folder)
    try:
        url = f"postgresql://careplan{':' * bool(password)}{password}@127.0.0.1:{port}/postgres"
        _wait_for_postgresql(url, process)
        yield url
    finally:
        # A fast shutdown: sessions that are still open end too.
        process.send_signal(signal.SIGINT)
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_postgresql(url: str, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    end = time.monotonic() + 30
    while time.monotonic() < end and process.poll() is None:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("PostgreSQL did not start")


@contextmanager
def redis(port: int | None = None) -> Iterator[str]:
    """A Redis that keeps nothing on disk, on a free port unless one is given; gives its URL. Raises Missing."""
    server, port = program("redis-server"), port or free_port()
    command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    with tempfile.TemporaryDirectory(prefix="careplan-redis-") as folder:
        process = _start([*_bound(), *command], Path(folder))
        try:
            _wait_for_port(port, process)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            process.terminate()
            process.wait(20)


def _wait_for_port(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the server did not start")


@contextmanager
def running(*words: str, folder: Path, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    """A command of ours as a process of its own, ended with the test."""
    # A pdeathsig ends it with us, however we end; TERM, so that a service ends the processes that it started too.
    command = ["setpriv", "--pdeathsig=TERM", *CAREPLAN, *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **env}
    log = (folder / f"{words[0]}-{random.randrange(10**9)}.log").open("wb")
    process = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        yield process
    finally:
        end(process, 10)
        log.close()


def end(process: subprocess.Popen[bytes], seconds: float) -> None:
    """Asks it to end, and after so long makes it."""
    process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(20)


def until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Waits for it; fails with what did not come."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, what
        time.sleep(0.1)


def serving(port: int) -> bool:
    """Whether the service on this port says that it is ready."""
    import requests

    try:
        return requests.get(f"http://127.0.0.1:{port}/health/ready", timeout=2).ok
    except requests.RequestException:
        return False
