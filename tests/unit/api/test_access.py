"""Bearer tokens: who comes in, what they may do, and that the service asks for all it needs before it serves others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from adapter.api import create_app
from adapter.api.access import LOOPBACK, Door
from adapter.api.serving import application, behind_proxy
from adapter.bootstrap import Services
from adapter.cli import main
from adapter.errors import UsageError
from adapter.fhir_json import dumps, loads
from adapter.services.tokens import known, make

FIXTURES = Path(__file__).resolve().parent.parent.parent.parent / "fixtures"
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def guarded(services: Services) -> FlaskClient:
    return create_app(services, door=Door(LOOPBACK | {"fhir.clinic.example"}, tokens=True)).test_client()


def bearer(services: Services, name: str = "north", *, writes: bool = True) -> dict[str, str]:
    new = make(services.store(), name, host_class="partner", writes=writes, now=services.now())
    return {"Authorization": f"Bearer {new.secret}"}


def test_nobody_comes_in_without_a_token(services: Services, guarded: FlaskClient) -> None:
    for path in ("/fhir/metadata", "/fhir/Patient", "/v1/records", "/openapi.json", "/docs", "/health/ready"):
        answer = guarded.get(path)
        assert answer.status_code == 401, path
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert guarded.get("/health/live").status_code == 200
    good = bearer(services)
    for wrong in ("", "Bearer", "Bearer cpa_guess", f"Basic {good['Authorization'][7:]}", good["Authorization"] + "x"):
        assert guarded.get("/fhir/Patient", headers={"Authorization": wrong}).status_code == 401
    assert guarded.get("/fhir/Patient", headers=good).status_code == 200


def test_the_store_keeps_no_token(services: Services, tmp_path: Path) -> None:
    secret = bearer(services)["Authorization"][7:].encode()
    services.store().close()
    assert not [path for path in tmp_path.iterdir() if secret in path.read_bytes()]


def test_what_a_consent_denies_is_not_answered_and_left_out_of_searches(
    services: Services, guarded: FlaskClient
) -> None:
    records = loads((FIXTURES / "consent-part2" / "records.json").read_bytes())
    assert services.take_in(records).refused == 0
    headers = bearer(services, "imaginary-general-hospital")
    people = guarded.get("/fhir/Patient", headers=headers).json["entry"]
    denied = next(record for record in records if record["kind"] == "consent")
    denied["provision"] = {"decision": "deny", "actors": denied["provision"]["actors"]}
    assert services.take_in([denied]).rows[0][1] == "changed"
    assert "entry" not in guarded.get("/fhir/Patient", headers=headers).json
    answer = guarded.get(f"/fhir/Patient/{people[0]['resource']['id']}", headers=headers)
    assert (answer.status_code, answer.json["resourceType"]) == (403, "OperationOutcome")
    assert guarded.get("/fhir/Patient", headers=bearer(services, "south")).json["entry"]
    place = f"/v1/records/patient/{denied['patient']}"
    assert [guarded.get(f"{place}{rest}", headers=headers).status_code for rest in ("", "/history")] == [403, 403]
    entries = services.store().entries("patient", denied["patient"])
    assert [(one.server, one.verb) for one in entries] == [
        ("imaginary-general-hospital", "released"),
        ("imaginary-general-hospital", "withheld"),
    ]  # fmt: skip


def test_consents_are_found_through_the_face(services: Services, guarded: FlaskClient) -> None:
    services.take_in(loads((FIXTURES / "consent-part2" / "records.json").read_bytes()))
    headers = bearer(services)
    for query in (
        "status=active", "purpose=TREAT", "scope=patient-privacy", "category=IDSCL",
        "period=gt2026-06", "security-label=42CFRPart2", "patient.family=Consentova",
    ):  # fmt: skip
        found = guarded.get(f"/fhir/Consent?{query}", headers=headers)
        assert [row["resource"]["resourceType"] for row in found.json["entry"]] == ["Consent"], query


def test_a_token_runs_out_and_is_removed(services: Services, guarded: FlaskClient) -> None:
    store, now = services.store(), services.now()
    new = make(store, "short", host_class="own", writes=True, now=now, days=1)
    assert known(store, new.secret, now + timedelta(hours=23)) is not None
    assert known(store, new.secret, now + timedelta(hours=25)) is None
    headers = bearer(services)
    store.remove_token("north")
    assert guarded.get("/fhir/Patient", headers=headers).status_code == 401


def test_a_reader_reads_and_changes_nothing(services: Services, guarded: FlaskClient) -> None:
    headers = {**bearer(services, writes=False), **JSON}
    patient = dumps({"resourceType": "Patient", "id": "p1"})
    assert guarded.get("/fhir/Patient", headers=headers).status_code == 200
    assert guarded.post("/fhir/Patient/$validate", data=patient, headers=headers).status_code == 200
    form = {**headers, "Content-Type": "application/x-www-form-urlencoded"}
    assert guarded.post("/fhir/Patient/_search", data="_id=x", headers=form).status_code == 200
    for method, path in (("POST", "/fhir/Patient"), ("PUT", "/fhir/Patient/p1"), ("DELETE", "/fhir/Patient/p1"), ("POST", "/v1/servers"), ("POST", "/fhir")):  # fmt: skip
        answer = guarded.open(path, method=method, data=patient, headers=headers)
        assert answer.status_code == 403, (method, path)


def test_what_leaves_is_decided_by_whose_token_it_is(services: Services, guarded: FlaskClient) -> None:
    record = loads((FIXTURES / "dual-diagnosis" / "records.json").read_bytes())[0]
    services.take_in({**record, "origin": "real"})
    stranger = {"REMOTE_ADDR": "192.0.2.7"}
    assert guarded.get("/fhir/Patient", headers=bearer(services), environ_overrides=stranger).json["total"] == 1
    loose = create_app(services).test_client()
    assert loose.get("/fhir/Patient", environ_overrides=stranger).status_code == 403


def test_only_names_that_were_given_are_answered(services: Services, guarded: FlaskClient) -> None:
    headers = bearer(services)
    assert guarded.get("/fhir/Patient", headers={**headers, "Host": "fhir.clinic.example"}).status_code == 200
    assert guarded.get("/fhir/Patient", headers={**headers, "Host": "evil.example"}).status_code == 421


def run(tmp_path: Path, *words: str, **env: str) -> tuple[int, str, str]:
    set_ = {"CAREPLAN_DATABASE_URL": f"sqlite:///{tmp_path / 's.db'}", **env}
    done = CliRunner().invoke(main, list(words), env=set_)
    return done.exit_code, done.stdout, done.stderr


def test_the_commands(tmp_path: Path) -> None:
    code, out, err = run(tmp_path, "token", "add", "north", "--read-only", "--days", "3")
    assert code == 0
    assert out.startswith("cpa_")
    assert "not shown again" in err
    code, out, _ = run(tmp_path, "token", "list", "--json")
    (row,) = loads(out.encode())
    assert (row["name"], row["class"], row["writes"]) == ("north", "partner", False)
    assert run(tmp_path, "token", "add", "north")[0] == 2
    assert run(tmp_path, "token", "add", "Bad Name")[0] == 2
    assert run(tmp_path, "token", "remove", "north")[0] == 0
    assert run(tmp_path, "token", "remove", "north")[0] == 2


def test_beyond_this_machine_all_of_it_is_asked_for(tmp_path: Path) -> None:
    certificate = tmp_path / "c.pem"
    certificate.write_text("x")
    tls = ("--certificate", str(certificate), "--key", str(certificate))
    keys = tmp_path / "keys"
    keys.write_text(run(tmp_path, "db", "key")[1])
    env = {"CAREPLAN_NAMES": "fhir.clinic.example"}
    serve = ("serve", "--host", "0.0.0.0")
    for words, more, missing in (
        (serve, {}, "no certificate"),
        ((*serve, *tls), {}, "no name"),
        ((*serve, *tls), env, "no encryption"),
        ((*serve, "--behind-proxy"), {**env, "CAREPLAN_STORE_KEY_FILE": str(keys)}, "no bearer token"),
        # Who comes through a proxy on this machine is not on it.
        (("serve", "--behind-proxy"), {}, "no name"),
    ):
        code, _, err = run(tmp_path, *words, **more)
        assert code == 2
        assert missing in err
    assert run(tmp_path, "serve", "--certificate", str(certificate))[0] == 2


def test_behind_a_proxy_its_own_address_is_the_proxys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPLAN_DATABASE_URL", f"sqlite:///{tmp_path / 's.db'}")
    monkeypatch.setenv("CAREPLAN_NAMES", "fhir.clinic.example")
    name, page = "http://fhir.clinic.example", {"Origin": "https://fhir.clinic.example"}
    found = behind_proxy().test_client().get("/fhir/Patient", base_url=name, headers=page)
    assert found.status_code == 200
    assert found.get_json()["link"][0]["url"].startswith("https://fhir.clinic.example/fhir/Patient")
    strange = application().test_client().get("/fhir/Patient", base_url=name, headers=page)
    assert strange.status_code == 403


def test_no_token_is_made_for_the_public(services: Services) -> None:
    with pytest.raises(UsageError):
        make(services.store(), "x", host_class="public", writes=True, now=services.now())
