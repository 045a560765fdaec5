"""push and pull against a server that misbehaves: exit 3, the store as it was, nothing sent elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from adapter.bootstrap import Services
from adapter.cli import main
from tests.bad_input.rows import MARK, RECORD, raw
from tests.unit.exchange.stub import Connection, StubServer


def html(connection: Connection) -> None:
    connection.send(200, f"<html>{MARK}</html>", kind="text/html")


def drip(connection: Connection) -> None:
    connection.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n")
    for _ in range(40):
        connection.raw(b" ")
        time.sleep(0.1)


def hang(connection: Connection) -> None:
    time.sleep(4)


def endless(connection: Connection) -> None:
    connection.raw(b'HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n\r\n{"resourceType":"Bundle","x":"')
    for _ in range(10_000):
        connection.raw(b"x" * 65_536)


def careplan(*arguments: str, data: bytes = b"") -> Result:
    result = CliRunner().invoke(main, arguments, input=data)
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    return result


@pytest.fixture(autouse=True)
def _store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPLAN_DATABASE_URL", f"sqlite:///{tmp_path}/store.db")
    monkeypatch.setenv("CAREPLAN_HTTP_SECONDS", "1")
    monkeypatch.setenv("CAREPLAN_HTTP_MEGABYTES", "1")
    assert careplan("records", "import", data=raw(RECORD)).exit_code == 0


def _linked() -> None:
    """As after a push: the server is asked for what it is known to have."""
    with Services() as services:
        store = services.store()
        known = {"remote_id": "there-1", "remote_version": "1", "state": "linked"}
        store.settle([link.replace(**known, acked=link.wanted) for link in list(store.links("there"))])


def unavailable(command: str, base: str) -> None:
    before = careplan("records", "export").stdout
    assert careplan("server", "add", "there", base).exit_code == 0
    if command == "pull":
        _linked()
    started = time.monotonic()
    result = careplan(command, "there")
    assert result.exit_code == 3, result.output
    assert MARK not in result.output
    assert time.monotonic() - started < 5
    assert careplan("records", "export").stdout == before


@pytest.mark.parametrize("command", ["push", "pull"])
@pytest.mark.parametrize("script", [html, drip, hang, endless], ids=["html", "drips", "hangs", "endless"])
def test_server_that_answers(command: str, script: Callable[[Connection], None]) -> None:
    with StubServer(script) as server:
        unavailable(command, server.base)


@pytest.mark.parametrize("command", ["push", "pull"])
@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_server_that_redirects_elsewhere(command: str, status: int) -> None:
    with StubServer(html) as elsewhere:
        more = f"Location: {elsewhere.base}/metadata\r\n"
        with StubServer(lambda connection: connection.send(status, more=more)) as server:
            unavailable(command, server.base)
        assert elsewhere.asked == []


@pytest.mark.parametrize("command", ["push", "pull"])
def test_a_hundred_redirects_at_home_are_not_followed(command: str) -> None:
    def on(connection: Connection) -> None:
        connection.send(307, more=f"Location: {connection.base}/metadata?hop={len(server.asked)}\r\n")

    with StubServer(on) as server:
        unavailable(command, server.base)
    assert not [one.target for one in server.asked if "hop" in one.target]
    assert len(server.asked) <= 3


@pytest.mark.parametrize("command", ["push", "pull"])
def test_server_that_is_not_there(command: str) -> None:
    unavailable(command, "http://127.0.0.1:9/fhir")
