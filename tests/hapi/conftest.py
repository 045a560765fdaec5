"""One real HAPI server for a test run, whatever the number of test processes.

Tests share its data: make what you write your own with the fixture `tag`. A test that must see an empty server asks for
`empty_hapi`. Where `CI` is set, a server that cannot run fails the tests; elsewhere they are skipped, saying why.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import requests

from . import launch


def unable(name: str, why: str) -> NoReturn:
    """Where `CI` is set a failure, elsewhere a reason to skip."""
    if os.environ.get("CI"):
        pytest.fail(f"The {name} server cannot run here: {why}", pytrace=False)
    pytest.skip(f"The {name} server cannot run here: {why}")


@pytest.fixture(scope="session")
def _run_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.getbasetemp()
    # With pytest-xdist each worker has a folder below the one of the run.
    return base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base


@pytest.fixture(scope="session")
def hapi(_run_dir: Path) -> Iterator[str]:
    """Base URL of the server; the first process that asks starts it, and ends it when the last has finished."""
    if why := launch.missing_tools():
        unable("HAPI", why)
    note, server = _run_dir / "hapi.url", None
    with (_run_dir / "hapi-users.lock").open("a") as users:
        with launch.locked(_run_dir / "hapi-start.lock"):
            if not note.exists():
                try:
                    server = launch.start()
                except launch.CannotBuild as error:
                    unable("HAPI", str(error))
                note.write_text(server.base)
            launch.fcntl.flock(users, launch.fcntl.LOCK_SH)
        yield note.read_text()
        launch.fcntl.flock(users, launch.fcntl.LOCK_UN)
    if server is not None:
        with launch.locked(_run_dir / "hapi-start.lock"), launch.locked(_run_dir / "hapi-users.lock"):
            note.unlink()
            server.stop()


@pytest.fixture(autouse=True)
def _turn(request: pytest.FixtureRequest, _run_dir: Path) -> Iterator[None]:
    """Tests that empty the server run alone, the others beside each other."""
    alone = "empty_hapi" in request.fixturenames
    with launch.locked(_run_dir / "hapi-data.lock", shared=not alone):
        yield


@pytest.fixture
def empty_hapi(hapi: str) -> str:
    """Base URL of the server with nothing on it."""
    everything = {"name": "expungeEverything", "valueBoolean": True}
    answer = requests.post(
        f"{hapi}/$expunge", json={"resourceType": "Parameters", "parameter": [everything]}, timeout=60
    )
    assert answer.status_code == 200, answer.text
    return hapi


@pytest.fixture
def tag() -> str:
    """A word no other test uses: identifier value, family name, tag code."""
    return uuid.uuid4().hex


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything below this folder is marked `hapi`."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.hapi)
