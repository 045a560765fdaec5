"""Creation at our own ids: where it is tried, believed and given up, and that nothing is there twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapter.errors import ServerRefused, UnknownOutcome
from adapter.exchange.memory import MemoryFhirServer
from adapter.identity import IDENTIFIER_SYSTEM, resource_id
from adapter.ports import Link, Rows, Versioned
from adapter.sync.facts import Facts
from adapter.sync.outgoing import Send
from adapter.sync.placing import Placing
from tests.unit.services.scene import NAME, Scene, scene


@pytest.fixture
def here(tmp_path: Path) -> Scene:
    return scene(tmp_path, own_ids=True)


def placing(made: Scene) -> Any:
    return made.store.state(NAME).facts["placing"]


def doubled(made: Scene) -> list[tuple[str, str]]:
    """Our identifiers that more than one resource bears."""
    found = [(key[0], row["value"]) for key in made.client._held for row in _ours(made.client, key)]
    return sorted({value for value in found if found.count(value) > 1})


def _ours(client: MemoryFhirServer, key: tuple[str, str]) -> list[dict[str, Any]]:
    tree = client._held[key][-1].resource or {}
    rows = tree.get("identifier", [])
    return [row for row in (rows if isinstance(rows, list) else [rows]) if row.get("system") == IDENTIFIER_SYSTEM]


def test_what_is_new_is_created_at_our_ids(here: Scene) -> None:
    assert not here.push().troubled
    assert placing(here) == "yes"
    assert {link.state for link in here.links()} == {"linked"}
    assert all(link.remote_id == link.local_id for link in here.links())
    assert not doubled(here)


def goal_of(made: Scene) -> Link:
    return next(link for link in made.links("Goal") if link.part == f"Goal/{made.plan()['goals'][0]['id']}")


def test_a_reference_within_a_request_leads_to_our_id(here: Scene) -> None:
    here.push()
    plan = here.remote("CarePlan")
    assert {"reference": f"Goal/{goal_of(here).local_id}"}.items() <= plan["goal"][0].items()


def test_a_server_that_asks_for_what_is_there_is_created_at_as_before(tmp_path: Path) -> None:
    made = scene(tmp_path)
    assert not made.push().troubled
    assert placing(made) == "no"
    assert not any(link.remote_id == link.local_id for link in made.links())
    assert not doubled(made)


def test_a_server_that_does_not_keep_the_condition_is_not_trusted(here: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    update = MemoryFhirServer.update
    monkeypatch.setattr(MemoryFhirServer, "update", lambda self, tree, *, if_match=None: update(self, tree))
    assert not here.push().troubled
    assert placing(here) == "no"
    assert sum(link.remote_id == link.local_id for link in here.links()) == 1
    assert not doubled(here)


def test_what_bears_our_identifier_under_another_id_is_found(here: Scene) -> None:
    (patient,) = here.store.records("patient")
    identifier = {"system": IDENTIFIER_SYSTEM, "value": patient["id"]}
    there = here.client.create({"resourceType": "Patient", "identifier": [identifier]})
    here.push()
    here.push()
    (link,) = here.links("Patient")
    assert link.remote_id == there.resource["id"] != link.local_id
    assert placing(here) == "yes"
    assert not doubled(here)


def test_what_was_deleted_at_our_id_is_not_brought_back_under_it(here: Scene) -> None:
    goal = goal_of(here).local_id
    here.client.update({"resourceType": "Goal", "id": goal})
    here.client.delete("Goal", goal)
    here.push()
    link = goal_of(here)
    assert link.state == "linked"
    assert link.remote_id != goal
    assert here.client._held["Goal", goal][-1].resource is None


def test_somebody_else_s_resource_at_our_id_is_left_alone(here: Scene) -> None:
    goal = goal_of(here).local_id
    other = here.client.update({"resourceType": "Goal", "id": goal, "description": {"text": "another's"}})
    here.push()
    assert goal_of(here).remote_id not in ("", goal)
    assert here.client.read("Goal", goal).resource == other.resource


@pytest.mark.parametrize("id_", ["4711", "0d9ad6b1-3f5e-4a6d-9a55-6f36b3a4a1de", "p1"])
def test_an_id_that_another_adapter_would_not_choose_is_none_to_be_created_at(here: Scene, id_: str) -> None:
    """What was taken over may be created by two: a backup that comes back after it was looked for is enough."""
    here.push()
    link = goal_of(here).replace(remote_id="", part="Goal/new")
    link = link.replace(local_id=resource_id(link.kind, link.record_id, link.part))
    sends = [Send(link, 1, {}, {}), Send(link.replace(local_id=id_), 1, {}, {})]
    placed = [Placing(Facts.of(here.partner())).placed(here.partner(), [send])[0].placed for send in sends]
    assert placed == [True, False]


def test_a_server_that_takes_our_ids_no_more_is_created_at_as_before(here: Scene) -> None:
    here.push()
    here.client._own_ids = False
    (diagnosis, *_) = here.store.records("diagnosis")
    here.write({**diagnosis, "id": "0d9ad6b1-3f5e-4a6d-9a55-6f36b3a4a1de"})
    assert not here.push().troubled
    assert not here.push().troubled
    assert {link.state for link in here.links()} == {"linked"}
    assert not doubled(here)


def test_a_search_that_is_refused_leaves_it_at_the_condition(here: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    search = MemoryFhirServer.search

    def refused(self: MemoryFhirServer, type_: str, params: Any) -> Any:
        if "identifier" in params:
            raise ServerRefused("The server refused the request (HTTP status 400).", status=400)
        return search(self, type_, params)

    monkeypatch.setattr(MemoryFhirServer, "search", refused)
    assert not here.push().troubled
    assert placing(here) == "no"
    assert {link.state for link in here.links()} == {"linked"}


def test_an_answer_that_is_lost_leaves_one(here: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    lost: list[str] = []

    def once(self: MemoryFhirServer, bundle: Any) -> Any:
        found = transaction(self, bundle)
        if not lost:
            lost.append("")
            raise UnknownOutcome("lost")
        return found

    transaction = MemoryFhirServer.transaction
    monkeypatch.setattr(MemoryFhirServer, "transaction", once)
    for _ in range(3):
        with suppress(UnknownOutcome):
            here.push()
    assert lost
    assert {link.state for link in here.links()} == {"linked"}
    assert all(link.remote_id == link.local_id for link in here.links())
    assert not doubled(here)


def test_once_it_is_known_nothing_is_tried(here: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    here.push()
    (diagnosis, *_) = here.store.records("diagnosis")
    asked: list[str | None] = []
    update = MemoryFhirServer.update

    def told(self: MemoryFhirServer, tree: Any, *, if_match: str | None = None) -> Versioned:
        asked.append(if_match)
        return update(self, tree, if_match=if_match)

    monkeypatch.setattr(MemoryFhirServer, "update", told)
    here.write({**diagnosis, "id": "0d9ad6b1-3f5e-4a6d-9a55-6f36b3a4a1de"})
    here.push()
    assert asked == ['W/"0"']


def test_many_of_a_type_are_asked_about_once_as_long_as_there_was_none(
    here: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    here.push()
    link, partner = here.links("Patient")[0], here.partner()
    parts = {f"Task/{n}": resource_id(link.kind, link.record_id, f"Task/{n}") for n in range(30)}
    new = [link.replace(remote_id="", local_id=id_, part=part, type="Task") for part, id_ in parts.items()]
    sends, asked = [Send(one, 1, {}, {}) for one in new], list[str]()

    def search(self: MemoryFhirServer, type_: str, params: Any) -> Iterator[Rows]:
        asked.append(params["identifier"])
        return iter([Rows([])])

    monkeypatch.setattr(MemoryFhirServer, "search", search)
    made = Placing(Facts.of(partner))
    for _ in range(2):
        assert all(send.placed for send in made.placed(partner, sends))
    assert asked == [f"{IDENTIFIER_SYSTEM}|"]
    here.clock.at += timedelta(seconds=partner.lease)
    assert all(send.placed for send in made.placed(partner, sends))
    assert len(asked) == 2
    assert asked[1].count(",") == 29
