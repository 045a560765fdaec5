"""Faults 1 to 11 and 39: killed at every point, answers lost, two adapters at once. https://hl7.org/fhir/R4/http.html"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.sync.proxy import late, lost_answer, lost_request, slow
from tests.sync.site import Site, bundles, creates, updates

Sites = Callable[..., Site]


@pytest.mark.parametrize("point", ["leased", "in flight", "answered"])
def test_faults_1_to_4_killed_at_a_point_and_started_again(site: Site, point: str) -> None:
    """Every point, and updates too, with a second adapter as the server: test_kills.py."""
    site.killed("push", point)
    # The lease of who was killed runs out.
    time.sleep(1.1)
    assert site.push().error is None
    site.settled()


def test_fault_3_killed_while_the_server_was_writing(site: Site) -> None:
    site.proxy.when(creates, slow(3.0))
    process = site.start("push")
    while not [one for one in site.proxy.asked if creates(one)]:
        time.sleep(0.05)
    process.kill()
    process.wait(20)
    time.sleep(3.5)
    assert site.push().error is None
    site.settled()


def test_fault_5_killed_in_the_middle_of_a_page(pushed: Site) -> None:
    pushed.settled()
    pushed.edit_goal_there(note=[{"text": "seen again"}])
    pushed.killed("pull", "page")
    time.sleep(1.1)
    assert pushed.pull().error is None
    assert pushed.goal()["notes"][-1]["text"] == "seen again"
    pushed.settled()


@pytest.mark.parametrize("fault", [lost_answer, lost_request], ids=["answer", "request"])
def test_fault_6_a_create_without_an_answer(site: Site, fault: Callable[..., None]) -> None:
    site.proxy.when(creates, fault)
    site.push()
    assert site.push().error is None
    site.settled()


def test_fault_7_an_update_without_an_answer(pushed: Site) -> None:
    pushed.edit_goal(statement={"text": "Stay well"})
    pushed.proxy.when(updates, lost_answer)
    pushed.push()
    version = pushed.there("Goal", pushed.goal()["id"])["meta"]["versionId"]
    assert pushed.push().error is None
    assert pushed.there("Goal", pushed.goal()["id"])["meta"]["versionId"] == version, (
        "it was acknowledged, not sent again"
    )
    pushed.settled()


def test_fault_8_a_delete_without_an_answer(sites: Sites, hapi: str) -> None:
    site = sites(hapi, removal="delete")
    site.take_in(site.case())
    assert site.push().error is None
    plan = site.record("plan")
    site.services.delete("plan", plan["id"])
    site.proxy.when(lambda asked: asked.method == "DELETE", lost_answer)
    site.push()
    assert site.push().error is None
    assert site.found("CarePlan", plan["id"]) == []
    assert {link.state for link in site.links("CarePlan")} == {"closed"}


def test_fault_9_the_server_commits_after_we_looked(site: Site) -> None:
    plan = site.record("plan")
    site.proxy.when(creates, late(1.0), times=50)
    site.push()
    site.proxy.calm()
    site.push()
    time.sleep(1.5)
    site.push()
    site.pull()
    found = site.found("CarePlan", plan["id"])
    states = {link.state for link in site.links("CarePlan")}
    assert len(found) == 1 or states == {"quarantine"}


def test_fault_10_two_processes_on_one_store(site: Site) -> None:
    site.proxy.when(bundles, slow(0.2), times=50)
    both = [site.start("push"), site.start("push")]
    ends = [process.communicate(timeout=90) for process in both]
    assert [process.returncode for process in both] == [0, 0], ends
    site.settled()


def test_fault_10_who_lost_the_lease_records_nothing(site: Site) -> None:
    seen: list[str] = []

    def meanwhile(here: str) -> None:
        if here == "answered" and not seen:
            seen.append(here)
            # Another process takes the work over: the fence moves on.
            with site.services.store().engine.begin() as connection:
                connection.exec_driver_sql("UPDATE link SET fence = fence + 1, lease_until = ''")

    site.push(point=meanwhile)
    assert seen
    assert site.push().error is None
    site.settled()


def test_fault_11_two_adapters_with_a_store_each(sites: Sites, hapi: str) -> None:
    one, other = sites(hapi, folder="a"), sites(hapi, folder="b")
    records = one.case()
    for site in (one, other):
        site.take_in(records)
        assert site.push().error is None
    plan = one.record("plan")
    assert len(one.found("CarePlan", plan["id"])) == 1
    one.edit_goal(statement={"text": "Of the one"})
    other.edit_goal(statement={"text": "Of the other"})
    assert one.push().error is None
    other.push()
    other.pull()
    assert other.there("Goal", other.goal()["id"])["description"]["text"] == "Of the one"
    assert len(other.services.store().conflicts()) == 1, "the second sees that it was not the first"


def test_fault_39_the_disk_is_full_while_recording(site: Site) -> None:
    process = site.start("push", "disk full")
    _, told = process.communicate(timeout=60)
    assert process.returncode == 3, told
    assert b"Traceback" not in told
    time.sleep(1.1)
    assert site.push().error is None
    site.settled()
