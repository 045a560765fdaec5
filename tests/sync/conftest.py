"""The real HAPI server of tests/hapi, behind a proxy that breaks what it is told to break; an adapter beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hapi.conftest import _run_dir, _turn, empty_hapi, hapi
from tests.medplum.servers import medplum, medplum_transactions
from tests.sync.site import Site

__all__ = ["_run_dir", "_turn", "empty_hapi", "hapi", "medplum", "medplum_transactions"]


@pytest.fixture
def sites(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Makes adapters with a store of their own: `sites(base, **options of the server)`."""
    with ExitStack() as stack:

        def make(base: str, *, folder: str = "a", **options: object) -> Site:
            return stack.enter_context(Site.open(tmp_path / folder, base, **options))

        yield make


@pytest.fixture
def site(sites: Callable[..., Site], hapi: str) -> Site:
    """One adapter with the dual-diagnosis case in it, not sent yet."""
    made = sites(hapi)
    made.take_in(made.case())
    return made


@pytest.fixture
def pushed(site: Site) -> Site:
    """The same, sent."""
    assert site.push().error is None
    return site
