"""`HttpFhirServer` against servers that misbehave, on real sockets."""

from __future__ import annotations

import contextlib
import gzip
import json
import logging
import socket
import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from adapter import __version__
from adapter.errors import (
    Conflict,
    Gone,
    NotFound,
    Refused,
    ServerRefused,
    Unavailable,
    UnknownOutcome,
    UsageError,
)
from adapter.exchange import BasicAuth, BearerToken, HttpFhirServer, Limits
from tests.unit.exchange.stub import Connection, HeldClock, Script, StubServer

PATIENT = {"resourceType": "Patient", "id": "p1", "meta": {"versionId": "3", "lastUpdated": "2026-01-01T00:00:00Z"}}
QUICK = Limits(seconds=1.0, connect_seconds=1.0, size=1_000_000)


@contextlib.contextmanager
def told(*scripts: Script, **options: Any) -> Iterator[tuple[HttpFhirServer, StubServer]]:
    with StubServer(*scripts) as stub:
        options.setdefault("limits", QUICK)
        with HttpFhirServer(stub.base, clock=HeldClock(), **options) as server:
            yield server, stub


def bundle(connection: Connection, *links: str, rows: Any = (), kind: str = "searchset") -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": kind,
        "link": [{"relation": "next", "url": link} for link in links],
        "entry": [{"resource": row, "search": {"mode": "match"}} for row in rows],
    }


def outcome(text: str = "", code: str = "processing") -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": text, "expression": ["Patient.name[0].family"]}],
    }


# --- what is sent


def test_a_read_says_who_asks_and_what_it_takes() -> None:
    with told(lambda c: c.tree(200, PATIENT)) as (server, stub):
        found = server.read("Patient", "p1")
    assert (found.version, found.last_updated) == ("3", "2026-01-01T00:00:00Z")
    assert stub.asked[0].line == "GET /fhir/Patient/p1 HTTP/1.1"
    headers = stub.asked[0].headers
    assert headers["user-agent"] == f"careplan-adapter/{__version__}"
    assert headers["accept"] == "application/fhir+json"
    assert "authorization" not in headers
    assert "cookie" not in headers


def test_digits_survive_both_ways() -> None:
    with told(lambda c: c.send(200, c.body)) as (server, stub):
        sent = {"resourceType": "Observation", "id": "o1", "valueQuantity": {"value": Decimal("1.50")}}
        assert server.update(sent).resource == sent
    assert b"1.50" in stub.asked[0].body
    assert stub.asked[0].line.startswith("PUT /fhir/Observation/o1 ")


@pytest.mark.parametrize("given", ["3", '"3"', 'W/"3"'])
def test_if_match_is_an_etag_however_it_is_given(given: str) -> None:
    with told(lambda c: c.tree(200, PATIENT)) as (server, stub):
        server.update(PATIENT, if_match=given)
    assert stub.asked[0].headers["if-match"] == 'W/"3"'


@pytest.mark.parametrize("given", ["*", "", 'x"y', "1\r\nX: y"])
def test_an_if_match_that_is_no_version_is_not_sent(given: str) -> None:
    with told(lambda c: c.tree(200, PATIENT)) as (server, stub), pytest.raises(UsageError):
        server.update(PATIENT, if_match=given)
    assert not stub.asked


def test_a_condition_goes_in_its_header_with_other_letters_escaped() -> None:
    with told(lambda c: c.tree(201, PATIENT)) as (server, stub):
        server.create({"resourceType": "Patient"}, if_none_exist="?identifier=urn:x|ä b")
    assert stub.asked[0].headers["if-none-exist"] == "identifier=urn:x|%C3%A4%20b"


@pytest.mark.parametrize("condition", ["", "?", "identifier=a\r\nX-Evil: b"])
def test_a_condition_that_is_none_is_not_sent(condition: str) -> None:
    with told(lambda c: c.tree(201, PATIENT)) as (server, stub), pytest.raises(UsageError):
        server.create({"resourceType": "Patient"}, if_none_exist=condition)
    assert not stub.asked


