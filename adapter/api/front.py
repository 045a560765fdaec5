"""What stands before the application: a request gets a thread once it is there whole.

A thread that waits for the rest of a body is one that nobody else has, and there are few of them: who sends two bodies
by halves would hold up everybody. So bodies are read here, where waiting costs no thread, within bounds of size and time.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Any

# In the WSGI environ: why the body is not whole.
CUT = "careplan.body_cut"
SLOW, SHORT, BUSY = "slow", "short", "busy"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for the next piece of a body and for all of it (seconds), how large one may be, and how much of
    all bodies is held at a time (bytes).
    """

    piece: float = 20.0
    whole: float = 300.0
    size: int = 1 << 26
    held: int = 1 << 28


class Front:
    """An RSGI application over a WSGI one, which it calls in threads of its own."""

    def __init__(
        self, application: Callable[..., Iterable[bytes]], threads: int, patience: Patience | None = None
    ) -> None:
        self._application = application
        self._pool = ThreadPoolExecutor(threads, "careplan-api")
        self._patience = patience or Patience()
        self._held = 0

    async def __rsgi__(self, scope: Any, protocol: Any) -> None:
        """Read a request, have it answered, send the answer."""
        body = bytearray()
        try:
            cut = await self._read(scope, protocol, body)
            environ = environ_of(scope, bytes(body), cut)
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, self._answer, environ)
        finally:
            self._held -= len(body)
        protocol.response_bytes(*answer)

    async def _read(self, scope: Any, protocol: Any, body: bytearray) -> str:
        """Fill `body`; says what cut it off, if anything did."""
        said = scope.headers.get("content-length")
        length = int(said) if said is not None and said.isdigit() else None
        if length == 0 or (length is None and "transfer-encoding" not in scope.headers and scope.http_version != "2"):
            return ""
        if length is not None and length > self._patience.size:
            # The application refuses it for its length alone.
            return ""
        try:
            async with asyncio.timeout(self._patience.whole):
                cut = await self._pieces(protocol, body)
        except TimeoutError:
            cut = SLOW
        return cut or (SHORT if length is not None and len(body) < length else "")

    async def _pieces(self, protocol: Any, body: bytearray) -> str:
        pieces = aiter(protocol)
        while len(body) <= self._patience.size:
            try:
                async with asyncio.timeout(self._patience.piece):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                break
            if self._held + len(piece) > self._patience.held:
                return BUSY
            body += piece
            self._held += len(piece)
        return ""

    def _answer(self, environ: dict[str, Any]) -> tuple[int, list[tuple[str, str]], bytes]:
        """(status, headers, body) of the application's answer."""
        began: list[Any] = []

        def start_response(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            began[:] = [int(status.partition(" ")[0]), headers]

        answer = self._application(environ, start_response)
        try:
            data = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return began[0], began[1], data


def environ_of(scope: Any, body: bytes, cut: str) -> dict[str, Any]:
    """The WSGI environ of a request, with its whole body. https://peps.python.org/pep-3333/#environ-variables"""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode("utf-8", "surrogateescape").decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.input": BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        CUT: cut,
    }
    for name, value in scope.headers.items():
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        environ[key] = f"{environ[key]},{value}" if key in environ else value
    # Without one it is asked under no name, and that is none of ours.
    environ["HTTP_HOST"] = scope.authority or environ.get("HTTP_HOST", "")
    return environ
