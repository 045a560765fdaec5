"""Faults 12 to 18 and 21: edits and deletes on both sides, clocks that are off, stamps that are equal or late."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import requests

from adapter.fhir_json import loads
from tests.sync.proxy import Asked, Forward, Told, changed
from tests.sync.site import FHIR, Site, looks, pages

ACHIEVED = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/goal-achievement", "code": "achieved"}]}


class Shifted:
    """This machine's clock, so many hours off."""

    def __init__(self, hours: float) -> None:
        self._by = timedelta(hours=hours)

    def now(self) -> datetime:
        return datetime.now(UTC) + self._by

    def monotonic(self) -> float:
        return self.now().timestamp()


def test_fault_12_edits_of_different_elements_are_both_kept(pushed: Site) -> None:
    pushed.edit_goal(statement={"text": "Ours"})
    pushed.edit_goal_there(achievementStatus=ACHIEVED)
    assert pushed.run("both").error is None
    there = pushed.there("Goal", pushed.goal()["id"])
    assert (there["description"]["text"], there["achievementStatus"]) == ("Ours", ACHIEVED)
    assert pushed.goal()["achievement"]["code"] == "achieved"
    pushed.settled()


def test_fault_13_edits_of_one_element_are_a_conflict_and_both_stay(pushed: Site) -> None:
    pushed.edit_goal(statement={"text": "Ours"})
    pushed.edit_goal_there(description={"text": "Theirs"})
    pushed.run("both")
    (conflict,) = pushed.services.store().conflicts()
    assert ("Ours" in str(conflict.ours), "Theirs" in str(conflict.theirs)) == (True, True)
    assert pushed.there("Goal", pushed.goal()["id"])["description"]["text"] == "Theirs"
    assert pushed.goal()["statement"]["text"] == "Ours"


def test_fault_14_edited_here_deleted_there(pushed: Site) -> None:
    goal = pushed.there("Goal", pushed.goal()["id"])
    plan = pushed.there("CarePlan", pushed.record("plan")["id"])
    plan["goal"] = [one for one in plan["goal"] if one["reference"] != f"Goal/{goal['id']}"]
    pushed.put_there(plan)
    unlink(pushed, goal["id"])
    pushed.delete_there(goal)
    pushed.edit_goal(status_reason="still ours")
    pushed.run("both")
    pushed.run("both")
    assert any(link.state in ("conflict", "gone") for link in pushed.links("Goal"))
    kept = [str(one.ours) for one in pushed.services.store().conflicts()]
    kept += [str(one) for kind in ("plan", "goal") for one in pushed.services.store().records(kind)]
    assert any("still ours" in one for one in kept), "in a record, or in an open conflict"


def unlink(site: Site, goal: str) -> None:
    """Takes every reference to a goal away there, so that HAPI lets it be deleted."""
    for type_ in ("ServiceRequest", "MedicationRequest"):
        found = requests.get(
            f"{site.base}/{type_}?_count=500", headers={"Cache-Control": "no-cache"}, timeout=60
        ).json()
        for entry in found.get("entry", []):
            text = json.dumps(entry["resource"])
            if f'"Goal/{goal}"' in text:
                tree = entry["resource"]
                tree["extension"] = [
                    one for one in tree.get("extension", []) if f'"Goal/{goal}"' not in json.dumps(one)
                ]
                site.put_there({key: value for key, value in tree.items() if key != "extension" or value})


def test_fault_15_deleted_here_edited_there(pushed: Site) -> None:
    plan = pushed.record("plan")
    pushed.put_there({**pushed.there("CarePlan", plan["id"]), "title": "Edited there"})
    pushed.services.delete("plan", plan["id"])
    pushed.run("both")
    assert pushed.there("CarePlan", plan["id"])["status"] != "revoked", "their edit is not overrun"
    assert pushed.services.store().conflicts()


@pytest.mark.parametrize("hours", [-1.0, 1.0])
def test_fault_16_a_clock_that_is_an_hour_off(site: Site, hours: float) -> None:
    site.clock = Shifted(hours)
    assert site.push().error is None
    assert site.pull().error is None
    site.edit_goal_there(achievementStatus=ACHIEVED)
    site.edit_goal(statement={"text": "Ours"})
    assert site.run("both").error is None
    assert site.goal()["achievement"]["code"] == "achieved"
    site.settled()


