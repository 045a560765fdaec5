"""The collector of cycles is put off for large inputs, and need not walk what was made meanwhile."""

from __future__ import annotations

import gc

import pytest

from adapter.mapping.pausing import LARGE, MANY, paused, seldom


def test_a_large_input_pauses_it_and_a_small_one_does_not() -> None:
    with paused(LARGE - 1):
        assert gc.isenabled()
    with paused(LARGE):
        assert not gc.isenabled()
        with paused(LARGE):
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_what_was_made_is_old_at_once_and_nothing_stays_frozen() -> None:
    with paused(LARGE):
        made = [{"n": [number]} for number in range(1000)]
    young = {id(each) for each in gc.get_objects(generation=0)} | {id(each) for each in gc.get_objects(generation=1)}
    assert not young & {id(row) for row in made}
    assert gc.get_freeze_count() == 0


def test_it_goes_on_after_an_error_and_stays_off_where_it_was_off() -> None:
    with pytest.raises(KeyError), paused(LARGE):
        raise KeyError
    assert gc.isenabled()
    gc.disable()
    try:
        with paused(LARGE):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.parametrize(("usual", "inside"), [(700, MANY), (2 * MANY, 2 * MANY), (0, 0)])
def test_it_looks_seldom_until_the_last_of_several_ends(usual: int, inside: int) -> None:
    before = gc.get_threshold()
    gc.set_threshold(usual, 11, 12)
    try:
        with seldom():
            with pytest.raises(KeyError), seldom():
                raise KeyError
            assert gc.get_threshold() == (inside, 11, 12)
            assert gc.isenabled()
        assert gc.get_threshold() == (usual, 11, 12)
    finally:
        gc.set_threshold(*before)
