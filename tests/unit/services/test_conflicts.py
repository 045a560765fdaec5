"""Conflicts: told in the record's own words, decided by element, by policy or by a person, and never forgotten."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter.bootstrap import validator
from adapter.errors import Conflict, DataError, Unavailable, UsageError
from adapter.fhir_json import copy, same
from adapter.ports import Options
from adapter.records.kinds import content_of
from adapter.services.exchange import exchange
from adapter.services.history import bring_back, found, history
from tests.unit.services.scene import NAME, Scene, check, load, scene


@pytest.fixture
def pushed(tmp_path: Path) -> Scene:
    made = scene(tmp_path)
    made.push()
    made.pull()
    return made


@pytest.fixture
def clashing(pushed: Scene) -> Scene:
    pushed.edit_goal(status_reason="here", statement={"text": "Ours"})
    pushed.edit_there(statusReason="there", description={"text": "Theirs"})
    pushed.push()
    return pushed


def numbers(made: Scene) -> dict[str, int]:
    return {one.path: one.number for one in made.store.conflicts(NAME)}


def test_a_deletion_stands_in_the_history_with_who_it_was_and_what_comes_back_is_of_the_same_origin(
    pushed: Scene,
) -> None:
    record = {**pushed.plan(), "origin": "synthetic"}
    (name,) = [one["id"] for one in pushed.store.records("plan")]
    pushed.store.delete("plan", name, recorded_by="R. Weber")
    rows = history(pushed.store, "plan", name)
    assert [(row["deleted"], row["by"]) for row in rows if row["what"] == "revision"] == [
        (False, ""),
        (True, "R. Weber"),
    ]
    back = bring_back(pushed.store, load("core"), check, "plan", name, 1)
    assert back.get("origin") == record["origin"] == "synthetic"
    assert "deleted" not in back
    assert history(pushed.store, "plan", name)[-1]["what"] in ("back", "revision")


@pytest.mark.parametrize("value", [17, {"text": "x"}, ["x"], ""])
def test_a_value_that_is_none_for_its_element_decides_nothing(
    clashing: Scene, monkeypatch: pytest.MonkeyPatch, value: Any
) -> None:
    before = numbers(clashing)
    desk = replace(clashing.desk(), validate=validator(without=["profiles"]).validate)
    with pytest.raises(DataError) as caught:
        desk.resolve(before["Goal.statusReason"], "merged", value)
    assert any(issue.is_error for issue in caught.value.issues)
    assert numbers(clashing) == before
    assert [one for one in clashing.store.entries("plan", clashing.plan()["id"]) if one.verb == "decided"] == []


def test_decisions_that_cannot_be_carried_out_are_to_be_made_again(
    clashing: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = numbers(clashing)
    desk = clashing.desk()

    def full(*_: object) -> None:
        raise Unavailable("The disk is full.")

    *first, last = before.values()
    for number in first:
        desk.resolve(number, "ours")
    with pytest.raises(Unavailable):
        replace(desk, carry_out=full).resolve(last, "ours")
    assert {one.path: one.number for one in desk.listed()} == before
    for number in before.values():
        desk.resolve(number, "ours")
    assert desk.listed() == []
    assert clashing.plan()["goals"][0]["status_reason"] == "here"


def test_decisions_of_a_process_that_was_killed_are_listed_and_carried_out(clashing: Scene) -> None:
    before = numbers(clashing)
    for one in clashing.store.conflicts(NAME):
        clashing.store.decide([replace(one, state="decided", taken="ours", value=one.ours)])
    listed = clashing.desk().listed(NAME)
    assert {one.path: one.number for one in listed} == before
    clashing.desk().resolve(listed[0].number, "ours")
    assert clashing.desk().listed() == []
    assert clashing.plan()["goals"][0]["status_reason"] == "here"


def test_a_number_that_stood_for_other_values_decides_nothing(clashing: Scene) -> None:
    before = numbers(clashing)
    clashing.edit_there(statusReason="there again")
    clashing.pull()
    with pytest.raises(Conflict, match="changed since"):
        clashing.desk().resolve(before["Goal.statusReason"], "theirs")
    with pytest.raises(Conflict, match="changed since"):
        clashing.desk().show(before["Goal.statusReason"])
    assert numbers(clashing)["Goal.description.text"] == before["Goal.description.text"]
    assert clashing.desk().show(numbers(clashing)["Goal.statusReason"])["theirs"] == "there again"


def test_what_became_equal_is_no_conflict_any_more(clashing: Scene) -> None:
    clashing.edit_there(statusReason="here", description={"text": "Ours"})
    assert clashing.sync().counts() == {"merged": 1}
    assert clashing.store.conflicts(NAME) == []
    assert clashing.plan()["goals"][0]["status_reason"] == "here"
    assert {(link.state, link.wanted == link.acked) for link in clashing.links()} == {("linked", True)}
    assert clashing.sync().steps == []
    verbs = [one.verb for one in clashing.store.entries("plan", clashing.plan()["id"])]
    assert verbs.count("replaced") == 1, "what they had said before stands in the journal"


def test_what_was_taken_back_there_is_no_conflict_any_more(pushed: Scene) -> None:
    before = copy(pushed.goal())
    pushed.edit_goal(status_reason="here")
    pushed.edit_there(statusReason="there")
    pushed.push()
    assert len(pushed.store.conflicts(NAME)) == 1
    now = pushed.goal()
    back = {key: value for key, value in before.items() if key != "meta"}
    pushed.client.update({**back, "id": now["id"], "meta": now["meta"]})
    pushed.sync()
    assert pushed.store.conflicts(NAME) == []
    assert pushed.goal()["statusReason"] == pushed.plan()["goals"][0]["status_reason"] == "here"
    assert pushed.sync().steps == []


def test_a_whole_that_cannot_be_written_now_decides_nothing(clashing: Scene) -> None:
    before = numbers(clashing)
    (link,) = [one for one in clashing.links("Goal") if one.state == "conflict"]
    (held,) = clashing.store.lease([link], seconds=60)
    record = copy(clashing.plan())
    record["goals"][0]["status_reason"] = "together"
    with pytest.raises(Conflict, match="at work"):
        clashing.desk().resolve(before["Goal.statusReason"], "merged", record)
    clashing.store.settle([held.replace(lease_until="")])
    assert numbers(clashing) == before
    for number in before.values():
        clashing.desk().resolve(number, "ours")
    assert clashing.plan()["goals"][0]["status_reason"] == "here"
    assert clashing.plan()["goals"][0]["statement"] == {"text": "Ours"}


def test_a_whole_that_is_not_taken_is_to_be_decided_still(clashing: Scene) -> None:
    before = numbers(clashing)

    def full(*_: object) -> None:
        raise Unavailable("The disk is full.")

    with pytest.raises(Unavailable):
        replace(clashing.desk(), carry_out=full).resolve(before["Goal.statusReason"], "merged", clashing.plan())
    assert numbers(clashing) == before
    assert clashing.desk().resolve(before["Goal.statusReason"], "merged", clashing.plan())["open"] == 0


@pytest.mark.parametrize("value", [17, "x", ["x"], None, {"text": "x"}])
def test_a_whole_is_decided_with_a_record_or_a_resource(pushed: Scene, value: Any) -> None:
    pushed.store.delete("plan", pushed.plan()["id"])
    pushed.client.update({**pushed.remote("Goal"), "statusReason": "x"})
    pushed.pull()
    number = next(one.number for one in pushed.store.conflicts(NAME) if one.path == "")
    with pytest.raises(UsageError, match="record"):
        pushed.desk().resolve(number, "merged", value)
    assert number in {one.number for one in pushed.store.conflicts(NAME)}


def test_a_policy_settles_its_elements_of_a_part_that_a_person_decides_on(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(policies={"Goal.statusReason": "theirs"}))
    made.push()
    made.pull()
    made.edit_there(statusReason="theirs", description={"text": "Theirs"})
    made.edit_goal(status_reason="ours", statement={"text": "Ours"})
    made.pull()
    (one,) = made.store.conflicts(NAME)
    assert one.path == "Goal.description.text"
    assert made.desk().resolve(one.number, "ours") == {"number": one.number, "taken": "ours", "open": 0}
    goal = made.plan()["goals"][0]
    assert (goal["statement"]["text"], goal["status_reason"]) == ("Ours", "theirs")
    assert made.store.conflicts(NAME) == []
    entries = made.store.entries("plan", made.plan()["id"])
    assert [(row.verb, row.path, row.after) for row in entries if row.verb == "policy"] == [
        ("policy", "Goal.statusReason", "theirs")
    ]
    made.push()
    assert (made.goal()["description"]["text"], made.goal()["statusReason"]) == ("Ours", "theirs")


def test_each_element_is_a_conflict_of_its_own(clashing: Scene) -> None:
    assert set(numbers(clashing)) == {"Goal.description.text", "Goal.statusReason"}
    (one, _) = sorted(clashing.store.conflicts(NAME), key=lambda row: row.path, reverse=True)
    assert (one.ours, one.theirs) == ("here", "there")
    assert min(one.ours_at, one.theirs_at)


def test_it_is_shown_as_a_field_of_the_record(clashing: Scene) -> None:
    shown = clashing.desk().show(numbers(clashing)["Goal.statusReason"])
    goal = clashing.plan()["goals"][0]["id"]
    (field,) = shown["fields"]
    before = clashing.store.revisions("plan", clashing.plan()["id"])[-1]["goals"][0].get("status_reason")
    assert field == {"field": f"goals[id={goal}].status_reason", "before": before, "ours": "here", "theirs": "there"}


def test_nothing_is_written_before_the_last_element_is_decided(clashing: Scene) -> None:
    before, writes = clashing.plan(), clashing.client.writes
    done = clashing.desk().resolve(numbers(clashing)["Goal.statusReason"], "theirs")
    assert done["open"] == 1
    clashing.sync()
    assert same(clashing.plan(), before)
    assert clashing.client.writes == writes


def test_what_is_decided_is_on_both_sides(clashing: Scene) -> None:
    desk, open_ = clashing.desk(), numbers(clashing)
    desk.resolve(open_["Goal.statusReason"], "theirs", by="R. Weber")
    desk.resolve(open_["Goal.description.text"], "ours")
    goal = clashing.plan()["goals"][0]
    assert (goal["status_reason"], goal["statement"]) == ("there", {"text": "Ours"})
    clashing.push()
    there = clashing.goal()
    assert (there["statusReason"], there["description"]["text"]) == ("there", "Ours")
    assert {link.state for link in clashing.links()} == {"linked"}
    assert clashing.store.conflicts(NAME) == []
    assert clashing.sync().steps == []


def test_a_value_of_its_own_can_stand(clashing: Scene) -> None:
    desk, open_ = clashing.desk(), numbers(clashing)
    desk.resolve(open_["Goal.statusReason"], "merged", "both")
    desk.resolve(open_["Goal.description.text"], "theirs")
    clashing.push()
    assert clashing.goal()["statusReason"] == clashing.plan()["goals"][0]["status_reason"] == "both"


def test_a_record_as_it_is_to_be_decides_all_of_its_part(clashing: Scene) -> None:
    record = copy(clashing.plan())
    record["goals"][0] |= {"status_reason": "together", "statement": {"text": "Shared"}}
    clashing.desk().resolve(numbers(clashing)["Goal.statusReason"], "merged", record)
    assert clashing.store.conflicts(NAME) == []
    clashing.push()
    assert clashing.goal()["statusReason"] == "together"
    assert clashing.plan()["goals"][0]["statement"] == {"text": "Shared"}


def test_a_record_that_is_not_the_one_is_refused(clashing: Scene) -> None:
    number = numbers(clashing)["Goal.statusReason"]
    with pytest.raises(UsageError):
        clashing.desk().resolve(number, "merged", {**clashing.plan(), "id": "another"})
    with pytest.raises(DataError):
        clashing.desk().resolve(number, "merged", {**clashing.plan(), "status": 7})
    assert len(clashing.store.conflicts(NAME)) == 2


def test_what_changed_there_meanwhile_is_what_is_decided_about(clashing: Scene) -> None:
    clashing.edit_there(statusReason="there again")
    clashing.pull()
    one = clashing.store.conflict(numbers(clashing)["Goal.statusReason"])
    assert one.theirs == "there again"
    (name,) = [one["id"] for one in clashing.store.records("plan")]
    given_up = [one.before for one in clashing.store.entries("plan", name) if one.verb == "replaced"]
    assert [tree["description"]["text"] for tree in given_up] == ["Theirs"]


def test_what_changed_here_meanwhile_is_looked_at_again(clashing: Scene) -> None:
    desk, open_ = clashing.desk(), numbers(clashing)
    clashing.edit_goal(status_reason="here again")
    desk.resolve(open_["Goal.statusReason"], "ours")
    with pytest.raises(Conflict):
        desk.resolve(open_["Goal.description.text"], "ours")
    (one,) = [row for row in clashing.store.conflicts(NAME) if row.path == "Goal.statusReason"]
    assert one.ours == "here again"


@pytest.mark.parametrize("take", ["ours", "theirs"])
def test_changed_here_and_deleted_there(pushed: Scene, take: Any) -> None:
    pushed.client.delete("Goal", pushed.goal()["id"])
    pushed.edit_goal(status_reason="here")
    assert [step.verb for step in pushed.pull().steps] == ["conflict"]
    assert {step.part for step in pushed.push().steps} <= {""}
    (one,) = pushed.store.conflicts(NAME)
    pushed.desk().resolve(one.number, take)
    pushed.push()
    there = [row for page in pushed.client.search("Goal", {}) for row in page]
    assert len(there) == len(pushed.plan()["goals"]) - (take == "theirs")
    assert pushed.plan()["goals"][0]["status_reason"] == "here"
    assert pushed.sync().steps == []


@pytest.mark.parametrize("take", ["ours", "theirs"])
def test_deleted_here_and_changed_there(pushed: Scene, take: Any) -> None:
    record = copy(pushed.plan())
    gone = record["goals"].pop(0)
    pushed.edit_there(statusReason="there")
    pushed.write(record)
    pushed.push()
    (one,) = pushed.store.conflicts(NAME)
    pushed.desk().resolve(one.number, take)
    pushed.push()
    (there,) = [row for page in pushed.client.search("Goal", {}) for row in page if gone["id"] in str(row.resource)]
    held = [*pushed.plan()["goals"], *pushed.store.records("goal")]
    assert (there.resource["lifecycleStatus"] == "cancelled") == (take == "ours")
    assert any(goal.get("status_reason") == "there" for goal in held) == (take == "theirs")
    assert pushed.sync().steps == []


@pytest.mark.parametrize("pushed", [True, False])
def test_a_record_that_is_kept_after_all_is_whole_again(tmp_path: Path, pushed: bool) -> None:
    """Deleted here and changed there: when theirs is taken, its goals are what they were, here and there."""
    made = scene(tmp_path)
    made.push()
    made.pull()
    before, states = made.plan(), sorted(row["lifecycleStatus"] for row in there(made, "Goal"))
    made.store.delete("plan", before["id"])
    made.edit_there("CarePlan", title="there")
    made.pull()
    if pushed:
        made.push()
        assert sorted(row["lifecycleStatus"] for row in there(made, "Goal")) == states, "they wait for the decision"
    (one,) = made.store.conflicts(NAME)
    made.desk().resolve(one.number, "theirs")
    after = made.plan()
    assert same(content_of({**after, "title": ""}), content_of({**before, "title": ""}))
    assert (after["title"], after["origin"]) == ("there", "synthetic")
    made.push()
    made.push()
    assert sorted(row["lifecycleStatus"] for row in there(made, "Goal")) == states
    assert {(link.state, link.wanted == link.acked) for link in made.links()} == {("linked", True)}
    assert made.sync().steps == []


def there(made: Scene, type_: str) -> list[dict[str, Any]]:
    return [row.resource for page in made.client.search(type_, {}) for row in page]


@pytest.mark.parametrize("take", ["ours", "theirs"])
def test_what_was_deleted_here_since_is_decided_as_a_whole(clashing: Scene, take: Any) -> None:
    """An element of what is not there any more nobody can decide."""
    (name,) = [one["id"] for one in clashing.store.records("plan")]
    clashing.store.delete("plan", name)
    for number in numbers(clashing).values():
        try:
            clashing.desk().resolve(number, take)
        except Conflict:
            continue
    (whole,) = clashing.store.conflicts(NAME)
    assert (whole.path, whole.ours) == ("", None)
    clashing.desk().resolve(whole.number, take)
    assert clashing.store.conflicts(NAME) == []
    clashing.sync()
    standing = {"ours": "cancelled", "theirs": "active"}[take]
    assert clashing.remote("Goal", "Theirs")["lifecycleStatus"] == standing


def test_gone_and_back_again_waits_for_a_decision(pushed: Scene) -> None:
    goal = pushed.goal()
    pushed.client.delete("Goal", goal["id"])
    pushed.pull()
    pushed.client.update({**goal, "statusReason": "back"})
    assert [step.verb for step in pushed.pull().steps] == ["conflict"]
    (one,) = pushed.store.conflicts(NAME)
    pushed.desk().resolve(one.number, "theirs")
    assert pushed.plan()["goals"][0]["status_reason"] == "back"
    assert pushed.sync().steps == []


@pytest.mark.parametrize(("take", "stands"), [("ours", "here"), ("theirs", "there"), ("newest", "there")])
def test_a_policy_decides_and_is_remembered(tmp_path: Path, take: Any, stands: str) -> None:
    made = scene(tmp_path, options=Options(policies={"Goal.statusReason": take}))
    made.push()
    made.pull()
    made.edit_goal(status_reason="here")
    made.clock.at = made.clock.at.replace(hour=14)
    made.edit_there(statusReason="there")
    made.sync()
    assert made.store.conflicts(NAME) == []
    assert made.plan()["goals"][0]["status_reason"] == made.goal()["statusReason"] == stands
    plan = made.plan()
    (entry,) = [one for one in made.store.entries("plan", plan["id"]) if one.by == "policy"]
    given_up = "there" if stands == "here" else "here"
    assert (entry.path, entry.before, entry.after) == ("Goal.statusReason", given_up, stands)


def test_history_tells_revisions_and_decisions(clashing: Scene) -> None:
    open_ = numbers(clashing)
    for number in open_.values():
        clashing.desk().resolve(number, "theirs", by="R. Weber")
    kind, id_ = found(clashing.store, clashing.plan()["id"])
    rows = history(clashing.store, kind, id_)
    assert [row["what"] for row in rows].count("decided") == 2
    assert {row["by"] for row in rows if row["what"] == "decided"} == {"R. Weber"}
    assert [row["revision"] for row in rows if row["what"] == "revision"] == [1, 2, 3]
    assert any("status_reason" in field for row in rows if row["what"] == "revision" for field in row["fields"])


def test_any_earlier_state_can_be_brought_back(pushed: Scene) -> None:
    before = copy(pushed.plan())
    pushed.edit_goal(status_reason="later")
    pushed.push()
    new = bring_back(pushed.store, load("core"), check, "plan", before["id"], 1, by="R. Weber")
    assert new["revision"] == 3
    assert same(new["goals"], before["goals"])
    pushed.push()
    assert pushed.goal().get("statusReason") == before["goals"][0].get("status_reason")
    (entry,) = [one for one in pushed.store.entries("plan", before["id"]) if one.verb == "back"]
    assert (entry.by, entry.before, entry.after) == ("R. Weber", 2, 3)


def test_a_deleted_record_can_be_brought_back(pushed: Scene) -> None:
    plan = pushed.plan()
    pushed.store.delete("plan", plan["id"])
    pushed.push()
    bring_back(pushed.store, load("core"), check, "plan", plan["id"], 1)
    pushed.push()
    assert pushed.remote("CarePlan")["status"] == plan["status"]
    assert {link.state for link in pushed.links()} == {"linked"}


def test_answers_and_scores_of_one_assessment_are_not_mixed(pushed: Scene) -> None:
    """Ours changed the score, theirs the answers: neither is taken, and both are kept."""
    (record,) = pushed.store.records("assessment")
    changed = copy(record)
    changed["instruments"][0]["total"] = changed["instruments"][0]["total"] + 1
    pushed.write(changed)
    response = next(
        row.resource for page in pushed.client.search("QuestionnaireResponse", {}) for row in page
        if "AUDIT" in str(row.resource) or row.resource.get("item")
    )  # fmt: skip
    pushed.client.update({**response, "item": [*response["item"], {"linkId": "theirs", "text": "added"}]})
    before = {link.local: pushed.store.resource(*link.local).tree for link in pushed.links("Observation")}
    assert "conflict" in {step.verb for step in pushed.pull().steps}
    assert all(same(pushed.store.resource(*key).tree, tree) for key, tree in before.items())


def test_the_narrative_tells_what_was_decided(pushed: Scene) -> None:
    """Not what either side said before: a title of theirs with a description of ours."""
    there = pushed.remote("CarePlan")
    record = copy(pushed.plan())
    record["title"] = "Title of ours"
    pushed.write(record)
    pushed.client.update({**there, "title": "Title of theirs", "description": "Described there"})
    pushed.push()
    (one,) = pushed.store.conflicts(NAME)
    pushed.desk().resolve(one.number, "merged", "Title of both")
    pushed.push()
    after = pushed.remote("CarePlan")
    assert (after["title"], after["description"]) == ("Title of both", "Described there")
    assert "Title of both" in after["text"]["div"]
    assert "Title of ours" not in after["text"]["div"]
    assert pushed.sync().steps == []


def test_what_is_sent_anew_is_referred_to_by_its_new_id(tmp_path: Path) -> None:
    """Changed here and deleted there; when ours is taken it gets another id there, and the plan there names that one."""
    made = scene(tmp_path)
    made.sync()
    made.sync()
    goal = made.goal()
    made.edit_goal(status_reason="ours")
    made.client.delete("Goal", goal["id"])
    made.sync()
    (one,) = made.desk().listed()
    made.desk().resolve(one.number, "ours")
    made.sync()
    new = made.goal()
    named = {row["reference"] for row in made.remote("CarePlan")["goal"]}
    assert new["id"] != goal["id"]
    assert f"Goal/{new['id']}" in named
    assert f"Goal/{goal['id']}" not in named
    assert made.sync().steps == []


def test_a_conflict_goes_along_with_a_goal_that_leaves_its_plan(tmp_path: Path) -> None:
    """Their plan no longer names the goal, which so becomes a record of its own: what is asked about it can be decided."""
    made = scene(tmp_path)
    made.sync()
    made.sync()
    goal = made.goal()
    made.edit_goal(status_reason="ours")
    made.client.delete("Goal", goal["id"])
    made.sync()
    rest = [row for row in made.remote("CarePlan")["goal"] if row.get("reference") != f"Goal/{goal['id']}"]
    made.edit_there("CarePlan", goal=rest)
    made.sync()
    (one,) = made.desk().listed()
    (link,) = [link for link in made.links("Goal") if link.state == "conflict"]
    assert (one.server, one.kind, one.record_id, one.part) == link.key
    made.desk().resolve(one.number, "theirs")
    assert made.desk().listed() == []


def test_a_deletion_that_is_told_twice_leaves_the_conflict_open(tmp_path: Path) -> None:
    """The overlap of two looks brings it again: it is still to be decided."""
    made = scene(tmp_path)
    made.sync()
    made.sync()
    made.edit_goal(status_reason="ours")
    made.client.delete("Goal", made.goal()["id"])
    for _ in range(3):
        made.sync()
    (one,) = made.desk().listed()
    made.desk().resolve(one.number, "ours")
    made.sync()
    assert made.goal()["statusReason"] == "ours"


def test_a_conflict_ends_where_somebody_writes_here_what_stands_there(clashing: Scene) -> None:
    clashing.edit_goal(status_reason="there")
    dry = exchange(clashing.partner(), dry_run=True)
    # The one element is the same now, the other is not.
    assert (dry.report.counts().get("would agree"), len(clashing.store.conflicts(NAME))) == (None, 2)
    clashing.edit_goal(statement={"text": "Theirs"})
    assert exchange(clashing.partner(), dry_run=True).report.counts()["would agree"] == 1
    assert len(clashing.store.conflicts(NAME)) == 2
    ran = exchange(clashing.partner())
    assert (ran.error, ran.report.counts()["agreed"]) == (None, 1)
    assert clashing.store.conflicts(NAME) == []
    assert {link.state for link in clashing.links("Goal")} == {"linked"}
    assert "agreed" in [one.verb for one in clashing.store.entries("plan", clashing.plan()["id"])]
    # From then on it is exchanged with again.
    clashing.edit_goal(status_reason="another")
    assert exchange(clashing.partner()).error is None
    assert clashing.remote("Goal", "Theirs")["statusReason"] == "another"
    assert exchange(clashing.partner()).report.steps == []
