"""What comes in: windows by the server's stamps, its history for deletions, and nothing believed that it merely says."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import DataError, Gone, Unavailable, UnknownOutcome
from adapter.fhir_json import copy, same
from adapter.ports import Arrival, Options, Rows, Server
from adapter.services.servers import change
from adapter.store import open_store
from adapter.sync.brake import reconcile
from adapter.sync.pull import TYPES
from adapter.sync.sentinel import MOST
from tests.unit.services.scene import NAME, Scene, scene


@pytest.fixture
def pushed(tmp_path: Path) -> Scene:
    made = scene(tmp_path)
    made.push()
    made.pull()
    return made


def later(made: Scene, **time: int) -> None:
    made.clock.at += timedelta(**time)


def asked(made: Scene, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every call to the server from now on, by its name."""
    calls: list[str] = []
    for name in ("read", "search", "history", "create", "update", "transaction", "delete"):
        real = getattr(made.client, name)

        def call(*words: Any, _real: Any = real, _name: str = name, **more: Any) -> Any:
            calls.append(_name)
            return _real(*words, **more)

        monkeypatch.setattr(made.client, name, call)
    return calls


def test_a_look_that_finds_nothing_costs_by_type_and_not_by_record(
    pushed: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(pushed, hours=1)
    pushed.pull()
    calls = asked(pushed, monkeypatch)
    assert pushed.sync().steps == []
    assert len(calls) <= 2 * len(TYPES) + MOST
    assert set(calls) <= {"read", "search", "history"}


def test_a_look_reads_no_link_that_did_not_change(pushed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    later(pushed, hours=1)
    pushed.pull()
    links = pushed.store.links

    def read(*given: Any, flying: bool = False, **more: Any) -> Any:
        return links(*given, flying=flying, **more) if flying else pytest.fail("all links were read")

    monkeypatch.setattr(pushed.store, "links", read)
    later(pushed, hours=1)
    pushed.edit_there(statusReason="there")
    assert [step.verb for step in pushed.pull().steps] == ["pulled"]


def test_a_thousand_equal_stamps(pushed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many changes at one instant, over several pages: none is missed."""
    goal = pushed.goal()
    monkeypatch.setattr(pushed.clock, "now", lambda: pushed.clock.at)
    later(pushed, hours=1)
    for number in range(45):
        new = {name: value for name, value in goal.items() if name not in ("id", "identifier", "meta")}
        pushed.client.create({**new, "description": {"text": f"Goal {number}"}})
    monkeypatch.undo()
    pushed.pull()
    assert {f"Goal {number}" for number in range(45)} <= {
        record["statement"]["text"] for record in pushed.store.records("goal")
    }


def test_a_commit_that_becomes_visible_late_is_caught_by_the_overlap(
    pushed: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    later(pushed, hours=1)
    hidden = pushed.client.update({**pushed.goal(), "statusReason": "late"})
    search = pushed.client.search

    def without(type_: str, params: Any) -> Any:
        for page in search(type_, params):
            rows = [row for row in page if row.resource["id"] != hidden.resource["id"]]
            yield Rows(rows, page.stamp)

    monkeypatch.setattr(pushed.client, "search", without)
    pushed.pull()
    monkeypatch.undo()
    later(pushed, seconds=90)
    assert [step.verb for step in pushed.pull().steps] == ["pulled"]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off(tmp_path: Path, hours: int) -> None:
    made = scene(tmp_path)
    ours = made.clock

    class Off:
        def now(self) -> Any:
            return ours.now() + timedelta(hours=hours)

    made.client._clock = Off()  # type: ignore[assignment]
    made.push()
    made.pull()
    made.edit_there(statusReason="there")
    later(made, minutes=10)
    assert [step.verb for step in made.pull().steps] == ["pulled"]
    assert made.sync().steps == []


def test_pages_that_run_in_a_circle_move_no_watermark(pushed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    later(pushed, hours=1)
    before = pushed.store.watermark(NAME, "Goal")
    search = pushed.client.search

    def circle(type_: str, params: Any) -> Any:
        yield from search(type_, params)
        if type_ == "Goal":
            raise Unavailable("The server's pages run in a circle.")

    pushed.edit_there(statusReason="there")
    monkeypatch.setattr(pushed.client, "search", circle)
    with pytest.raises(Unavailable):
        pushed.pull()
    assert pushed.store.watermark(NAME, "Goal") == before
    assert pushed.plan()["goals"][0]["status_reason"] == "there"


def test_a_long_answer_that_is_cut_short_was_not_for_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = scene(tmp_path)
    made.push()
    made.pull()
    later(made, hours=1)
    goal = made.goal()
    new = {name: value for name, value in goal.items() if name not in ("id", "identifier", "meta")}
    for number in range(30):
        made.client.create({**new, "description": {"text": f"Goal {number}"}})
    before, search = made.store.watermark(NAME, "Goal"), made.client.search

    def cut(type_: str, params: Any) -> Any:
        for number, page in enumerate(search(type_, {**params, "_count": "1"})):
            if type_ == "Goal" and number == 25:
                raise Unavailable("cut")
            yield page

    monkeypatch.setattr(made.client, "search", cut)
    with pytest.raises(Unavailable):
        made.pull()
    assert made.store.watermark(NAME, "Goal") > before
    monkeypatch.undo()
    made.pull()
    assert len(list(made.store.records("goal"))) == 30


@pytest.mark.parametrize("type_history", [True, False])
def test_what_is_deleted_there_is_found(tmp_path: Path, type_history: bool) -> None:
    made = scene(tmp_path, type_history=type_history, options=Options(sweep=60))
    made.push()
    made.pull()
    later(made, minutes=10)
    made.client.delete("Goal", made.goal()["id"])
    assert [step.verb for step in made.pull().steps] == ["gone"]
    later(made, minutes=10)
    assert made.pull().steps == []


def test_deletions_that_are_told_together_are_each_told_once(pushed: Scene) -> None:
    """One of them was back in between, and is deleted again."""
    pushed.pull()
    later(pushed, minutes=10)
    goals = [pushed.goal(index) for index in range(2)]
    for goal in goals:
        pushed.client.delete("Goal", goal["id"])
    pushed.client.update(goals[0])
    pushed.client.delete("Goal", goals[0]["id"])
    gone = [("gone", f"Goal/{item['id']}") for item in pushed.plan()["goals"][:2]]
    assert sorted((step.verb, step.part) for step in pushed.pull().steps) == sorted(gone)


def test_what_was_deleted_and_is_back_is_not_gone_however_much_it_is(pushed: Scene) -> None:
    pushed.pull()
    later(pushed, minutes=10)
    for link in pushed.links():
        there = pushed.client.read(*link.remote).resource
        pushed.client.delete(*link.remote)
        pushed.client.update(there)
    assert pushed.sync().steps == []
    assert not pushed.store.server(NAME).paused
    assert {link.state for link in pushed.links()} == {"linked"}


def wiped(made: Scene, share: float = 1.0) -> None:
    held = list(made.client._held)
    for key in held[: round(len(held) * share)]:
        del made.client._held[key]


def test_a_server_that_was_emptied_is_paused_and_nothing_changes(pushed: Scene) -> None:
    before = list(pushed.store.records())
    wiped(pushed)
    later(pushed, minutes=10)
    with pytest.raises(DataError, match="looks wiped"):
        pushed.pull()
    assert pushed.store.server(NAME).paused
    assert same(list(pushed.store.records()), before)
    assert {link.state for link in pushed.links()} == {"linked"}


def test_after_that_a_person_can_have_everything_sent_again(pushed: Scene) -> None:
    wiped(pushed)
    assert reconcile(pushed.partner(), send=True) == len(pushed.links())
    pushed.push()
    assert pushed.remote("CarePlan")["title"] == pushed.plan()["title"]
    assert pushed.sync().steps == []


def test_or_kept_here_and_marked(pushed: Scene) -> None:
    wiped(pushed)
    reconcile(pushed.partner(), send=False)
    assert {link.state for link in pushed.links()} == {"gone"}
    assert pushed.sync().steps == []


def test_a_version_that_went_back_is_set_aside(pushed: Scene) -> None:
    """The server was restored from a backup: what we know to be newer is not overwritten by what it has now."""
    pushed.edit_goal(status_reason="newer")
    pushed.push()
    pushed.pull()
    key = ("Goal", pushed.goal()["id"])
    pushed.client._held[key].pop()
    later(pushed, minutes=10)
    report = pushed.pull()
    assert [(step.verb, step.reason.split(":")[0]) for step in report.steps] == [
        ("quarantine", "its version there went back")
    ]
    assert pushed.plan()["goals"][0]["status_reason"] == "newer"
    (one,) = pushed.store.conflicts(NAME)
    pushed.desk().resolve(one.number, "ours")
    pushed.push()
    assert pushed.goal()["statusReason"] == "newer"
    assert pushed.sync().steps == []


def other(made: Scene, **more: Any) -> str:
    patient = {
        "resourceType": "Patient",
        "name": [{"family": "Foreign", "given": ["Ines"]}],
        "gender": "female",
        **more,
    }
    return str(made.client.create(patient).resource["id"])


def about(made: Scene, patient: str) -> None:
    made.client.create({
        "resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Theirs"},
        "subject": {"reference": f"Patient/{patient}"},
    })  # fmt: skip


def test_all_patients_come_in_where_that_is_said(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(patients="all"))
    made.push()
    about(made, other(made))
    made.pull()
    assert [record["statement"]["text"] for record in made.store.records("goal")] == ["Theirs"]
    assert len(list(made.store.records("patient"))) == 2
    assert made.sync().steps == []


def test_only_listed_patients_come_in(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(patients="listed"), patients=["urn:mrn|7"])
    about(made, other(made, identifier=[{"system": "urn:mrn", "value": "7"}]))
    about(made, other(made, identifier=[{"system": "urn:mrn", "value": "8"}]))
    made.pull()
    assert len(list(made.store.records("goal"))) == 1
    assert len(list(made.store.records("patient"))) == 2


def test_a_patient_who_is_listed_later_comes_in_with_all_that_there_was(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(patients="listed"), patients=["urn:mrn|7"])
    about(made, other(made, identifier=[{"system": "urn:mrn", "value": "8"}]))
    made.pull()
    later(made, hours=5)
    made.pull()
    assert list(made.store.records("goal")) == []
    change(made.store, NAME, listed=["urn:mrn|7", "urn:mrn|8"])
    made.pull()
    made.pull()
    assert [record["statement"]["text"] for record in made.store.records("goal")] == ["Theirs"]


def test_a_patient_with_our_patient_s_identifier_is_that_one(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(patients="all"))
    (patient,) = made.store.records("patient")
    identifier = {"system": "urn:mrn", "value": "7"}
    made.write({**patient, "identifiers": [*patient.get("identifiers", []), identifier]})
    there = other(made, identifier=[identifier])
    about(made, there)
    made.pull()
    assert len(list(made.store.records("patient"))) == 1
    (link,) = made.links("Patient")
    assert link.remote_id == there


def test_what_names_nobody_of_ours_waits_and_is_listed(pushed: Scene) -> None:
    pushed.client.create({
        "resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Whose?"},
        "subject": {"identifier": {"system": "urn:mrn", "value": "nobody"}},
    })  # fmt: skip
    later(pushed, minutes=10)
    pushed.pull()
    assert list(pushed.store.records("goal")) == []
    (one,) = pushed.store.arrivals(NAME, "waiting")
    assert "cannot be told" in one.reason


def test_a_hint_is_read_from_the_server_and_changes_nothing_by_itself(pushed: Scene) -> None:
    goal = pushed.goal()
    pushed.store.arrive([Arrival(NAME, "Goal", goal["id"]), Arrival(NAME, "Goal", "made-up")])
    assert pushed.pull().steps == []
    assert pushed.store.arrivals(NAME) == []
    pushed.client.update({**goal, "statusReason": "there"})
    pushed.store.arrive([Arrival(NAME, "Goal", goal["id"])] * 2)
    assert [step.verb for step in pushed.pull().steps] == ["pulled"]


def test_a_record_at_work_elsewhere_is_looked_at_again(pushed: Scene) -> None:
    pushed.edit_there(statusReason="there")
    held = pushed.store.lease(pushed.links("Goal"), seconds=60)
    assert pushed.pull().steps == []
    pushed.store.settle([link.replace(lease_until="") for link in held])
    later(pushed, hours=1)
    assert [step.verb for step in pushed.pull().steps] == ["pulled"]


def test_one_side_s_list_order_and_other_s_text_are_both_kept(pushed: Scene) -> None:
    there = pushed.remote("CarePlan")
    record = copy(pushed.plan())
    record["title"] = "Ours"
    pushed.write(record)
    pushed.client.update({**there, "note": [*there.get("note", []), {"text": "Theirs"}]})
    pushed.sync()
    assert pushed.remote("CarePlan")["title"] == "Ours"
    assert pushed.plan()["notes"][-1]["text"] == "Theirs"


@pytest.mark.parametrize("often", [1, 5])
def test_a_server_that_forgets_its_pages(pushed: Scene, monkeypatch: pytest.MonkeyPatch, often: int) -> None:
    later(pushed, hours=1)
    pushed.edit_there(statusReason="there")
    search, left = pushed.client.search, [often]

    def forgetful(type_: str, params: Any) -> Any:
        yield from search(type_, params)
        if type_ == "Goal" and left[0]:
            left[0] -= 1
            raise Gone("expired")

    monkeypatch.setattr(pushed.client, "search", forgetful)
    if often == 1:
        assert [step.verb for step in pushed.pull().steps] == ["pulled"]
    else:
        with pytest.raises(Unavailable):
            pushed.pull()
    assert pushed.plan()["goals"][0]["status_reason"] == "there"


def test_what_the_server_normalises_causes_no_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It trims, it stamps, it adds: our next edit leaves all that as it made it."""
    made = scene(tmp_path)
    add = made.client._add

    def normalised(key: Any, resource: Any, method: str) -> Any:
        if resource is not None and resource["resourceType"] == "Goal":
            resource = {**resource, "language": "en", "description": {"text": resource["description"]["text"].upper()}}
        return add(key, resource, method)

    monkeypatch.setattr(made.client, "_add", normalised)
    made.push()
    writes, before = made.client.writes, list(made.store.records("plan"))
    assert made.sync().steps == []
    later(made, hours=1)
    assert made.sync().steps == []
    assert made.client.writes == writes
    assert same(list(made.store.records("plan")), before)
    made.edit_goal(status_reason="ours")
    made.push()
    there = made.goal()
    assert (there["statusReason"], there["language"]) == ("ours", "en")
    assert made.sync().steps == []


def rewording(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server drops a digit and an element of each Goal, writes another in capitals, and adds one."""
    add = made.client._add

    def reworded(key: Any, resource: Any, method: str) -> Any:
        if resource is not None and resource["resourceType"] == "Goal":
            resource = {**copy(resource), "language": "en"}
            resource["description"]["text"] = resource["description"]["text"].upper()
            resource.pop("priority", None)
            for target in resource.get("target", []):
                for quantity in [target["detailQuantity"]] if "detailQuantity" in target else []:
                    quantity["value"] = Decimal(str(float(quantity["value"])))
        return add(key, resource, method)

    monkeypatch.setattr(made.client, "_add", reworded)


@pytest.mark.parametrize("both", [False, True])
def test_their_edit_comes_in_and_what_the_server_makes_of_our_words_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, both: bool
) -> None:
    made = scene(tmp_path)
    rewording(made, monkeypatch)
    made.push()
    made.pull()
    (number,) = [place for place, goal in enumerate(made.plan()["goals"]) if "18.50" in str(goal)]
    before = copy(made.plan()["goals"][number])
    later(made, hours=1)
    made.client.update({**made.goal(number), "note": [{"text": "theirs"}]})
    expected = {**before, "notes": [{"text": "theirs"}]}
    if both:
        expected["status_reason"] = "ours"
        record = copy(made.plan())
        record["goals"][number] |= {"status_reason": "ours"}
        made.write(record)
    assert set(made.sync().counts()) == ({"merged", "updated"} if both else {"pulled"})
    found = made.plan()["goals"][number]
    assert str(found["target"][0]["detail"]["quantity"]["value"]) == "18.50"
    for goal in (found, expected):
        for note in goal["notes"]:
            note.pop("id", None)
    assert same(found, expected)
    there = made.goal(number)
    assert (there["language"], there.get("statusReason")) == ("en", "ours" if both else None)
    writes = made.client.writes
    later(made, hours=1)
    assert made.sync().steps == []
    assert made.client.writes == writes


def test_an_edit_between_our_write_and_its_reading_back_is_theirs(
    pushed: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushed.edit_goal(status_reason="ours")
    read, seen = pushed.client.read, list[str]()

    def late(type_: str, id_: str) -> Any:
        there = read(type_, id_)
        if type_ == "Goal" and not seen:
            seen.append(id_)
            return pushed.client.update({**there.resource, "note": [{"text": "in between"}]})
        return there

    monkeypatch.setattr(pushed.client, "read", late)
    pushed.push()
    assert seen
    monkeypatch.undo()
    later(pushed, hours=1)
    pushed.pull()
    assert pushed.plan()["goals"][0]["notes"][-1]["text"] == "in between"
    assert pushed.goal()["statusReason"] == "ours"


@pytest.mark.parametrize(
    ("source", "kept"), [("#vP2xgu1rKxkZ", None), ("https://ward.test/ehr#7", "https://ward.test/ehr#7")]
)
def test_a_server_s_note_of_the_request_is_none_of_the_resource(pushed: Scene, source: str, kept: str | None) -> None:
    made = pushed
    remote = next(link for link in made.store.links(NAME) if link.type == "Goal").remote
    tree = made.client.read(*remote).resource
    made.client.update({**tree, "meta": {"source": source}, "note": [{"text": "Seen on the ward."}]}, if_match=None)
    made.pull()
    link = made.store.remote(NAME, [remote])[remote]
    ours = made.store.resources([link.local])[link.local].tree
    assert [note["text"] for note in ours["note"]] == ["Seen on the ward."]
    assert ours.get("meta", {}).get("source") == kept


def test_an_edit_of_what_the_server_normalised_is_not_lost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = scene(tmp_path)
    add = made.client._add

    def trimmed(key: Any, resource: Any, method: str) -> Any:
        if resource is not None and resource["resourceType"] == "Goal":
            resource = {**resource, "description": {"text": resource["description"]["text"].upper()}}
        return add(key, resource, method)

    monkeypatch.setattr(made.client, "_add", trimmed)
    made.push()
    made.edit_goal(statement={"text": "Another goal"})
    made.push()
    assert made.goal()["description"]["text"] == "ANOTHER GOAL"
    assert made.plan()["goals"][0]["statement"] == {"text": "Another goal"}
    assert made.store.conflicts(NAME) == []


@pytest.mark.parametrize("deleted", [False, True])
def test_what_was_sent_and_never_answered_is_not_taken_for_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, deleted: bool
) -> None:
    made = scene(tmp_path)
    send, number = made.client.transaction, [0]

    def lost(bundle: Any) -> Any:
        number[0] += 1
        answer = send(bundle)
        if number[0] > 1:
            raise UnknownOutcome("lost")
        return answer

    monkeypatch.setattr(made.client, "transaction", lost)
    with pytest.raises(UnknownOutcome):
        made.push()
    monkeypatch.undo()
    if deleted:
        made.store.delete("diagnosis", next(made.store.records("diagnosis"))["id"])
    before = sorted((one["kind"], one["id"]) for one in made.store.records())
    made.pull()
    assert sorted((one["kind"], one["id"]) for one in made.store.records()) == before
    made.push()
    assert len({link.remote for link in made.links()}) == len(made.links())
    assert {link.state for link in made.links()} == ({"linked", "closed"} if deleted else {"linked"})
    assert made.sync().steps == []


def test_a_second_one_with_our_identifier_is_left_there_and_said(pushed: Scene) -> None:
    goal = pushed.goal()
    later(pushed, hours=1)
    pushed.client.create({name: value for name, value in goal.items() if name not in ("id", "meta")})
    pushed.pull()
    assert list(pushed.store.records("goal")) == []
    (one,) = pushed.store.arrivals(NAME, "refused")
    assert "bears our identifier" in one.reason


def test_a_store_in_memory_takes_in_everything_and_goes_on(pushed: Scene) -> None:
    # It is on one connection: what is read bit by bit must not be open while something else is asked.
    here = Scene(open_store("sqlite://", clock=pushed.clock), pushed.client, pushed.clock)
    here.store.add_server(Server(NAME, pushed.client.base, "own", options=Options(patients="all")))
    adopted = here.pull().counts()
    assert adopted["adopted"] > 10
    assert set(adopted) == {"adopted"}
    links = here.store.links(NAME)
    first = next(links)
    here.edit_goal(status_reason="changed here")
    assert first.linked
    assert len(list(links)) == len(here.links()) - 1
    assert here.sync().counts() == {"updated": 2}


def test_what_is_split_by_the_end_of_a_page_is_taken_in_whole(pushed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answers to an instrument cannot be held without the assessment that they are part of."""
    monkeypatch.setattr("adapter.sync.pull.COUNT", "1")
    here = Scene(open_store("sqlite://", clock=pushed.clock), pushed.client, pushed.clock)
    here.store.add_server(Server(NAME, pushed.client.base, "own", options=Options(patients="all")))
    assert set(here.pull().counts()) == {"adopted"}
    assert here.store.arrivals(NAME) == []
    sent = {link.remote for link in pushed.links()}
    assert any(type_ == "Observation" for type_, _ in sent), "scores are parts of their assessments"
    assert {link.remote for link in here.links()} == sent


def elsewhere(made: Scene, patients: Any = "all") -> Scene:
    here = Scene(open_store("sqlite://", clock=made.clock), made.client, made.clock)
    here.store.add_server(Server(NAME, made.client.base, "own", options=Options(patients=patients)))
    return here


def totals(made: Scene) -> list[tuple[Any, Any]]:
    found = [one for record in made.store.records("assessment") for one in record.get("instruments", [])]
    return sorted((one.get("total"), one.get("band")) for one in found)


def test_a_score_comes_with_its_assessment(pushed: Scene) -> None:
    here = elsewhere(pushed)
    here.pull()
    assert totals(here) == totals(pushed)
    assert totals(here)[0][0] is not None
    assert here.sync().steps == []
    assert pushed.sync().steps == []


def test_a_score_that_comes_after_its_assessment_joins_it(pushed: Scene) -> None:
    here, scores = elsewhere(pushed), [row.resource for page in pushed.client.search("Observation", {}) for row in page]
    kept, pushed.client.search = pushed.client.search, without(pushed, "Observation")  # type: ignore[method-assign]
    here.pull()
    assert {total for total, _ in totals(here)} == {None}
    pushed.client.search = kept  # type: ignore[method-assign]
    assert here.pull().counts() == {"adopted": len(scores)}
    assert totals(here) == totals(pushed)
    assert here.sync().steps == []


def test_what_else_was_observed_is_left_there_without_a_word(pushed: Scene) -> None:
    (answers,) = [link for link in pushed.links("QuestionnaireResponse") if not link.part]
    (patient,) = pushed.links("Patient")
    other = {"resourceType": "Observation", "status": "final", "code": {"text": "weight"}, "valueInteger": 80,
             "subject": {"reference": f"Patient/{patient.remote_id}"}}  # fmt: skip
    derived = other | {"derivedFrom": [{"reference": f"QuestionnaireResponse/{answers.remote_id}"}]}
    strange = other | {"derivedFrom": [{"reference": "QuestionnaireResponse/nowhere"}, 5, {"reference": 7}]}
    for tree in (other, derived, strange):
        pushed.client.create(tree)
    here = elsewhere(pushed)
    for made in (here, pushed):
        before = totals(made)
        made.pull()
        made.pull()
        assert made.store.arrivals(NAME) == []
        assert not before or totals(made) == before
    assert len(here.links("Observation")) == len(pushed.links("Observation"))


def without(made: Scene, type_: str) -> Any:
    """A search that has nothing of a type yet."""
    search = made.client.search
    return lambda asked, params: iter(()) if asked == type_ else search(asked, params)
