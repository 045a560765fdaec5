"""Elements without an identity, order, and what a choice may settle: no edit is lost, none is doubled."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapter.fhir_json import same
from adapter.sync.differences import differences
from adapter.sync.elements import identity
from adapter.sync.merge import merge, ours, theirs

WORDS = st.lists(st.sampled_from("abcdef"), max_size=4)
NOTES = st.lists(st.builds(lambda text: {"text": text}, st.sampled_from("abcdef")), max_size=4)
IDENTIFIED = st.lists(
    st.tuples(st.sampled_from("uvwxyz"), st.sampled_from("abc")), max_size=4, unique_by=lambda row: row[0]
).map(lambda rows: [{"id": id_, "text": text} for id_, text in rows])
LISTS = st.one_of(st.tuples(*[WORDS] * 3), st.tuples(*[NOTES] * 3), st.tuples(*[IDENTIFIED] * 3))


def tree(rows: Any) -> Any:
    return {"resourceType": "CarePlan", **({"note": rows} if rows else {})}


@given(LISTS)
def test_one_side_alone_wins(lists: Any) -> None:
    base, edited, _ = map(tree, lists)
    assert merge(base, edited, base) == (edited, [])
    assert merge(base, base, edited) == (edited, [])
    assert merge(base, edited, edited) == (edited, [])


@given(LISTS)
def test_a_choice_leaves_nothing_open_and_its_side_stands(lists: Any) -> None:
    base, one, two = map(tree, lists)
    _, clashes = merge(base, one, two)
    for choose, side in ((ours, "ours"), (theirs, "theirs")):
        merged, left = merge(base, one, two, choose)
        assert left == []
        if not clashes:
            assert same(merged, merge(base, one, two)[0])
        for clash in clashes:
            assert getattr(clash, side) is None or str(getattr(clash, side)) in str(merged) or merged == base


@given(LISTS)
def test_what_either_side_added_is_there_or_in_a_clash(lists: Any) -> None:
    base, one, two = map(tree, lists)
    merged, clashes = merge(base, one, two)
    if clashes:
        return
    held = [str(row) for row in merged.get("note", [])]
    before = [str(row) for row in base.get("note", [])]
    for side, other in ((one, two), (two, one)):
        for row in map(str, side.get("note", [])):
            if row not in before and str(other.get("note", [])).count(row) == 0 and "'id'" not in row:
                assert row in held


@given(LISTS)
def test_merging_again_changes_nothing(lists: Any) -> None:
    """What was merged, sent and came back is no edit of anybody."""
    base, one, two = map(tree, lists)
    merged, clashes = merge(base, one, two)
    if not clashes:
        assert merge(two, merged, two) == (merged, [])
        assert merge(merged, merged, merged) == (merged, [])


def paths(base: Any, one: Any, two: Any) -> list[str]:
    return [clash.path for clash in merge(tree(base), tree(one), tree(two))[1]]


def test_a_note_without_id_that_both_edit_is_one_conflict() -> None:
    assert paths([{"text": "a"}], [{"text": "b"}], [{"text": "c"}]) == ["CarePlan.note[0].text"]


def test_two_notes_without_id_edited_on_two_sides_are_both_kept() -> None:
    base, one, two = ([{"text": x}, {"text": y}] for x, y in (("a", "b"), ("A", "b"), ("a", "B")))
    assert merge(tree(base), tree(one), tree(two)) == (tree([{"text": "A"}, {"text": "B"}]), [])


def test_one_put_first_and_the_other_edited_the_last() -> None:
    base, one, two = ["a", "b"], ["x", "a", "b"], ["a", "c"]
    merged, clashes = merge(tree(base), tree(one), tree(two))
    assert clashes == []
    assert sorted(merged["note"]) == ["a", "c", "x"]


def test_a_new_order_of_one_side_is_kept_beside_the_other_s_edit() -> None:
    def rows(*pairs: tuple[str, str]) -> Any:
        return tree([{"id": id_, "text": text} for id_, text in pairs])

    base, one = rows(("1", "a"), ("2", "b")), rows(("2", "b"), ("1", "a"))
    merged, clashes = merge(base, one, rows(("1", "a"), ("2", "B")))
    assert (merged, clashes) == (rows(("2", "B"), ("1", "a")), [])


def test_two_new_orders_are_a_conflict() -> None:
    def rows(ids: str) -> Any:
        return [{"id": id_, "text": "x"} for id_ in ids]

    assert paths(rows("123"), rows("213"), rows("132")) == ["CarePlan.note"]


def test_primitives_with_extensions_beside_them_go_together() -> None:
    def name(given_: list[str], beside: list[Any]) -> Any:
        return {"resourceType": "Patient", "given": given_, "_given": beside}

    base = name(["A", "B"], [None, {"id": "1"}])
    _, clashes = merge(base, name(["C", "A", "B"], [None, None, {"id": "1"}]), name(["A", "D"], [None, {"id": "1"}]))
    assert [clash.path for clash in clashes] == ["Patient.given"]


def test_what_identifies_an_element() -> None:
    coding = {"system": "urn:x", "code": "1"}
    assert identity({"coding": [coding]}) == ("coding", ("token", "urn:x", "1"))
    assert identity({"member": {"reference": "Practitioner/1"}, "role": []}) == ("member", ("target", "Practitioner/1"))
    assert identity({"reference": {"reference": "Goal/1"}}) == ("reference", ("target", "Goal/1"))
    assert identity({"system": "phone", "value": "1"}) is None
    assert identity({"url": "urn:x", "valueString": "1"}) == ("url", "urn:x")


def test_differences_go_by_element_and_not_by_place() -> None:
    before = {"goals": [{"id": "1", "text": "a"}, {"id": "2", "text": "b"}]}
    after = {"goals": [{"id": "2", "text": "B"}, {"id": "1", "text": "a"}]}
    assert list(differences(before, after)) == [("goals[id=2].text", "b", "B")]


@given(LISTS)
def test_nothing_differs_from_itself(lists: Any) -> None:
    assert list(differences(tree(lists[0]), tree(lists[0]))) == []
