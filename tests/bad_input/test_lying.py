"""A server that lies, and clocks that are wrong: nothing of others is taken for ours, nothing is lost, neighbours go on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import UnknownOutcome
from adapter.fhir_json import copy
from adapter.ports import Rows, Versioned
from adapter.services.exchange import exchange
from adapter.services.status import circuit
from adapter.services.watch import due
from adapter.sync.recording import NOT_OURS
from tests.unit.services.scene import NAME, Scene, scene

STRANGER = {
    "resourceType": "Goal", "lifecycleStatus": "active", "description": {"text": "Somebody else's"},
    "subject": {"reference": "Patient/somebody-else"},
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    return scene(tmp_path)


@pytest.fixture
def pushed(made: Scene) -> Scene:
    made.push()
    made.pull()
    return made


def in_step(made: Scene) -> bool:
    return {(link.state, link.wanted == link.acked) for link in made.links()} == {("linked", True)}


def goals_there(made: Scene) -> list[dict[str, Any]]:
    return [row.resource for page in made.client.search("Goal", {}) for row in page]


def test_the_id_of_somebody_else_s_resource_is_not_taken_for_ours(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = made.client.create(STRANGER)
    honest = made.client.transaction

    def lying(bundle: dict[str, Any]) -> dict[str, Any]:
        answer = honest(bundle)
        goals = [row for row in answer["entry"] if row["response"]["location"].startswith("Goal/")]
        for entry in goals[:1]:
            entry["response"]["location"] = f"Goal/{stranger.resource['id']}/_history/1"
            entry.pop("resource")
        return answer

    monkeypatch.setattr(made.client, "transaction", lying)
    made.push()
    monkeypatch.undo()
    refused = [link for link in made.links() if link.state == "refused"]
    assert {link.reason for link in refused} == {NOT_OURS}
    assert {link.type for link in refused} == {"Goal"}
    assert made.client.read("Goal", stranger.resource["id"]).resource["description"] == STRANGER["description"]
    made.push(again=True)
    made.push()
    assert in_step(made)
    assert (
        len({str(one["identifier"]) for one in goals_there(made) if "identifier" in one}) == len(goals_there(made)) - 1
    )


def test_a_search_that_gives_what_others_have_links_nothing(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not know `identifier` and answers with a resource of somebody else's, or with everything."""
    stranger = made.client.create(STRANGER)
    honest = made.client.transaction

    def lost(bundle: dict[str, Any]) -> Any:
        raise UnknownOutcome("lost before it arrived")

    monkeypatch.setattr(made.client, "transaction", lost)
    with pytest.raises(UnknownOutcome):
        made.push()
    monkeypatch.setattr(made.client, "transaction", honest)
    monkeypatch.setattr(made.client, "search", lambda *_: iter([Rows([stranger])]))
    made.push()
    monkeypatch.undo()
    assert in_step(made)
    assert made.client.read("Goal", stranger.resource["id"]).version == "1"


