"""One process at a time reads what changed at a server: two would do every page twice, and meet at each record.

Nothing depends on it: what is read twice changes nothing. So a person who asks does not wait for a process that was killed.
In the same way each worker holds one of a server's connections, so that all of them together have no more.

A turn is held for a short while only, and kept up in the background, also through a long request, so that what a killed
process held is soon free. Who has not come by for a whole lease is taken for stuck, and its turn runs out too.
"""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Event, Thread
from types import TracebackType
from typing import Self

from adapter.errors import AdapterError, Unavailable
from adapter.sync.partner import Partner

PULL = "pull"
CONNECTION = "connection {}"
# Seconds that a turn is held for; clocks of two machines that are apart by nearly as much hold one in common.
HELD = 60.0


class TakenOver(Unavailable):
    """It is another process's now, or this one is to end."""


@dataclass(slots=True)
class Turn:
    """A work at a server, held until it ends; use it as a context manager once `taken`, and `go_on` between two requests.
    What it is done `within` is kept up with it. `held` is in seconds.
    """

    partner: Partner
    work: str = PULL
    within: Turn | None = None
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    held: float = HELD
    _renewed: float = 0.0
    _came_by: float = 0.0
    _ended: Event = field(default_factory=Event)
    _keeper: Thread | None = None

    def taken(self, *, force: bool = False) -> bool:
        """Whether it is ours; with `force` also where another has it, who then stops."""
        asked = self.partner.clock.monotonic()
        store, name = self.partner.store, self.partner.name
        if not store.take_turn(name, self.work, self.holder, seconds=self._length, force=force):
            return False
        self._renewed = asked
        return True

    def go_on(self) -> None:
        """It is still ours. Raises TakenOver where it is another's, or this process is to end."""
        if self.partner.stopping():
            raise TakenOver("This process is to end.", place=self.partner.name)
        if self.within is not None:
            self.within.go_on()
        self._came_by = self.partner.clock.monotonic()
        if self._came_by - self._renewed >= self._length / 2 and not self.taken():
            raise TakenOver("Another process has taken over this work at the server.", place=self.partner.name)

    @property
    def _length(self) -> float:
        return min(self.held, self.partner.lease)

    def __enter__(self) -> Self:
        self._came_by = self.partner.clock.monotonic()
        self._keeper = Thread(target=self._keep_up, name=f"turn {self.work}", daemon=True)
        self._keeper.start()
        return self

    def _keep_up(self) -> None:
        while not self._ended.wait(self._length / 4):
            if self.partner.clock.monotonic() - self._came_by > self.partner.lease:
                return
            # What the database says to us it says to all: nobody else takes the turn meanwhile.
            with suppress(AdapterError):
                if not self.taken():
                    return

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._ended.set()
        if self._keeper is not None:
            # Else it might take again what is given back.
            self._keeper.join()
        self.partner.store.end_turn(self.partner.name, self.work, self.holder)


def connection(partner: Partner) -> Turn | None:
    """One of the connections that a server's options allow to all workers together, taken; None where none is free."""
    for number in range(max(1, partner.server.options.connections)):
        found = Turn(partner, CONNECTION.format(number))
        if found.taken():
            return found
    return None
