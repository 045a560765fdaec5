"""Push and pull, against a server in memory that behaves as FHIR says."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap import validator
from adapter.errors import DataError, NotFound, UnknownOutcome
from adapter.fhir_json import copy, same
from adapter.issues import Issue
from adapter.sync.run import push
from tests.unit.services.scene import NAME, Scene, scene


@pytest.fixture
def pushed(tmp_path: Path) -> Scene:
    made = scene(tmp_path)
    made.push()
    made.pull()
    return made


def states(made: Scene) -> set[str]:
    return {link.state for link in made.store.links(NAME)}


def first_goal(made: Scene) -> dict[str, Any]:
    goal = made.plan()["goals"][0]
    return made.remote("Goal", goal["id"])


def test_everything_gets_there_and_the_second_push_writes_nothing(tmp_path: Path) -> None:
    made = scene(tmp_path)
    report = made.push()
    links = list(made.store.links(NAME))
    assert report.counts()["created"] == len(links) > 10
    assert {(link.state, link.wanted == link.acked) for link in links} == {("linked", True)}
    before = made.client.writes
    assert made.push().steps == []
    assert made.client.writes == before


def test_references_point_to_what_is_there(pushed: Scene) -> None:
    goal = first_goal(pushed)
    assert pushed.client.read("Patient", goal["subject"]["reference"].rpartition("/")[2])
    plan = pushed.remote("CarePlan")
    for reference in plan["goal"]:
        assert pushed.client.read("Goal", reference["reference"].rpartition("/")[2])


def test_our_own_writes_come_back_without_effect(pushed: Scene) -> None:
    before, writes = list(pushed.store.records()), pushed.client.writes
    assert pushed.pull().steps == []
    assert same(list(pushed.store.records()), before)
    assert pushed.client.writes == writes


def test_everything_goes_through_the_gate(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.push()
    entries = sum(len(tree.get("entry", [1])) for tree in made.gated)
    assert entries >= made.client.writes > 0


def test_an_edit_there_comes_into_the_record_and_nothing_else_changes(pushed: Scene) -> None:
    before = copy(pushed.plan())
    goal = first_goal(pushed)
    goal["note"] = [*goal.get("note", []), {"text": "Well done"}]
    goal["extension"] = [*goal.get("extension", []), {"url": "http://example.org/theirs", "valueInteger": 7}]
    pushed.client.update(goal)
    assert [step.verb for step in pushed.pull().steps] == ["pulled"]
    after = pushed.plan()
    assert after["goals"][0]["notes"][-1]["text"] == "Well done"
    del after["goals"][0]["notes"]
    before["goals"][0].pop("notes", None)
    assert same(after["goals"], before["goals"])
    writes = pushed.client.writes
    assert pushed.push().steps == []
    assert pushed.client.writes == writes


def test_what_is_foreign_stays_there_when_we_write(pushed: Scene) -> None:
    goal = first_goal(pushed)
    goal["extension"] = [*goal.get("extension", []), {"url": "http://example.org/theirs", "valueInteger": 7}]
    pushed.client.update(goal)
    record = copy(pushed.plan())
    record["goals"][0]["status_reason"] = "moved house"
    pushed.write(record)
    pushed.push()
    there = first_goal(pushed)
    assert there["statusReason"] == "moved house"
    assert {"url": "http://example.org/theirs", "valueInteger": 7} in there["extension"]
    assert states(pushed) == {"linked"}


def clash(made: Scene) -> None:
    record = copy(made.plan())
    for goal in record["goals"]:
        goal["status_reason"] = "here"
    made.write(record)
    there = first_goal(made)
    there["statusReason"] = "there"
    made.client.update(there)


def test_both_sides_changed_one_element_nothing_is_overwritten(pushed: Scene) -> None:
    clash(pushed)
    pushed.push()
    assert first_goal(pushed)["statusReason"] == "there"
    assert pushed.plan()["goals"][0]["status_reason"] == "here"
    stopped = [link for link in pushed.store.links(NAME) if link.state == "conflict"]
    assert [(one.record_id, one.path) for one in pushed.store.conflicts(NAME)] == [
        (stopped[0].record_id, "Goal.statusReason")
    ]


def test_a_conflict_does_not_hold_up_its_neighbours(pushed: Scene) -> None:
    clash(pushed)
    pushed.push()
    others = [link for link in pushed.store.links(NAME) if link.state != "conflict"]
    assert all(link.wanted == link.acked and not link.lease_until for link in others)


def test_an_invalid_resource_is_set_aside_and_its_neighbours_go(tmp_path: Path) -> None:
    made = scene(tmp_path)
    made.faults["CareTeam"] = "yes"
    report = made.push()
    refused = [link for link in made.store.links(NAME) if link.state == "refused"]
    assert {link.type for link in refused} == {"CareTeam"}
    assert "made-up" in refused[0].reason
    assert report.counts()["created"] == len(list(made.store.links(NAME))) - len(refused)
    with pytest.raises(StopIteration):
        made.remote("CareTeam")


def test_what_was_found_valid_when_it_was_written_is_not_validated_once_more(tmp_path: Path) -> None:
    made = scene(tmp_path)
    plan = made.plan()
    parts = {part: {**row.tree, "language": "de"} for part, row in made.store.parts("plan", plan["id"]).items()}
    made.store.save(plan, parts, valid="by this")
    asked: list[str] = []
    partner = replace(
        made.partner(),
        validate=lambda tree: asked.append(tree["resourceType"]) or [],
        known=lambda stored: stored.valid == "by this",
    )
    push(partner)
    assert set(asked) == {one.type for one in made.links() if one.kind != "plan"}
    # What is written in another way says nothing of it.
    made.edit_goal(priority="high")
    asked.clear()
    push(partner)
    assert sorted(asked) == ["CarePlan", "Goal"]


def test_the_validator_itself_says_what_may_not_go_and_where(tmp_path: Path) -> None:
    made = scene(tmp_path)
    plan = made.plan()
    parts = {part: copy(row.tree) for part, row in made.store.parts("plan", plan["id"]).items()}
    goal = next(part for part in parts if part.startswith("Goal/"))
    parts[goal]["lifecycleStatus"] = "Secretvalue"
    made.store.save(plan, parts)
    partner = replace(made.partner(), validate=validator(without=["profiles"]).validate)
    push(partner)
    (refused,) = (link for link in made.links() if link.state == "refused")
    assert (refused.part, refused.reason) == (goal, "not valid: binding-required at Goal.lifecycleStatus")
    assert len([link for link in made.links("Goal") if link.state == "linked"]) == len(plan["goals"]) - 1
    push(partner, again=True)
    assert made.store.link(refused.key).state == "refused"  # type: ignore[union-attr]
    made.write(plan)
    push(partner)
    assert states(made) <= {"linked"}


def test_a_lost_answer_of_a_create_gives_one_resource(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = scene(tmp_path)
    send = made.client.transaction

    def lost(bundle: dict[str, Any]) -> dict[str, Any]:
        send(bundle)
        raise UnknownOutcome("The answer was lost.")

    monkeypatch.setattr(made.client, "transaction", lost)
    with pytest.raises(UnknownOutcome):
        made.push()
    monkeypatch.setattr(made.client, "transaction", send)
    made.push()
    assert len([row for page in made.client.search("Patient", {}) for row in page]) == 1
    assert states(made) == {"linked"}


def test_what_came_of_many_is_asked_in_few_requests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = scene(tmp_path)
    send, search = made.client.transaction, made.client.search
    asked: list[str] = []

    def lost(bundle: dict[str, Any]) -> dict[str, Any]:
        send(bundle)
        raise UnknownOutcome("The answer was lost.")

    def counted(type_: str, params: Any) -> Any:
        asked.append(type_)
        return search(type_, params)

    monkeypatch.setattr(made.client, "transaction", lost)
    in_flight: list[str] = []
    while len(in_flight) == len(set(in_flight)):
        with suppress(UnknownOutcome):
            made.push()
        in_flight = [link.type for link in made.store.links(NAME) if link.in_flight]
    monkeypatch.setattr(made.client, "search", counted)
    monkeypatch.setattr(made.client, "transaction", send)
    made.push()
    assert len(asked) <= len(set(in_flight))
    assert states(made) == {"linked"}


def test_a_lost_answer_of_an_update_is_found_out(pushed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    record = copy(pushed.plan())
    record["goals"][0]["status_reason"] = "moved house"
    pushed.write(record)
    send = pushed.client.transaction

    def lost(bundle: dict[str, Any]) -> dict[str, Any]:
        send(bundle)
        raise UnknownOutcome("The answer was lost.")

    monkeypatch.setattr(pushed.client, "transaction", lost)
    with pytest.raises(UnknownOutcome):
        pushed.push()
    monkeypatch.setattr(pushed.client, "transaction", send)
    writes = pushed.client.writes
    pushed.push()
    assert pushed.client.writes == writes
    assert states(pushed) == {"linked"}
    assert all(link.wanted == link.acked for link in pushed.store.links(NAME))


def test_deleted_there_is_kept_here_and_marked(pushed: Scene) -> None:
    before = pushed.plan()
    goal = first_goal(pushed)
    pushed.client.delete("Goal", goal["id"])
    assert [step.verb for step in pushed.pull().steps] == ["gone"]
    assert same(pushed.plan(), before)
    writes = pushed.client.writes
    pushed.push()
    assert pushed.client.writes == writes


def test_a_wiped_server_changes_nothing_here(pushed: Scene) -> None:
    for link in pushed.store.links(NAME):
        pushed.client.delete(link.type, link.remote_id)
    with pytest.raises(DataError):
        pushed.pull()
    assert states(pushed) == {"linked"}


def test_deleted_here_is_withdrawn_there_and_does_not_come_back(pushed: Scene) -> None:
    plan = pushed.plan()
    pushed.store.delete("plan", plan["id"])
    pushed.push()
    assert pushed.remote("CarePlan")["status"] == "revoked"
    assert {goal.resource["lifecycleStatus"] for page in pushed.client.search("Goal", {}) for goal in page} == {
        "cancelled"
    }
    pushed.pull()
    assert list(pushed.store.records("plan")) == []
    assert list(pushed.store.records("goal")) == []


def test_a_part_that_left_its_plan_is_withdrawn(pushed: Scene) -> None:
    record = copy(pushed.plan())
    goal = record["goals"].pop()
    pushed.write(record)
    pushed.push()
    assert pushed.remote("Goal", goal["id"])["lifecycleStatus"] == "cancelled"
    pushed.pull()
    assert [one["id"] for one in pushed.plan()["goals"]] == [one["id"] for one in record["goals"]]


def test_a_record_that_the_pull_cannot_hold_is_set_aside(pushed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pushed.plan()
    goal = first_goal(pushed)
    goal["note"] = [{"text": "x"}]
    pushed.client.update(goal)
    monkeypatch.setattr(
        "tests.unit.services.scene.check", lambda _: [Issue("error", "invalid", "made-up", "No.", pointer="/goals")]
    )
    assert [step.verb for step in pushed.pull().steps] == ["refused"]
    assert same(pushed.plan(), before)


def test_a_new_goal_there_about_our_patient_is_taken_over(pushed: Scene) -> None:
    goal = copy(first_goal(pushed))
    for name in ("id", "identifier", "meta", "addresses", "extension"):
        goal.pop(name, None)
    goal["description"] = {"text": "Their goal"}
    pushed.client.create(goal)
    assert [step.verb for step in pushed.pull().steps] == ["adopted"]
    (record,) = pushed.store.records("goal")
    assert record["statement"] == {"text": "Their goal"}
    assert record["patient"] == pushed.plan()["patient"]
    assert record.get("origin", "real") == "real"
    writes = pushed.client.writes
    assert pushed.push().steps == []
    assert pushed.client.writes == writes


def test_people_we_do_not_know_are_left_there(pushed: Scene) -> None:
    patient = pushed.client.create({"resourceType": "Patient", "name": [{"family": "Unknown"}]})
    reference = {"reference": f"Patient/{patient.resource['id']}"}
    pushed.client.create(
        {
            "resourceType": "Goal",
            "lifecycleStatus": "active",
            "description": {"text": "Somebody else's"},
            "subject": reference,
        }
    )
    assert pushed.pull().steps == []
    assert list(pushed.store.records("goal")) == []


def test_the_store_does_not_know_what_was_never_there(pushed: Scene) -> None:
    with pytest.raises(NotFound):
        pushed.store.record("plan", "00000000-0000-4000-8000-000000000000")


def test_a_record_that_is_restored_is_sent_again(pushed: Scene) -> None:
    plan = pushed.plan()
    pushed.store.delete("plan", plan["id"])
    pushed.push()
    pushed.write(plan)
    pushed.push()
    assert pushed.remote("CarePlan")["status"] == plan["status"]
    assert states(pushed) == {"linked"}


def test_withdrawn_here_and_then_changed_there_is_a_conflict(pushed: Scene) -> None:
    pushed.store.delete("plan", pushed.plan()["id"])
    pushed.push()
    there = pushed.remote("CarePlan")
    pushed.client.update({**there, "status": "active"})
    assert "conflict" in {step.verb for step in pushed.pull().steps}
    assert list(pushed.store.records("plan")) == []
