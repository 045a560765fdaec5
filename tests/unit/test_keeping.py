"""What an integrator writes around another client ends with the records that ours ends with, on both ways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapter import fhir_json
from bench.peers.keeping import ORDER, Keeper
from bench.syncing import raw
from bench.syncing.people import people

Tree = dict[str, Any]
PEOPLE = 3


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    made = Keeper(tmp_path / "kept.db")
    yield made
    made.close()


def entries() -> list[Tree]:
    """The resources of some people, with the literals by which they refer to each other."""
    return [row for person in raw.bundles(PEOPLE) for row in person]


def plain(tree: Any) -> Any:
    """As a server answers it that keeps urn:uuid ids as its own, versions given."""
    text = fhir_json.dumps(tree).decode()
    for row in entries():
        text = text.replace(f'"{row["fullUrl"]}"', f'"{row["resource"]["resourceType"]}/{row["resource"]["id"]}"')
    return fhir_json.loads(text.encode())


def expected() -> list[Tree]:
    records = [record for person in people(PEOPLE) for record in person]
    found = [{name: value for name, value in record.items() if name != "origin"} for record in records]
    return sorted(found, key=lambda record: (record["kind"], record["id"]))


class There:
    """What a server has, as a client gives it, and what was checked of that."""

    def __init__(self) -> None:
        self.trees: dict[str, list[Tree]] = {type_: [] for type_ in ORDER}
        self.checked: list[Tree] = []
        for tree in plain([row["resource"] for row in entries()]):
            meta = {**tree.get("meta", {}), "versionId": "1", "lastUpdated": "2026-01-01T00:00:00.000Z"}
            self.trees[tree["resourceType"]].append({**tree, "meta": meta})

    def fetch(self, type_: str, since: str) -> list[Tree]:
        return [tree for tree in self.trees[type_] if tree["meta"]["lastUpdated"][:19] >= since[:19]]

    def change(self, type_: str, **values: Any) -> Tree:
        old = self.trees[type_][0]
        meta = {**old["meta"], "versionId": "2", "lastUpdated": "2026-01-02T00:00:00.000Z"}
        self.trees[type_][0] = {**old, **values, "meta": meta}
        return self.trees[type_][0]

    def pulled(self, keeper: Keeper) -> list[Tree]:
        keeper.pull(self.fetch, self.checked.append)
        return [record for record in keeper.documents() if "kind" in record]


def test_what_is_pulled_becomes_the_records_that_ours_becomes(keeper: Keeper) -> None:
    there = There()
    assert keeper.pull(there.fetch, there.checked.append) == 5 * PEOPLE
    assert [record for record in keeper.documents() if "kind" in record] == expected()


def test_what_is_pulled_again_is_known_and_writes_nothing(keeper: Keeper) -> None:
    there = There()
    first = there.pulled(keeper)
    assert there.pulled(keeper) == first
    assert len(there.checked) == 5 * PEOPLE
    assert (keeper.count("link_was"), keeper.count("record_was")) == (5 * PEOPLE, 5 * PEOPLE)


def test_what_changed_there_is_taken_and_what_was_is_kept(keeper: Keeper) -> None:
    there = There()
    there.pulled(keeper)
    there.change("Goal", statusReason="illness")
    plans = [record for record in there.pulled(keeper) if record["kind"] == "plan"]
    assert [goal.get("status_reason") for plan in plans for goal in plan["goals"]].count("illness") == 1
    # The goal, and the plan that holds it.
    assert (keeper.count("link_was"), keeper.count("record_was")) == (5 * PEOPLE + 1, 5 * PEOPLE + 2)


def test_what_changed_on_both_sides_is_set_aside(keeper: Keeper) -> None:
    there = There()
    ours = next(record for record in there.pulled(keeper) if record["kind"] == "patient")
    keeper.edit({**ours, "gender": "other"})
    changed = next(tree for tree in there.trees["Patient"] if ours["id"] in str(tree["identifier"]))
    there.trees["Patient"].remove(changed)
    there.trees["Patient"].insert(0, changed)
    there.change("Patient", gender="unknown")
    assert {**ours, "gender": "other"} in there.pulled(keeper)
    assert keeper.count("aside") == 1


def test_what_is_pushed_refers_to_what_is_there(keeper: Keeper) -> None:
    sent: dict[str, Tree] = {}

    def send(tree: Tree, condition: str) -> Tree:
        assert condition not in sent
        sent[condition] = tree
        return {"id": str(len(sent)), "meta": {"versionId": "1"}}

    assert keeper.push(entries(), lambda _: None, send) == 5 * PEOPLE
    for tree in sent.values():
        assert "urn:uuid:" not in fhir_json.dumps(tree).decode(), "each is named as it is there, or by its identifier"
    assert {tree["resourceType"] for tree in sent.values()} == set(ORDER)
