"""What goes out: whole records, in requests that the server takes, each outcome by itself, nothing twice."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapter import fhir_json
from adapter.errors import Conflict, NotFound, ServerRefused, Unavailable, UnknownOutcome
from adapter.fhir_json import copy
from adapter.ports import Options, Versioned
from adapter.services.servers import change
from tests.unit.services.scene import NAME, Scene, scene

Sent = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    return scene(tmp_path)


def through(made: Scene, monkeypatch: pytest.MonkeyPatch, how: Callable[[Sent, dict[str, Any]], Any]) -> list[int]:
    """Sends by way of `how`, what goes alone too; gives the sizes of the requests."""
    send, sizes = made.client.transaction, list[int]()

    def asked(bundle: dict[str, Any]) -> dict[str, Any]:
        sizes.append(len(bundle["entry"]))
        answer: dict[str, Any] = how(send, bundle)
        return answer

    def alone(resource: dict[str, Any], **request: str) -> Versioned:
        bundle = {"type": "transaction", "entry": [{"resource": resource, "request": request}]}
        (row,) = asked(bundle)["entry"]
        id_ = row["response"]["location"].split("/")[1]
        found = made.client.read(resource["resourceType"], id_)
        return replace(found, created=row["response"]["status"].startswith("201"))

    def create(resource: dict[str, Any], *, if_none_exist: str) -> Versioned:
        return alone(resource, method="POST", url=resource["resourceType"], ifNoneExist=if_none_exist)

    def update(resource: dict[str, Any], *, if_match: str) -> Versioned:
        return alone(resource, method="PUT", url=f"{resource['resourceType']}/{resource['id']}", ifMatch=if_match)

    monkeypatch.setattr(made.client, "transaction", asked)
    monkeypatch.setattr(made.client, "create", create)
    monkeypatch.setattr(made.client, "update", update)
    return sizes


def in_step(made: Scene) -> bool:
    """Everything is there, once, under its identifier."""
    links = made.links()
    ids = {(link.type, link.remote_id) for link in links}
    held = sum(len(page) for type_ in {link.type for link in links} for page in made.client.search(type_, {}))
    return len(ids) == len(links) == held and all(link.wanted == link.acked for link in links)


@pytest.mark.parametrize("most", [1, 2, 3, 7])
def test_a_server_that_takes_few_at_once(made: Scene, monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    def small(send: Sent, bundle: dict[str, Any]) -> Any:
        if len(bundle["entry"]) > most:
            raise ServerRefused("Too large.", status=413)
        return send(bundle)

    through(made, monkeypatch, small)
    made.push()
    assert in_step(made)
    plan, goals = made.remote("CarePlan"), made.plan()["goals"]
    assert len([row for row in plan["goal"] if "reference" in row]) == len(goals)
    assert made.sync().steps == []


def test_it_is_remembered_how_much_a_server_takes(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def small(send: Sent, bundle: dict[str, Any]) -> Any:
        if len(bundle["entry"]) > 4:
            raise ServerRefused("Too large.", status=413)
        return send(bundle)

    sizes = through(made, monkeypatch, small)
    made.push()
    assert made.store.state(NAME).facts["bundle"] <= 4
    sizes.clear()
    made.edit_goal(status_reason="later")
    made.push()
    assert max(sizes) <= 4


def test_a_circle_is_broken_by_a_second_write(made: Scene) -> None:
    """Two plans that replace each other, in requests of one: one goes without, and is written once more."""
    made.set(bundle=1)
    plan = made.plan()
    other = copy(plan) | {
        "id": "11111111-1111-4111-8111-111111111111",
        "goals": [],
        "interventions": [],
        "care_team": [],
    }
    made.write({key: value for key, value in other.items() if value != []})
    made.push()
    one, two = (
        {row["id"]: row for page in made.client.search("CarePlan", {}) for row in [r.resource for r in page]}
    ).values()
    link = {link.remote_id: link for link in made.links("CarePlan")}
    for first, second in ((one, two), (two, one)):
        stored = made.store.resource("CarePlan", link[first["id"]].local_id)
        tree = stored.tree | {"replaces": [{"reference": f"CarePlan/{link[second['id']].local_id}"}]}
        rest = {part: row.tree for part, row in made.store.parts("plan", stored.record_id).items()}
        made.store.save(made.store.record("plan", stored.record_id), rest | {"": tree})
    # Both anew, so that neither is there when the other goes.
    anew = [one.replace(remote_id="", remote_version="", acked=0, base=0, seen=None) for one in made.links("CarePlan")]
    made.store.settle(anew)
    for row in (one, two):
        made.client._held.pop(("CarePlan", row["id"]))
    made.push()
    plans = [row.resource for page in made.client.search("CarePlan", {}) for row in page]
    assert {row["replaces"][0]["reference"] for row in plans} == {f"CarePlan/{row['id']}" for row in plans}
    assert {link.state for link in made.links("CarePlan")} == {"linked"}


def test_one_bad_among_many_is_set_aside_alone(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def picky(send: Sent, bundle: dict[str, Any]) -> Any:
        if any(entry["resource"]["resourceType"] == "Condition" and "F32" in str(entry) for entry in bundle["entry"]):
            raise ServerRefused("No.", status=400)
        return send(bundle)

    through(made, monkeypatch, picky)
    made.push()
    refused = [link for link in made.links() if link.state == "refused"]
    assert [link.type for link in refused] == ["Condition"]
    waiting = [link for link in made.links() if link.state == "waiting"]
    assert all(link.reason.startswith("waits for Condition/") for link in waiting)
    assert len(made.links()) - len(waiting) - 1 >= 2


def test_what_was_refused_goes_when_asked_again(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = [True]

    def picky(send: Sent, bundle: dict[str, Any]) -> Any:
        if bad[0] and "Patient" in str(bundle["entry"][0]["request"]["url"]):
            raise ServerRefused("No.", status=422)
        return send(bundle)

    through(made, monkeypatch, picky)
    made.push()
    bad[0] = False
    assert [step.verb for step in made.push().steps].count("created") == 0
    before = list(made.store.links(NAME))
    said = [step for step in made.push(again=True, dry_run=True).steps if step.part == ""]
    assert {step.verb for step in said} == {"would create"}
    assert any(step.record.startswith("patient/") for step in said)
    assert list(made.store.links(NAME)) == before
    made.push(again=True)
    assert in_step(made)


def test_a_short_answer_leaves_the_missing_unknown(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    short = [True]

    def forgetful(send: Sent, bundle: dict[str, Any]) -> Any:
        answer = send(bundle)
        if short[0] and len(answer["entry"]) > 2:
            del answer["entry"][1]
        return answer

    through(made, monkeypatch, forgetful)
    made.push()
    unknown = [link for link in made.links() if link.in_flight]
    assert unknown
    short[0] = False
    made.push()
    assert in_step(made)


def test_answers_out_of_order_are_told_apart(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    def shuffled(send: Sent, bundle: dict[str, Any]) -> Any:
        answer = send(bundle)
        return {**answer, "entry": list(reversed(answer["entry"]))}

    through(made, monkeypatch, shuffled)
    made.push()
    assert in_step(made)
    for link in made.links():
        identifier = made.client.read(link.type, link.remote_id).resource["identifier"]
        assert (link.part.partition("/")[2] or link.record_id) in str(identifier)


def test_a_server_that_answers_with_another_s_id(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    made.push()
    plan = made.plan()
    other = {**copy(plan), "id": "11111111-1111-4111-8111-111111111111"}
    for name in ("goals", "interventions", "care_team"):
        other.pop(name, None)
    first = made.remote("CarePlan")

    def lying(send: Sent, bundle: dict[str, Any]) -> Any:
        answer = send(bundle)
        for entry in answer["entry"]:
            if entry["response"]["location"].startswith("CarePlan/"):
                entry["response"]["location"] = f"CarePlan/{first['id']}/_history/1"
                entry.pop("resource", None)
        return answer

    through(made, monkeypatch, lying)
    made.write(other)
    made.push()
    odd = next(link for link in made.links("CarePlan") if link.record_id == other["id"])
    assert (odd.remote_id, odd.reason) == ("", "the server answered with a resource that belongs to another part")
    made.push()
    assert in_step(made)


def test_a_request_that_always_fails_holds_up_nothing(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server dies of one record: the others get there, and that one is given up at last."""

    def fragile(send: Sent, bundle: dict[str, Any]) -> Any:
        if any("F32" in str(entry["resource"].get("code")) for entry in bundle["entry"]):
            raise UnknownOutcome("500")
        return send(bundle)

    through(made, monkeypatch, fragile)
    for _ in range(20):
        with pytest.raises(Unavailable) if _ < 1 else contextless():
            made.push()
    (bad,) = [link for link in made.links() if link.state == "quarantine"]
    assert bad.type == "Condition"
    assert "given up" in bad.reason
    assert len([link for link in made.links() if link.state == "linked"]) >= 2


