"""The tables. JSON is kept as text, so that every digit stays as it was, in SQLite and PostgreSQL alike."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Float, Index, Integer, MetaData, String, Table, Text, text

from adapter.store.vault import Sealed

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"},
)

record = Table(
    "record",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("document", Sealed("record.document"), nullable=False),
    Column("origin", String(16), nullable=False),
    Column("recorded_at", String(32), nullable=False),
    Column("deleted", Boolean, nullable=False, default=False),
    # Whom it is about, by the id of the record of kind patient; empty where it is about nobody.
    Column("patient", String(64), nullable=False, default=""),
    Index(None, "patient", "kind"),
)

record_revision = Table(
    "record_revision",
    metadata,
    Column("kind", String(32), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("document", Sealed("record_revision.document"), nullable=False),
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
    Column("tree", Sealed("resource.tree"), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("record_id", String(64), nullable=False),
    Column("part", String(160), nullable=False),
    Column("deleted", Boolean, nullable=False, default=False),
    Column("method", String(8), nullable=False),
    # The mark of the validator, with all that it knows, which has found it valid; empty where none has.
    Column("valid", String(16), nullable=False, default=""),
    Index(None, "kind", "record_id"),
    Index(None, "type", "last_updated"),
)

resource_history = Table(
    "resource_history",
    metadata,
    *(
        Column(column.name, column.type, primary_key=column.name in {"type", "id", "version"}, nullable=False)
        for column in resource.columns
        if column.name != "valid"
    ),
    Index(None, "type", "last_updated"),
)

# What a resource can be found by; the columns mean what adapter.store.indexing says.
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
    # A hash; the secret of its webhooks is shown once.
    Column("hook", String(128), nullable=False),
    Column("options", Text, nullable=False),
)

# How the store is kept: which key its index was made with.
keeping = Table(
    "keeping",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("name", String(64), primary_key=True),
    # SHA-256 of the secret, which is shown once.
    Column("digest", String(64), nullable=False, unique=True),
    Column("host_class", String(16), nullable=False),
    Column("writes", Boolean, nullable=False),
    Column("made", String(32), nullable=False),
    Column("until", String(32), nullable=False),
)

server_patient = Table(
    "server_patient",
    metadata,
    Column("server", String(64), primary_key=True),
    # A hash of the patient's name here where the store is sealed.
    Column("found_by", String(512), primary_key=True),
    Column("patient", Sealed("server_patient.patient"), nullable=False),
)

# Who does a work at a server that one process does at a time, and until when it is not to be disturbed.
turn = Table(
    "turn",
    metadata,
    Column("server", String(64), primary_key=True),
    Column("work", String(16), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", String(32), nullable=False),
)

server_state = Table(
    "server_state",
    metadata,
    Column("server", String(64), primary_key=True),
    Column("facts", Text, nullable=False),
    Column("sentinel", Text, nullable=False),
    Column("last_pull", String(32), nullable=False),
    Column("last_push", String(32), nullable=False),
    Column("last_try", String(32), nullable=False),
    Column("last_sweep", String(32), nullable=False),
    Column("error", Text, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("not_before", String(32), nullable=False),
    Column("skew", Float, nullable=False),
)

TODO = text("todo = 1")

link = Table(
    "link",
    metadata,
    Column("server", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("record_id", String(64), primary_key=True),
    Column("part", String(160), primary_key=True),
    Column("type", String(64), nullable=False),
    Column("local_id", String(64), nullable=False),
    Column("remote_id", String(64), nullable=False),
    Column("remote_version", String(64), nullable=False),
    Column("remote_updated", String(40), nullable=False),
    Column("wanted", Integer, nullable=False),
    Column("acked", Integer, nullable=False),
    Column("base", Integer, nullable=False),
    Column("seen", Sealed("link.seen")),
    Column("in_flight", String(64), nullable=False),
    Column("flight", Integer, nullable=False),
    Column("lease_until", String(32), nullable=False),
    Column("fence", Integer, nullable=False),
    Column("not_before", String(32), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("pack", String(128), nullable=False),
    Column("ending", String(16), nullable=False),
    Column("theirs", Sealed("link.theirs")),
    Column("theirs_version", String(64), nullable=False),
    # Derived, so that the work that is due is found without reading the rest: 1 where there is something to send, and the
    # place of the kind in the order of sending.
    Column("todo", Integer, nullable=False),
    Column("rank", Integer, nullable=False),
    Index(None, "server", "type", "local_id"),
    Index(None, "server", "type", "remote_id"),
    Index(None, "kind", "record_id"),
    # With todo, so that counting reads the index alone.
    Index(None, "server", "state", "todo"),
    Index("ix_link_todo", "server", "rank", "record_id", sqlite_where=TODO, postgresql_where=TODO),
)

watermark = Table(
    "watermark",
    metadata,
    Column("server", String(64), primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("value", String(40), nullable=False),
)

# What is on a server and has no link: named by a webhook, waiting for its patient, or such that no record can hold it.
arrival = Table(
    "arrival",
    metadata,
    Column("server", String(64), primary_key=True),
    Column("type", String(64), primary_key=True),
    Column("remote_id", String(64), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("version", String(64), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", String(32), nullable=False),
    Index(None, "server", "state"),
)

conflict = Table(
    "conflict",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("server", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("record_id", String(64), nullable=False),
    Column("part", String(160), nullable=False),
    Column("path", Text, nullable=False),
    Column("base", Sealed("conflict.base")),
    Column("ours", Sealed("conflict.ours")),
    Column("theirs", Sealed("conflict.theirs")),
    Column("ours_by", Text, nullable=False),
    Column("ours_at", String(40), nullable=False),
    Column("theirs_by", Text, nullable=False),
    Column("theirs_at", String(40), nullable=False),
    Column("opened_at", String(32), nullable=False),
    Column("state", String(16), nullable=False),
    Column("taken", String(16), nullable=False),
    Column("value", Sealed("conflict.value")),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", String(32), nullable=False),
    Index(None, "server", "state"),
    Index(None, "kind", "record_id"),
)

# Only grows: triggers of the migration refuse any change of what stands in it.
journal = Table(
    "journal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("at", String(32), nullable=False),
    Column("by", Text, nullable=False),
    Column("server", String(64), nullable=False),
    Column("kind", String(32), nullable=False),
    Column("record_id", String(64), nullable=False),
    Column("part", String(160), nullable=False),
    Column("verb", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("path", Text, nullable=False),
    Column("before", Sealed("journal.before")),
    Column("after", Sealed("journal.after")),
    Index(None, "kind", "record_id"),
)