def test_other_people_in_a_search_are_left_there(pushed: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    before = list(pushed.store.records())
    stranger = pushed.client.create(STRANGER)
    search = pushed.client.search

    def with_others(type_: str, params: Any) -> Any:
        for page in search(type_, params):
            yield Rows([*page, stranger, Versioned({"resourceType": type_, "id": "x"}, "1", "")], page.stamp)

    monkeypatch.setattr(pushed.client, "search", with_others)
    pushed.pull()
    assert list(pushed.store.records()) == before
    assert in_step(pushed)


def test_versions_that_go_backwards_set_that_one_aside_and_no_other(pushed: Scene) -> None:
    pushed.edit_there(statusReason="one")
    pushed.pull()
    link = next(one for one in pushed.links("Goal") if one.remote_version == "2")
    other = next(one for one in pushed.links("Condition"))
    pushed.store.settle([link.replace(remote_version="9")])
    pushed.edit_there(statusReason="two")
    theirs = pushed.client.read("Condition", other.remote_id).resource
    pushed.client.update({**theirs, "onsetString": "long ago"})
    report = pushed.pull()
    assert report.counts() == {"quarantine": 1, "pulled": 1}
    assert pushed.plan()["goals"][0]["status_reason"] == "one"


def later(made: Scene, **delta: float) -> None:
    made.clock.at += timedelta(**delta)


def test_a_lease_of_a_clock_that_was_a_year_ahead_holds_nothing_up(made: Scene) -> None:
    later(made, days=365)
    links = made.links()
    leased = made.store.lease(links, seconds=300)
    due_then = made.partner().later(3600)
    made.store.settle([one.replace(not_before=due_then, lease_until=one.lease_until) for one in leased])
    made.store.note(NAME, last_try=made.partner().later(), not_before=due_then, last_sweep=made.partner().later())
    assert made.store.take_turn(NAME, "pull", "a process of that time", seconds=300)
    assert made.store.waiting() == frozenset()
    later(made, days=-365)
    assert made.store.waiting() == {NAME}
    assert list(due(made.store, made.clock.now())) == [(NAME, "both")]
    assert circuit(replace(made.store.state(NAME), failures=2), made.clock.now()) == "half-open"
    ran = exchange(made.partner(), hurry=False)
    assert ran.error is None
    assert "busy" not in ran.report.counts()
    assert in_step(made)


def test_what_the_server_stamped_while_its_clock_was_ahead_is_not_missed(
    pushed: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    _with_server_clock(pushed, timedelta(days=200))
    later(pushed, minutes=5)
    pushed.pull()
    assert pushed.store.watermark(NAME, "Goal") > "2026-09"
    _with_server_clock(pushed, timedelta())
    pushed.edit_there(statusReason="after the clock was set right")
    new = pushed.client.create({**STRANGER, "subject": pushed.goal()["subject"]})
    gone = next(link for link in pushed.links("Condition"))
    pushed.client.delete("Condition", gone.remote_id)
    later(pushed, minutes=5)
    verbs = pushed.pull().counts()
    assert verbs == {"pulled": 1, "adopted": 1, "gone": 1}
    assert new.resource["id"] in {link.remote_id for link in pushed.links("Goal")}
    assert pushed.store.watermark(NAME, "Goal") < "2026-04"
    assert pushed.pull().steps == []


def _with_server_clock(made: Scene, ahead: timedelta) -> None:
    ours = made.clock

    class Off:
        def now(self) -> datetime:
            return ours.now() + ahead

        def monotonic(self) -> float:
            return ours.monotonic()

    made.client._clock = Off()


@pytest.mark.parametrize("says", ["", "its time"])
def test_one_stamp_of_the_far_future_moves_no_watermark_there(
    pushed: Scene, monkeypatch: pytest.MonkeyPatch, says: str
) -> None:
    search = pushed.client.search
    goal = pushed.goal()

    def stamped(type_: str, params: Any) -> Any:
        for page in search(type_, params):
            rows = [replace(row, last_updated="2099-01-01T00:00:00Z") for row in page]
            yield Rows(rows, page.stamp if says else "")

    monkeypatch.setattr(pushed.client, "search", stamped)
    pushed.edit_there(statusReason="stamped by a wrong clock")
    later(pushed, minutes=5)
    pushed.pull()
    ahead = datetime.fromisoformat(pushed.store.watermark(NAME, "Goal")) - pushed.clock.now()
    assert ahead <= timedelta(days=1)
    assert pushed.client.read("Goal", goal["id"]).resource["statusReason"] == "stamped by a wrong clock"
    assert pushed.clock.now().tzinfo is UTC


@pytest.mark.parametrize(
    "spoil",
    [
        lambda tree: tree["entry"].clear(),
        lambda tree: tree.update(entry="none"),
        lambda tree: [row["response"].update(location="../../etc/passwd") for row in tree["entry"]],
        lambda tree: [row["response"].update(etag="W/\"\u2603\"") for row in tree["entry"]],
        lambda tree: [row["response"].pop("status") for row in tree["entry"]],
        lambda tree: tree["entry"].reverse(),
        lambda tree: [row["resource"].update(id=7) for row in tree["entry"]],
        lambda tree: [row.update(resource=[]) for row in tree["entry"]],
    ],
    ids=["no entries", "no list", "paths", "odd versions", "no status", "out of order", "number for an id", "no resource"],
)  # fmt: skip
def test_an_answer_of_odd_shape_is_found_out_and_doubles_nothing(
    made: Scene, monkeypatch: pytest.MonkeyPatch, spoil: Callable[[Any], object]
) -> None:
    honest = made.client.transaction

    def odd(bundle: dict[str, Any]) -> Any:
        answer = copy(honest(bundle))
        spoil(answer)
        return answer

    monkeypatch.setattr(made.client, "transaction", odd)
    made.push()
    monkeypatch.undo()
    for _ in range(3):
        made.push(again=True)
    assert in_step(made)
    for type_ in ("Goal", "Condition", "CarePlan", "Patient"):
        rows = [row for page in made.client.search(type_, {}) for row in page]
        assert len(rows) == len(made.links(type_)), type_
