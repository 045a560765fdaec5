"""TLS is checked, and a deadline holds through it."""

from __future__ import annotations

import ipaddress
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapter.errors import Unavailable, UnknownOutcome
from adapter.exchange import BearerToken, HttpFhirServer, Limits
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
