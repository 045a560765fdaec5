"""Line and column of what an issue speaks of."""

from __future__ import annotations

import pytest

from adapter.issues import Issue
from adapter.services.positions import located

TEXT = '{"resourceType":"Bundle",\n "entry":[{"resource":{"a":1}},\n  {"resource":{"valueCoding":{"code":\n "x"}}}]}'


@pytest.mark.parametrize(
    ("place", "spot"),
    [
        ("Bundle.entry[1].resource.value.ofType(Coding).code", "f:4:2"),
        ("Bundle.entry[0].resource.a", "f:2:28"),
        ("Bundle.entry[0].resource[0].a", "f:2:28"),
        ("Bundle.entry[7]", "f:2:10"),
        ("Bundle.nothing.here", "f:1:1"),
        ("Bundle", "f:1:1"),
        ("", "f:1:1"),
    ],
)
def test_an_expression(place: str, spot: str) -> None:
    found = located(Issue("error", "x", "y", "z", expression=place), TEXT, "f")
    assert found.place.split(" ")[0] == spot


def test_a_pointer_and_what_cannot_be_read() -> None:
    issue = Issue("error", "x", "y", "z", pointer="/entry/1/resource/valueCoding/code")
    assert (located(issue, TEXT).line, located(issue, TEXT).column) == (4, 2)
    assert located(issue, '{"entry": [').line == 1
    assert located(issue, "").line == 1
