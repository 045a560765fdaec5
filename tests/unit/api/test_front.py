"""What stands before the application: who sends by halves holds up nobody, and nothing of it is taken for the whole."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from adapter.api.front import BUSY, CUT, SHORT, SLOW, Front, Patience
from tests.sync.daemons import free_port, running, serving, until

PATIENT = b'{"resourceType": "Patient", "name": [{"text": "ZZSECRETZZ"}]}'
Answer = tuple[int, list[tuple[str, str]], bytes]


def request(length: int | str, body: bytes, *, host: str = "Host: 127.0.0.1\r\n", path: str = "/fhir/Patient") -> bytes:
    head = f"POST {path} HTTP/1.1\r\n{host}Content-Type: application/fhir+json\r\nContent-Length: {length}\r\n\r\n"
    return head.encode() + body


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    folder: Path = tmp_path_factory.mktemp("front")
    number = free_port()
    with running("serve", "--port", str(number), folder=folder, CAREPLAN_DATABASE_URL=f"sqlite:///{folder / 'x.db'}"):
        until(lambda: serving(number), 30, "the service did not start")
        yield number


def test_bodies_that_do_not_come_hold_up_nobody(port: int) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            half.sendall(request(len(PATIENT) + 1, PATIENT))
        began = time.monotonic()
        answer = requests.post(f"http://127.0.0.1:{port}/v1/validate", data=PATIENT, headers=_JSON, timeout=10)
        assert (answer.status_code, time.monotonic() - began < 5) == (200, True)
    assert requests.get(f"http://127.0.0.1:{port}/fhir/Patient", timeout=10).json()["total"] == 0


_JSON = {"Content-Type": "application/fhir+json"}


def test_a_body_that_ends_early_is_refused_though_it_is_json(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as half:
        half.sendall(request(len(PATIENT) + 1, PATIENT))
        half.shutdown(socket.SHUT_WR)
        said = b"".join(iter(lambda: half.recv(4096), b""))
    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"http-400" in said
    assert b"ZZSECRETZZ" not in said
    assert requests.get(f"http://127.0.0.1:{port}/fhir/Patient", timeout=10).json()["total"] == 0


@pytest.mark.parametrize("host", ["", "Host: evil.example\r\n", "Host: 127.0.0.1\r\nHost: evil.example\r\n"])
def test_who_asks_under_no_name_of_ours_is_not_answered(port: int, host: str) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as stranger:
        stranger.sendall(request(len(PATIENT), PATIENT, host=host))
        assert stranger.recv(4096).split(b"\r\n")[0] in (
            b"HTTP/1.1 421 Misdirected Request",
            b"HTTP/1.1 400 Bad Request",
        )


def test_a_request_arrives_as_it_was_sent(port: int) -> None:
    base = f"http://127.0.0.1:{port}"
    made = requests.post(f"{base}/fhir/Patient", data=iter([PATIENT[:9], PATIENT[9:]]), headers=_JSON, timeout=10)
    assert (made.status_code, made.json()["name"]) == (201, [{"text": "ZZSECRETZZ"}])
    found = requests.get(f"{base}/fhir/Patient?_pretty=true&name=zzsecret", timeout=10)
    assert found.json()["total"] == 1
    assert requests.head(made.headers["Location"], timeout=10).headers["ETag"] == made.headers["ETag"]
    assert requests.get(f"{base}/fhir/Patient/%FF%2F", timeout=10).status_code == 404


class Wire:
    """A request whose body comes as is written down: pieces, or the seconds before the next one."""

    def __init__(self, *pieces: bytes | float) -> None:
        self.pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self.pieces:
            if isinstance(piece, bytes):
                yield piece
            else:
                await asyncio.sleep(piece)

    def response_bytes(self, *answer: Any) -> None:
        self.answer: Answer = answer  # type: ignore[assignment]


def scope(**headers: str) -> Any:
    return SimpleNamespace(
        method="POST", path="/ü", query_string="a=b", authority=None, server="[::1]:80", client="[::1]:9", scheme="http",
        http_version="1.1", headers=headers,
    )  # fmt: skip


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    names = ("PATH_INFO", "REMOTE_ADDR", "SERVER_NAME", "HTTP_HOST", CUT)
    start_response("200 OK", [])
    said = {name: environ[name] for name in names} | {"body": environ["wsgi.input"].read().decode()}
    return [json.dumps(said).encode()]


PATIENCE = Patience(piece=0.2, whole=0.5, size=6, held=8)


@pytest.mark.parametrize(
    ("pieces", "length", "cut", "body"),
    [
        ((b"abc", b"def"), "6", "", "abcdef"),
        ((b"abc", 0.01, b"d"), None, "", "abcd"),
        ((b"abc",), "4", SHORT, "abc"),
        ((b"abc", 5.0, b"d"), "4", SLOW, "abc"),
        ((b"a", *(0.1, b"b") * 5), None, SLOW, "abbbb"),
        ((b"abc",), "7", "", ""),
        ((b"abcd", b"efgh", b"ijkl"), None, "", "abcdefgh"),
        ((b"abcd", b"efghi"), None, BUSY, "abcd"),
        ((b"abc",), "0", "", ""),
    ],
)
def test_a_body_is_waited_for_so_long_and_so_far(
    pieces: tuple[bytes | float, ...], length: str | None, cut: str, body: str
) -> None:
    headers = {"transfer-encoding": "chunked"} if length is None else {"content-length": length}
    wire, front = Wire(*pieces), Front(echo, 1, PATIENCE)
    asyncio.run(front.__rsgi__(scope(**headers), wire))
    said = json.loads(wire.answer[2])
    assert said | {"body": ""} == {
        "PATH_INFO": "/ü".encode().decode("latin-1"), "REMOTE_ADDR": "::1", "SERVER_NAME": "::1", "HTTP_HOST": "",
        CUT: cut, "body": "",
    }  # fmt: skip
    assert said["body"][:4] == body[:4]
    assert len(said["body"]) <= len(body)
    assert front._held == 0
