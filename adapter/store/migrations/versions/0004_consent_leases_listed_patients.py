"""Whose a record is, so that consents are found; who reads a server just now; listed patients sealed."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _listed_patients() -> None:
    """What was legible is kept as the store is: under its key, found by its hash."""
    from adapter.store.vault import Sealed, vault_of

    connection = op.get_bind()
    if connection.dialect.name == "sqlite":
        # What is dropped here is overwritten in the file.
        connection.exec_driver_sql("PRAGMA secure_delete = ON")
    old = sa.table("server_patient", sa.column("server"), sa.column("patient"))
    rows = connection.execute(sa.select(old)).all()
    op.drop_table("server_patient")
    place = "server_patient.patient"
    new = op.create_table(
        "server_patient",
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("found_by", sa.String(512), nullable=False),
        sa.Column("patient", Sealed(place), nullable=False),
        sa.PrimaryKeyConstraint("server", "found_by", name="pk_server_patient"),
    )
    vault = vault_of(connection.dialect)
    if rows:
        values = [{"server": server, "found_by": vault.hashed(name), "patient": name} for server, name in rows]
        connection.execute(sa.insert(new), values)


def _patients_of_records() -> None:
    """The patient that each record is about, read from its document."""
    from adapter.store.rows import patient_of
    from adapter.store.vault import Sealed
    from adapter.store.writes import tree_of

    with op.batch_alter_table("record") as table:
        table.add_column(sa.Column("patient", sa.String(64), nullable=False, server_default=""))
    op.create_index("ix_record_patient_kind", "record", ["patient", "kind"])
    at: Any = sa.table(
        "record", sa.column("kind"), sa.column("id"), sa.column("document", Sealed("record.document")),
        sa.column("patient"),
    )  # fmt: skip
    connection = op.get_bind()
    keys = connection.execute(sa.select(at.c.kind, at.c.id)).all()
    for kind, id_ in keys:
        here = sa.and_(at.c.kind == kind, at.c.id == id_)
        patient = patient_of(tree_of(str(connection.scalar(sa.select(at.c.document).where(here)))))
        if patient:
            connection.execute(sa.update(at).where(here).values(patient=patient))


def upgrade() -> None:
    """A column and a table more; the listed patients anew."""
    _listed_patients()
    _patients_of_records()
    op.create_table(
        "turn",
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("work", sa.String(16), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("until", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("server", "work", name="pk_turn"),
    )
