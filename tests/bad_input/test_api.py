"""Bad input over HTTP: a status, a problem or an OperationOutcome, no value of the person, and the next request is answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from adapter.api import create_app
from adapter.bootstrap import Services
from adapter.fhir_json import Bounds
from tests.bad_input.rows import (
    MARK,
    NOT_A_RECORD,
    NOT_A_RESOURCE,
    PATIENT,
    UNREADABLE_FHIR,
    UNREADABLE_RECORDS,
    raw,
)

FHIR = "application/fhir+json"
PLACES = [
    "/v1/convert/from-fhir",
    "/v1/convert/to-fhir",
    "/v1/validate",
    "/fhir/Patient",
    "/fhir/",
    "/fhir/Patient/$validate",
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlaskClient]:
    place: Path = tmp_path_factory.mktemp("store")
    with Services(url=f"sqlite:///{place}/store.db") as services:
        yield create_app(services, bounds=Bounds(size=2_000_000)).test_client()


def refused(client: FlaskClient, place: str, data: bytes, *statuses: int, kind: str = FHIR) -> None:
    answer = client.post(place, data=data, content_type=kind)
    assert answer.status_code in statuses, answer.text
    assert MARK not in answer.text
    assert "Traceback" not in answer.text
    tree = answer.get_json(force=True)
    if place.startswith("/fhir"):
        assert tree["resourceType"] == "OperationOutcome"
    else:
        assert answer.mimetype == "application/problem+json"
        assert tree["status"] == answer.status_code
    assert client.get("/health/live").status_code == 200


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("row", UNREADABLE_FHIR)
def test_unreadable(client: FlaskClient, place: str, row: str) -> None:
    refused(client, place, UNREADABLE_FHIR[row], 400)


@pytest.mark.parametrize("row", NOT_A_RESOURCE)
def test_from_fhir_no_resource(client: FlaskClient, row: str) -> None:
    refused(client, "/v1/convert/from-fhir", NOT_A_RESOURCE[row], 400)


@pytest.mark.parametrize("place", ["/fhir/Patient", "/fhir/"])
@pytest.mark.parametrize("row", NOT_A_RESOURCE)
def test_face_no_resource(client: FlaskClient, place: str, row: str) -> None:
    refused(client, place, NOT_A_RESOURCE[row], 400, 404, 422)


@pytest.mark.parametrize("row", UNREADABLE_RECORDS | NOT_A_RECORD)
def test_to_fhir_no_record(client: FlaskClient, row: str) -> None:
    refused(client, "/v1/convert/to-fhir", (UNREADABLE_RECORDS | NOT_A_RECORD)[row], 400, kind="application/json")


@pytest.mark.parametrize("place", PLACES)
def test_too_large(client: FlaskClient, place: str) -> None:
    refused(client, place, b'{"resourceType":"' + b"Z" * 2_000_000 + b'"}', 413)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["text/html", "application/xml", "application/fhir+json; charset=latin-1", ""])
def test_wrong_media_type_or_charset(client: FlaskClient, place: str, kind: str) -> None:
    refused(client, place, raw(PATIENT), 415, kind=kind)


@pytest.mark.parametrize("place", PLACES)
def test_a_version_that_is_not_spoken_by_its_media_type(client: FlaskClient, place: str) -> None:
    refused(client, place, raw(PATIENT), 415, kind="application/fhir+json; fhirVersion=3.0")


def test_nothing_was_stored(client: FlaskClient) -> None:
    assert client.get("/fhir/Patient").get_json(force=True).get("total") == 0
