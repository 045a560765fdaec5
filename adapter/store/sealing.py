"""Sealing a store that was not, or with another key; and the check that the keys at hand are those it was sealed with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Column, Connection, Engine, String, delete, insert, select, tuple_, type_coerce, update

from adapter.errors import Unavailable
from adapter.fhir_json import reloads
from adapter.store.database import reading, writing
from adapter.store.tables import keeping, metadata, resource, resource_index, server_patient
from adapter.store.vault import REMEDY, Sealed, vault_of
from adapter.store.written import index

_INDEX = "index"
_BATCH = 500


def check_keys(engine: Engine) -> None:
    """Raises Unavailable where the store's index was made with another key than the present one, or with none."""
    present = vault_of(engine.dialect).hashed(_INDEX)
    with reading(engine) as connection:
        made = connection.scalar(select(keeping.c.value).where(keeping.c.name == _INDEX))
    if made is None:
        with writing(engine) as connection:
            _note(connection, present)
    elif made != present and made == _INDEX:
        raise Unavailable("The store is not sealed with this key yet.", remedy="Run `careplan db seal`.")
    elif made != present and present == _INDEX:
        raise Unavailable("The store is sealed, and there is no key.", remedy=REMEDY)
    elif made != present:
        raise Unavailable("The store is sealed with another key.", remedy=f"{REMEDY} Then run `careplan db seal`.")


def _note(connection: Connection, value: str) -> None:
    connection.execute(delete(keeping).where(keeping.c.name == _INDEX))
    connection.execute(insert(keeping).values(name=_INDEX, value=value))


def seal(engine: Engine) -> int:
    """Writes every sealed column with the first key, and the index anew, in one transaction; how many values it wrote.

    Of SQLite the file is written anew afterwards, so that nothing legible is left in its free pages.
    """
    vault = vault_of(engine.dialect)
    with writing(engine) as connection:
        with _journal_open(connection):
            written = sum(_seal_column(connection, column) for column in _sealed_columns())
        index_anew(connection)
        _hash_anew(connection)
        _note(connection, vault.hashed(_INDEX))
    if engine.dialect.name == "sqlite":
        _write_file_anew(engine)
    return written


@contextmanager
def _journal_open(connection: Connection) -> Iterator[None]:
    """The journal refuses every change; that it is written in another hand is none."""
    if connection.dialect.name != "sqlite":
        connection.exec_driver_sql("ALTER TABLE journal DISABLE TRIGGER USER")
        yield
        connection.exec_driver_sql("ALTER TABLE journal ENABLE TRIGGER USER")
        return
    found = connection.exec_driver_sql(
        "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'journal'"
    )
    triggers = found.all()
    for name, _ in triggers:
        connection.exec_driver_sql(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        connection.exec_driver_sql(sql)


def _write_file_anew(engine: Engine) -> None:
    connection = engine.raw_connection()
    try:
        for statement in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
            connection.cursor().execute(statement)
    finally:
        connection.close()


def _sealed_columns() -> list[Column[Any]]:
    return [column for table in metadata.sorted_tables for column in table.columns if isinstance(column.type, Sealed)]


def _seal_column(connection: Connection, column: Column[Any]) -> int:
    vault, table = vault_of(connection.dialect), column.table
    keys = list(table.primary_key.columns)
    kept = type_coerce(column, String).label("kept")
    rows = connection.execute(select(*keys, kept).where(column.is_not(None))).all()
    done = 0
    for *key, text in rows:
        if vault.stale(text):
            place = column.type.place  # type: ignore[attr-defined]
            where = [name == value for name, value in zip(keys, key, strict=True)]
            connection.execute(update(table).where(*where).values({column: vault.open(text, place)}))
            done += 1
    return done


def _hash_anew(connection: Connection) -> None:
    """What listed patients are found by, with the present key."""
    vault, at = vault_of(connection.dialect), server_patient.c
    for row in connection.execute(select(at.server, at.found_by, at.patient)).all():
        here = (at.server == row.server, at.found_by == row.found_by)
        connection.execute(update(server_patient).where(*here).values(found_by=vault.hashed(row.patient)))


def index_anew(connection: Connection) -> None:
    """Makes the rows of resource_index from the resources that are there."""
    connection.execute(delete(resource_index))
    # Read first, then written: one connection cannot do both at once everywhere, and trees may be many.
    ids = connection.execute(select(resource.c.type, resource.c.id).where(resource.c.deleted.is_(False))).all()
    for start in range(0, len(ids), _BATCH):
        chunk = ids[start : start + _BATCH]
        at = tuple_(resource.c.type, resource.c.id)
        trees = connection.scalars(select(resource.c.tree).where(at.in_([tuple(row) for row in chunk]))).all()
        index(connection, map(reloads, trees))
