"""The whole way with a server of another make: what we took for the standard, and was HAPI's habit, shows here."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from adapter.identity import IDENTIFIER_SYSTEM
from tests.medplum import launch
from tests.sync.site import NAME, Site

Sites = Callable[..., Site]
Tree = dict[str, Any]


# Where it makes a difference whether transactions are done as batches.
EITHER = pytest.mark.parametrize("base", ["medplum", "medplum_transactions"], indirect=True)


@pytest.fixture
def base(request: pytest.FixtureRequest) -> str:
    """The server, or the one that is asked for."""
    return str(request.getfixturevalue(getattr(request, "param", "medplum")))


@pytest.fixture
def pushed(sites: Sites, base: str) -> Site:
    """The case, sent."""
    made = sites(base)
    made.take_in(made.case())
    ran = made.push()
    assert ran.error is None
    assert set(ran.report.counts()) == {"created"}
    made.settled()
    return made


def post(base: str, tree: Tree) -> Tree:
    answer = requests.post(f"{base}/{tree['resourceType']}", json=tree, timeout=30)
    assert answer.status_code == 201
    return answer.json()  # type: ignore[no-any-return]


def named(node: Any) -> Iterator[str]:
    """Every reference to something on the same server."""
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from named(value)
    literal = node.get("reference") if isinstance(node, dict) else None
    if isinstance(literal, str) and "/" in literal and "//" not in literal:
        yield literal


def dangling(site: Site) -> list[str]:
    """I4: what is named there by what is linked, and is not there."""
    links = [link for link in site.links() if link.remote_id]
    trees = [requests.get(f"{site.base}/{link.type}/{link.remote_id}", timeout=30).json() for link in links]
    wanted = {literal for tree in trees for literal in named(tree)}
    return [
        literal for literal in sorted(wanted) if requests.get(f"{site.base}/{literal}", timeout=30).status_code != 200
    ]


def test_digits_that_the_server_drops_are_kept_here(pushed: Site) -> None:
    def hours() -> Tree:
        return pushed.record("plan")["goals"][2]  # type: ignore[no-any-return]

    there = pushed.there("Goal", hours()["id"])
    assert there["target"][0]["detailQuantity"]["value"] == 18.5
    pushed.put_there({**there, "note": [{"text": "Theirs"}]})
    pushed.edit("plan", lambda plan: plan["goals"][2].update(status_reason="ours"))
    assert pushed.run("both").error is None
    pushed.settled()
    assert str(hours()["target"][0]["detail"]["quantity"]["value"]) == "18.50"
    assert hours()["notes"][-1]["text"] == "Theirs"


def test_what_is_new_there_about_our_patient_becomes_ours(pushed: Site) -> None:
    patient = next(link.remote_id for link in pushed.links("Patient"))
    active = {"system": "http://terminology.hl7.org/CodeSystem/condition-clinical", "code": "active"}
    condition = {
        "resourceType": "Condition", "subject": {"reference": f"Patient/{patient}"}, "clinicalStatus": {"coding": [active]},
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": "35489007"}]},
    }  # fmt: skip
    new = post(pushed.base, condition)
    assert [step.verb for step in pushed.pull().report.steps] == ["adopted"]
    assert new["id"] in {link.remote_id for link in pushed.links("Condition")}
    pushed.settled()


@EITHER
def test_edited_here_deleted_there_is_a_conflict_with_a_push_alone(pushed: Site) -> None:
    goal = pushed.there("Goal", pushed.goal()["id"])
    pushed.delete_there(goal)
    pushed.edit_goal(status_reason="still ours")
    assert pushed.push().error is None
    (link,) = [link for link in pushed.links("Goal") if link.remote_id == goal["id"]]
    assert (link.state, link.reason) == ("conflict", "changed here, deleted there")
    (conflict,) = pushed.services.store().conflicts()
    assert "still ours" in str(conflict.ours)
    pushed.services.desk().resolve(conflict.number, "ours", by="R. Weber")
    for _ in range(2):
        assert pushed.run("both").error is None
    assert pushed.there("Goal", pushed.goal()["id"])["statusReason"] == "still ours"
    assert dangling(pushed) == []
    pushed.settled()


def test_deleted_there_is_found_without_a_history_and_kept_here(pushed: Site) -> None:
    plan = pushed.record("plan")
    pushed.delete_there(pushed.there("CarePlan", plan["id"]))
    state = pushed.services.store().state(NAME)
    pushed.services.store().note(NAME, last_sweep="2020-01-01T00:00:00.000Z")
    assert state.facts["history_type"] == []
    assert [step.verb for step in pushed.run("both").report.steps] == ["gone"]
    assert pushed.record("plan")["title"] == plan["title"]
    assert pushed.run("both").report.steps == []


def test_removed_here_is_removed_there(sites: Sites, base: str) -> None:
    made = sites(base, removal="delete")
    made.take_in(made.case())
    assert made.push().error is None
    plan = made.record("plan")["id"]
    made.services.delete("plan", plan)
    for _ in range(2):
        ran = made.run("both")
        assert ran.error is None
    assert made.found("CarePlan", plan) == []
    assert made.run("both").report.steps == []


@EITHER
def test_several_there_with_the_identifier_of_one_goal_hold_up_that_goal_alone(sites: Sites, base: str) -> None:
    made = sites(base)
    case = made.case()
    made.take_in(case)
    goal = next(record for record in case if record["kind"] == "plan")["goals"][0]["id"]
    for _ in range(2):
        post(base, {"resourceType": "Goal", "identifier": [{"system": IDENTIFIER_SYSTEM, "value": goal}]})
    for _ in range(2):
        assert made.run("both").error is None
    (aside,) = [link for link in made.links() if link.state == "quarantine"]
    assert (aside.part, aside.reason) == (f"Goal/{goal}", "several resources there bear our identifier")
    assert dangling(made) == []
    waiting = {link.state for link in made.links()} - {"linked", "quarantine"}
    # What was done of a transaction that was refused names what never came: a person is asked, and nothing is lost.
    assert waiting <= {"conflict"}
    assert not waiting or made.services.store().conflicts()


def test_more_than_a_page_comes_in_whole(pushed: Site, sites: Sites, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("pull", "beginning"):
        monkeypatch.setattr(f"adapter.sync.{name}.COUNT", "2")
    other = sites(pushed.base, folder="b", patients="all", direction="pull")
    ran = other.pull()
    assert ran.error is None, ran.error
    # A score comes with its assessment, and not by itself.
    sent = {link.remote for link in pushed.links() if link.type != "Observation"}
    assert sent <= {link.remote for link in other.links()}
    before = other.record("plan")
    assert other.pull().report.steps == []
    assert other.record("plan") == before


def test_the_commands_of_a_person(tmp_path: Path, medplum: str) -> None:
    environment = {**os.environ, "CAREPLAN_DATABASE_URL": f"sqlite:///{tmp_path}/store.db"}

    def careplan(*words: str) -> str:
        command = [sys.executable, "-m", "adapter.cli", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    (tmp_path / "records.json").write_text(json.dumps(Site.case(), default=float), "utf-8")
    careplan("server", "add", "ward", medplum)
    careplan("records", "import", str(tmp_path / "records.json"))
    assert {step["result"] for step in json.loads(careplan("push", "ward", "--json"))} == {"created"}
    assert json.loads(careplan("sync", "ward", "--json")) == []


def test_the_server_ends_when_the_one_who_started_it_is_killed() -> None:
    command = [sys.executable, "-m", "tests.medplum.launch"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=launch.HERE.parents[1]) as starter:
        assert starter.stdout is not None
        base = starter.stdout.readline().split()[1]
        assert requests.get(f"{base}/metadata", timeout=30).ok
        starter.kill()
    for _ in range(100):
        try:
            requests.get(f"{base}/metadata", timeout=1)
        except requests.RequestException:
            return
    pytest.fail("it runs on without the one who started it")