def test_fault_17_a_thousand_equal_stamps(pushed: Site) -> None:
    """HAPI stamps all resources of a transaction alike."""
    pushed.pull()
    patient = next(link.remote_id for link in pushed.links("Patient"))
    entries = [
        {
            "resource": {
                "resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": f"Goal {number}"},
                "subject": {"reference": f"Patient/{patient}"},
            },
            "request": {"method": "POST", "url": "Goal"},
        }
        for number in range(1000)
    ]  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    assert requests.post(pushed.base, data=json.dumps(bundle), headers=FHIR, timeout=120).ok
    assert pushed.pull().error is None
    texts = {record["statement"]["text"] for record in pushed.services.store().records("goal")}
    assert texts == {f"Goal {number}" for number in range(1000)}


def test_fault_18_what_was_committed_late_is_caught_by_the_overlap(pushed: Site) -> None:
    pushed.pull()
    goal = pushed.there("Goal", pushed.goal()["id"])
    pushed.put_there({**goal, "achievementStatus": ACHIEVED})

    def not_visible_yet(body: bytes) -> bytes:
        tree = json.loads(body)
        if "entry" not in tree:
            return body
        tree["entry"] = [row for row in tree["entry"] if row.get("resource", {}).get("id") != goal["id"]]
        return json.dumps(tree).encode()

    pushed.proxy.when(lambda asked: asked.method == "GET", changed(not_visible_yet), times=1000)
    pushed.pull()
    pushed.proxy.calm()
    assert "achievement" not in pushed.goal() or pushed.goal()["achievement"]["code"] != "achieved"
    pushed.pull()
    assert pushed.goal()["achievement"]["code"] == "achieved"


def test_fault_21_a_change_while_paging(pushed: Site) -> None:
    pushed.pull()
    goal = pushed.there("Goal", pushed.goal()["id"])
    pushed.put_there({**goal, "achievementStatus": ACHIEVED})

    def edited(asked: Asked, forward: Forward) -> Told:
        told = forward()
        pushed.put_there({**goal, "achievementStatus": ACHIEVED, "note": [{"text": "newest"}]})
        return told

    pushed.proxy.when(looks("Goal"), edited)
    pushed.pull()
    pushed.pull()
    assert pushed.goal()["notes"][-1]["text"] == "newest"
    pushed.settled()


def test_faults_19_and_20_a_page_that_expired_and_one_that_runs_in_a_circle(pushed: Site) -> None:
    pushed.pull()
    mark = pushed.services.store().watermark("ward", "Goal")
    for goal in pushed.record("plan")["goals"]:
        tree = pushed.there("Goal", goal["id"])
        pushed.put_there({**tree, "note": [{"text": "seen"}]})

    def circle(body: bytes) -> bytes:
        tree = loads(body)
        own = next(link["url"] for link in tree["link"] if link["relation"] == "self")
        tree["link"] = [{"relation": "self", "url": own}, {"relation": "next", "url": own}]
        return json.dumps(tree, default=str).encode()

    pushed.proxy.when(looks("Goal"), changed(circle), times=1000)
    assert pushed.pull().error is not None
    pushed.proxy.calm()
    assert pushed.services.store().watermark("ward", "Goal") == mark, "the watermark did not move"

    def expired(_: Asked, __: Forward) -> Told:
        return Told(410, b'{"resourceType": "OperationOutcome", "issue": []}', FHIR)

    def two_pages(body: bytes) -> bytes:
        tree = json.loads(body)
        tree["link"].append({"relation": "next", "url": f"{pushed.proxy.base}?_getpages={uuid4()}"})
        return json.dumps(tree).encode()

    pushed.proxy.when(looks("Goal"), changed(two_pages), times=1)
    pushed.proxy.when(pages, expired, times=1)
    pushed.pull()
    pushed.proxy.calm()
    assert pushed.pull().error is None
    assert {one["notes"][-1]["text"] for one in pushed.record("plan")["goals"]} == {"seen"}
