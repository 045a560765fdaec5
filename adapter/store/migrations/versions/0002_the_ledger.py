"""The ledger in its present shape: versions of our own resources instead of copies, conflicts by element, a journal that
only grows, what is known of a server. Links that were there keep what was agreed with the server.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ORDER = ("patient", "form", "diagnosis", "goal", "care_team", "request", "assessment", "plan")


def _text(name: str, length: int = 0) -> sa.Column[str]:
    return sa.Column(name, sa.String(length) if length else sa.Text(), nullable=False, server_default="")


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False, server_default="0")


def _server() -> None:
    with op.batch_alter_table("server") as table:
        table.add_column(_text("hook", 128))
        table.add_column(sa.Column("options", sa.Text(), nullable=False, server_default="{}"))
    op.create_table(
        "server_patient",
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("patient", sa.String(512), nullable=False),
        sa.PrimaryKeyConstraint("server", "patient", name="pk_server_patient"),
    )
    op.create_table(
        "server_state",
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("sentinel", sa.Text(), nullable=False),
        *(
            sa.Column(name, sa.String(32), nullable=False)
            for name in ("last_pull", "last_push", "last_try", "last_sweep")
        ),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.String(32), nullable=False),
        sa.Column("skew", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("server", name="pk_server_state"),
    )


def _link() -> None:
    added: list[sa.Column[Any]] = [
        _text("remote_updated", 40), _number("base"), _number("flight"), _text("pack", 128), _text("ending", 16),
        sa.Column("theirs", sa.Text()), _text("theirs_version", 64), _number("todo"), _number("rank"),
    ]  # fmt: skip
    with op.batch_alter_table("link") as table:
        for column in added:
            table.add_column(column)
        table.alter_column("base_seen", new_column_name="seen")
    _carry_over()
    with op.batch_alter_table("link") as table:
        table.drop_column("base_sent")
        table.drop_column("details")
    op.create_index("ix_link_server_state_todo", "link", ["server", "state", "todo"])
    todo = sa.text("todo = 1")
    op.create_index("ix_link_todo", "link", ["server", "rank", "record_id"], sqlite_where=todo, postgresql_where=todo)


def _carry_over() -> None:
    """Wanted and acknowledged were counts of writes; they are versions of our resource now. What was agreed before stays
    as what the server gave back, so that the next comparison is with that.
    """
    connection = op.get_bind()
    link = sa.table(
        "link", *(sa.column(name) for name in
        ("server", "kind", "record_id", "part", "type", "local_id", "wanted", "acked", "state", "todo", "rank"))
    )  # fmt: skip
    resource = sa.table("resource", *(sa.column(name) for name in ("type", "id", "version")))
    query = sa.select(link, resource.c.version).join(
        resource, sa.and_(resource.c.type == link.c.type, resource.c.id == link.c.local_id), isouter=True
    )
    rows = [_carried(row) for row in connection.execute(query).mappings()]
    at = link.c
    change = (
        sa.update(link)
        .where(at.server == sa.bindparam("_server"), at.kind == sa.bindparam("_kind"))
        .where(at.record_id == sa.bindparam("_record_id"), at.part == sa.bindparam("_part"))
        .values(**{name: sa.bindparam(f"_{name}") for name in ("wanted", "acked", "todo", "rank", "state")})
    )
    if rows:
        connection.execute(change, rows)


def _carried(row: Any) -> dict[str, Any]:
    version = row["version"] or 1
    settled = row["wanted"] == row["acked"]
    # The elements of a conflict were kept elsewhere: the next look finds them again.
    state = "linked" if row["state"] == "conflict" else row["state"]
    todo = not settled and state in ("waiting", "linked")
    return {
        **{f"_{name}": row[name] for name in ("server", "kind", "record_id", "part")},
        "_wanted": version,
        "_acked": version if settled else 0,
        "_todo": int(todo),
        "_rank": ORDER.index(row["kind"]) if row["kind"] in ORDER else len(ORDER),
        "_state": state,
    }


def _decisions() -> None:
    op.create_table(
        "arrival",
        *(sa.Column(name, sa.String(64), nullable=False) for name in ("server", "type", "remote_id")),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("server", "type", "remote_id", name="pk_arrival"),
    )
    op.create_index("ix_arrival_server_state", "arrival", ["server", "state"])
    op.create_table(
        "conflict",
        sa.Column("number", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("server", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("record_id", sa.String(64), nullable=False),
        sa.Column("part", sa.String(160), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text()) for name in ("base", "ours", "theirs")),
        sa.Column("ours_by", sa.Text(), nullable=False),
        sa.Column("ours_at", sa.String(40), nullable=False),
        sa.Column("theirs_by", sa.Text(), nullable=False),
        sa.Column("theirs_at", sa.String(40), nullable=False),
        sa.Column("opened_at", sa.String(32), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("taken", sa.String(16), nullable=False),
        sa.Column("value", sa.Text()),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_conflict"),
    )
    op.create_index("ix_conflict_server_state", "conflict", ["server", "state"])
    op.create_index("ix_conflict_kind_record_id", "conflict", ["kind", "record_id"])


def _journal() -> None:
    with op.batch_alter_table("journal") as table:
        for column in (_text("by"), _text("path"), sa.Column("before", sa.Text()), sa.Column("after", sa.Text())):
            table.add_column(column)
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER journal_only_grows_{verb.lower()} BEFORE {verb} ON journal "
                "BEGIN SELECT RAISE(ABORT, 'the journal only grows'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION journal_only_grows() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'the journal only grows'; END $$"
    )
    op.execute(
        "CREATE TRIGGER journal_only_grows BEFORE UPDATE OR DELETE ON journal "
        "FOR EACH ROW EXECUTE FUNCTION journal_only_grows()"
    )


def upgrade() -> None:
    """Changes server, link and journal; makes the rest."""
    _server()
    _link()
    _decisions()
    _journal()
