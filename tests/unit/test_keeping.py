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


def test_what_is_pulled_becomes_the_records_that_ours_becomes(keeper: Keeper) -> None:
    there: dict[str, list[Tree]] = {type_: [] for type_ in ORDER}
    for tree in plain([row["resource"] for row in entries()]):
        there[tree["resourceType"]].append({**tree, "meta": {**tree.get("meta", {}), "versionId": "1"}})
    checked: list[Tree] = []
    for _ in range(2):
        assert keeper.pull(lambda type_: there[type_], checked.append) == 5 * PEOPLE
    assert len(checked) == 10 * PEOPLE
    assert [record for record in keeper.documents() if "kind" in record] == expected()


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
