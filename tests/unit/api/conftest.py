from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from adapter.api import create_app
from adapter.bootstrap import Services
from adapter.fhir_json import Bounds


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    with Services(url=f"sqlite:///{tmp_path}/store.db") as made:
        yield made


@pytest.fixture
def client(services: Services) -> FlaskClient:
    return create_app(services, bounds=Bounds(size=200_000)).test_client()
