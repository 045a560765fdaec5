"""What resources that come in mean for the records: the same, whether what they refer to is read or only named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapter.errors import DataError
from adapter.mapping import load
from adapter.mapping.mapper import PackMaps
from adapter.ports import StoredResource, Tree
from adapter.records import check
from adapter.store import Store
from adapter.sync import receive
from tests.unit.services.scene import scene

PACK = load("core")
TYPES = ("Patient", "Questionnaire", "QuestionnaireResponse", "Condition", "CarePlan", "Goal", "CareTeam", "ServiceRequest", "Observation")  # fmt: skip


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return scene(tmp_path).store


def everything(store: Store) -> list[StoredResource]:
    return [row for type_ in TYPES for row in store.search(type_, [], limit=100).rows]


def outcome(store: Store, changes: dict[receive.Key, Tree | None]) -> Any:
    try:
        plan = receive.plan(store, PACK, changes, check)
    except DataError as error:
        return error.message, [issue.message_id for issue in error.issues]
    return [(one.record, sorted(one.parts)) for one in plan.writes], plan.deletes


def both(store: Store, changes: dict[receive.Key, Tree | None], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is made of it, which is the same where all that it leads to is read."""
    found = outcome(store, changes)
    with monkeypatch.context() as patch:
        patch.setattr(PackMaps, "alone", frozenset())
        assert outcome(store, changes) == found
    return found


def test_what_is_always_a_record_of_its_own() -> None:
    assert {"Patient", "Condition", "Consent", "Questionnaire"} == PACK.alone


def test_each_resource_changed_or_deleted(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    written = 0
    for row in everything(store):
        for tree in ({**row.tree, "language": "de"}, None):
            found = both(store, {(row.type, row.id): tree}, monkeypatch)
            written += isinstance(found[0], list)
    assert written > 10


def test_all_at_once_and_by_type(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = everything(store)
    for types in (TYPES, *((type_,) for type_ in TYPES)):
        changes: dict[receive.Key, Tree | None] = {
            (row.type, row.id): {**row.tree, "language": "de"} for row in rows if row.type in types
        }
        if changes:
            both(store, changes, monkeypatch)


def test_new_ones_that_refer_to_what_is_here(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    first = {row.type: row for row in everything(store)}
    subject = {"reference": f"Patient/{first['Patient'].id}"}
    addresses = [{"reference": f"Condition/{first['Condition'].id}"}, {"reference": "Condition/nobody"}]
    goal = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "x"}, "subject": subject, "addresses": addresses}  # fmt: skip
    plan = {"resourceType": "CarePlan", "id": "p", "status": "active", "intent": "plan", "subject": subject, "addresses": addresses, "goal": [{"reference": "Goal/g"}]}  # fmt: skip
    changes: dict[receive.Key, Tree | None] = {("Goal", "g"): goal, ("CarePlan", "p"): plan}
    ((record, parts),), _ = both(store, changes, monkeypatch)
    assert len(parts) == 2
    assert record["patient"] == first["Patient"].record_id
    assert record["problems"][0]["id"] == first["Condition"].record_id
    both(store, {("Goal", "g"): goal}, monkeypatch)


def test_what_is_only_named_is_not_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    condition = next(row for row in everything(store) if row.type == "Condition")
    asked: list[receive.Key] = []
    around = Store.around

    def watched(self: Store, keys: Any) -> Any:
        asked.extend(keys)
        return around(self, keys)

    monkeypatch.setattr(Store, "around", watched)
    changed = {**condition.tree, "language": "de"}
    receive.plan(store, PACK, {(condition.type, condition.id): changed}, check)
    assert asked == [(condition.type, condition.id)]
