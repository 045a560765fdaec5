"""The database: records, their resources, and the ledger of the exchange. SQLite as shipped, PostgreSQL in production.

`open_store(url)` gives a `Store` whose tables are up to date.
"""

from __future__ import annotations

import time

from sqlalchemy import Engine
from sqlalchemy.pool import StaticPool

from adapter.ports import Clock, SystemClock
from adapter.store.database import open_engine, upgrade, version
from adapter.store.ledger import Ledger
from adapter.store.records import Records
from adapter.store.sealing import check_keys, seal
from adapter.store.tokens import Tokens
from adapter.store.vault import new_key, read_keys, vault_of
from adapter.store.waking import Waking

__all__ = ["Store", "new_key", "open_store"]


class Store(Records, Ledger, Tokens):
    """Answers `adapter.ports.RecordStore` and `adapter.ports.SyncLedger` on one database."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self.engine = engine
        self._clock = clock or SystemClock()
        self._waking = Waking(engine)

    def upgrade(self) -> None:
        """Brings the tables to the newest version; does nothing where they are. Raises Unavailable."""
        upgrade(self.engine)

    def version(self) -> tuple[str, str]:
        """(version of the tables, newest version known)."""
        return version(self.engine)

    @property
    def hands(self) -> int:
        """How many threads can use it at once: a database in memory is on one connection."""
        return 1 if isinstance(self.engine.pool, StaticPool) else 64

    def wake(self, seconds: float) -> bool:
        """Waits until somebody wrote, for so many seconds at the most; for one thread."""
        if self.hands == 1:
            time.sleep(seconds)
            return False
        return self._waking.wait(seconds)

    @property
    def sealed(self) -> bool:
        """Whether its columns are encrypted."""
        return bool(vault_of(self.engine.dialect))

    def seal(self) -> int:
        """Encrypts what is not, or was with an older key, and makes the index anew; how many values were written."""
        return seal(self.engine)

    def close(self) -> None:
        """Closes the connections."""
        self._waking.close()
        self.engine.dispose()


def open_store(
    url: str, *, clock: Clock | None = None, timeout: float = 30.0, migrate: bool = True, key_file: str = ""
) -> Store:
    """The store at a URL, its tables made or brought up to date, sealed with the keys of `key_file`.

    Raises SettingsError, Unavailable; also where the store was sealed with other keys.
    """
    store = Store(open_engine(url, timeout=timeout, vault=read_keys(key_file)), clock)
    if migrate:
        store.upgrade()
        check_keys(store.engine)
    return store
