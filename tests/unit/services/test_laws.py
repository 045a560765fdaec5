"""The laws that `pack test` holds packs to find what breaks them: a mapper that is made to break each is caught."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest

from adapter.fhir_json import copy
from adapter.mapping import Mapper
from adapter.records import check
from adapter.services.knowledge import Knowledge
from adapter.services.testing.comparing import NOTHING, differences
from adapter.services.testing.edits import edits, holds_together
from adapter.services.testing.laws import Laws
from tests.unit.cli.packing import goal

Tree = dict[str, Any]
KNOWN = Knowledge.of()
GOAL = goal(priority={"code": "high-priority"})


class Spoiled(Mapper):
    """A mapper that does one thing too much when it writes onto resources."""

    __slots__ = ()

    def parts(self, record: Tree, onto: Mapping[str, Tree] | None = None, refs: Any = None) -> Any:
        parts, issues = super().parts(record, onto, refs)
        if onto:
            self.spoil(parts[""])
        return parts, issues

    def spoil(self, resource: Tree) -> None:
        raise NotImplementedError


class Leaky(Spoiled):
    __slots__ = ()

    def spoil(self, resource: Tree) -> None:
        resource["outcomeCode"] = [{"text": "new"}]


class Growing(Spoiled):
    __slots__ = ()

    def spoil(self, resource: Tree) -> None:
        resource.setdefault("implicitRules", "")
        resource["implicitRules"] += "x"


class Renaming(Spoiled):
    __slots__ = ()

    def spoil(self, resource: Tree) -> None:
        resource["id"] = "another"


class Quiet(Spoiled):
    __slots__ = ()

    def spoil(self, resource: Tree) -> None:
        resource["language"] = "de"


def broken(class_: type[Mapper]) -> set[str]:
    mapper = class_(*(getattr(KNOWN.mapper, field.name) for field in fields(KNOWN.mapper) if field.init))
    laws = Laws(replace(KNOWN, mapper=mapper), check)
    return {row.law.partition(":")[0] for row in laws.of_record(GOAL)}


def test_the_mapper_itself_breaks_none() -> None:
    laws = Laws(KNOWN, check)
    assert list(laws.of_record(GOAL)) == []
    assert laws.tried >= 12


@pytest.mark.parametrize(
    ("class_", "law"), [(Leaky, "PutGet"), (Growing, "PutPut"), (Renaming, "Ids stay"), (Quiet, "Locality")]
)
def test_what_breaks_a_law_is_found(class_: type[Mapper], law: str) -> None:
    assert law in broken(class_)


def test_each_kind_of_edit_is_tried_once_for_a_pack() -> None:
    laws = Laws(KNOWN, check)
    list(laws.of_record(GOAL))
    tried = laws.tried
    list(laws.of_record({**GOAL, "id": goal(2)["id"]}))
    assert laws.tried == tried


def test_a_record_that_is_none_is_not_edited() -> None:
    assert list(Laws(KNOWN, check).of_record(goal(lifecycle="sideways"))) == []


def test_edits_change_and_remove_each_field() -> None:
    shape = KNOWN.shape_of("goal")
    assert shape is not None
    record = goal()
    before = copy(record)
    found = {
        edit.name: edit.record
        for edit in edits(record, shape, lambda place: ["high", "low"] if place == ("priority",) else [])
    }
    assert record == before
    assert found["change lifecycle"]["lifecycle"] != "active"
    assert found["change priority"]["priority"] == {"code": "low"}
    assert found["change target[0].due"]["target"][0]["due"] == "2025-05-06"
    assert "statement" not in found.get("remove statement", {})
    assert not any(name.endswith(".id") for name in found)


def test_an_edit_does_not_leave_ids_that_lead_nowhere() -> None:
    record = {"goals": [{"id": "a", "x": 1}], "problems": [{"id": "p", "text": "t"}], "uses": ["a"]}
    assert not holds_together(record, {**record, "goals": []})
    assert holds_together(record, {**record, "goals": [], "uses": []})
    assert not holds_together(record, {**record, "problems": [{"id": "p"}]})


def test_differences_set_items_against_their_like() -> None:
    found = list(differences({"a": [1, 2, 3]}, {"a": [1, 3], "b": 1}))
    assert [(row.place, row.want, row.got) for row in found] == [(("a", 1), 2, NOTHING), (("b",), NOTHING, 1)]
    assert list(differences([{"x": 1}], [{"x": 1}])) == []
    assert [row.place for row in differences([{"x": 1}], [{"x": 2}])] == [(0, "x")]
