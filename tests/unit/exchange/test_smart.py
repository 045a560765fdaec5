"""SMART Backend Services: a token for a signed statement, kept, renewed once, and never sent elsewhere."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from adapter.errors import ServerRefused, SettingsError, Unavailable
from adapter.exchange import HttpFhirServer, SmartBackend, SmartClient
from adapter.exchange.keys import _thumbprint, key_set
from adapter.exchange.smart import discover
from tests.unit.exchange.stub import Connection, StubServer

NOW = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)
PATIENT = {"resourceType": "Patient", "id": "p1"}


class MovedClock:
    """An instant, and seconds, that a test moves."""

    def __init__(self) -> None:
        self.at, self.seconds = NOW, 1000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds


def pem(key: Any) -> bytes:
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def rsa_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.fixture
def key_file(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(pem(rsa_key))
    return path


def token(value: str = "t1", seconds: object = 300, **more: object) -> Any:
    body = {"access_token": value, "token_type": "bearer", "expires_in": seconds, **more}
    return lambda c: c.send(200, json.dumps(body), kind="application/json")


def client(stub: StubServer, key_file: Path, **more: Any) -> SmartClient:
    return SmartClient(f"{stub.base}/token", "adapter", key_file, key_id="k1", scope="system/*.rs", **more)


def test_the_statement_says_who_asks_and_lives_five_minutes_at_most(key_file: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    with StubServer(token()) as stub:
        assert SmartBackend(client(stub, key_file), clock=MovedClock()).header() == "Bearer t1"
        form = parse_qs(stub.asked[0].body.decode())
    assert form["grant_type"] == ["client_credentials"]
    assert form["scope"] == ["system/*.rs"]
    said = jwt.decode(
        form["client_assertion"][0], rsa_key.public_key(), algorithms=["RS384"], audience=f"{stub.base}/token",
        options={"verify_exp": False},
    )  # fmt: skip
    assert (said["iss"], said["sub"]) == ("adapter", "adapter")
    assert NOW.timestamp() < said["exp"] <= NOW.timestamp() + 300
    # What lives for minutes has to say since when, and not from a moment that a slower clock has yet to see.
    assert said["iat"] <= NOW.timestamp() - 5
    assert said["exp"] - said["iat"] <= 300
    assert jwt.get_unverified_header(form["client_assertion"][0]) == {"alg": "RS384", "kid": "k1", "typ": "JWT"}


def test_every_statement_has_a_number_of_its_own(key_file: Path) -> None:
    with StubServer(token("a"), token("b")) as stub:
        found = SmartBackend(client(stub, key_file), clock=MovedClock())
        assert found.renew(found.header())
        assert found.header() == "Bearer b"
        numbers = {
            jwt.decode(parse_qs(c.body.decode())["client_assertion"][0], options={"verify_signature": False})["jti"]
            for c in stub.asked
        }
    assert len(numbers) == 2


def test_a_key_of_the_curve_p384_signs_es384(tmp_path: Path) -> None:
    key, path = ec.generate_private_key(ec.SECP384R1()), tmp_path / "ec.pem"
    path.write_bytes(pem(key))
    with StubServer(token()) as stub:
        SmartBackend(client(stub, path), clock=MovedClock()).header()
        sent = parse_qs(stub.asked[0].body.decode())["client_assertion"][0]
    assert jwt.decode(sent, key.public_key(), algorithms=["ES384"], options={"verify_aud": False, "verify_exp": False})


def test_a_jwk_brings_its_own_key_id(tmp_path: Path, rsa_key: rsa.RSAPrivateKey) -> None:
    path = tmp_path / "key.jwk"
    path.write_text(json.dumps({**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa_key)), "kid": "from-jwk"}))
    with StubServer(token()) as stub:
        SmartBackend(SmartClient(f"{stub.base}/token", "adapter", path), clock=MovedClock()).header()
        sent = parse_qs(stub.asked[0].body.decode())["client_assertion"][0]
    assert jwt.get_unverified_header(sent)["kid"] == "from-jwk"


def test_a_token_is_kept_until_shortly_before_it_runs_out(key_file: Path) -> None:
    clock = MovedClock()
    with StubServer(token("a"), token("b")) as stub:
        found = SmartBackend(client(stub, key_file), clock=clock)
        assert [found.header(), found.header()] == ["Bearer a", "Bearer a"]
        clock.seconds += 269
        assert found.header() == "Bearer a"
        clock.seconds += 2
        assert found.header() == "Bearer b"
        assert len(stub.asked) == 2


def test_seconds_may_be_said_as_a_word(key_file: Path) -> None:
    clock = MovedClock()
    with StubServer(token("a", "3600"), token("b")) as stub:
        found = SmartBackend(client(stub, key_file), clock=clock)
        assert found.header() == "Bearer a"
        clock.seconds += 3500
        assert found.header() == "Bearer a"


def test_a_token_that_the_server_no_longer_takes_is_renewed_once(key_file: Path) -> None:
    def fhir(c: Connection) -> None:
        good = c.headers["authorization"] == "Bearer b"
        c.tree(200, PATIENT) if good else c.tree(401, {"resourceType": "OperationOutcome", "issue": []})

    with StubServer(token("a"), token("b")) as auth, StubServer(fhir) as stub:
        with HttpFhirServer(stub.base, auth=SmartBackend(client(auth, key_file), clock=MovedClock())) as server:
            assert server.read("Patient", "p1").resource == PATIENT
        assert len(stub.asked) == 2
        assert len(auth.asked) == 2


def test_a_server_that_never_lets_us_in_is_asked_twice_and_no_more(key_file: Path) -> None:
    no = {"resourceType": "OperationOutcome", "issue": []}
    with StubServer(token("a"), token("b")) as auth, StubServer(lambda c: c.tree(401, no)) as stub:
        server = HttpFhirServer(stub.base, auth=SmartBackend(client(auth, key_file), clock=MovedClock()))
        with pytest.raises(ServerRefused, match="does not let us"):
            server.read("Patient", "p1")
        assert len(stub.asked) == 2


def test_threads_that_meet_one_old_token_fetch_one_new_one(key_file: Path) -> None:
    with StubServer(token("a"), token("b"), token("c")) as stub:
        found = SmartBackend(client(stub, key_file), clock=MovedClock())
        old = found.header()
        ends: list[str] = []

        def meet() -> None:
            found.renew(old)
            ends.append(found.header())

        threads = [threading.Thread(target=meet) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(ends) == {"Bearer b"}
        assert len(stub.asked) == 2


def test_a_clock_an_hour_off_is_corrected_by_the_servers(key_file: Path) -> None:
    ahead = f"Date: {format_datetime(NOW + timedelta(hours=1), usegmt=True)}\r\n"

    def strict(c: Connection) -> None:
        sent = parse_qs(c.body.decode())["client_assertion"][0]
        exp = jwt.decode(sent, options={"verify_signature": False})["exp"]
        if exp < (NOW + timedelta(hours=1)).timestamp():
            c.send(400, '{"error": "invalid_client"}', kind="application/json", more=ahead)
        else:
            token()(c)

    with StubServer(strict) as stub:
        assert SmartBackend(client(stub, key_file), clock=MovedClock()).header() == "Bearer t1"
        assert len(stub.asked) == 2


def test_a_refusal_says_the_code_and_not_the_words(key_file: Path) -> None:
    body = '{"error": "invalid_scope", "error_description": "patient Maria Muster"}'
    answer = StubServer(lambda c: c.send(400, body, kind="application/json"))
    with answer as stub, pytest.raises(Unavailable, match="invalid_scope") as caught:
        SmartBackend(client(stub, key_file), clock=MovedClock()).header()
    assert "Muster" not in str(caught.value)
    assert "--scope" in caught.value.remedy


def test_a_key_put_in_the_place_of_another_signs_the_next_statement(key_file: Path) -> None:
    with StubServer(token("a"), token("b"), token("c")) as stub:
        found = SmartBackend(SmartClient(f"{stub.base}/token", "adapter", key_file), clock=MovedClock())
        found.renew(found.header())
        new = ec.generate_private_key(ec.SECP384R1())
        key_file.write_bytes(pem(new)[:100])
        found.renew(found.header())
        key_file.write_bytes(pem(new))
        found.renew(found.header())
        sent = [parse_qs(c.body.decode())["client_assertion"][0] for c in stub.asked]
    heads = [jwt.get_unverified_header(one) for one in sent]
    # Half a file is no key: the old one signs until the new one is there.
    assert [head["alg"] for head in heads] == ["RS384", "RS384", "ES384"]
    assert heads[0]["kid"] == heads[1]["kid"] != heads[2]["kid"]
    assert jwt.decode(sent[2], new.public_key(), algorithms=["ES384"], options={"verify_aud": False, "verify_exp": False, "verify_iat": False})  # fmt: skip


def test_a_key_without_an_id_goes_by_its_thumbprint_there_as_in_what_is_registered(key_file: Path) -> None:
    with StubServer(token()) as stub:
        SmartBackend(SmartClient(f"{stub.base}/token", "adapter", key_file), clock=MovedClock()).header()
        sent = parse_qs(stub.asked[0].body.decode())["client_assertion"][0]
    (public,) = key_set([key_file])["keys"]
    assert jwt.get_unverified_header(sent)["kid"] == public["kid"]
    assert set(public) == {"kty", "n", "e", "kid", "alg", "use"}
    assert jwt.decode(sent, jwt.PyJWK(public), algorithms=["RS384"], options={"verify_aud": False, "verify_exp": False, "verify_iat": False})  # fmt: skip


def test_the_thumbprint_is_the_one_of_rfc_7638() -> None:
    # The key of its section 3.1.
    n = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMs"
        "tn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91"
        "CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    assert _thumbprint({"e": "AQAB", "kty": "RSA", "n": n}) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize(
    "answer",
    [
        lambda c: c.send(503),
        lambda c: c.send(200, "<html>", kind="text/html"),
        lambda c: c.send(200, "[]", kind="application/json"),
        token("spaces in it"),
        token("ok", "soon"),
        token("ok", token_type="mac"),
        lambda c: c.send(302, more="Location: https://elsewhere.example/\r\n"),
    ],
)
def test_what_is_no_token_is_no_verdict_on_the_data(key_file: Path, answer: Any) -> None:
    with StubServer(answer) as stub, pytest.raises(Unavailable):
        SmartBackend(client(stub, key_file), clock=MovedClock()).header()


@pytest.mark.parametrize("status", [429, 503])
def test_an_authorization_server_that_asks_for_time_gets_it(key_file: Path, status: int) -> None:
    with StubServer(lambda c: c.send(status, more="Retry-After: 70\r\n")) as stub, pytest.raises(Unavailable) as caught:
        SmartBackend(client(stub, key_file), clock=MovedClock()).header()
    assert caught.value.retry_after == 70


@pytest.mark.parametrize("text", [b"", b"{}", b"-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----", b'{"kty": "oct", "k": "c2VjcmV0"}'])  # fmt: skip
def test_a_file_that_is_no_key_is_told_without_its_content(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(text)
    with pytest.raises(SettingsError) as caught:
        SmartBackend(SmartClient("https://auth.example/token", "adapter", path))
    assert "c2VjcmV0" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_short_key_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "short.pem"
    path.write_bytes(pem(rsa.generate_private_key(65537, 1024)))
    for name in (path, tmp_path / "none.pem"):
        with pytest.raises(SettingsError):
            SmartBackend(SmartClient("https://auth.example/token", "adapter", name))


@pytest.mark.parametrize(
    "url", ["http://auth.example/token", "https://u:p@auth.example/", "ftp://x/", "nonsense", "https://[::1"]
)
def test_a_token_endpoint_is_https(key_file: Path, url: str) -> None:
    with pytest.raises(SettingsError):
        SmartBackend(SmartClient(url, "adapter", key_file))


def test_the_endpoint_that_a_server_names_is_taken_only_from_its_own_origin() -> None:
    def naming(c: Connection) -> None:
        c.send(200, json.dumps({"token_endpoint": c.base.replace("/fhir", "/token")}), kind="application/json")

    with StubServer(naming) as stub:
        assert discover(stub.base) == stub.base.replace("/fhir", "/token")
        assert stub.asked[0].target == "/fhir/.well-known/smart-configuration"
    elsewhere = json.dumps({"token_endpoint": "https://evil.example/token"})
    with StubServer(lambda c: c.send(503)) as stub, pytest.raises(Unavailable):
        discover(stub.base)
    for answer, said in (
        (elsewhere, "another host.*--token-url https://evil.example/token"),
        ("{}", "names no"),
        ("<html>", "names no"),
    ):
        with StubServer(lambda c, answer=answer: c.send(200, answer)) as stub, pytest.raises(SettingsError, match=said):
            discover(stub.base)
