"""The server itself: it runs, says what it is, and can be emptied."""

from __future__ import annotations

import requests


def test_it_is_the_version_that_the_recipe_speaks_of(hapi: str) -> None:
    statement = requests.get(f"{hapi}/metadata", timeout=60).json()
    assert statement["software"]["version"] == "8.8.0"
    assert statement["fhirVersion"] == "4.0.1"


def test_it_listens_on_loopback_only(hapi: str) -> None:
    assert hapi.startswith("http://127.0.0.1:")


def test_it_can_be_emptied(empty_hapi: str) -> None:
    found = requests.get(f"{empty_hapi}/Patient", headers={"Cache-Control": "no-cache"}, timeout=60).json()
    assert found["total"] == 0
