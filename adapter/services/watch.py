"""The exchange by schedule: each server in its own time and its own thread, at once where something is to be sent."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from adapter.errors import AdapterError
from adapter.ports import Clock, Server, ServerState, SyncLedger, is_past
from adapter.services.exchange import Connect, How, Ran, attempt
from adapter.services.kept import Kept

MOST_AT_ONCE = 8
# What a turn that could not begin is told of.
STORE = "the store"
# A look that lies farther ahead than the clocks of two machines differ was written by one that was wrong.
_AHEAD = timedelta(minutes=5)


@dataclass(slots=True)
class Watch:
    """Runs what is due. `turn()` begins it and gives what has ended; `wait()` is between two turns.

    `wake` waits until somebody writes to the store, for so many seconds at the most. While nothing is under way that is
    `idle` seconds; else it is a `pause`, as each run writes too.
    """

    ledger: SyncLedger
    connect: Connect
    clock: Clock
    name: str | None = None
    wake: Callable[[float], object] = time.sleep
    pause: float = 0.05
    idle: float = 0.5
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MOST_AT_ONCE, "exchange"))
    _running: dict[str, Future[Ran]] = field(default_factory=dict)
    _rest: dict[str, tuple[int, float]] = field(default_factory=dict)
    _kept: Kept = field(init=False)

    def __post_init__(self) -> None:
        self._kept = Kept(self.connect, self.clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True)
        self._kept.close()

    def turn(self) -> Iterator[Ran]:
        """Begins the exchange with every server that is due and idle; gives the runs that have ended."""
        if self._rests(STORE):
            return
        try:
            found = list(_due(self.ledger, self.clock.now(), self.name))
        except AdapterError as error:
            # The database may be away for a while: what there is to do stays in it.
            yield self._heard(Ran(STORE, error=error))
            return
        for server, state, how in found:
            if server.name not in self._running and not self._rests(server.name):
                self._running[server.name] = self._pool.submit(self._run, server, state, how)
        self._kept.tidy()
        for name in [name for name, future in self._running.items() if future.done()]:
            yield self._heard(self._running.pop(name).result())

    def _rests(self, name: str) -> bool:
        return self.clock.monotonic() < self._rest.get(name, (0, 0.0))[1]

    def _heard(self, ran: Ran) -> Ran:
        """Where not even the ledger could note that a run failed, this process waits all the same."""
        times = self._rest.pop(ran.server, (0, 0.0))[0] + 1
        if ran.error is not None:
            self._rest[ran.server] = (times, self.clock.monotonic() + min(60.0, 0.5 * 2.0**times))
        return ran

    def wait(self) -> None:
        """Until there may be something to do."""
        if self._running:
            time.sleep(self.pause)
        else:
            self.wake(self.idle)

    def _run(self, server: Server, state: ServerState, how: How) -> Ran:
        return attempt(self.ledger, self.clock, lambda _: self._kept.connected(server), server.name, how, state=state)


def due(ledger: SyncLedger, now: datetime, name: str | None = None) -> Iterator[tuple[str, How]]:
    """What is to be done now: (server, how), of one server or of all."""
    return ((server.name, how) for server, _, how in _due(ledger, now, name))


def _due(ledger: SyncLedger, now: datetime, name: str | None) -> Iterator[tuple[Server, ServerState, How]]:
    waiting = ledger.waiting()
    for server in ledger.servers():
        state = ledger.state(server.name)
        if server.paused or (name not in (None, server.name)) or not is_past(state.not_before, now):
            continue
        last = datetime.fromisoformat(state.last_try) if state.last_try else None
        if last is None or not -_AHEAD < now - last < timedelta(seconds=server.options.every):
            yield server, state, "both"
        elif server.name in waiting and server.options.direction != "pull":
            yield server, state, "push"
