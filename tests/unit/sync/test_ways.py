"""How a server is sent to is found out, used, and found out again when the server has changed."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.sync.ways import Tempo, Way, following, quickest, ways

KNOWN = ways(100, 4, bundles=True)


def spent(tempo: Tempo, speed: dict[str, float], turns: int) -> dict[str, int]:
    """Sends so often, as quick as `speed` says (100 resources a second where it says nothing); how often each way was used."""
    clock, used = 0.0, dict[str, int]()
    for _ in range(turns):
        used[tempo.way.name] = used.get(tempo.way.name, 0) + 1
        clock += 100 / speed.get(tempo.way.name, 100.0)
        tempo.done(100, clock)
    return used


@given(largest=st.integers(1, 500), connections=st.integers(1, 64), bundles=st.booleans())
def test_no_way_is_beyond_what_a_server_allows(largest: int, connections: int, *, bundles: bool) -> None:
    found = ways(largest, connections, bundles=bundles)
    assert found
    assert all(1 <= way.size <= largest and 1 <= way.at_once <= connections for way in found)
    assert bundles or {way.size for way in found} == {1}
    assert len(set(found)) == len(found)


def test_the_quickest_is_found_and_mostly_used() -> None:
    tempo = Tempo(KNOWN, chance=Random(1))
    spent(tempo, {"25x4": 1000.0}, 300)
    used = spent(tempo, {"25x4": 1000.0}, 300)
    assert used["25x4"] > 200
    assert quickest(KNOWN, tempo.rates) == Way(25, 4)


def test_a_server_that_changes_is_found_out_again() -> None:
    tempo = Tempo(KNOWN, chance=Random(2))
    spent(tempo, {"100x2": 1000.0, "1x4": 400.0}, 300)
    assert quickest(KNOWN, tempo.rates) == Way(100, 2)
    spent(tempo, {"100x2": 50.0, "1x4": 400.0}, 6000)
    assert quickest(KNOWN, tempo.rates) == Way(1, 4)


def test_one_by_one_is_left_to_chance_where_bundles_go() -> None:
    rates = {f"{size}x{count}": 100.0 for size in (100, 25) for count in (1, 2, 4)}
    chance = Random(3)
    found = [following(KNOWN, rates, chance).size for _ in range(3000)]
    assert 0 < found.count(1) < 30
    alone = ways(1, 4, bundles=True)
    assert following(alone, {}, Random(3)) == alone[0]


def test_a_further_connection_must_bring_something() -> None:
    assert quickest(KNOWN, {"100x4": 103.0, "100x2": 100.0, "100x1": 99.0}) == Way(100, 1)
    assert quickest(KNOWN, {"100x4": 200.0, "100x2": 150.0, "100x1": 98.0}) == Way(100, 4)


def test_requests_for_few_must_be_ahead() -> None:
    assert quickest(KNOWN, {"100x4": 100.0, "25x4": 108.0}) == Way(100, 4)
    assert quickest(KNOWN, {"100x4": 100.0, "25x4": 115.0}) == Way(25, 4)


def test_one_by_one_must_be_well_ahead() -> None:
    assert quickest(KNOWN, {"100x2": 100.0, "1x4": 115.0}) == Way(100, 2)
    assert quickest(KNOWN, {"100x2": 100.0, "1x4": 150.0}) == Way(1, 4)


def test_what_cannot_win_is_not_tried() -> None:
    rates = {"100x2": 1000.0, "100x4": 900.0, "100x1": 600.0, "25x2": 900.0, "25x4": 900.0, "25x1": 500.0, "1x2": 100.0}
    assert following(KNOWN, rates, Random(3)) != Way(1, 4)


def test_more_and_fewer_at_once_are_tried_where_that_may_be_quicker() -> None:
    """What two processors do with four requests is not twice what they do with two."""
    assert following(KNOWN, {}, Random(3)) == Way(100, 2)
    assert following(KNOWN, {"100x2": 400.0}, Random(3)) == Way(100, 4)
    assert following(KNOWN, {"100x2": 400.0, "100x4": 200.0}, Random(3)) == Way(100, 1)
    assert following(KNOWN, {"100x2": 300.0, "100x4": 400.0}, Random(3)) == Way(25, 2)
    assert following(KNOWN, {"100x2": 300.0, "100x4": 400.0, "25x2": 290.0}, Random(3)) == Way(25, 4)
    assert following(KNOWN, {"100x2": 300.0, "100x4": 400.0, "25x2": 200.0}, Random(3)) == Way(100, 4)


def test_what_is_much_slower_is_tried_seldom() -> None:
    rates = {"100x2": 400.0, "100x4": 390.0, "100x1": 200.0, "25x2": 350.0, "25x4": 250.0, "25x1": 100.0}
    chance, slow = Random(3), ("100x1", "25x4", "25x1")
    found = [following(KNOWN, rates, chance).name for _ in range(3000)]
    assert 100 < sum(name != "100x2" for name in found) < 400
    assert 0 < sum(name in slow for name in found) < 30


def test_what_a_cold_server_does_first_is_no_measurement() -> None:
    tempo = Tempo(KNOWN, chance=Random(4))
    for seconds in (0.0, 800.0, 801.0, 802.0):
        tempo.done(800, seconds)
    assert tempo.rates == {"100x2": 800.0}


def test_what_was_measured_with_one_kind_says_of_another_what_is_quickest_and_not_how_quick() -> None:
    tempo = Tempo(KNOWN, {"100x2": 400.0, "100x4": 200.0, "100x1": 100.0}, Random(4))
    tempo.begin("goal")
    assert tempo.way == Way(100, 2)
    for turn in range(6):
        tempo.done(100, turn / 6)
    assert tempo.rates == {"100x2": pytest.approx(600.0), "100x4": pytest.approx(300.0), "100x1": pytest.approx(150.0)}
    # The same again is no other kind.
    rates, way = dict(tempo.rates), tempo.way
    tempo.begin("goal")
    assert (tempo.rates, tempo.way) == (rates, way)


def test_a_pause_is_no_measurement() -> None:
    tempo = Tempo(KNOWN, chance=Random(4))
    tempo.done(100, 0.0)
    tempo.restart()
    tempo.done(1000, 500.0)
    assert tempo.rates == {}


def test_what_others_had_under_way_is_no_measurement_of_the_next_way() -> None:
    tempo = Tempo(KNOWN, {"100x2": 100.0, "100x1": 100.0}, Random(5))
    assert tempo.way == Way(100, 4)
    for turn in range(9):
        tempo.done(100, float(turn))
    assert tempo.rates["100x4"] == 100.0
    new = tempo.way
    assert new != Way(100, 4)
    # Three more end all at once, as they were sent all at once.
    for _ in range(3):
        tempo.done(100, 8.0)
    for turn in range(1, 20):
        tempo.done(new.size, 8.0 + turn)
        if new.name in tempo.rates:
            break
    assert tempo.rates[new.name] == pytest.approx(new.size)
