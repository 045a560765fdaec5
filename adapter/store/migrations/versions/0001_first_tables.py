"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("part", sa.String(160), nullable=False),
        sa.Column("verb", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_journal"),
    )
    op.create_index("ix_journal_kind_record_id", "journal", ["kind", "record_id"])


def _link() -> None:
    op.create_table(
        "link",
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("part", sa.String(160), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("local_id", sa.String(64), nullable=False),
        sa.Column("remote_id", sa.String(64), nullable=False),
        sa.Column("remote_version", sa.String(64), nullable=False),
        sa.Column("base_sent", sa.Text()),
        sa.Column("base_seen", sa.Text()),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("acked", sa.Integer(), nullable=False),
        sa.Column("in_flight", sa.String(64), nullable=False),
        sa.Column("lease_until", sa.String(32), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.String(32), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("details", sa.Text()),
        sa.PrimaryKeyConstraint("server", "kind", "record_id", "part", name="pk_link"),
    )
    op.create_index("ix_link_kind_record_id", "link", ["kind", "record_id"])
    op.create_index("ix_link_server_type_local_id", "link", ["server", "type", "local_id"])
    op.create_index("ix_link_server_type_remote_id", "link", ["server", "type", "remote_id"])


def _record() -> None:
    op.create_table(
        "record",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("origin", sa.String(16), nullable=False),
        sa.Column("recorded_at", sa.String(32), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", name="pk_record"),
    )


def _record_revision() -> None:
    op.create_table(
        "record_revision",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.String(32), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "id", "revision", name="pk_record_revision"),
    )


def _resource() -> None:
    op.create_table(
        "resource",
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.String(32), nullable=False),
        sa.Column("tree", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("part", sa.String(160), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("type", "id", name="pk_resource"),
    )
    op.create_index("ix_resource_kind_record_id", "resource", ["kind", "record_id"])
    op.create_index("ix_resource_type_last_updated", "resource", ["type", "last_updated"])


def _resource_history() -> None:
    op.create_table(
        "resource_history",
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("last_updated", sa.String(32), nullable=False),
        sa.Column("tree", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("part", sa.String(160), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("type", "id", "version", name="pk_resource_history"),
    )
    op.create_index("ix_resource_history_type_last_updated", "resource_history", ["type", "last_updated"])


def _resource_index() -> None:
    op.create_table(
        "resource_index",
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("param", sa.String(32), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("type", "id", "param", "ordinal", name="pk_resource_index"),
    )
    op.create_index("ix_resource_index_param_value", "resource_index", ["param", "value"])


def _server() -> None:
    op.create_table(
        "server",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("host_class", sa.String(16), nullable=False),
        sa.Column("auth", sa.String(16), nullable=False),
        sa.Column("auth_env", sa.String(128), nullable=False),
        sa.Column("run_tag", sa.String(64), nullable=False),
        sa.Column("paused", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_server"),
    )


def _watermark() -> None:
    op.create_table(
        "watermark",
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("type", sa.String(64), nullable=False),
        sa.Column("value", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("server", "type", name="pk_watermark"),
    )


def upgrade() -> None:
    """Makes every table."""
    _journal()
    _link()
    _record()
    _record_revision()
    _resource()
    _resource_history()
    _resource_index()
    _server()
    _watermark()
