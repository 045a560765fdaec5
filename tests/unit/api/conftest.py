from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from adapter.api import create_app
from adapter.bootstrap import Services
from adapter.fhir_json import Bounds
from adapter.services.face import Face

_spec = importlib.util.spec_from_file_location("tests_api_memory", Path(__file__).with_name("memory.py"))
assert _spec is not None
assert _spec.loader is not None
memory = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(memory)


class InMemory(Services):
    """The services over resources in memory."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: Any = memory.Memory()

    def face(self) -> Face:
        return Face(self.rows, self.checker().resource)

    def release(self, tree: dict[str, Any], peer: str) -> dict[str, Any]:
        return tree

    def ready(self) -> None:
        return


@pytest.fixture
def services() -> InMemory:
    return InMemory()


@pytest.fixture
def client(services: InMemory) -> FlaskClient:
    return create_app(services, bounds=Bounds(size=200_000)).test_client()
