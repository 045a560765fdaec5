"""How often one server is asked, how many requests are under way at once, and how long it is left alone after failing.

One `Pace` belongs to one server and is shared by all that talk to it in this process. Its circuit opens after `failures`
in a row, and after `rest` seconds one request tries whether the server is well again. (pybreaker holds a lock while a call
is under way, so that a server could be asked only one thing at a time: this is ours.)
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC
from email.utils import parsedate_to_datetime
from threading import BoundedSemaphore, Lock
from typing import TypeVar

from adapter.baton import aside, taken
from adapter.errors import Unavailable
from adapter.ports import Clock, SystemClock

T = TypeVar("T")
_SECONDS = re.compile(r"\d{1,9}")


class Sick(Exception):
    """Raised inside a turn where the server failed: it counts for the circuit, and carries what is to be given on."""

    def __init__(self, outcome: object) -> None:
        super().__init__()
        self.outcome = outcome


class Pace:
    """`per_second` requests at the most (None: no limit), `at_once` under way, a circuit of `failures` and `rest` seconds.

    Waits for its turn no longer than `patience` seconds; beyond that a call raises Unavailable with `retry_after`, so that
    the worker is free for another server.
    """

    def __init__(
        self,
        *,
        per_second: float | None = None,
        at_once: int = 4,
        failures: int = 5,
        rest: float = 30.0,
        patience: float = 10.0,
        clock: Clock | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gap = 1.0 / per_second if per_second else 0.0
        self._slots = BoundedSemaphore(at_once)
        self._patience = patience
        self._clock = clock or SystemClock()
        self._sleep = sleep
        self._lock = Lock()
        self._next = 0.0
        self._closed_until = 0.0
        self._rest = rest
        self._most = failures
        self._failures = 0
        self._opened: float | None = None
        self._trying = False

    @property
    def circuit(self) -> str:
        """`closed` (all is well), `open` (left alone) or `half-open` (to be tried)."""
        if self._opened is None:
            return "closed"
        return "open" if self._clock.monotonic() < self._opened + self._rest else "half-open"

    def turn(self, work: Callable[[], T], place: str) -> T:
        """What `work` gives, when it is its turn. Raises Unavailable where it is not, or not soon."""
        self._check_rest(place)
        if not taken(self._slots, self._patience):
            raise _later("Too many requests to this server are under way.", place, self._patience)
        try:
            self._wait(place)
            self._enter(place)
            return self._watched(work)
        finally:
            self._slots.release()

    def _enter(self, place: str) -> None:
        with self._lock:
            state = self.circuit
            if state == "open" or (state == "half-open" and self._trying):
                left = max(1.0, (self._opened or 0.0) + self._rest - self._clock.monotonic())
                raise _later("The server failed several times in a row and is left alone for a while.", place, left)
            self._trying = state == "half-open"

    def _watched(self, work: Callable[[], T]) -> T:
        failed = False
        try:
            return work()
        except Sick as sick:
            failed = True
            return sick.outcome  # type: ignore[return-value]
        except Unavailable:
            failed = True
            raise
        finally:
            self._heard(failed=failed)

    def _heard(self, *, failed: bool) -> None:
        with self._lock:
            self._trying = False
            self._failures = self._failures + 1 if failed else 0
            if not failed:
                self._opened = None
            elif self._failures >= self._most:
                self._opened = self._clock.monotonic()

    def rest_for(self, seconds: float) -> None:
        """The server asked to be left alone: until then nothing is sent."""
        with self._lock:
            self._closed_until = max(self._closed_until, self._clock.monotonic() + seconds)

    def _check_rest(self, place: str) -> None:
        left = self._closed_until - self._clock.monotonic()
        if left > 0:
            raise _later("The server asked to be left alone for a while.", place, left)

    def _wait(self, place: str) -> None:
        if not self._gap:
            return
        with self._lock:
            now = self._clock.monotonic()
            start = max(now, self._next)
            if start - now > self._patience:
                raise _later("More is to be sent than this server's rate allows.", place, start - now)
            self._next = start + self._gap
        if start > now:
            with aside():
                self._sleep(start - now)


def _later(message: str, place: str, seconds: float) -> Unavailable:
    return Unavailable(message, place=place, retry_after=round(seconds, 3), remedy="It is tried again by itself.")


def retry_after(value: str, clock: Clock) -> float | None:
    """Seconds of a Retry-After header, which holds seconds or a date; None where it says neither.

    https://www.rfc-editor.org/rfc/rfc9110#name-retry-after
    """
    value = value.strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except (TypeError, ValueError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - clock.now()).total_seconds())
