"""Told at once that somebody wrote: a change counter of SQLite's, a notification of PostgreSQL's.

https://www.sqlite.org/pragma.html#pragma_data_version · https://www.postgresql.org/docs/current/sql-notify.html
"""

from __future__ import annotations

import time
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

CHANNEL = "careplan_wanted"
# A look at the counter takes some microseconds: 1.5 % of one core.
LOOK = 0.003


def tell(connection: Connection) -> None:
    """With this transaction there is something to send."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"NOTIFY {CHANNEL}")


class Waking:
    """Waits for others to write, on a connection of its own that no transaction is open on."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: Any = None
        self._seen: int | None = None

    def wait(self, seconds: float) -> bool:
        """Whether somebody wrote within so many seconds; returns as soon as that is known. Where the database cannot be
        asked just now, it is only waited.
        """
        end = time.monotonic() + seconds
        try:
            return self._counting(end) if self._engine.dialect.name == "sqlite" else self._listening(seconds)
        except (DBAPIError, self._engine.dialect.loaded_dbapi.Error):
            self.close()
            time.sleep(max(0.0, end - time.monotonic()))
            return False

    def close(self) -> None:
        """Gives its connection back, never to be used again."""
        if self._held is not None:
            self._held.invalidate()
        self._held = None

    def _counting(self, end: float) -> bool:
        if self._held is None:
            self._held = self._engine.raw_connection()
            self._seen = self._counted()
        while (now := self._counted()) == self._seen:
            left = end - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(LOOK, left))
        self._seen = now
        return True

    def _counted(self) -> int:
        return int(self._held.driver_connection.execute("PRAGMA data_version").fetchone()[0])

    def _listening(self, seconds: float) -> bool:
        if self._held is None:
            self._held = self._engine.raw_connection()
            self._held.driver_connection.autocommit = True
            self._held.driver_connection.execute(f"LISTEN {CHANNEL}")
        return any(True for _ in self._held.driver_connection.notifies(timeout=seconds, stop_after=1))