@pytest.mark.parametrize(
    ("type_", "id_"), [("patient", "a"), ("Patient/x", "a"), ("Patient", "../x"), ("Patient", "..")]
)
def test_what_cannot_stand_in_a_path_is_not_sent(type_: str, id_: str) -> None:
    with told(lambda c: c.tree(200, PATIENT)) as (server, stub), pytest.raises(UsageError):
        server.read(type_, id_)
    assert not stub.asked


def test_a_long_search_is_a_form() -> None:
    with told(lambda c: c.tree(200, bundle(c))) as (server, stub):
        assert list(server.search("Patient", {"identifier": ["x" * 2000, "y"]})) == [[]]
    assert stub.asked[0].line == "POST /fhir/Patient/_search HTTP/1.1"
    assert stub.asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert stub.asked[0].headers["cache-control"] == "no-cache"
    assert stub.asked[0].body.endswith(b"&identifier=y")


def test_the_gate_decides_what_leaves() -> None:
    def closed(_: dict[str, Any]) -> dict[str, Any]:
        raise Refused("This may not leave.")

    with told(lambda c: c.send(200, c.body), gate=lambda tree: {**tree, "active": True}) as (server, _):
        assert server.update({"resourceType": "Patient", "id": "p1"}).resource["active"] is True
    transaction = {"resourceType": "Bundle", "type": "transaction"}
    with told(lambda c: c.tree(200, PATIENT), gate=closed) as (server, stub):
        for send in (server.create, server.update, server.validate):
            with pytest.raises(Refused):
                send(PATIENT)
        with pytest.raises(Refused):
            server.transaction(transaction)
    assert not stub.asked


# --- credentials


