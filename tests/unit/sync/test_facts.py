"""What several workers learn of one server at a time: nothing that one learned is lost to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.sync.facts import Facts, joined
from adapter.sync.ways import Tempo, Way
from tests.unit.services.scene import NAME, Scene, scene

Tree = dict[str, Any]
AT, LATER = "2026-03-01T12:00:00.000Z", "2026-03-01T12:00:05.000Z"
START: Tree = {
    "types": ["Goal"], "conditional_create": [], "update_create": [], "history_type": [], "transaction": True,
    "batch": True, "fhir_version": "4.0.1", "software": "one", "at": AT, "bundle": 100, "alike": {"Goal": 2},
    "unlike": [], "rates": {"100x4": 50}, "placing": "", "torn": False,
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path) -> Scene:
    return scene(tmp_path)


def test_two_workers_that_learn_at_once_both_have_learned(made: Scene) -> None:
    first, second = Facts.of(made.partner()), Facts.of(made.partner())
    for facts, type_, way in ((first, "Goal", Way(100, 4)), (second, "Patient", Way(25, 2))):
        for _ in range(3):
            facts.compared(type_, alike=True)
        facts.compared("Condition", alike=True)
        facts.learned(Tempo([way], {way.name: 70.0}))
    first.compared("CarePlan", alike=False)
    first.smaller(40)
    second.placed("yes")
    first.keep(made.partner())
    second.keep(made.partner())
    # And what is learned after that is added, and nothing twice.
    first.compared("Goal", alike=True)
    first.keep(made.partner())
    kept = Facts.of(made.partner())
    assert kept.alike == {"Goal": 4, "Patient": 3, "Condition": 2}
    assert (kept.unlike, kept.bundle, kept.placing) == ({"CarePlan"}, 40, "yes")
    assert kept.rates == {"100x4": 70, "25x2": 70}


def test_what_did_not_change_is_not_stored_again(made: Scene) -> None:
    facts = Facts.of(made.partner())
    stands = made.store.state(NAME).facts
    made.store.note(NAME, facts={**stands, "placing": "no"})
    facts.keep(made.partner())
    assert made.store.state(NAME).facts["placing"] == "no"


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_looks_at_the_server_the_later_stands(turned: bool) -> None:
    old = {**START, "at": AT, "software": "old", "bundle": 10, "placing": "yes"}
    new = {**START, "at": LATER, "software": "new", "types": ["Goal", "Patient"]}
    one, other = (new, old) if turned else (old, new)
    found = joined({}, other, joined({}, one, {}))
    assert (found["at"], found["software"], found["types"]) == (LATER, "new", ["Goal", "Patient"])
    # The size that the older look knew of is asked anew; how it creates was seen of another software.
    assert (found["bundle"], found["placing"] if turned else "") == (100, "")


def learning() -> st.SearchStrategy[Tree]:
    """What one worker knows after a while that began with START."""
    types = st.sampled_from(["Goal", "Patient", "Condition"])
    return st.builds(
        lambda more, unlike, bundle: {
            **START,
            "alike": {name: START["alike"].get(name, 0) + more.get(name, 0) for name in {"Goal", *more}},
            "unlike": sorted(unlike), "bundle": bundle,
        },
        st.dictionaries(types, st.integers(1, 20)), st.sets(types), st.integers(1, 100),
    )  # fmt: skip


@given(one=learning(), other=learning())
def test_the_order_in_which_they_note_it_makes_no_difference(one: Tree, other: Tree) -> None:
    first, second = joined(START, other, joined(START, one, START)), joined(START, one, joined(START, other, START))
    assert first == second
    assert first["bundle"] == min(one["bundle"], other["bundle"], START["bundle"])
    assert set(first["unlike"]) == {*one["unlike"], *other["unlike"]}
    assert joined(START, START, one) == one
    assert joined(START, one, START) == one


def test_that_transactions_are_not_whole_is_kept_as_long_as_the_software_is_the_same() -> None:
    torn = {**START, "torn": True, "transaction": False}
    assert joined(START, torn, START)["torn"]
    assert joined(START, START, torn)["torn"], "the other did not see it"
    newer = {**START, "at": "2027-01-01T00:00:00.000Z", "software": "another"}
    assert not joined(START, newer, torn)["torn"]
