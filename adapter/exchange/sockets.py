"""Connections that keep a total deadline.

A timeout of `requests` starts anew with every byte: a server that drips holds the caller for ever. Here each wait on
the socket, for headers and body alike, gets only what is left of the call's time.
"""

from __future__ import annotations

import http.client
import io
import socket
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util import wait_for_read
from urllib3.util.retry import Retry

from adapter.baton import aside
from adapter.ports import Clock

# What is larger may not fit into the socket, and waits there.
_FITS = 16 * 1024


class Call:
    """One call under way: when it must be over, and whether any of it has been sent."""

    def __init__(self, clock: Clock, seconds: float) -> None:
        self._clock = clock
        self._end = clock.monotonic() + seconds
        self.sent = False

    def left(self) -> float:
        """Seconds that are left; raises TimeoutError where none are."""
        seconds = self._end - self._clock.monotonic()
        if seconds <= 0:
            raise TimeoutError("the call's time is over")
        return seconds


_current: ContextVar[Call | None] = ContextVar("call", default=None)


@contextmanager
def under(call: Call) -> Iterator[None]:
    """Connections used inside belong to `call`."""
    token = _current.set(call)
    try:
        yield
    finally:
        _current.reset(token)


class _Reader(io.RawIOBase):
    """Reads a socket, each time with what is left of the call's time."""

    def __init__(self, sock: socket.socket, call: Call) -> None:
        self._sock = sock
        self._call = call
        # The socket's own file keeps it open until the body is read, also when the connection lets go of it before.
        self._raw: Any = sock.makefile("rb", buffering=0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._call.left())
        with nullcontext() if wait_for_read(self._sock, 0) else aside():
            return int(self._raw.readinto(buffer))

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Files:
    """Stands in for the socket where the standard library asks for its file."""

    def __init__(self, sock: socket.socket, call: Call) -> None:
        self._sock = sock
        self._call = call

    def makefile(self, mode: str, *_: Any, **__: Any) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._call))


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        call = _current.get()
        super().__init__(sock if call is None else _Files(sock, call), *args, **kwargs)  # type: ignore[arg-type]


class _Timed:
    """The part of both kinds of connection that marks a call as sent."""

    response_class: Any = _Response
    sock: Any

    def connect(self) -> None:
        with aside():
            super().connect()  # type: ignore[misc]

    def send(self, data: Any) -> None:
        call = _current.get()
        if self.sock is None:
            self.connect()
        if call is not None:
            self.sock.settimeout(call.left())
            call.sent = True
        with aside() if len(data) > _FITS else nullcontext():
            super().send(data)  # type: ignore[misc]


class _Connection(_Timed, HTTPConnection):
    pass


class _TlsConnection(_Timed, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class DeadlineAdapter(HTTPAdapter):
    """Uses these connections; tries again only to connect, when nothing has been sent."""

    def __init__(self, connections: int = 8) -> None:
        retry = Retry(
            total=None, connect=2, read=0, redirect=0, status=0, other=0,
            backoff_factor=0.2, respect_retry_after_header=False,
        )  # fmt: skip
        super().__init__(pool_connections=connections, pool_maxsize=connections, max_retries=retry)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
        return manager
