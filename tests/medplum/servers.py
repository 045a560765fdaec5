"""One server of Medplum's make for each process of a test run, started when it is first asked for.

Tests share its data: make what you write your own with the fixture `tag`, or with the case's own ids.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hapi.conftest import unable
from tests.medplum import launch


def _served(**options: str) -> Iterator[str]:
    try:
        server = launch.start(options)
    except launch.CannotBuild as error:
        unable("Medplum", str(error))
    yield server.base
    server.stop()


@pytest.fixture(scope="session")
def medplum() -> Iterator[str]:
    """Base URL: a Bundle of type transaction is done as a batch, as where a project of Medplum's has no transactions."""
    yield from _served()


@pytest.fixture(scope="session")
def medplum_transactions() -> Iterator[str]:
    """Base URL: a transaction is refused for what is wrong in it, but nothing that it did before is taken back."""
    yield from _served(TRANSACTIONS="on")
