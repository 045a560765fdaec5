"""What a transaction writes, kept until its end and then written table by table: one statement for all rows of each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, update

from adapter.ports import Link, StoredResource, Tree
from adapter.store.database import for_each
from adapter.store.indexing import COLUMNS, index_rows
from adapter.store.rows import patient_of, row_of_link, row_of_version, text_of
from adapter.store.tables import link, record, record_revision, resource, resource_history, resource_index
from adapter.store.vault import Sealed, vault_of

Key = tuple[str, ...]
Row = dict[str, Any]


class Written:
    """Rows to be written. Of what is changed twice the last is what stands, and both are in the history."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._records: dict[Key, Row] = {}
        self._revisions: list[Row] = []
        self._resources: dict[Key, Row] = {}
        self._trees: dict[Key, Tree | None] = {}
        self._history: list[Row] = []
        self._links: dict[bool, dict[Key, Row]] = {True: {}, False: {}}

    @property
    def parts(self) -> bool:
        """Whether a resource is among it."""
        return bool(self._history)

    def revised(self, document: Tree, recorded_by: str, *, deleted: bool) -> None:
        """A revision of a record, with its envelope."""
        kind, id_ = str(document["kind"]), str(document["id"])
        row = {
            "kind": kind, "id": id_, "revision": document["revision"], "document": text_of(document),
            "recorded_at": document["recorded_at"], "deleted": deleted,
        }  # fmt: skip
        whose = {"origin": document.get("origin", "real"), "patient": patient_of(document)}
        self._records[kind, id_] = row | whose
        self._revisions.append(row | {"recorded_by": recorded_by})

    def resource(self, stored: StoredResource) -> None:
        """A version of a resource."""
        key, row = (stored.type, stored.id), row_of_version(stored)
        self._resources[key] = {**row, "valid": stored.valid}
        self._trees[key] = None if stored.deleted else stored.tree
        self._history.append(row)

    def link(self, one: Link, *, new: bool) -> None:
        """A link as it is to be; `new` where there is none yet."""
        self._links[new][one.key] = row_of_link(one)

    def flush(self, known: Collection[Key]) -> None:
        """Writes all of it; `known` are the records (kind, id) and resources (type, id) of which there is a row."""
        self._put(record, self._records, known)
        _insert(self._connection, record_revision, self._revisions)
        self._put(resource, self._resources, known)
        _insert(self._connection, resource_history, self._history)
        old = [{"at_type": key[0], "at_id": key[1]} for key in self._trees if key in known]
        if old:
            self._connection.execute(_FORGET, old)
        trees = [tree for tree in self._trees.values() if tree is not None]
        index(self._connection, trees)
        _insert(self._connection, link, list(self._links[True].values()))
        self._update(link, list(self._links[False].values()))

    def _put(self, table: Table, rows: dict[Key, Row], known: Collection[Key]) -> None:
        # In one order, so that two transactions do not each wait for what the other has written.
        ordered = sorted(rows.items())
        _insert(self._connection, table, [row for key, row in ordered if key not in known])
        self._update(table, [row for key, row in ordered if key in known])

    def _update(self, table: Table, rows: list[Row]) -> None:
        if rows:
            names = [column.name for column in table.primary_key.columns]
            keyed = [row | {f"at_{name}": row[name] for name in names} for row in rows]
            self._connection.execute(_UPDATE[table.name], keyed)


def index(connection: Connection, trees: Iterable[Tree]) -> None:
    """Writes the rows by which these resources are found."""
    vault = vault_of(connection.dialect)
    _write(connection, resource_index, COLUMNS, [row for tree in trees for row in index_rows(tree, vault)])


def _insert(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Writes new rows, each with the same columns in the same order."""
    if not rows:
        return
    vault = vault_of(connection.dialect)
    for column in table.columns if vault else ():
        if isinstance(column.type, Sealed):
            place, name = column.type.place, column.name
            rows = [row if row[name] is None else row | {name: vault.seal(row[name], place)} for row in rows]
    _write(connection, table, tuple(rows[0]), [tuple(row.values()) for row in rows])


def _write(connection: Connection, table: Table, names: Collection[str], rows: list[tuple[Any, ...]]) -> None:
    if rows:
        marks = ", ".join("?" * len(names))
        for_each(connection, f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({marks})", rows)  # noqa: S608 - names of ours


def _at(table: Table, names: Collection[str]) -> list[Any]:
    return [table.c[name] == bindparam(f"at_{name}") for name in names]


def _updating(table: Table) -> Any:
    keys = [column.name for column in table.primary_key.columns]
    values: Row = {column.name: bindparam(column.name) for column in table.columns if column.name not in keys}
    return update(table).where(*_at(table, keys)).values(values)


# Built once: building a statement takes longer than carrying it out.
_UPDATE = {table.name: _updating(table) for table in (record, resource, link)}
_FORGET = delete(resource_index).where(*_at(resource_index, ("type", "id")))
