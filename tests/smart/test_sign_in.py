"""SMART Backend Services at authorization servers that we did not write: what they take, and what they refuse."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import requests

from adapter.errors import SettingsError, Unavailable
from adapter.exchange.smart import _FORM
from adapter.ports.ledger import STOPPED
from tests.smart.issuers import Keycloak
from tests.smart.site import SignedIn, careplan, new_key, public
from tests.sync.proxy import Asked, Proxy, answer
from tests.sync.site import bundles

Made = Callable[..., SignedIn]


class Off:
    """A clock that is wrong by so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._off = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._off

    def monotonic(self) -> float:
        return time.monotonic()


@pytest.mark.parametrize("algorithm", ["RS384", "ES384"])
def test_records_go_and_come_with_tokens_that_are_renewed_as_they_run_out(signed_in: Made, algorithm: str) -> None:
    made = signed_in(algorithm)
    site = made.site
    site.take_in(site.case())
    assert site.push().error is None
    time.sleep(made.issuer.seconds + 0.5)
    site.edit_goal_there(statusDate="2026-02-03")
    assert site.pull().error is None
    site.settled()
    assert str(site.goal()["status_date"]) == "2026-02-03"
    assert len(made.guard.bearers) >= 2
    assert "" not in made.guard.bearers, "nothing is asked without a token"


def test_a_token_that_is_taken_back_is_renewed_once(signed_in: Made) -> None:
    made = signed_in()
    site, backend = made.site, made.backend()
    site.take_in(site.case())

    def take_back(asked: Asked) -> None:
        if bundles(asked):
            made.guard.before = lambda _: None
            token = asked.headers["authorization"].removeprefix("Bearer ")
            made.issuer.revoke(token, backend._statement())

    made.guard.before = take_back
    assert site.push().error is None
    site.settled()
    assert len(made.guard.bearers) >= 2


def test_a_key_that_is_no_longer_registered_in_the_middle_of_a_push_is_no_verdict_on_a_record(signed_in: Made) -> None:
    made = signed_in()
    site, new = made.site, new_key(made.site.folder / "new.pem", "RS384")
    site.take_in(site.case())

    def rotate(asked: Asked) -> None:
        if bundles(asked):
            made.guard.before = lambda _: None
            made.issuer.rotate(made.client_id, public(site.folder, new))
            token = asked.headers["authorization"].removeprefix("Bearer ")
            made.issuer.revoke(token, made.backend(key=new)._statement())

    made.guard.before = rotate
    error = site.push().error
    assert isinstance(error, Unavailable)
    assert "invalid_client" in error.message
    links = site.links()
    assert not [link for link in links if link.state in STOPPED], "nothing counts as refused"
    assert any(link.todo for link in links), "what was to be sent waits"
    # The same process goes on with the new key: only the file is another.
    new.replace(made.key)
    assert site.push().error is None
    site.settled()


def test_both_keys_are_registered_while_one_takes_the_place_of_the_other(signed_in: Made) -> None:
    made = signed_in()
    new = new_key(made.site.folder / "new.pem", "RS384")
    made.issuer.rotate(made.client_id, public(made.site.folder, made.key, new))
    for key in (made.key, new):
        assert made.issuer.knows(made.backend(key=key).header().removeprefix("Bearer "))


@pytest.mark.parametrize("seconds", [0, -45, 15, -3600, 3600])
def test_clocks_that_differ(signed_in: Made, seconds: int) -> None:
    made = signed_in()
    backend = made.backend(Off(seconds))
    if abs(seconds) > 60 and isinstance(made.issuer, Keycloak):
        # It sends no Date by itself, as a proxy before it does.
        with pytest.raises(Unavailable, match="invalid_client") as caught:
            backend.header()
        assert "clock" in caught.value.remedy
    else:
        assert made.issuer.knows(backend.header().removeprefix("Bearer "))


def test_a_statement_serves_once(signed_in: Made) -> None:
    made = signed_in()
    statement = made.backend()._statement()
    form = {
        "grant_type": "client_credentials", "client_assertion": statement,
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    }  # fmt: skip
    found = [requests.post(made.issuer.token_url, data=form, headers=_FORM, timeout=30).status_code for _ in range(2)]
    assert found[0] == 200
    assert found[1] in {400, 401}


@pytest.mark.parametrize("wrong", ["client", "key", "algorithm", "scope", "audience"])
def test_what_is_wrong_is_said_with_what_to_do(signed_in: Made, wrong: str) -> None:
    made = signed_in()
    with Proxy(made.issuer.token_url) as elsewhere:
        other = {
            "client": {"client_id": "nobody"},
            "key": {"key": new_key(made.site.folder / "new.pem", "RS384")},
            "algorithm": {"key": new_key(made.site.folder / "new.pem", "ES384")},
            "scope": {"scope": "system/*.everything"},
            # The same server by a name that it does not know as its own.
            "audience": {"token_url": elsewhere.base},
        }[wrong]
        with pytest.raises(Unavailable) as caught:
            made.backend(**other).header()
    if wrong == "scope":
        assert "invalid_scope" in caught.value.message
        assert "--scope" in caught.value.remedy
    else:
        assert "invalid_client" in caught.value.message
        assert "server jwks" in caught.value.remedy


def test_a_server_that_is_reached_by_another_address_is_told_its_own(signed_in: Made) -> None:
    made = signed_in()
    with Proxy(made.issuer.token_url) as elsewhere:
        found = made.backend(token_url=elsewhere.base, audience=made.issuer.token_url).header()
    assert made.issuer.knows(found.removeprefix("Bearer "))


def test_a_token_endpoint_on_another_host_is_for_a_person_to_trust(signed_in: Made) -> None:
    made = signed_in()
    site, named = made.site, json.dumps({"token_endpoint": made.issuer.token_url}).encode()
    made.guard.when(lambda asked: asked.path.endswith("/.well-known/smart-configuration"), answer(200, named), times=9)
    site.take_in(site.case())
    careplan(site.folder, "server", "set", "ward", "--token-url", "")
    with pytest.raises(SettingsError, match="another host") as caught:
        site.push()
    words = caught.value.remedy.split("--token-url ")
    careplan(site.folder, "server", "set", "ward", "--token-url", words[1])
    assert site.push().error is None


def test_the_status_says_why_nothing_goes(signed_in: Made) -> None:
    made = signed_in()
    site = made.site
    site.take_in(site.case())
    careplan(site.folder, "server", "set", "ward", "--client-id", "nobody")
    assert site.push().error is not None
    assert "invalid_client" in careplan(site.folder, "status", "ward")
    careplan(site.folder, "server", "set", "ward", "--client-id", made.client_id)
    assert site.push().error is None
