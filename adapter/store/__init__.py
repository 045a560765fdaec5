"""The database: records, their resources, and the ledger of the exchange. SQLite as shipped, PostgreSQL in production.

`open_store(url)` gives a `Store` whose tables are up to date.
"""

from __future__ import annotations

from sqlalchemy import Engine

from adapter.ports import Clock, SystemClock
from adapter.store.database import open_engine, upgrade, version
from adapter.store.ledger import Ledger
from adapter.store.records import Records

__all__ = ["Store", "open_store"]


class Store(Records, Ledger):
    """Answers `adapter.ports.RecordStore` and `adapter.ports.SyncLedger` on one database."""

    def __init__(self, engine: Engine, clock: Clock | None = None) -> None:
        self.engine = engine
        self._clock = clock or SystemClock()

    def upgrade(self) -> None:
        """Brings the tables to the newest version; does nothing where they are. Raises Unavailable."""
        upgrade(self.engine)

    def version(self) -> tuple[str, str]:
        """(version of the tables, newest version known)."""
        return version(self.engine)

    def close(self) -> None:
        """Closes the connections."""
        self.engine.dispose()


def open_store(url: str, *, clock: Clock | None = None, timeout: float = 30.0, migrate: bool = True) -> Store:
    """The store at a URL, its tables made or brought up to date. Raises SettingsError, Unavailable."""
    store = Store(open_engine(url, timeout=timeout), clock)
    if migrate:
        store.upgrade()
    return store
