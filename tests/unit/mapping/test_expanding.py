"""Short forms are told out before anything else looks at a file."""

from __future__ import annotations

from typing import Any

import pytest

from adapter.errors import PackError
from adapter.mapping.expanding import expanded
from adapter.mapping.source import Faults

FILE = """
map: goal
record: goal
resource: Goal
rules:
  - {record: a, fhir: expressedBy, only: R4}
  - {record: a, fhir: source, only: R5}
  - {record: amount, fhir: detailQuantity, object: quantity}
  - record: notes
    fhir: note
    items:
      - {record: time, fhir: time, only: R5}
"""
SHARED = """
groups:
  quantity:
    - {record: value, fhir: value}
    - {record: unit, fhir: unit}
  range:
    - {record: low, fhir: low, object: quantity}
"""


def _rules(release: str, text: str = FILE, faults: Faults | None = None) -> list[Any]:
    texts = {"goal": ("maps/goal.yaml", text), "groups": ("maps/groups.yaml", SHARED)}
    return list(expanded(texts, release, Faults() if faults is None else faults)["goal"][1]["rules"])


def test_a_pair_for_one_release_is_not_there_in_the_other() -> None:
    assert next(row["fhir"] for row in _rules("R4")) == "expressedBy"
    assert next(row["fhir"] for row in _rules("R5")) == "source"
    assert _rules("R4")[-1]["items"] == []
    assert _rules("R5")[-1]["items"] == [{"record": "time", "fhir": "time"}]


def test_an_object_is_the_pairs_of_its_group_below_both_paths() -> None:
    rows = _rules("R4")[1:3]
    assert rows == [
        {"record": "amount.value", "fhir": "detailQuantity.value"},
        {"record": "amount.unit", "fhir": "detailQuantity.unit"},
    ]
    assert {(row.file, row.line) for row in rows} == {("maps/goal.yaml", 8)}


def test_groups_may_hold_objects() -> None:
    text = FILE.replace("detailQuantity, object: quantity", "detailRange, object: range")
    assert [row["fhir"] for row in _rules("R4", text)[1:3]] == ["detailRange.low.value", "detailRange.low.unit"]


def test_a_file_may_be_for_one_release() -> None:
    texts = {"goal": ("maps/goal.yaml", FILE.replace("map: goal", "map: goal\nonly: R5"))}
    assert expanded({**texts, "groups": ("g", SHARED)}, "R4", Faults()) == {}
    assert list(expanded({**texts, "groups": ("g", SHARED)}, "R5", Faults())) == ["goal"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("only: R4", "only: R3"), "goal.yaml:6:36: expected a release: R4 or R5"),
        (("object: quantity", "object: quantities"), "goal.yaml:8:44: unknown group quantities"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(change: tuple[str, str], said: str) -> None:
    faults = Faults()
    _rules("R4", FILE.replace(*change), faults)
    assert any(said in str(fault) for fault in faults)


def test_a_group_that_holds_itself_ends() -> None:
    shared = "groups:\n  a:\n    - {record: b, fhir: c, object: a}\n"
    faults = Faults()
    text = FILE.replace("object: quantity", "object: a")
    expanded({"goal": ("goal.yaml", text), "groups": ("groups.yaml", shared)}, "R4", faults)
    assert any("holds itself" in str(fault) for fault in faults)


def test_a_pack_says_its_faults_with_the_file_of_the_group() -> None:
    from adapter.mapping.choosing import Context
    from adapter.mapping.compiler import compile_maps

    texts = {
        "goal": ("goal.yaml", FILE),
        "groups": ("groups.yaml", "groups:\n  quantity:\n    - {recrod: v, fhir: v}\n"),
    }
    with pytest.raises(PackError) as caught:
        compile_maps(texts, Context({}, {}, lambda _: None))
    assert caught.value.faults
