"""Pages are taken in several at a time, and what is at fault holds up nothing beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.errors import DataError, Unavailable
from adapter.ports import Rows, Versioned
from adapter.sync.pages import MOST, TOGETHER, ahead, in_parts, joined


def pages(*sizes: int, fault: bool = False) -> Iterator[Rows]:
    """Pages of so many resources each, stamped by their number; then a fault."""
    for number, size in enumerate(sizes):
        yield Rows([Versioned({"id": f"{number}-{index}"}) for index in range(size)], str(number))
    if fault:
        raise Unavailable("cut")


@given(st.lists(st.integers(0, MOST), max_size=15))
def test_nothing_is_left_out_or_moved(sizes: list[int]) -> None:
    found = list(ahead(joined(pages(*sizes))))
    assert [row for page in found for row in page] == [row for page in pages(*sizes) for row in page]
    assert all(len(page) < 2 * MOST for page in found)
    assert len(found) >= len(sizes) / TOGETHER


def test_several_pages_bear_the_stamp_of_the_first() -> None:
    assert [(len(page), page.stamp) for page in joined(pages(0, 3, 3, 3, 3))] == [(9, "0"), (3, "4")]
    assert [(len(page), page.stamp) for page in joined(pages(0))] == [(0, "0")]
    assert list(joined(pages())) == []


def test_what_came_before_a_fault_is_given() -> None:
    found = joined(pages(MOST, 5, fault=True))
    assert [len(next(found)), len(next(found))] == [MOST, 5]
    with pytest.raises(Unavailable):
        next(found)


@given(st.integers(1, 1000), st.sets(st.integers(0, 999), max_size=4))
def test_what_is_at_fault_holds_up_nothing_else(number: int, faulty: set[int]) -> None:
    done: list[int] = []
    tried = 0

    def together(items: Sequence[int]) -> None:
        nonlocal tried
        tried += 1
        if faulty & set(items):
            raise DataError("one of them")
        done.extend(items)

    def alone(item: int) -> None:
        nonlocal tried
        tried += 1
        if item not in faulty:
            done.append(item)

    in_parts(list(range(number)), together, alone)
    assert done == [item for item in range(number) if item not in faulty]
    bad = len(faulty & set(range(number)))
    assert tried <= 1 + bad * 50
