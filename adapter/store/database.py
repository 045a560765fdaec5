"""Opens the database and brings its tables up to date. https://www.sqlite.org/wal.html"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from threading import RLock
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, Row, Select, create_engine, event, make_url
from sqlalchemy import exc as sa
from sqlalchemy.pool import StaticPool

from adapter.errors import Conflict, SettingsError, Unavailable
from adapter.store.vault import Vault

# The number of that lock, which only has to be ours.
_SERVERS = 7_277_001
# Of two transactions that wait for each other PostgreSQL ends one. https://www.postgresql.org/docs/current/errcodes-appendix.html
_MET = frozenset({"40001", "40P01"})
_WRITABLE = "Its folder must be there, and both writable for who runs this."
_REMEDIES = {
    "SQLITE_FULL": "Make room on its disk; nothing of this was written.",
    "SQLITE_IOERR": "Look at its disk: whether there is room, and whether it is well.",
    "SQLITE_READONLY": _WRITABLE,
    "SQLITE_CANTOPEN": _WRITABLE,
    "SQLITE_BUSY": "Another process is writing for long: try again, or set CAREPLAN_DATABASE_TIMEOUT higher.",
    "SQLITE_CORRUPT": "Restore it from a copy.",
    "SQLITE_NOTADB": "CAREPLAN_DATABASE_URL names a file that is no database of SQLite.",
}
_MIGRATIONS = Path(__file__).parent / "migrations"


def open_engine(url: str, *, timeout: float = 30.0, vault: Vault | None = None) -> Engine:
    """An engine for SQLite (WAL, file mode 0600) or PostgreSQL. Raises SettingsError for a URL that is neither.

    `timeout` is how many seconds a statement waits for the lock of another process; `vault` seals columns at rest.
    """
    engine = _engine(url, timeout)
    engine.dialect.careplan_vault = vault or Vault()  # type: ignore[attr-defined]
    return engine


def _engine(url: str, timeout: float) -> Engine:
    try:
        parsed = make_url(url)
    except sa.ArgumentError:
        raise SettingsError("The address of the database cannot be read.", place="CAREPLAN_DATABASE_URL") from None
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
    if not parsed.drivername.startswith("sqlite"):
        from adapter.store.postgresql import connect

        engine = create_engine(parsed, pool_pre_ping=True)
        event.listen(engine, "do_connect", connect)
        # Before SQLAlchemy asks for the server's version: without an encoding that is bytes, which it does not understand.
        event.listen(engine, "connect", _in_utf_8, insert=True)
        return engine
    inside = parsed.database in {None, "", ":memory:"}
    if not inside:
        _private_file(Path(str(parsed.database)))
    options: dict[str, Any] = {"poolclass": StaticPool} if inside else {"pool_use_lifo": True}
    engine = create_engine(parsed, connect_args={"timeout": timeout, "check_same_thread": False}, **options)
    engine.dialect.careplan_turn = RLock()  # type: ignore[attr-defined]
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _in_utf_8(connection: Any, _: Any) -> None:
    """https://www.postgresql.org/docs/current/multibyte.html"""
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        connection.close()
        raise SettingsError(
            f"The database has the encoding {encoding}, in which not every text can be kept.",
            place="CAREPLAN_DATABASE_URL",
            remedy="Make one with `createdb --encoding UTF8 --template template0`.",
        )


def _private_file(path: Path) -> None:
    """Made before SQLite makes it, with its mode, as the WAL and its index take over the mode of the database."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        text = f"The database file cannot be opened ({error.strerror})."
        raise Unavailable(text, place=str(path), remedy=_WRITABLE) from None


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    # Transactions are begun by _begin_sqlite, so that a write takes its lock before it reads.
    connection.isolation_level = None
    # Copied from the log to the file seldom (16 MiB): the same pages are written again and again while much comes in.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "wal_autocheckpoint=4096"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    begin = "BEGIN IMMEDIATE" if connection.get_execution_options().get("write") else "BEGIN"
    try:
        # By SQLAlchemy's own way it takes as long as many a statement that follows.
        connection.connection.driver_connection.execute(begin)  # type: ignore[union-attr]
    except sqlite3.Error as error:
        raise sa.OperationalError(begin, None, error) from None


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A transaction that reads one state of the database. Raises Unavailable."""
    with _translated(), engine.connect() as connection, connection.begin():
        yield connection