@pytest.mark.parametrize(
    ("credentials", "header"),
    [(BearerToken("s3cret-token"), "Bearer s3cret-token"), (BasicAuth("me", "s3cret"), "Basic bWU6czNjcmV0")],
)
def test_credentials_are_sent_and_never_shown(
    credentials: Any, header: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    caplog.set_level(logging.DEBUG)
    with told(lambda c: c.tree(403, outcome("s3cret")), auth=credentials) as (server, stub):
        with pytest.raises(ServerRefused) as caught:
            list(server.search("Patient", {"identifier": "urn:x|private-number"}))
        shown = repr(server) + repr(credentials) + str(caught.value) + caplog.text
    assert stub.asked[0].headers["authorization"] == header
    assert "s3cret" not in shown
    assert "private-number" not in shown


def test_a_netrc_is_not_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with told(lambda c: c.tree(200, PATIENT)) as (server, stub):
        server.read("Patient", "p1")
    assert "authorization" not in stub.asked[0].headers


def test_cookies_are_not_kept() -> None:
    with told(lambda c: c.tree(200, PATIENT, more="Set-Cookie: a=b; Path=/\r\n")) as (server, stub):
        server.read("Patient", "p1")
        server.read("Patient", "p1")
    assert "cookie" not in stub.asked[1].headers


# --- servers that are slow, large or broken


def drip(connection: Connection, head: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n") -> None:
    connection.raw(head)
    for _ in range(100):
        connection.raw(b" ")
        time.sleep(0.1)


def drip_headers(connection: Connection) -> None:
    connection.raw(b"HTTP/1.1 200 OK\r\n")
    for number in range(100):
        connection.raw(b"X-%d: y\r\n" % number)
        time.sleep(0.1)


def drip_chunks(connection: Connection) -> None:
    connection.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(100):
        connection.raw(b"1\r\n \r\n")
        time.sleep(0.1)


def hang(connection: Connection) -> None:
    time.sleep(5)


@pytest.mark.parametrize("script", [drip, drip_headers, drip_chunks, hang])
def test_a_server_that_takes_for_ever_is_left_after_the_deadline(script: Script) -> None:
    limits = Limits(seconds=0.5)
    with told(script, limits=limits) as (server, _):
        for call, error in (
            (lambda: server.read("Patient", "p1"), Unavailable),
            (lambda: server.create(PATIENT), UnknownOutcome),
        ):
            began = time.monotonic()
            with pytest.raises(error) as caught:
                call()
            assert type(caught.value) is error
            assert 0.4 < time.monotonic() - began < 1.5


def test_a_body_without_end_is_not_read_to_its_end() -> None:
    sent = 0

    def endless(connection: Connection) -> None:
        nonlocal sent
        connection.raw(b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\n\r\n")
        while True:
            connection.raw(b" " * 65536)
            sent += 65536

    limits = Limits(seconds=20, size=1_000_000)
    with told(endless, limits=limits) as (server, _), pytest.raises(Unavailable, match="larger than 1000000 bytes"):
        server.read("Patient", "p1")
    assert sent < 20_000_000


def test_a_compressed_bomb_is_not_unpacked() -> None:
    bomb = gzip.compress(b" " * 50_000_000)

    def send(connection: Connection) -> None:
        connection.send(200, bomb, more="Content-Encoding: gzip\r\n")

    with told(send) as (server, _), pytest.raises(Unavailable, match="larger than"):
        server.read("Patient", "p1")


@pytest.mark.parametrize(
    "script",
    [
        lambda c: c.send(200, "<html>Please log in</html>", kind="text/html"),
        lambda c: c.send(200, json.dumps(PATIENT), kind="text/plain"),
        lambda c: c.send(200, "<Patient/>", kind="application/fhir+xml"),
        lambda c: c.send(200, json.dumps(PATIENT)[:20]),
        lambda c: c.send(200, json.dumps(PATIENT), length=500),
        lambda c: c.send(200, '{"resourceType":"Patient","id":"p1","id":"p1"}'),
        lambda c: c.send(200, '{"resourceType":"Patient","id":"p1","x":NaN}'),
        lambda c: c.send(200, b'{"resourceType":"Patient","id":"p1","x":"\xff"}'),
        lambda c: c.send(200, "[" * 10_000),
        lambda c: c.send(200, '{"resourceType":"Patient","id":"p1","x":' + "[" * 200 + "]" * 200 + "}"),
        lambda c: c.send(200, "[]"),
        lambda c: c.send(200, '{"id":"p1"}'),
        lambda c: c.tree(200, outcome()),
        lambda c: c.raw(b"SSH-2.0-x\r\n"),
        lambda c: None,
        lambda c: c.tree(500, outcome("HAPI-2223: silently rolled back")),
        lambda c: c.send(502, "<html>", kind="text/html"),
        lambda c: c.send(404, "<html>", kind="text/html"),
        lambda c: c.send(302, more="Location: https://elsewhere.example/\r\n"),
        lambda c: c.send(307, more="Location: /fhir/Patient/p2\r\n"),
    ],
)
def test_what_no_fhir_server_says_is_no_verdict(script: Script) -> None:
    with told(script) as (server, stub):
        with pytest.raises(Unavailable) as read:
            server.read("Patient", "p1")
        for write in (lambda: server.create(PATIENT), lambda: server.update(PATIENT)):
            with pytest.raises(UnknownOutcome):
                write()
    assert type(read.value) is Unavailable
    assert read.value.exit_code == 3
    assert len(stub.asked) == 3, "nothing is sent twice"


def test_another_resource_than_asked_for_is_no_answer() -> None:
    with told(lambda c: c.tree(200, PATIENT)) as (server, _), pytest.raises(Unavailable):
        server.read("Patient", "p2")


def test_a_write_that_is_answered_with_another_resource_is_unknown() -> None:
    tree = {"resourceType": "Patient", "id": "2", "meta": {"versionId": "2"}}
    with StubServer(lambda c: c.tree(200, tree)) as server, pytest.raises(UnknownOutcome):
        HttpFhirServer(server.base).update({"resourceType": "Patient", "id": "1"}, if_match="1")


@pytest.mark.parametrize("id_", [None, 7, "", "../x", "x" * 65, ["1"]])
def test_a_match_that_has_no_id_is_nobody_s(id_: Any) -> None:
    rows = [{"resourceType": "Patient", "id": one} for one in ("good", id_)]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": row} for row in rows]}
    with StubServer(lambda c: c.tree(200, bundle)) as server:
        pages = list(HttpFhirServer(server.base).search("Patient", {}))
    assert [row.resource["id"] for page in pages for row in page] == ["good"]


@pytest.mark.parametrize(
    ("meta", "more", "stamp"),
    [
        ({"lastUpdated": "2026-03-01T10:00:00.5Z"}, "Date: Sun, 01 Mar 2026 10:00:01 GMT", "2026-03-01T10:00:00.5Z"),
        ({}, "Date: Sun, 01 Mar 2026 10:00:01 GMT", "2026-03-01T10:00:01Z"),
        ({}, "Date: yesterday", ""),
        ({}, "X: y", ""),
    ],
)
def test_the_time_of_a_search_is_the_bundle_s_else_that_of_the_answer(meta: Any, more: str, stamp: str) -> None:
    bundle = {"resourceType": "Bundle", "type": "searchset", "meta": meta}
    with StubServer(lambda c: c.tree(200, bundle, more=f"{more}\r\n")) as server:
        assert [page.stamp for page in HttpFhirServer(server.base).search("Patient", {})] == [stamp]


def test_nobody_there_is_unavailable_for_writes_too() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    server = HttpFhirServer(f"http://127.0.0.1:{port}/fhir", limits=QUICK)
    for call in (lambda: server.read("Patient", "p1"), lambda: server.create(PATIENT)):
        with pytest.raises(Unavailable) as caught:
            call()
        assert type(caught.value) is Unavailable


@pytest.mark.parametrize("said", [b"", b"\x00garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000])
def test_who_answers_and_breaks_off_was_reached(said: bytes) -> None:
    with told(lambda c: c.raw(said)) as (server, _), pytest.raises(Unavailable, match="connection broke"):
        server.read("Patient", "p1")


def test_tls_to_a_server_that_has_none_sends_nothing() -> None:
    with told(lambda c: c.tree(200, PATIENT)) as (_, stub):
        server = HttpFhirServer(stub.base.replace("http:", "https:"), limits=QUICK)
        with pytest.raises(Unavailable) as caught:
            server.create(PATIENT)
    assert type(caught.value) is Unavailable


def test_two_dates_do_no_harm() -> None:
    dates = "Date: Thu, 01 Jan 2026 12:00:00 GMT\r\n" * 2
    with told(lambda c: c.tree(200, PATIENT, more=dates)) as (server, _):
        assert server.read("Patient", "p1").version == "3"


# --- pages


def test_pages_are_followed_at_home() -> None:
    def first(c: Connection) -> None:
        c.tree(200, bundle(c, f"{c.base}?_getpages=1", rows=[{"resourceType": "Patient", "id": "a"}]))

    remark = {"resourceType": "OperationOutcome", "issue": []}
    last = [{"resourceType": "Patient", "id": "b"}, remark]
    with told(first, lambda c: c.tree(200, bundle(c, rows=last))) as (server, stub):
        pages = [[row.resource["id"] for row in page] for page in server.search("Patient", {"_count": "1"})]
    assert pages == [["a"], ["b"]]
    assert stub.asked[1].target == "/fhir?_getpages=1"


@pytest.mark.parametrize(
    "link",
    [
        "https://elsewhere.example/fhir?_getpages=1",
        "http://127.0.0.1:1/fhir?_getpages=1",
        "http://127.0.0.1@elsewhere.example/fhir",
        "//elsewhere.example/fhir",
        "{origin}/other?x=1",
        "{origin}/fhir/../other",
        "{origin}/fhir/%2e%2e/other",
        "{origin}/fhirother",
        "file:///etc/passwd",
        "{base} ?x",
    ],
)
def test_a_link_elsewhere_is_not_followed(link: str) -> None:
    def elsewhere(c: Connection) -> None:
        c.tree(200, bundle(c, link.format(origin=c.base.removesuffix("/fhir"), base=c.base)))

    with told(elsewhere, auth=BearerToken("s3cret")) as (server, stub):
        pages = server.search("Patient", {})
        assert next(pages) == []
        with pytest.raises(Unavailable, match="outside its own origin"):
            next(pages)
    assert len(stub.asked) == 1


def test_pages_in_a_circle_stop() -> None:
    def circle(connection: Connection) -> None:
        connection.tree(200, bundle(connection, f"{connection.base}?page=1"))

    with told(circle) as (server, stub), pytest.raises(Unavailable, match="circle"):
        list(server.search("Patient", {}))
    assert len(stub.asked) == 2


def test_pages_without_end_stop() -> None:
    def another(connection: Connection) -> None:
        connection.tree(200, bundle(connection, f"{connection.base}?page={time.monotonic_ns()}"))

    with told(another, limits=Limits(pages=5)) as (server, stub), pytest.raises(Unavailable, match="more than 5 pages"):
        list(server.search("Patient", {}))
    assert len(stub.asked) == 5


class Unpaged:
    """A server that gives as many as it is asked for, up to so many, and no link."""

    def __init__(self, held: int, *, most: int = 1000, total: bool = True) -> None:
        self.held, self.most, self.total = held, most, total

    def __call__(self, c: Connection) -> None:
        asked = int(parse_qs(urlsplit(c.target).query).get("_count", ["1000"])[0])
        rows = [{"resourceType": "Patient", "id": f"p{n}"} for n in range(self.held)][: min(asked, self.most)]
        c.tree(200, bundle(c, rows=rows) | ({"total": self.held} if self.total else {}))


@pytest.mark.parametrize("total", [True, False])
@pytest.mark.parametrize("held", [0, 2, 3, 4, 13])
def test_a_server_that_does_not_page_is_asked_for_all(held: int, total: bool) -> None:
    with told(Unpaged(held, total=total)) as (server, stub):
        found = [row.resource["id"] for page in server.search("Patient", {"_count": "3"}) for row in page]
    assert found == [f"p{n}" for n in range(held)], "each once"
    assert len(stub.asked) == 1 or held > 3 or not total
    assert len(stub.asked) <= 4


def test_what_a_server_does_not_page_and_does_not_give_is_not_passed_over() -> None:
    with told(Unpaged(13, most=5)) as (server, stub):
        pages = server.search("Patient", {"_count": "3"})
        assert [len(next(pages)), len(next(pages))] == [3, 2]
        with pytest.raises(Unavailable, match="gave 5 of 13 matches, and no link"):
            next(pages)
    assert len(stub.asked) == 2


def test_a_first_page_alone_costs_one_request() -> None:
    with told(Unpaged(13)) as (server, stub):
        assert len(next(server.search("Patient", {"_count": "1"}))) == 1
    assert len(stub.asked) == 1


@pytest.mark.parametrize("kind", ["history", "collection"])
def test_a_bundle_of_another_kind_is_no_search(kind: str) -> None:
    with told(lambda c: c.tree(200, bundle(c, kind=kind))) as (server, _), pytest.raises(Unavailable):
        list(server.search("Patient", {}))


def test_a_history_gives_entries() -> None:
    with told(lambda c: c.tree(200, bundle(c, kind="history", rows=[PATIENT]))) as (server, stub):
        ((entry,),) = server.history("Patient", since="2026-01-01T00:00:00+01:00")
    assert entry["resource"] == PATIENT
    assert stub.asked[0].target == "/fhir/Patient/_history?_since=2026-01-01T00%3A00%3A00%2B01%3A00"


# --- refusals


def test_absent_and_deleted() -> None:
    with told(lambda c: c.tree(404, outcome()), lambda c: c.send(410), lambda c: c.send(404)) as (server, _):
        with pytest.raises(NotFound):
            server.read("Patient", "p1")
        with pytest.raises(Gone):
            server.read("Patient", "p1")
        server.delete("Patient", "p1")


@pytest.mark.parametrize(
    ("status", "text", "reason"),
    [
        (409, "HAPI-0550: HAPI-0989: version", "version"),
        (409, "HAPI-0974: version", "version"),
        (409, "HAPI-0550: HAPI-0823: race", "race"),
        (409, "HAPI-0825: id", "client-id"),
        (409, "HAPI-0550: HAPI-2745: create", "create-race"),
        (409, "", "version"),
        (412, "", "version"),
    ],
)
def test_conflicts_are_told_apart(status: int, text: str, reason: str) -> None:
    with told(lambda c: c.tree(status, outcome(text))) as (server, _), pytest.raises(Conflict) as caught:
        server.update(PATIENT, if_match="1")
    assert caught.value.reason == reason


def test_what_is_still_referenced_and_what_several_match_are_refusals() -> None:
    with told(lambda c: c.tree(409, outcome("Unable to delete")), lambda c: c.tree(412, outcome())) as (server, _):
        with pytest.raises(ServerRefused):
            server.delete("Patient", "p1")
        with pytest.raises(ServerRefused):
            server.create({"resourceType": "Patient"}, if_none_exist="identifier=x")


def test_a_refusal_says_where_and_which_code_and_nothing_of_the_patient() -> None:
    said = outcome("HAPI-0450: HAPI-1821: [element=gender] Invalid value Dorothea", code="Dorothea Brooke")
    with told(lambda c: c.tree(400, said)) as (server, _), pytest.raises(ServerRefused) as caught:
        server.create({"resourceType": "Patient"})
    assert caught.value.status == 400
    assert "HAPI-1821" in str(caught.value)
    (issue,) = caught.value.issues
    assert (issue.code, issue.expression) == ("unknown", "Patient.name[0].family")
    assert "Dorothea" not in str(caught.value) + repr(issue)


@pytest.mark.parametrize("status", [400, 401, 403, 413, 414, 422])
def test_a_refusal_without_fhir_is_still_one(status: int) -> None:
    with told(lambda c: c.send(status, "<html>", kind="text/html")) as (server, _):
        for call in (lambda: server.read("Patient", "p1"), lambda: server.create(PATIENT)):
            with pytest.raises(ServerRefused) as caught:
                call()
            assert caught.value.status == status


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("36000", 36000.0),
        ("Thu, 01 Jan 2026 12:00:30 GMT", 30.0),
        ("Thu, 01 Jan 2026 11:00:00 GMT", 0.0),
        ("", None),
        ("-5", None),
        ("soon", None),
        ("9" * 5000, None),
    ],
)
def test_a_server_may_ask_to_be_left_alone(value: str, seconds: float | None) -> None:
    header = f"Retry-After: {value}\r\n" if value else ""
    with told(lambda c: c.tree(429, outcome(), more=header)) as (server, stub):
        began = time.monotonic()
        for call in (lambda: server.read("Patient", "p1"), lambda: server.create(PATIENT)):
            with pytest.raises(Unavailable) as caught:
                call()
            assert type(caught.value) is Unavailable, "what is turned away was not done"
            assert caught.value.retry_after == seconds
    assert time.monotonic() - began < 1
    assert len(stub.asked) == 2


def test_a_503_carries_retry_after_too() -> None:
    with told(lambda c: c.send(503, more="Retry-After: 9\r\n")) as (server, _), pytest.raises(UnknownOutcome) as caught:
        server.create(PATIENT)
    assert caught.value.retry_after == 9.0


# --- answers to writes


def test_a_write_that_is_answered_without_a_body_is_read() -> None:
    def empty(c: Connection) -> None:
        c.send(201, more=f"Location: {c.base}/Patient/p1/_history/3\r\n")

    with told(empty, lambda c: c.tree(200, PATIENT)) as (server, stub):
        assert server.create({"resourceType": "Patient"}).version == "3"
    assert stub.asked[1].line == "GET /fhir/Patient/p1 HTTP/1.1"


def test_a_write_that_cannot_be_read_back_is_unknown() -> None:
    def empty(c: Connection) -> None:
        c.send(201, more=f"Location: {c.base}/Patient/p1/_history/3\r\n")

    with told(empty, lambda c: c.send(404)) as (server, _), pytest.raises(UnknownOutcome):
        server.create({"resourceType": "Patient"})
    with told(lambda c: c.send(201)) as (server, _), pytest.raises(UnknownOutcome):
        server.create({"resourceType": "Patient"})


def test_the_version_is_also_read_from_the_etag() -> None:
    bare = {"resourceType": "Patient", "id": "p1"}
    with told(lambda c: c.tree(200, bare, more='ETag: W/"abc-1"\r\n')) as (server, _):
        assert server.read("Patient", "p1").version == "abc-1"


def test_a_transaction_gives_the_answer_as_it_is() -> None:
    asked = {"resourceType": "Bundle", "type": "transaction", "entry": []}
    answer = {"resourceType": "Bundle", "type": "transaction-response", "entry": [{"response": {"status": "201"}}]}
    with told(lambda c: c.tree(200, answer)) as (server, stub):
        assert server.transaction(asked) == answer
    assert stub.asked[0].line == "POST /fhir HTTP/1.1"
    with told(lambda c: c.tree(200, {**answer, "type": "searchset"})) as (server, _), pytest.raises(UnknownOutcome):
        server.transaction(asked)
    with told(lambda c: c.tree(404, outcome("HAPI-1091: x"))) as (server, _), pytest.raises(ServerRefused):
        server.transaction(asked)


def test_only_a_transaction_or_batch_is_sent_as_one() -> None:
    with told(lambda c: c.tree(200, PATIENT)) as (server, stub):
        for tree in (PATIENT, {"resourceType": "Bundle", "type": "collection"}):
            with pytest.raises(UsageError):
                server.transaction(tree)
    assert not stub.asked


def test_a_409_for_a_transaction_that_deletes_may_be_a_reference() -> None:
    entry = {"request": {"method": "DELETE", "url": "Patient/p1"}}
    asked = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    with told(lambda c: c.tree(409, outcome())) as (server, _), pytest.raises(ServerRefused):
        server.transaction(asked)


@pytest.mark.parametrize("status", [200, 412, 422])
def test_validate_gives_the_outcome_whatever_its_status(status: int) -> None:
    with told(lambda c: c.tree(status, outcome("bad"))) as (server, stub):
        assert server.validate(PATIENT, profile="http://x.example/p")["issue"][0]["severity"] == "error"
    assert stub.asked[0].target == "/fhir/Patient/$validate?profile=http%3A%2F%2Fx.example%2Fp"


def test_validate_reads_an_outcome_inside_parameters() -> None:
    wrapped = {"resourceType": "Parameters", "parameter": [{"name": "return", "resource": outcome("bad")}]}
    with told(lambda c: c.tree(200, wrapped)) as (server, _):
        assert server.validate(PATIENT)["resourceType"] == "OperationOutcome"
    with told(lambda c: c.tree(200, PATIENT)) as (server, _), pytest.raises(Unavailable):
        server.validate(PATIENT)


# --- capability


def test_the_capability_is_read_once_and_a_failure_is_not_kept() -> None:
    statement = {
        "resourceType": "CapabilityStatement",
        "fhirVersion": "4.0.1",
        "software": {"name": "x", "version": "1"},
        "rest": [
            {
                "mode": "server",
                "interaction": [{"code": "transaction"}],
                "resource": [
                    {
                        "type": "Patient",
                        "conditionalCreate": True,
                        "interaction": [{"code": "history-type"}],
                        "searchParam": [{"name": "_id", "type": "token"}],
                    }
                ],
            }
        ],
    }
    with told(lambda c: c.send(503), lambda c: c.tree(200, statement)) as (server, stub):
        with pytest.raises(Unavailable):
            server.capability()
        found = server.capability()
        assert server.capability() is found
    assert len(stub.asked) == 2
    assert (found.transaction, found.conditional_create, found.update_create) == (True, {"Patient"}, frozenset())
    assert found.history_type == {"Patient"}
    assert found.search_params == {"Patient": {"_id"}}


@pytest.mark.parametrize(("version", "name"), [("1.0.2", "DSTU2"), ("3.0.2", "STU3")])
def test_old_servers_are_refused_by_name(version: str, name: str) -> None:
    statement = {"resourceType": "CapabilityStatement", "fhirVersion": version}
    with told(lambda c: c.tree(200, statement)) as (server, _), pytest.raises(UsageError, match=name):
        server.capability()


@pytest.mark.parametrize(
    "tree",
    [{"software": "x", "rest": "y"}, {"rest": [{"resource": [{"type": 3, "searchParam": {}}, "z"], "interaction": 1}]}],
)
def test_a_capability_statement_of_odd_shape_does_no_harm(tree: dict[str, Any]) -> None:
    with told(lambda c: c.tree(200, {"resourceType": "CapabilityStatement", **tree})) as (server, _):
        assert server.capability().transaction is False


def test_no_metadata_means_no_fhir_server() -> None:
    with told(lambda c: c.send(404)) as (server, _), pytest.raises(Unavailable, match="no FHIR server"):
        server.capability()
