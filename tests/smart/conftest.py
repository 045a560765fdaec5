"""Authorization servers of other makes, one FHIR server behind their tokens, and an adapter that signs in there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hapi.launch import CannotBuild
from tests.smart.issuers import Issuer
from tests.smart.launch import keycloak, oidc_provider
from tests.smart.site import SignedIn
from tests.sync.daemons import free_port, running, serving, until

# Keycloak is large to fetch and slow to start: `make soak` alone asks it.
_MAKES = {"oidc-provider": oidc_provider} | (
    {"keycloak": keycloak} if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else {}
)
_SECONDS = 2


@pytest.fixture(scope="module", params=list(_MAKES))
def issuer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    """One of each make; its tokens live two seconds."""
    started = _MAKES[request.param](_SECONDS, tmp_path_factory.mktemp("issuer"))
    try:
        found = started.__enter__()
    except CannotBuild as error:
        if os.environ.get("CI"):
            pytest.fail(str(error), pytrace=False)
        pytest.skip(str(error))
    yield found
    started.__exit__(None, None, None)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The FHIR server behind the guard: a second adapter's face."""
    folder, port = tmp_path_factory.mktemp("upstream"), free_port()
    database = {"CAREPLAN_DATABASE_URL": f"sqlite:///{folder / 'other.db'}"}
    with running("serve", "--port", str(port), folder=folder, **database):
        until(lambda: serving(port), 30, "the other side did not start")
        yield f"http://127.0.0.1:{port}/fhir"


@pytest.fixture
def signed_in(issuer: Issuer, upstream: str, tmp_path: Path) -> Iterator[Callable[..., SignedIn]]:
    """Makes adapters that sign in at the issuer: `signed_in(algorithm)`."""
    with ExitStack() as stack:
        yield lambda algorithm="RS384", **more: stack.enter_context(
            SignedIn.start(tmp_path / algorithm, issuer, upstream, algorithm, **more)
        )
