"""Faults 22 to 32: a server that is busy, sick, refuses, answers by halves, or with something that is no FHIR."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from adapter.services.servers import add, options_of
from tests.sync.proxy import Asked, Forward, Told, answer, changed, cut_answer, done_but
from tests.sync.site import FHIR, Site, bundles, creates, resources, together

OUTCOME = b'{"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "processing"}]}'
Sites = Callable[..., Site]


@pytest.mark.parametrize("wait", ["7", "date", "", "36000"])
def test_fault_22_a_server_that_asks_for_time_gets_it(site: Site, wait: str) -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    headers = {"Retry_After": soon if wait == "date" else wait} if wait else {}
    site.proxy.when(lambda _: True, answer(429, OUTCOME, **headers), times=1)
    began = time.monotonic()
    assert site.push().error is not None
    assert time.monotonic() - began < 5, "nobody waits for it"
    site.proxy.asked.clear()
    assert site.push(hurry=False).report.steps == []
    assert site.proxy.asked == [], "it is left alone until then"


def test_fault_23_a_storm_of_5xx_opens_the_circuit_and_others_go_on(sites: Sites, hapi: str) -> None:
    site = sites(hapi)
    site.take_in(site.case())
    add(site.services.store(), "well", hapi, options=options_of())
    site.proxy.when(lambda _: True, answer(503, b"<html>busy</html>", kind="text/html"), times=1000)
    for _ in range(4):
        assert site.push().error is not None
    assert len(site.proxy.asked) < 12, "it is spared"
    with site.services.partner("well") as partner:
        from adapter.services.exchange import exchange

        assert exchange(partner, "push").error is None
    site.proxy.calm()
    state = site.services.store().state("ward")
    assert (state.failures > 0, state.not_before != "") == (True, True)


def test_fault_24_a_limit_of_entries_is_found_and_kept(site: Site) -> None:
    def five(asked: Asked, forward: Forward) -> Told:
        return forward() if len(resources(asked)) <= 5 else Told(413, OUTCOME, FHIR)

    site.proxy.when(bundles, five, times=1000)
    assert site.push().error is None
    site.settled()


def test_fault_25_one_bad_in_a_hundred(site: Site) -> None:
    bad = site.record("diagnosis")["id"]

    def strict(asked: Asked, forward: Forward) -> Told:
        conditions = [one for one in resources(asked) if one["resourceType"] == "Condition"]
        own = [one["value"] for tree in conditions for one in tree["identifier"]]
        return Told(422, OUTCOME, FHIR) if bad in own else forward()

    site.proxy.when(creates, strict, times=1000)
    site.push()
    states = {link.record_id: link.state for link in site.links("Condition")}
    assert states.pop(bad) == "refused"
    assert set(states.values()) == {"linked"}
    assert {link.state for link in site.links("Patient")} == {"linked"}


def test_fault_26_a_batch_response_with_an_entry_too_few(site: Site) -> None:
    def short(body: bytes) -> bytes:
        tree = json.loads(body)
        tree["entry"] = tree["entry"][:-1]
        return json.dumps(tree).encode()

    site.proxy.when(together, changed(short))
    site.push()
    assert site.push().error is None
    site.settled()


@pytest.mark.parametrize(
    "fault",
    [cut_answer, done_but(200, b"<html>welcome</html>"), done_but(200, OUTCOME, kind="application/fhir+json")],
    ids=["27-cut-short", "28-html", "28-outcome"],
)
def test_faults_27_and_28_an_answer_that_is_none(site: Site, fault: Any) -> None:
    site.proxy.when(creates, fault)
    site.push()
    assert site.push().error is None
    site.settled()


def test_fault_29_a_server_that_drips(sites: Sites, hapi: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAREPLAN_HTTP_SECONDS", "1.5")
    site = sites(hapi)
    site.take_in(site.case())

    def drip(_: Asked, forward: Forward) -> Told:
        told = forward()
        return Told(told.status, told.body, told.headers, drip=0.05)

    site.proxy.when(lambda asked: asked.path.endswith("/metadata"), drip)
    began = time.monotonic()
    assert site.push().error is not None
    assert time.monotonic() - began < 10


def test_fault_31_a_server_that_does_not_let_us_is_paused_and_said(site: Site) -> None:
    site.proxy.when(creates, answer(403, OUTCOME))
    assert site.push().error is not None
    assert "403" in site.services.store().server("ward").paused
    site.proxy.asked.clear()
    assert site.push().error is not None
    assert site.proxy.asked == []


def test_fault_31_a_public_server_that_wants_no_credentials_says_so_in_its_own_code(site: Site) -> None:
    outcome = OUTCOME.replace(b'"processing"', b'"processing", "diagnostics": "HAPI-1979: not welcome"')
    site.proxy.when(creates, answer(403, outcome))
    error = site.push().error
    assert "does not let us" in str(error)
