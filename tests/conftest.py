"""What holds for every test: how long Hypothesis looks, and that nothing is skipped where CI is set."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.sync.daemons import Missing, postgresql

ROOT = Path(__file__).resolve().parent.parent
SETTINGS_PREFIX = "CAREPLAN_"

settings.register_profile("default", deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", parent=settings.get_profile("default"), max_examples=5_000)
settings.register_profile(
    "mutants", parent=settings.get_profile("default"), max_examples=3, derandomize=True, database=None
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The shared corpus of FHIR resources, which lies beside the checkout."""
    place = ROOT.parent / "shared" / "corpus"
    if not place.is_dir():
        pytest.skip("the shared corpus is not beside this checkout (../shared/corpus)")
    return place


@pytest.fixture(scope="session")
def _cluster() -> Iterator[str]:
    try:
        with postgresql() as url:
            yield url
    except Missing as missing:
        pytest.skip(f"{missing} is not on this machine")


@pytest.fixture
def cluster(_cluster: str) -> str:
    """The URL of a PostgreSQL with nothing in it; where there is none, its half of the tests is skipped."""
    from sqlalchemy import text

    from adapter.store.database import open_engine

    engine = open_engine(_cluster)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return _cluster


@pytest.fixture(autouse=True)
def _settings_of_the_machine_stay_out(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(SETTINGS_PREFIX)]:
        monkeypatch.delenv(name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that is skipped where CI is set has failed: there, a part that cannot run is a fault."""
    report = yield
    if report.skipped and not hasattr(report, "wasxfail"):
        _fail_in_ci(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: Any) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole module."""
    report = yield
    if report.skipped:
        _fail_in_ci(report)
    return report


def _fail_in_ci(report: pytest.TestReport | pytest.CollectReport) -> None:
    if os.environ.get("CI"):
        why = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = f"{why}\nNothing may be skipped where CI is set."
