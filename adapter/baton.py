"""Threads that compute by turns: one at a time, and who waits for a server lets another go on.

CPython gives its interpreter up at every row that SQLite reads or writes, and at each larger hash; where other threads compute
as well, each of these is a change of threads. Where they take turns by themselves there is none: a push over four connections
takes a quarter less processor time. https://docs.python.org/3/glossary.html#term-global-interpreter-lock
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Condition, Lock, RLock, Semaphore, local


class _Mine(local):
    """What this thread holds."""

    baton: Baton | None = None


_mine = _Mine()


class Baton:
    """What the one thread holds that computes. `changed` is for those who wait for what another does: a wait for it is a
    wait without the baton.
    """

    def __init__(self) -> None:
        self._lock = RLock()
        self.changed = Condition(self._lock)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Waits for the baton, and holds it."""
        with self._lock:
            _mine.baton = self
            try:
                yield
            finally:
                _mine.baton = None

    @contextmanager
    def put_down(self) -> Iterator[None]:
        """Held by this thread, it is free for others meanwhile. Whatever ends the wait, it is held again after it."""
        _mine.baton = None
        self._lock.release()
        try:
            yield
        finally:
            self._take_back()

    def _take_back(self) -> None:
        """Also where a signal's handler raises meanwhile: that is put off, as who lets go of it must have it."""
        raised: BaseException | None = None
        while _mine.baton is None:
            try:
                self._lock.acquire()
                _mine.baton = self
            except BaseException as error:  # noqa: BLE001 - raised below
                raised, _mine.baton = error, None
                # Where it was had already: only an owner can let go of it.
                with suppress(RuntimeError):
                    self._lock.release()
        if raised is not None:
            raise raised


@contextmanager
def aside() -> Iterator[None]:
    """For a wait: whichever baton this thread holds is free meanwhile."""
    baton = _mine.baton
    if baton is None:
        yield
        return
    with baton.put_down():
        yield


def taken(lock: Lock | Semaphore, seconds: float = -1) -> bool:
    """Takes a lock, or waits for it without the baton, for so many seconds or as long as it takes; whether it was to be had."""
    if lock.acquire(blocking=False):
        return True
    with aside():
        return lock.acquire(timeout=seconds) if seconds >= 0 else lock.acquire()


@contextmanager
def behind(lock: Lock) -> Iterator[None]:
    """Holds a lock that another thread may hold while it waits for a server, and then for the baton."""
    taken(lock)
    try:
        yield
    finally:
        lock.release()
