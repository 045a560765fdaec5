"""A server on loopback that does exactly what a test tells it, byte by byte; and a clock that a test moves."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Self

Script = Callable[["Connection"], None]


class Connection:
    """One request, and the means to answer it as badly as wanted."""

    def __init__(self, sock: socket.socket, line: str, headers: dict[str, str], body: bytes, base: str) -> None:
        self.sock, self.line, self.headers, self.body, self.base = sock, line, headers, body, base
        self.method, self.target = line.split(" ")[:2]

    def raw(self, data: bytes) -> None:
        self.sock.sendall(data)

    def send(
        self,
        status: int,
        body: bytes | str = b"",
        kind: str = "application/fhir+json",
        more: str = "",
        length: int = -1,
    ) -> None:
        data = body.encode() if isinstance(body, str) else body
        size = len(data) if length < 0 else length
        head = (
            f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\nContent-Length: {size}\r\nConnection: close\r\n{more}\r\n"
        )
        self.raw(head.encode() + data)

    def tree(self, status: int, tree: Any, more: str = "") -> None:
        self.send(status, json.dumps(tree), more=more)


class StubServer:
    """Answers each request with the next script, the last one again and again; remembers what was asked."""

    def __init__(self, *scripts: Script, path: str = "/fhir", tls: ssl.SSLContext | None = None) -> None:
        self._scripts = list(scripts)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._tls = tls
        self.base = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}{path}"
        self.asked: list[Connection] = []
        self._done = False
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._done = True
        self._listener.close()

    def _serve(self) -> None:
        while not self._done:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(sock,), daemon=True).start()

    def _answer(self, sock: socket.socket) -> None:
        with sock:
            try:
                if self._tls is not None:
                    sock = self._tls.wrap_socket(sock, server_side=True)
                connection = self._read(sock)
                script = self._scripts[min(len(self.asked), len(self._scripts)) - 1]
                script(connection)
            except (OSError, ValueError):
                return

    def _read(self, sock: socket.socket) -> Connection:
        stream = sock.makefile("rb")
        line = stream.readline().decode().strip()
        headers = {}
        while (row := stream.readline().decode().strip()) != "":
            name, _, value = row.partition(":")
            headers[name.lower()] = value.strip()
        body = stream.read(int(headers.get("content-length", 0)))
        connection = Connection(sock, line, headers, body, self.base)
        self.asked.append(connection)
        return connection


class HeldClock:
    """Real seconds for deadlines, one fixed instant for dates."""

    def now(self) -> datetime:
        return datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)

    def monotonic(self) -> float:
        return time.monotonic()