class contextless:  # noqa: N801 - stands where a context manager does
    """Takes either way."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *error: object) -> bool:
        return isinstance(error[1], Unavailable)


def test_a_server_without_transactions_gets_them_one_by_one(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    capability = replace(made.client.capability(), transaction=False)
    monkeypatch.setattr(made.client, "capability", lambda: capability)
    sizes = through(made, monkeypatch, lambda send, bundle: send(bundle))
    made.push()
    assert set(sizes) == {1}
    assert in_step(made)
    assert all("reference" in row for row in made.remote("CarePlan")["goal"])
    assert made.sync().steps == []


def test_a_version_that_changes_at_every_write_is_given_up(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    made.push()
    made.edit_goal(status_reason="ours")

    def moving(send: Sent, bundle: dict[str, Any]) -> Any:
        raise Conflict("Somebody else wrote in between.")

    through(made, monkeypatch, moving)
    for _ in range(6):
        made.push()
    stopped = [link for link in made.links() if link.state == "quarantine"]
    assert "stopped after three" in stopped[0].reason
    monkeypatch.undo()
    for one in made.store.conflicts(NAME):
        made.desk().resolve(one.number, "ours")
    made.push()
    assert made.goal()["statusReason"] == "ours"
    assert in_step(made)


def goals(bundle: dict[str, Any], goal: str) -> list[dict[str, Any]]:
    """The entries of a Bundle that are about a goal of ours."""
    return [
        row for row in bundle["entry"] if row["resource"]["resourceType"] == "Goal" and goal in str(row["resource"])
    ]


def test_several_matches_of_one_part_set_it_alone_aside(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """FHIR says 412 of a condition that several match; of a whole transaction nobody can tell that from a stale version."""
    goal = made.plan()["goals"][0]["id"]

    def several(send: Sent, bundle: dict[str, Any]) -> Any:
        if goals(bundle, goal):
            raise Conflict("412") if len(bundle["entry"]) > 1 else ServerRefused("412", status=412)
        return send(bundle)

    through(made, monkeypatch, several)
    made.push()
    made.push()
    (aside,) = [link for link in made.links() if link.state != "linked"]
    assert (aside.type, aside.state) == ("Goal", "quarantine")
    assert "several resources there" in aside.reason


@pytest.mark.parametrize("later", [False, True])
def test_a_transaction_that_is_done_in_part(made: Scene, monkeypatch: pytest.MonkeyPatch, later: bool) -> None:
    """The others name what was refused by an id that nothing has there: they are written once more, as it then is."""
    goal = made.plan()["goals"][0]["id"]

    def torn(send: Sent, bundle: dict[str, Any]) -> Any:
        out = goals(bundle, goal)
        if not out or len(bundle["entry"]) == 1:
            if out and not later:
                raise ServerRefused("422", status=422)
            return send(bundle)
        text = fhir_json.dumps(bundle["entry"]).decode().replace(out[0]["fullUrl"], "Goal/nothing")
        rest = [row for row in fhir_json.loads(text.encode()) if goal not in str(row["resource"].get("identifier"))]
        answer = send({**bundle, "entry": rest})
        answer["entry"].insert(bundle["entry"].index(out[0]), {"response": {"status": "422"}})
        return answer

    through(made, monkeypatch, torn)
    made.push()
    held = [
        row.resource
        for type_ in ("CarePlan", "ServiceRequest")
        for page in made.client.search(type_, {})
        for row in page
    ]
    assert held
    assert "Goal/nothing" not in str(held)
    assert {link.state for link in made.links()} == ({"linked"} if later else {"linked", "refused"})
    assert not later or in_step(made)
    assert made.store.state(NAME).facts["torn"]
    assert not made.store.state(NAME).facts["transaction"], "batches go there from now on"
    assert made.sync().steps == []


def test_an_edit_of_what_was_deleted_there_is_a_conflict_with_a_push_alone(
    made: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """HAPI answers such an update with a conflict; others with 404 or 410."""
    made.push()
    (link,) = [link for link in made.links("Goal") if link.part.endswith(made.plan()["goals"][0]["id"])]
    made.edit_goal(status_reason="ours")
    made.client.delete("Goal", link.remote_id)

    update = made.client.update

    def absent(resource: dict[str, Any], **request: Any) -> Any:
        if resource["id"] == link.remote_id:
            raise NotFound("The server does not know it.")
        return update(resource, **request)

    monkeypatch.setattr(made.client, "update", absent)
    made.push()
    (link,) = [one for one in made.links("Goal") if one.part == link.part]
    assert (link.state, link.reason) == ("conflict", "changed here, deleted there")
    assert len(made.store.conflicts(NAME)) == 1


def test_only_the_kinds_of_a_server_go_there(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(kinds=("patient", "diagnosis")))
    made.push()
    assert {link.kind for link in made.links() if link.remote_id} == {"patient", "diagnosis"}
    assert {link.state for link in made.links() if link.kind == "plan"} == {"outside"}
    assert made.store.counts(NAME).get("waiting", 0) == 0


def test_what_a_server_is_for_may_grow_and_the_rest_goes_then(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(kinds=("patient",), patients="listed"), patients=["somebody"])
    (patient,) = [row["id"] for row in made.store.records("patient")]
    made.push()
    assert [link for link in made.links() if link.remote_id] == []
    change(made.store, NAME, listed=[patient])
    made.push()
    assert {link.kind for link in made.links() if link.remote_id} == {"patient"}
    change(made.store, NAME, kinds=("patient", "plan"))
    made.push()
    assert {link.kind for link in made.links() if link.remote_id} == {"patient", "plan"}
    change(made.store, NAME, kinds=(), patients="linked")
    made.push()
    assert in_step(made)


@pytest.mark.parametrize("listed", [True, False])
def test_only_listed_patients_go_there(tmp_path: Path, listed: bool) -> None:
    (patient,) = [row["id"] for row in scene(tmp_path / "x").store.records("patient")] if _made(tmp_path / "x") else []
    made = scene(tmp_path, options=Options(patients="listed"), patients=[patient if listed else "somebody"])
    made.push()
    assert bool([link for link in made.links("CarePlan") if link.remote_id]) == listed


def _made(path: Path) -> bool:
    path.mkdir()
    return True


def test_two_at_once_send_nothing_twice(made: Scene) -> None:
    """Each takes what the other has not leased."""
    one = made.store.claim(NAME, limit=100, seconds=60)
    assert one
    made.push()
    assert all(link.remote_id == "" for link in made.links() if link.key in {row.key for row in one})
    made.clock.at = made.clock.at.replace(hour=14)
    made.push()
    assert in_step(made)
    assert made.store.settle(one) == one


def test_two_resources_there_with_our_identifier_are_for_a_person(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    patient = next(row.tree for row in made.store.parts("patient", next(made.store.records("patient"))["id"]).values())
    for _ in range(2):
        made.client.create({key: value for key, value in patient.items() if key != "id"})
    made.push()
    (odd,) = [link for link in made.links() if link.type == "Patient"]
    assert odd.state == "quarantine"
    (one,) = made.store.conflicts(NAME)
    assert one.path == ""
    made.client.delete("Patient", next(made.client.search("Patient", {}))[0].resource["id"])
    made.desk().resolve(one.number, "ours")
    made.push()
    assert in_step(made)


def test_a_server_with_batches_only_gets_targets_first(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    capability = replace(made.client.capability(), transaction=False, batch=True)
    monkeypatch.setattr(made.client, "capability", lambda: capability)
    kinds: list[str] = []

    def seen(send: Sent, bundle: dict[str, Any]) -> Any:
        kinds.append(bundle["type"])
        own = {entry.get("fullUrl") for entry in bundle["entry"]}
        assert not any(str(name) in str(entry["resource"]) for name in own if name for entry in bundle["entry"])
        return send(bundle)

    sizes = through(made, monkeypatch, seen)
    made.push()
    assert max(sizes) > 1
    assert "batch" in kinds
    assert in_step(made)
    assert all("reference" in row for row in made.remote("CarePlan")["goal"])
    assert made.sync().steps == []


def test_what_a_batch_refuses_of_one_is_told_by_itself(made: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    capability = replace(made.client.capability(), transaction=False, batch=True)
    monkeypatch.setattr(made.client, "capability", lambda: capability)

    def picky(send: Sent, bundle: dict[str, Any]) -> Any:
        bad = [index for index, entry in enumerate(bundle["entry"]) if "F32" in str(entry["resource"].get("code"))]
        if bad and len(bundle["entry"]) == 1:
            raise ServerRefused("No.", status=422)
        kept = [entry for index, entry in enumerate(bundle["entry"]) if index not in bad]
        answer = send({**bundle, "entry": kept}) if kept else {"entry": []}
        for index in bad:
            answer["entry"].insert(index, {"response": {"status": "422 Unprocessable"}})
        return answer

    through(made, monkeypatch, picky)
    made.push()
    (refused,) = [link for link in made.links() if link.state == "refused"]
    assert (refused.type, refused.reason) == ("Condition", "the server answered 422: No.")
    assert len([link for link in made.links() if link.state == "linked"]) >= 2
