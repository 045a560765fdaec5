"""TLS is checked, and a deadline holds through it."""

from __future__ import annotations

import ipaddress
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapter.errors import Unavailable, UnknownOutcome
from adapter.exchange import BearerToken, ClientCertificate, HttpFhirServer, Limits, SmartBackend, SmartClient
from tests.unit.exchange.stub import Connection, StubServer

PATIENT = {"resourceType": "Patient", "id": "p1"}


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stub")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "stub.pem"
    form = serialization.PrivateFormat.PKCS8
    secret = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + secret)
    return path


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_ends_the_call_before_anything_is_sent(certificate: Path) -> None:
    with StubServer(lambda c: c.tree(200, PATIENT), tls=serving(certificate)) as stub:
        server = HttpFhirServer(stub.base, auth=BearerToken("s3cret"), limits=Limits(seconds=5))
        with pytest.raises(Unavailable, match="certificate") as caught:
            server.create(PATIENT)
    assert type(caught.value) is Unavailable
    assert not stub.asked


def test_a_certificate_of_the_sites_own_authority_is_taken(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with StubServer(lambda c: c.tree(200, PATIENT), tls=serving(certificate)) as stub:
        server = HttpFhirServer(stub.base, auth=BearerToken("s3cret"), limits=Limits(seconds=5))
        assert server.read("Patient", "p1").resource == PATIENT
    assert stub.asked[0].headers["authorization"] == "Bearer s3cret"


def test_the_authority_that_is_named_counts_before_those_of_the_environment_and_for_tokens_too(
    certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Some authorities, and not this one.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", requests.certs.where())
    key = ec.generate_private_key(ec.SECP384R1())
    form = serialization.PrivateFormat.PKCS8
    (tmp_path / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    )
    token = b'{"access_token": "t1", "token_type": "Bearer", "expires_in": 300}'
    tls = ClientCertificate(ca=certificate)
    with (
        StubServer(lambda c: c.send(200, token, kind="application/json"), tls=serving(certificate)) as auth,
        StubServer(lambda c: c.tree(200, PATIENT), tls=serving(certificate)) as stub,
    ):
        who = SmartClient(f"{auth.base}/token", "us", tmp_path / "key.pem")
        server = HttpFhirServer(stub.base, auth=SmartBackend(who, tls=tls), tls=tls, limits=Limits(seconds=5))
        assert server.read("Patient", "p1").resource == PATIENT
        assert stub.asked[0].headers["authorization"] == "Bearer t1"
        with pytest.raises(Unavailable, match="certificate"):
            SmartBackend(who).header()


def test_a_server_that_wants_our_certificate_gets_it_and_others_are_not_let_in(certificate: Path) -> None:
    wanting = serving(certificate)
    wanting.verify_mode = ssl.CERT_REQUIRED
    wanting.load_verify_locations(certificate)
    with StubServer(lambda c: c.tree(200, PATIENT), tls=wanting) as stub:
        # Certificate and key in one file.
        ours = ClientCertificate(certificate=certificate, ca=certificate)
        assert HttpFhirServer(stub.base, tls=ours).read("Patient", "p1").resource == PATIENT
        with pytest.raises(Unavailable):
            HttpFhirServer(stub.base, tls=ClientCertificate(ca=certificate)).read("Patient", "p1")
    assert len(stub.asked) == 1


def test_a_drip_through_tls_ends_too(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def drip(connection: Connection) -> None:
        connection.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        for _ in range(100):
            connection.raw(b" ")
            time.sleep(0.1)

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with StubServer(drip, tls=serving(certificate)) as stub:
        server = HttpFhirServer(stub.base, limits=Limits(seconds=0.5))
        began = time.monotonic()
        with pytest.raises(UnknownOutcome):
            server.create(PATIENT)
    assert time.monotonic() - began < 2
