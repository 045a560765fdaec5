"""One process at a time reads what changed at a server: two would do every page twice, and meet at each record.

Nothing depends on it: what is read twice changes nothing. So a person who asks does not wait for a process that was killed.
In the same way each worker holds one of a server's connections, so that all of them together have no more.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from adapter.errors import Unavailable
from adapter.sync.partner import Partner

PULL = "pull"
CONNECTION = "connection {}"


class TakenOver(Unavailable):
    """It is another process's now."""


@dataclass(slots=True)
class Turn:
    """A work at a server, held until it ends; use it as a context manager once `taken`. What it is done `within` is
    kept up with it.
    """

    partner: Partner
    work: str = PULL
    within: Turn | None = None
    holder: str = field(default_factory=lambda: secrets.token_hex(8))
    _renewed: float = 0.0

    def taken(self, *, force: bool = False) -> bool:
        """Whether it is ours; with `force` also where another has it, who then stops."""
        asked = self.partner.clock.monotonic()
        if not self._take(force=force):
            return False
        self._renewed = asked
        return True

    def go_on(self) -> None:
        """It is still ours. Raises TakenOver where it is another's."""
        if self.within is not None:
            self.within.go_on()
        if self.partner.clock.monotonic() - self._renewed < self.partner.lease / 4:
            return
        if not self.taken():
            raise TakenOver("Another process has taken over this work at the server.", place=self.partner.name)

    def _take(self, *, force: bool) -> bool:
        store, name = self.partner.store, self.partner.name
        return store.take_turn(name, self.work, self.holder, seconds=self.partner.lease, force=force)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self.partner.store.end_turn(self.partner.name, self.work, self.holder)


def connection(partner: Partner) -> Turn | None:
    """One of the connections that a server's options allow to all workers together, taken; None where none is free."""
    for number in range(max(1, partner.server.options.connections)):
        found = Turn(partner, CONNECTION.format(number))
        if found.taken():
            return found
    return None
