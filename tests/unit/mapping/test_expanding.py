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


HEAD = "name: p\nversion: 1.0.0\nextra:\n  goal:\n    barriers: {type: string, text: Words.}\n"


def _told(files: dict[str, str], release: str = "R4") -> tuple[Any, list[tuple[str, str, int, int]]]:
    faults = Faults()
    texts = {name: (f"p/{name}.yaml", text) for name, text in files.items()}
    found = expanded(texts, release, faults)
    return found, [(row.id, row.file, row.line, row.column) for row in faults]


def test_fields_that_a_pack_adds_are_pairs_of_their_kind_with_their_place() -> None:
    goal = "map: goal\nrecord: goal\nresource: Goal\nrules:\n  - {record: a, fhir: b}\n"
    part = goal.replace("rules", "at: goals\nrules")
    found, faults = _told(
        {"pack": HEAD, "goal": goal, "part": part, "plan": goal.replace("record: goal", "record: plan")}
    )
    assert faults == []
    assert list(found) == ["goal", "part", "plan"]
    assert [len(found[name][1]["rules"]) for name in found] == [2, 1, 1]
    added = found["goal"][1]["rules"][1]
    assert added["record"] == "extra.p.barriers"
    assert (added.file, added.line, added.column) == ("p/pack.yaml", 5, 5)
    assert found["goal"][1]["rules"].spots[1] == (5, 5)


def test_a_field_for_a_kind_that_no_map_is_for_is_a_fault() -> None:
    part = "map: goal\nrecord: goal\nresource: Goal\nat: goals\nrules: []\n"
    found, faults = _told({"pack": HEAD, "part": part})
    assert faults == [("record-kind", "p/pack.yaml", 4, 3)]
    assert list(found) == ["part"]


def test_a_file_that_is_no_head_may_say_name_or_extra() -> None:
    file = "map: goal\nname: x\nextra: {plan: {}}\nrecord: goal\nresource: Goal\nrules: []\n"
    found, faults = _told({"goal": file})
    assert (list(found), faults) == (["goal"], [])


def test_groups_are_told_out_too_and_only_where_there_are_some() -> None:
    bare = "map: goal\nrecord: goal\nresource: Goal\nrules: []\n"
    assert "groups" not in _told({"goal": bare})[0]["goal"][1]
    own = f"{bare}groups:\n  g: [{{record: a, fhir: b, only: R5}}, {{record: c, fhir: d}}]\n"
    assert _told({"goal": own})[0]["goal"][1]["groups"] == {"g": [{"record": "c", "fhir": "d"}]}
    odd, _ = _told({"goal": f"{bare}groups: text\n", "groups": "groups: {g: []}\n"})
    assert odd["goal"][1]["groups"] == "text"


def test_a_pair_below_an_object_keeps_what_it_has_alone() -> None:
    file = "map: m\nrecord: goal\nresource: Goal\nrules:\n  - {fhir: a, object: g}\n  - {record: r, fhir: a, object: g}\ngroups:\n  g: [{set: x, fhir: b}, {record: c, fhir: d}]\n"
    rows = list(_told({"m": file})[0]["m"][1]["rules"])
    assert rows[0] == {"set": "x", "fhir": "a.b"}
    assert rows[1]["record"] == "c"
    assert rows[2] == {"set": "x", "fhir": "a.b"}
    assert rows[3] == {"record": "r.c", "fhir": "a.d"}


def test_groups_may_stand_in_groups_nine_deep() -> None:
    deep = [f"g{number}: [{{record: r, fhir: a, object: g{number + 1}}}]" for number in range(1, 12)]
    for most, told in ((9, ["r"]), (10, [])):
        groups = "{" + ", ".join([*deep[: most - 1], f"g{most}: [{{record: r, fhir: b}}]"]) + "}"
        file = (
            f"map: m\nrecord: goal\nresource: Goal\nrules:\n  - {{record: r, fhir: a, object: g1}}\ngroups: {groups}\n"
        )
        found, faults = _told({"m": file})
        assert [row["record"].rpartition(".")[2] for row in found["m"][1]["rules"]] == told
        assert {id_ for id_, *_ in faults} == (set() if told else {"group-loop"})


@pytest.mark.parametrize(
    ("rule", "groups", "fault"),
    [
        ("{record: r, fhir: a, object: no}", "{}", ("group-unknown", 26)),
        ("{record: r, fhir: a, only: R9}", "{}", ("release-unknown", 26)),
        ("{record: r, fhir: a, object: g}", "{g: [{record: r, fhir: a, object: g}]}", ("group-loop", 35)),
    ],
)
def test_a_short_form_that_cannot_be_told_out(rule: str, groups: str, fault: tuple[str, int]) -> None:
    file = f"map: m\nrecord: goal\nresource: Goal\nrules:\n  - {rule}\ngroups: {groups}\n"
    _, faults = _told({"m": file})
    assert (faults[0][0], faults[0][3]) == fault
    assert faults[0][1] == "p/m.yaml"
