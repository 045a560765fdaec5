"""The tables. JSON is kept as text, so that every digit stays as it was, in SQLite and PostgreSQL alike."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Integer, MetaData, String, Table, Text

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

record = Table(
    "record",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("document", Text, nullable=False),
    Column("origin", String(16), nullable=False),
    Column("recorded_at", String(32), nullable=False),
    Column("deleted", Boolean, nullable=False, default=False),
)

record_revision = Table(
    "record_revision",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("document", Text, nullable=False),
    Column("recorded_at", String(32), nullable=False),
    Column("recorded_by", Text, nullable=False, default=""),
    Column("deleted", Boolean, nullable=False, default=False),
)

resource = Table(
    "resource",
    metadata,
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("last_updated", String(32), nullable=False),
    Column("tree", Text, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("record_id", String(64), nullable=False),
    Column("part", String(160), nullable=False),
    Column("deleted", Boolean, nullable=False, default=False),
    Column("method", String(8), nullable=False),
    Index(None, "kind", "record_id"),
    Index(None, "type", "last_updated"),
)

resource_history = Table(
    "resource_history",
    metadata,
    *(
        Column(column.name, column.type, primary_key=column.name in {"type", "id", "version"}, nullable=False)
        for column in resource.columns
    ),
    Index(None, "type", "last_updated"),
)

# What a resource can be found by: tokens (identifier) and references (subject).
resource_index = Table(
    "resource_index",
    metadata,
    Column("type", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("param", String(32), primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("system", Text, nullable=False),
    Column("value", Text, nullable=False),
    Index(None, "param", "value"),
)

server = Table(
    "server",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("url", Text, nullable=False),
    Column("host_class", String(16), nullable=False),
    Column("auth", String(16), nullable=False),
    # The name of an environment variable, never a secret.
    Column("auth_env", String(128), nullable=False),
    Column("run_tag", String(64), nullable=False),
    Column("paused", Text, nullable=False),
)

link = Table(
    "link",
    metadata,
    Column("server", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("part", String(160), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("local_id", String(64), nullable=False),
    Column("remote_id", String(64), nullable=False, default=""),
    Column("remote_version", String(64), nullable=False, default=""),
    Column("base_sent", Text),
    Column("base_seen", Text),
    Column("wanted", Integer, nullable=False, default=0),
    Column("acked", Integer, nullable=False, default=0),
    Column("in_flight", String(64), nullable=False, default=""),
    Column("lease_until", String(32), nullable=False, default=""),
    Column("fence", Integer, nullable=False, default=0),
    Column("not_before", String(32), nullable=False, default=""),
    Column("attempts", Integer, nullable=False, default=0),
    Column("state", String(16), nullable=False, default="waiting"),
    Column("reason", Text, nullable=False, default=""),
    Column("details", Text),
    Index(None, "server", "type", "local_id"),
    Index(None, "server", "type", "remote_id"),
    Index(None, "kind", "record_id"),
)

watermark = Table(
    "watermark",
    metadata,
    Column("server", String(64), primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("value", String(40), nullable=False),
)

journal = Table(
    "journal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("server", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("record_id", String(64), nullable=False),
    Column("part", String(160), nullable=False),
    Column("verb", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Index(None, "kind", "record_id"),
)
