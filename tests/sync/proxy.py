"""A proxy on loopback that stands before a real server and breaks what it is told to break.

`Proxy(base)` forwards everything to `base`. A fault is a function of (request, forward): it may answer by itself, forward
and change the answer, forward and say nothing, or forward much later. `proxy.when(matches, fault, times=1)` arms one.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import urlsplit

_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade", "content-encoding"}


@dataclass(frozen=True)
class Asked:
    """One request as it came: `path` with its query, names of headers in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True)
class Told:
    """One answer as it goes back; `cut` bytes at its end are not sent, `drip` seconds pass before each further byte."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    drip: float = 0.0


Forward = Callable[[], Told]
Fault = Callable[[Asked, Forward], Told | None]
Matches = Callable[[Asked], bool]


def lost_request(_: Asked, __: Forward) -> None:
    """The connection breaks before the server saw anything."""
    return


def lost_answer(_: Asked, forward: Forward) -> None:
    """The server does it, and nobody hears of it."""
    forward()


def cut_answer(_: Asked, forward: Forward) -> Told:
    """The server does it; half of the answer arrives."""
    told = forward()
    return Told(told.status, told.body, told.headers, cut=max(1, len(told.body) // 2))


def late(seconds: float) -> Fault:
    """The connection breaks at once, and the server does it `seconds` later."""

    def fault(_: Asked, forward: Forward) -> None:
        threading.Timer(seconds, forward).start()

    return fault


def slow(seconds: float) -> Fault:
    """The answer comes late."""

    def fault(_: Asked, forward: Forward) -> Told:
        time.sleep(seconds)
        return forward()

    return fault


def answer(status: int, body: bytes = b"", *, kind: str = "application/fhir+json", **headers: str) -> Fault:
    """An answer that the server never gave; the request does not reach it."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, __: Told(status, body, {"Content-Type": kind, **more})


def done_but(status: int, body: bytes = b"", *, kind: str = "text/html") -> Fault:
    """The server does it, and what is in between says something else."""

    def fault(_: Asked, forward: Forward) -> Told:
        forward()
        return Told(status, body, {"Content-Type": kind})

    return fault


def changed(change: Callable[[bytes], bytes]) -> Fault:
    """The server's answer with another body."""

    def fault(_: Asked, forward: Forward) -> Told:
        told = forward()
        return Told(told.status, change(told.body), told.headers)

    return fault


@dataclass
class _Armed:
    matches: Matches
    fault: Fault
    left: int


class Proxy:
    """Use as a context manager; `base` is its own address, with the path of the server behind it."""

    def __init__(self, upstream: str) -> None:
        parts = urlsplit(upstream)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._own = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._theirs = f"{self._host}:{self._port}"
        self.base = f"http://{self._own}{parts.path}"
        self.asked: list[Asked] = []
        self._armed: list[_Armed] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def when(self, matches: Matches, fault: Fault, times: int = 1) -> None:
        """The next `times` requests that match meet the fault; earlier faults come first."""
        with self._lock:
            self._armed.append(_Armed(matches, fault, times))

    def calm(self) -> None:
        """No more faults."""
        with self._lock:
            self._armed.clear()

    def writes(self) -> list[Asked]:
        """What was asked that may change something."""
        return [one for one in self.asked if one.method in {"PUT", "DELETE", "PATCH"} or _creates(one)]

    def _serve(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock: socket.socket) -> None:
        with sock:
            try:
                asked = _read(sock)
                with self._lock:
                    self.asked.append(asked)
                    fault = self._fault(asked)
                told = fault(asked, lambda: self._forward(asked)) if fault else self._forward(asked)
                if told is not None:
                    _send(sock, told)
            except (OSError, ValueError, http.client.HTTPException):
                return

    def _fault(self, asked: Asked) -> Fault | None:
        for armed in self._armed:
            if armed.left > 0 and armed.matches(asked):
                armed.left -= 1
                return armed.fault
        return None

    def _forward(self, asked: Asked) -> Told:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=60)
        headers = {
            name: value for name, value in asked.headers.items() if name not in _HOP | {"host", "accept-encoding"}
        }
        try:
            connection.request(asked.method, asked.path, body=asked.body or None, headers=headers)
            response = connection.getresponse()
            body = response.read().replace(self._theirs.encode(), self._own.encode())
            kept = {
                name: value.replace(self._theirs, self._own)
                for name, value in response.getheaders()
                if name.lower() not in _HOP
            }
            return Told(response.status, body, kept)
        finally:
            connection.close()


def _creates(asked: Asked) -> bool:
    return asked.method == "POST" and not asked.path.partition("?")[0].endswith(("_search", "$validate"))


def _read(sock: socket.socket) -> Asked:
    stream = sock.makefile("rb")
    method, path, _ = stream.readline().decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (row := stream.readline().decode("latin-1").strip()) != "":
        name, _, value = row.partition(":")
        headers[name.lower()] = value.strip()
    return Asked(method, path, headers, stream.read(int(headers.get("content-length", 0))))


def _send(sock: socket.socket, told: Told) -> None:
    head = "".join(f"{name}: {value}\r\n" for name, value in told.headers.items())
    start = f"HTTP/1.1 {told.status} X\r\n{head}Content-Length: {len(told.body)}\r\nConnection: close\r\n\r\n"
    sock.sendall(start.encode("latin-1"))
    body = told.body[: len(told.body) - told.cut]
    if not told.drip:
        sock.sendall(body)
        return
    for index in range(len(body)):
        sock.sendall(body[index : index + 1])
        time.sleep(told.drip)
