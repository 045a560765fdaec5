"""Requests of a size that the server takes: records whole, targets first, nothing left out and nothing twice."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from adapter.ports import Link
from adapter.sync.outgoing import Send, references
from adapter.sync.split import bundles, groups, halves, targets_first


def send(record: int, part: int, to: list[int]) -> Send:
    tree: Any = {"resourceType": "Goal", "id": f"{record}-{part}",
                 "x": [{"reference": f"Goal/{record}-{other}"} for other in to]}  # fmt: skip
    link = Link("a", "plan", f"{record}", f"Goal/{part}", "Goal", f"{record}-{part}")
    return Send(link, 1, tree, tree, references(tree))


SENDS = st.lists(st.integers(1, 6), min_size=1, max_size=6).flatmap(
    lambda sizes: st.tuples(*[
        st.lists(st.lists(st.integers(0, size - 1), max_size=3), min_size=size, max_size=size) for size in sizes
    ])
).map(lambda records: [send(r, p, to) for r, parts in enumerate(records) for p, to in enumerate(parts)])  # fmt: skip


@given(SENDS, st.integers(1, 8))
def test_everything_goes_once_and_in_requests_that_fit(sends: list[Send], limit: int) -> None:
    made = bundles(sends, limit)
    assert sorted(one.link.key for bundle in made for one in bundle) == sorted(one.link.key for one in sends)
    assert all(0 < len(bundle) <= limit for bundle in made)


@given(SENDS, st.integers(1, 8))
def test_a_record_that_fits_is_in_one_request(sends: list[Send], limit: int) -> None:
    made = bundles(sends, limit)
    for group in groups(sends):
        if len(group) <= limit:
            keys = {one.link.key for one in group}
            assert any(keys <= {one.link.key for one in bundle} for bundle in made)


def apart(record: int, *to: int) -> Send:
    """The one part of a record, which refers to other records."""
    tree: Any = {"resourceType": "Condition", "id": f"{record}", "x": [{"reference": f"Condition/{one}"} for one in to]}
    return Send(Link("a", "diagnosis", f"{record}", "", "Condition", f"{record}"), 1, tree, tree, references(tree))


def ids(made: list[list[Send]]) -> list[list[str]]:
    return [[send.link.local_id for send in group] for group in made]


def test_records_that_refer_to_each_other_are_in_one_request() -> None:
    sends = [apart(1, 4), apart(2, 3), apart(3, 2), apart(4)]
    assert ids(bundles(sends, 2)) == [["1", "4"], ["2", "3"]]
    assert ids(bundles(sends, 4)) == [["1", "4", "2", "3"]]


def test_what_is_too_much_for_one_request_goes_by_record_targets_first() -> None:
    assert ids(bundles([apart(1, 2), apart(2, 3), apart(3)], 2)) == [["3", "2"], ["1"]]


@given(SENDS)
def test_halves_come_to_an_end_and_lose_nothing(sends: list[Send]) -> None:
    todo, alone = [sends], []
    while todo:
        bundle = todo.pop()
        parts = halves(bundle)
        if parts is None:
            alone += bundle
        else:
            assert all(parts)
            todo += parts
    assert len(alone) == len(sends)


def test_what_is_referred_to_goes_first() -> None:
    ordered = targets_first([send(1, 0, [1]), send(1, 1, [2]), send(1, 2, [])])
    assert [one.link.part for one in ordered] == ["Goal/2", "Goal/1", "Goal/0"]


def test_a_circle_comes_to_an_end() -> None:
    assert len(targets_first([send(1, 0, [1]), send(1, 1, [0, 1])])) == 2
