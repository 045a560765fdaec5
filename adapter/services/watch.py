"""The exchange by schedule: each server in its own time and its own thread, at once where something is to be sent."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from adapter.errors import AdapterError
from adapter.ports import Clock, SyncLedger, is_past
from adapter.services.exchange import Connect, How, Ran, exchange

MOST_AT_ONCE = 8
# A look that lies farther ahead than the clocks of two machines differ was written by one that was wrong.
_AHEAD = timedelta(minutes=5)


@dataclass(slots=True)
class Watch:
    """Runs what is due. `turn()` begins it and gives what has ended; `pause` is how many seconds to wait between turns."""

    ledger: SyncLedger
    connect: Connect
    clock: Clock
    name: str | None = None
    pause: float = 0.05
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MOST_AT_ONCE, "exchange"))
    _running: dict[str, Future[Ran]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True)

    def turn(self) -> Iterator[Ran]:
        """Begins the exchange with every server that is due and idle; gives the runs that have ended."""
        for server, how in self.due():
            if server not in self._running:
                self._running[server] = self._pool.submit(self._run, server, how)
        for server in [server for server, future in self._running.items() if future.done()]:
            yield self._running.pop(server).result()

    def due(self) -> Iterator[tuple[str, How]]:
        """The servers whose time has come, and those for which something waits to be sent."""
        return due(self.ledger, self.clock.now(), self.name)

    def _run(self, server: str, how: How) -> Ran:
        try:
            with self.connect(server) as partner:
                return exchange(partner, how, hurry=False)
        except AdapterError as error:
            return Ran(server, error=error)


def due(ledger: SyncLedger, now: datetime, name: str | None = None) -> Iterator[tuple[str, How]]:
    """What is to be done now: (server, how), of one server or of all."""
    waiting = ledger.waiting()
    for server in ledger.servers():
        state = ledger.state(server.name)
        if server.paused or (name not in (None, server.name)) or not is_past(state.not_before, now):
            continue
        last = datetime.fromisoformat(state.last_try) if state.last_try else None
        if last is None or not -_AHEAD < now - last < timedelta(seconds=server.options.every):
            yield server.name, "both"
        elif server.name in waiting and server.options.direction != "pull":
            yield server.name, "push"