def streamed(engine: Engine, query: Select[Any], some: int) -> Iterator[Row[Any]]:
    """The rows of a query of one state of the database, so many at a time. Of a database in memory, which is one
    connection, all at once: who asks may begin another transaction before it has them all. Raises Unavailable.
    """
    with reading(engine) as connection:
        if not isinstance(engine.pool, StaticPool):
            yield from connection.execution_options(yield_per=some).execute(query)
            return
        rows = connection.execute(query).all()
    yield from rows


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A transaction that holds the write lock from its start; all of it lands or nothing. Raises Conflict, Unavailable."""
    with _translated(), _turn(engine), engine.connect().execution_options(write=True) as connection, connection.begin():
        yield connection


def _turn(engine: Engine) -> AbstractContextManager[Any]:
    """SQLite has one writer: threads of this process wait for each other here, not by trying again and again."""
    found: AbstractContextManager[Any] = getattr(engine.dialect, "careplan_turn", None) or nullcontext()
    return found


def for_each(connection: Connection, statement: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Carries a statement with `?` for its values out for each row; how many rows it changed. Where they are many and plain,
    the driver gets them as they are.
    """
    text = statement if connection.dialect.paramstyle == "qmark" else statement.replace("?", "%s")
    return connection.exec_driver_sql(text, rows).rowcount


def alone_with_servers(connection: Connection, *, shared: bool = False) -> None:
    """Until this transaction ends, servers are added by it alone, or (shared) by nobody: else a record that is written
    while a server is added would never be wanted there. SQLite has one writer anyhow.
    """
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock{'_shared' if shared else ''}({_SERVERS})")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except sa.IntegrityError:
        raise Conflict("Two writes met in the database, and this one was not applied.", reason="race") from None
    except sa.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) in _MET:
            raise Conflict("Two writes waited for each other, and this one was not applied.", reason="race") from None
        raise Unavailable(_said(error), remedy=_remedy(error)) from None
    except sa.DatabaseError as error:
        raise Unavailable(_said(error), remedy=_remedy(error)) from None


def _said(error: sa.DBAPIError) -> str:
    """The database's own first line, without the statement and its values."""
    lines = str(error.orig).splitlines()
    return f"The database cannot be used: {lines[0] if lines else type(error.orig).__name__}."


def _remedy(error: sa.DBAPIError) -> str:
    """What to do, by what SQLite calls it (https://www.sqlite.org/rescode.html), or by what PostgreSQL says."""
    if getattr(error.orig, "sqlstate", "") is None:
        return "Look at whether it runs, and at CAREPLAN_DATABASE_URL and PGPASSWORD."
    name = getattr(error.orig, "sqlite_errorname", "")
    known = (kind for kind in _REMEDIES if name.startswith(kind))
    return _REMEDIES.get(next(known, ""), "Run `careplan db upgrade`, and look at its disk.")


def upgrade(engine: Engine, to: str = "head") -> None:
    """Brings the tables to the newest version, or to another; does nothing where they are. Raises Unavailable."""
    with writing(engine) as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, to)


def version(engine: Engine) -> tuple[str, str]:
    """(version of the tables, newest version known); the first is empty where there are none."""
    from alembic.runtime.migration import MigrationContext

    with reading(engine) as connection:
        present = MigrationContext.configure(connection).get_current_revision() or ""
    return present, ScriptDirectory.from_config(_config()).get_current_head() or ""


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
