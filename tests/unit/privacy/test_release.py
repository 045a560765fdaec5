"""The gate: origin and host class decide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adapter.errors import Refused, UsageError
from adapter.ports import Owner
from adapter.privacy import RUN_TAG_SYSTEM, Asking, Recipient, Refusal, classify, let_out, public_hosts, release

ROOT = Path(__file__).resolve().parents[3]
TREE = {"resourceType": "Patient", "id": "1", "name": [{"family": "Secretname"}]}


def of(origin: str) -> Asking:
    return Asking(lambda some: [Owner(origin, "patient/1")] * len(some))


@pytest.mark.parametrize(
    ("origin", "host_class", "may"),
    [
        ("synthetic", "own", True),
        ("synthetic", "partner", True),
        ("synthetic", "public", True),
        ("test", "own", True),
        ("test", "partner", True),
        ("test", "public", False),
        ("real", "own", True),
        ("real", "partner", True),
        ("real", "public", False),
        ("anything", "own", False),
    ],
)
def test_origin_and_class(origin: str, host_class: str, may: bool) -> None:
    found = release(TREE, Recipient("r", host_class, "run-1"), of(origin))  # type: ignore[arg-type]
    assert isinstance(found, Refusal) is not may


def test_one_that_may_not_leave_holds_back_its_bundle() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": {**TREE, "id": str(n)}} for n in range(3)]}
    found = release(
        bundle,
        Recipient("r", "public", "run-1"),
        Asking(
            lambda some: [Owner("real" if tree["id"] == "2" else "synthetic", f"patient/{tree['id']}") for tree in some]
        ),
    )
    assert found == Refusal(("patient/2",), found.reason)  # type: ignore[union-attr]


def test_a_refusal_names_records_and_no_value() -> None:
    with pytest.raises(Refused) as caught:
        let_out(TREE, Recipient("r", "public", "run-1"), of("real"))
    assert "patient/1" in str(caught.value)
    assert "Secretname" not in str(caught.value)


def test_what_goes_to_a_public_server_carries_its_run() -> None:
    bundle = {"resourceType": "Bundle", "entry": [{"resource": TREE}, {"request": {"method": "DELETE"}}]}
    found = release(bundle, Recipient("r", "public", "run-1"), of("synthetic"))
    assert not isinstance(found, Refusal)
    assert {"system": RUN_TAG_SYSTEM, "code": "run-1"} in found["entry"][0]["resource"]["meta"]["tag"]
    assert "meta" not in TREE


def test_classes_of_hosts() -> None:
    assert classify("http://127.0.0.1:8080/fhir") == "own"
    assert classify("http://localhost/fhir") == "own"
    assert classify("http://[::1]/fhir") == "own"
    assert classify("https://fhir.hospital.example/r4") == "public"
    assert classify("https://fhir.hospital.example/r4", "partner") == "partner"
    assert classify("http://localhost/fhir", "public") == "public"
    with pytest.raises(UsageError):
        classify("https://fhir.hospital.example/r4", "friend")


@pytest.mark.parametrize(
    "url", ["https://hapi.fhir.org/baseR4", "https://HAPI.fhir.org./baseR4", "http://x.hapi.fhir.org:80/"]
)
def test_a_listed_public_host_cannot_be_re_classed(url: str) -> None:
    assert classify(url) == "public"
    for declared in ("own", "partner"):
        with pytest.raises(UsageError):
            classify(url, declared)
    assert {"hapi.fhir.org", "server.fire.ly", "r4.smarthealthit.org"} <= public_hosts()


def test_the_gate_is_called_only_where_something_leaves() -> None:
    """In bootstrap, which hands it to the exchange and to the API; nowhere else."""
    callers = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "adapter").rglob("*.py")
        if re.search(
            r"\b(?:let_out|privacy\.release)\(|privacy import .*\b(?:let_out|release)\b", path.read_text("utf-8")
        )
    }
    assert callers - {
        "adapter/privacy/__init__.py",
        "adapter/bootstrap/__init__.py",
        "adapter/bootstrap/exchange.py",
        "adapter/bootstrap/gate.py",
        "adapter/bootstrap/validating.py",
    } <= {"adapter/api/state.py"}
