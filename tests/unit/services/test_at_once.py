"""Several requests under way: everything is written once, in its order, and no more of them than is allowed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapter.baton import aside
from adapter.errors import UnknownOutcome
from adapter.ports import Options
from bench.syncing.people import people
from tests.unit.services.scene import NAME, Scene, scene
from tests.unit.services.test_push import Sent, in_step, through


def test_several_connections_write_everything_once(tmp_path: Path) -> None:
    made = scene(tmp_path, options=Options(connections=4, bundle=2))
    made.push()
    assert in_step(made)
    assert made.sync().steps == []


SIZE = 25


def crowd(tmp_path: Path) -> Scene:
    """Eight requests of patients, and four connections."""
    made = scene(tmp_path, options=Options(connections=4, bundle=SIZE))
    patient = next(made.store.records("patient"))
    for number in range(8 * SIZE):
        made.write({**patient, "id": f"p{number}"})
    return made


def test_no_more_requests_are_under_way_than_is_quick_and_one_more_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = crowd(tmp_path)
    under_way, ready, busy = list[int](), list[int](), set[int]()

    def slow(send: Sent, bundle: dict[str, Any]) -> Any:
        if len(bundle["entry"]) < SIZE:
            return send(bundle)
        busy.add(id(bundle))
        with aside():
            time.sleep(0.05)
        under_way.append(len(busy))
        ready.append(len(list(made.store.links(NAME, flying=True))) - SIZE * len(busy))
        busy.remove(id(bundle))
        return send(bundle)

    through(made, monkeypatch, slow)
    report = made.push()
    # What several threads have leased at the end of one kind goes in its order: nothing waits for the next run.
    assert (in_step(made), report.waiting) == (True, {})
    # Until more at once are tried, two are.
    assert max(under_way[:6]) == 2
    assert max(ready[:6]) >= SIZE


def test_what_is_ready_does_not_go_any_more_where_the_server_fails_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = crowd(tmp_path)

    def lost(send: Sent, bundle: dict[str, Any]) -> Any:
        if len(bundle["entry"]) < SIZE:
            return send(bundle)
        with aside():
            time.sleep(0.05)
        raise UnknownOutcome("No answer.")

    sizes = through(made, monkeypatch, lost)
    with pytest.raises(UnknownOutcome):
        made.push()
    # Three failed while a fourth was under way, at the most.
    assert sizes.count(SIZE) in (3, 4)
    assert not any(link.lease_until for link in made.links())


@settings(max_examples=12)
@given(st.integers(1, 40), st.integers(2, 30), st.integers(1, 6), st.randoms(use_true_random=False))
def test_one_push_writes_everything_in_its_order(number: int, bundle: int, connections: int, chance: Random) -> None:
    """However large the requests are, however many go at once, and however long each takes."""
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        made = scene(Path(folder), options=Options(connections=connections, bundle=bundle))
        for records in people(number):
            for record in records:
                made.write(record)
        under_way, most = 0, 0

        @contextmanager
        def counted() -> Iterator[None]:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            try:
                yield
            finally:
                under_way -= 1

        def slow(send: Sent, tree: dict[str, Any]) -> Any:
            with counted():
                with aside():
                    time.sleep(chance.choice([0.0, 0.001, 0.004]))
                return send(tree)

        through(made, patch, slow)
        report = made.push()
        assert (in_step(made), report.waiting) == (True, {})
        assert most <= connections
        made.store.close()
