"""What a server's stamps tell of its versions and its clock."""

from __future__ import annotations

from datetime import timedelta

import pytest

from adapter.ports import Link, Versioned, instant, moment
from adapter.sync.stamps import had_twice, is_known, same_moment, went_back

AT = "2026-03-01T12:00:00.250Z"


def link(version: str, updated: str = AT) -> Link:
    """A link to a version there."""
    return Link("ward", "goal", "g", "", "Goal", "1", "2", version, updated)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (AT, AT, True),
        (AT, "2026-03-01T13:00:00.250+01:00", True),
        (AT, "2026-03-01T12:00:00.251Z", False),
        (AT, "2026-03-01T12:00:00Z", True),
        (AT, "2026-03-01T12:00:02Z", False),
        (AT, "", True),
    ],
)
def test_two_stamps_of_one_version(one: str, other: str, same: bool) -> None:
    assert same_moment(one, other) is same
    assert same_moment(other, one) is same


def test_the_same_number_with_another_stamp_is_another_version() -> None:
    assert is_known(link("2"), Versioned({}, "2", AT))
    assert not is_known(link("2"), Versioned({}, "3", AT))
    assert not is_known(link("2"), Versioned({}, "2", "2026-03-01T14:00:00.250Z"))


def test_a_version_that_went_back() -> None:
    assert went_back(link("10"), Versioned({}, "9", AT))
    assert went_back(link("2"), Versioned({}, "2", "2026-03-01T14:00:00.250Z"))
    assert not went_back(link("2"), Versioned({}, "2", AT))
    assert not went_back(link("9"), Versioned({}, "10", AT))
    assert not went_back(link("b"), Versioned({}, "a", AT)), "who does not count does not go back"


def test_a_clock_that_was_set_back_had_some_time_twice() -> None:
    mark, hour = "2026-03-01T12:00:00Z", timedelta(hours=1)
    assert had_twice(mark, "2026-03-01T13:00:00Z", hour) is None
    assert had_twice(mark, "2026-03-01T12:59:59Z", hour) is None, "headers are of whole seconds"
    begun = had_twice(mark, "2026-03-01T12:30:00Z", hour)
    assert begun == moment("2026-03-01T11:30:00Z")
    assert begun is not None
    assert instant(begun) == "2026-03-01T11:30:00.000Z"
