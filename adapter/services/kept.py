"""Servers that stay connected between two runs, so that the second begins with its first request."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from adapter.ports import Clock, Server
from adapter.services.exchange import Connect
from adapter.sync.partner import Partner

# What lies between may forget a connection that was idle for longer, and say nothing; a renewed certificate is read again.
SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class _Held:
    server: Server
    partner: Partner
    end: ExitStack
    since: float


@dataclass(slots=True)
class Kept:
    """Connects, and keeps what it connected for the next who asks: until its options change, or it was idle for `seconds`.

    One run with a server at a time, several servers at once.
    """

    connect: Connect
    clock: Clock
    seconds: float = SECONDS
    _held: dict[str, _Held] = field(default_factory=dict)

    @contextmanager
    def connected(self, server: Server) -> Iterator[Partner]:
        """The server as it was just read. What `connect` raises; after any error it is connected anew."""
        partner, end = self._taken(server)
        with end:
            yield partner
            held = _Held(server, partner, end.pop_all(), self.clock.monotonic())
        self._held[server.name] = held

    def _taken(self, server: Server) -> tuple[Partner, ExitStack]:
        held = self._held.pop(server.name, None)
        if held is not None and held.server == server and not self._is_old(held):
            return held.partner, held.end
        if held is not None:
            held.end.close()
        with ExitStack() as stack:
            partner = stack.enter_context(self.connect(server.name))
            return partner, stack.pop_all()

    def _is_old(self, held: _Held) -> bool:
        return not 0 <= self.clock.monotonic() - held.since < self.seconds

    def tidy(self) -> None:
        """Ends what was idle for too long."""
        for name, held in list(self._held.items()):
            if self._is_old(held) and self._held.pop(name, None) is not None:
                held.end.close()

    def close(self) -> None:
        """Ends them all."""
        while self._held:
            self._held.popitem()[1].end.close()
