"""Python's collector of cycles, put off while a large input is converted, and seldom called while much passes through.

Trees hold no cycles, and the collector walks all of them again and again while they grow: without this the cost of a
goal at 10,000 goals is twice that at 10, and a sixth of a push's time is the collector's. Small inputs leave it alone, so
that a busy service goes on collecting.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock
from typing import Any

LARGE = 128
# So many containers more than before, and the collector looks, while much passes through: some tens of MB at the most.
MANY = 100_000
_NOTHING = nullcontext()
_lock = Lock()
_pauses: list[bool] = []
_usual: list[tuple[int, int, int]] = []


def paused(size: int) -> AbstractContextManager[None]:
    """No collection inside, where `size` (resources or items) is large; it goes on when the last of several ends."""
    return _NOTHING if size < LARGE else _paused()


@contextmanager
def _paused() -> Iterator[None]:
    with _lock:
        _pauses.append(gc.isenabled() or any(_pauses))
        gc.disable()
    try:
        yield
    finally:
        with _lock:
            was_on = _pauses.pop()
            if was_on and not _pauses:
                _promote()
                gc.enable()


def _promote() -> None:
    """What was made meanwhile is counted as old: the collector need not walk trees that hold no cycles even once."""
    if gc.get_freeze_count() == 0:
        gc.freeze()
        gc.unfreeze()


@contextmanager
def seldom() -> Iterator[None]:
    """Inside, the collector looks only when much has come together: for work without end, in which it is never paused."""
    with _lock:
        _usual.append(_usual[0] if _usual else gc.get_threshold())
        # 0 would be "never", and stays so.
        gc.set_threshold(max(MANY, _usual[0][0]) if _usual[0][0] else 0, *_usual[0][1:])
    try:
        yield
    finally:
        with _lock:
            usual = _usual.pop()
            if not _usual:
                gc.set_threshold(*usual)


def size_of_records(records: Sequence[Any]) -> int:
    """How many items some records hold, themselves included."""
    size = len(records)
    for record in records:
        if type(record) is dict:
            size += sum([len(value) for value in record.values() if type(value) is list])
    return size


def size_of_resource(tree: Any) -> int:
    """How many entries a Bundle has; one for any other resource."""
    entries = tree.get("entry") if type(tree) is dict else None
    return len(entries) if type(entries) is list else 1
