"""Laws of the three-way merge, and the cases that it is for."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir_json import copy, same
from adapter.sync.merge import merge

LEAVES = st.sampled_from(["a", "b", "c", 1, 2, True])
ELEMENTS = st.dictionaries(st.sampled_from(["text", "code", "start"]), LEAVES, min_size=1)
LISTS = st.dictionaries(st.sampled_from("uvwxyz"), ELEMENTS, min_size=1, max_size=4).map(
    lambda rows: [{"id": key, **value} for key, value in rows.items()]
)
TREES = st.dictionaries(st.sampled_from(["note", "category", "title", "period"]), LEAVES | ELEMENTS | LISTS).map(
    lambda tree: {"resourceType": "CarePlan", **tree}
)


@given(TREES, TREES)
def test_one_side_alone_wins(base: Any, edited: Any) -> None:
    assert merge(base, edited, base) == (edited, [])
    assert merge(base, base, edited) == (edited, [])


@given(TREES, TREES)
def test_the_same_edit_twice_is_one(base: Any, edited: Any) -> None:
    assert merge(base, edited, edited) == (edited, [])


@given(TREES, TREES, TREES)
def test_who_is_asked_first_does_not_decide_what_clashes(base: Any, ours: Any, theirs: Any) -> None:
    _, one = merge(base, ours, theirs)
    _, other = merge(base, theirs, ours)
    assert {clash.path for clash in one} == {clash.path for clash in other}
    assert {(clash.path, repr(clash.ours)) for clash in one} == {(clash.path, repr(clash.theirs)) for clash in other}


@given(TREES, TREES, TREES)
def test_nothing_that_went_in_is_changed(base: Any, ours: Any, theirs: Any) -> None:
    before = copy([base, ours, theirs])
    merge(base, ours, theirs)
    assert same([base, ours, theirs], before)


@given(TREES, TREES, TREES)
def test_an_edit_of_either_side_is_in_the_result_or_in_a_clash(base: Any, ours: Any, theirs: Any) -> None:
    merged, clashes = merge(base, ours, theirs)
    touched = {clash.path.split(".", 2)[1].split("[")[0] for clash in clashes}
    for name in ({*base, *ours, *theirs} - touched) - {"resourceType"}:
        if same(base.get(name), ours.get(name)):
            assert same(merged.get(name), theirs.get(name))
        elif same(base.get(name), theirs.get(name)):
            assert same(merged.get(name), ours.get(name))


@given(TREES, TREES, TREES)
def test_there_is_nothing_empty_in_the_result(base: Any, ours: Any, theirs: Any) -> None:
    def full(node: Any) -> bool:
        rows = node.values() if isinstance(node, dict) else node if isinstance(node, list) else [True]
        return bool(node) and all(map(full, rows)) if isinstance(node, dict | list) else True

    merged, _ = merge(base, ours, theirs)
    assert full(merged)


def paths(base: Any, ours: Any, theirs: Any) -> list[str]:
    return [clash.path for clash in merge(base, ours, theirs)[1]]


def test_two_goals_of_one_list_do_not_meet() -> None:
    def plan(*notes: tuple[str, str]) -> Any:
        return {"resourceType": "CarePlan", "note": [{"id": key, "text": text} for key, text in notes]}

    merged, clashes = merge(
        plan(("1", "a"), ("2", "b")), plan(("1", "A"), ("2", "b")), plan(("2", "B"), ("1", "a"), ("3", "c"))
    )
    assert clashes == []
    assert {row["id"]: row["text"] for row in merged["note"]} == {"1": "A", "2": "B", "3": "c"}


def test_removed_here_and_changed_there_is_a_clash() -> None:
    base = {"resourceType": "CarePlan", "note": [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]}
    ours = {"resourceType": "CarePlan", "note": [{"id": "2", "text": "b"}]}
    theirs = {"resourceType": "CarePlan", "note": [{"id": "1", "text": "x"}, {"id": "2", "text": "b"}]}
    assert paths(base, ours, theirs) == ["CarePlan.note[id=1]"]


def test_answers_are_never_mixed() -> None:
    def response(one: int, two: int) -> Any:
        answers = [
            {"linkId": "1", "answer": [{"valueInteger": one}]},
            {"linkId": "2", "answer": [{"valueInteger": two}]},
        ]
        return {"resourceType": "QuestionnaireResponse", "item": answers}

    assert paths(response(0, 0), response(1, 0), response(0, 1)) == ["QuestionnaireResponse.item"]


def test_a_goal_s_target_is_never_mixed() -> None:
    def goal(due: str, text: str) -> Any:
        return {"resourceType": "Goal", "target": [{"id": "1", "dueDate": due, "detailString": text}]}

    assert paths(goal("2026", "a"), goal("2027", "a"), goal("2026", "b")) == ["Goal.target"]


def test_digits_are_an_edit() -> None:
    from decimal import Decimal

    def value(text: str) -> Any:
        return {"resourceType": "CarePlan", "x": Decimal(text)}

    assert paths(value("1.5"), value("1.50"), value("1.500")) == ["CarePlan.x"]


def test_a_path_says_no_value_of_a_patient() -> None:
    def plan(code: str) -> Any:
        return {"resourceType": "CarePlan", "category": [{"system": "secret", "code": "secret", "display": code}]}

    assert "secret" not in paths(plan("a"), plan("b"), plan("c"))[0]
