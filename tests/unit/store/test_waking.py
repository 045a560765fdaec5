"""Whoever waits for something to send is woken when it is written."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Timer

from adapter.store import open_store

PATIENT = {"kind": "patient", "id": "p1", "names": [{"family": "Samplewood"}]}


def test_a_write_wakes_whoever_waits(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    ours, others = open_store(url), open_store(url)
    assert ours.wake(0.01) is False
    Timer(0.2, lambda: others.save(PATIENT, {})).start()
    began = time.monotonic()
    assert ours.wake(20.0) is True
    assert time.monotonic() - began < 10.0
    assert ours.wake(0.01) is False


def test_what_was_written_between_two_waits_is_not_missed(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    ours, others = open_store(url), open_store(url)
    ours.wake(0.01)
    others.save(PATIENT, {})
    assert ours.wake(20.0) is True


def test_a_database_in_memory_is_waited_for_only() -> None:
    assert open_store("sqlite://").wake(0.01) is False
