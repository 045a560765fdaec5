"""A server with SMART Backend Services, named by command, signed in to by a run of the exchange."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from adapter.bootstrap import Services
from adapter.bootstrap.access import credentials
from adapter.cli import main
from adapter.errors import SettingsError
from adapter.ports import Options, Server
from tests.unit.exchange.stub import Connection, StubServer


@pytest.fixture
def key(tmp_path: Path) -> Path:
    form = serialization.PrivateFormat.PKCS8
    made = rsa.generate_private_key(65537, 2048)
    path = tmp_path / "key.pem"
    path.write_bytes(made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return path


def run(tmp_path: Path, *words: str) -> Any:
    env = {"CAREPLAN_DATABASE_URL": f"sqlite:///{tmp_path / 's.db'}"}
    return CliRunner().invoke(main, list(words), env=env)


def serving(c: Connection) -> None:
    if c.target.endswith("smart-configuration"):
        c.send(200, json.dumps({"token_endpoint": c.base.replace("/fhir", "/token")}), kind="application/json")
    elif c.target == "/token":
        c.send(
            200, json.dumps({"access_token": "t1", "token_type": "Bearer", "expires_in": 300}), kind="application/json"
        )
    elif c.headers.get("authorization") != "Bearer t1":
        c.tree(401, {"resourceType": "OperationOutcome", "issue": []})
    else:
        c.tree(200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1", "rest": [{"mode": "server"}]})


def test_the_token_endpoint_is_found_and_the_token_sent(tmp_path: Path, key: Path) -> None:
    with StubServer(serving) as stub:
        words = ("--auth", "smart", "--client-id", "us", "--key-file", str(key), "--rate", "100")
        assert run(tmp_path, "server", "add", "south", stub.base, *words).exit_code == 0
        with Services(url=f"sqlite:///{tmp_path / 's.db'}") as services, services.partner("south") as partner:
            assert partner.client.capability().fhir_version == "4.0.1"
        asked = [c.target for c in stub.asked]
    assert asked == ["/fhir/.well-known/smart-configuration", "/token", "/fhir/metadata"]
    assert key.read_bytes()[40:80] not in b"".join(path.read_bytes() for path in tmp_path.glob("s.db*"))


@pytest.mark.parametrize(
    "words",
    [
        ("--auth", "smart"),
        ("--auth", "smart", "--client-id", "us"),
        ("--auth", "bearer"),
        ("--auth", "smart", "--client-id", "us", "--key-file", "/nowhere.pem"),
    ],
)
def test_what_is_missing_is_said(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert run(tmp_path, "server", "add", "south", "http://127.0.0.1:1/fhir", *words).exit_code == 2


def test_no_certificate_goes_to_a_public_server(tmp_path: Path, key: Path) -> None:
    done = run(tmp_path, "server", "add", "x", "https://hapi.fhir.org/baseR4", "--certificate", str(key))
    assert done.exit_code == 2
    assert "no credentials" in done.stderr


def test_a_key_that_is_gone_is_a_setting_to_mend(tmp_path: Path, key: Path) -> None:
    words = ("--auth", "smart", "--client-id", "us", "--key-file", str(key), "--token-url", "http://127.0.0.1:1/token")
    assert run(tmp_path, "server", "add", "south", "http://127.0.0.1:1/fhir", *words).exit_code == 0
    key.unlink()
    made = Services(url=f"sqlite:///{tmp_path / 's.db'}")
    with made as services, pytest.raises(SettingsError, match="cannot be read"), services.partner("south"):
        pass


def test_the_way_to_sign_in_is_changed_without_forgetting_the_server(tmp_path: Path, key: Path) -> None:
    assert run(tmp_path, "server", "add", "south", "http://127.0.0.1:1/fhir").exit_code == 0
    words = ("server", "set", "south")
    assert run(tmp_path, *words, "--auth", "smart").exit_code == 2
    assert run(tmp_path, *words, "--auth", "smart", "--client-id", "us", "--key-file", str(key)).exit_code == 0
    assert run(tmp_path, *words, "--key-id", "k1", "--scope", "system/*.cruds").exit_code == 0
    assert run(tmp_path, *words, "--key-id", "").exit_code == 0
    (shown,) = json.loads(run(tmp_path, "server", "list", "--json").stdout)
    assert shown["auth"] == "smart"
    assert shown["access"] == {"client_id": "us", "key": str(key), "scope": "system/*.cruds"}


def test_what_a_server_is_given_of_a_key_is_its_public_half(tmp_path: Path, key: Path) -> None:
    done = run(tmp_path, "server", "jwks", str(key))
    (public,) = json.loads(done.stdout)["keys"]
    assert {"d", "p", "q"}.isdisjoint(public)
    assert public["alg"] == "RS384"
    (tmp_path / "none.pem").write_text("no key")
    assert run(tmp_path, "server", "jwks", str(tmp_path / "none.pem")).exit_code == 2


def test_the_authorities_to_trust_hold_for_the_token_endpoint_and_our_certificate_for_the_server_alone(
    tmp_path: Path, key: Path
) -> None:
    pem = tmp_path / "ours.pem"
    pem.write_text("stands for a certificate")
    access = {"client_id": "us", "key": str(key), "ca": str(pem), "certificate": str(pem)}
    for token_url, shown in (("https://auth.example/token", None), ("https://fhir.example/token", pem)):
        options = Options(access={**access, "token_url": token_url})
        server = Server("s", "https://fhir.example/r4", "partner", "smart", "", "run-1", options=options)
        with patch("adapter.exchange.SmartBackend") as made:
            credentials(server)
        tls = made.call_args.kwargs["tls"]
        assert (tls.ca, tls.certificate) == (pem, shown)


@pytest.mark.parametrize(("auth", "value"), [("bearer", ""), ("basic", "no colon")])
def test_a_secret_that_is_not_there_is_told_by_its_variable(
    auth: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NORTH_SECRET", value)
    server = Server("north", "https://north.example/fhir", auth=auth, auth_env="NORTH_SECRET")
    with pytest.raises(SettingsError, match=r"for north is not set: .* NORTH_SECRET") as error:
        credentials(server)
    assert "no colon" not in str(error.value)
