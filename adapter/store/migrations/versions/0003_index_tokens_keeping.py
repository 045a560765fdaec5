"""Search by all parameters of R4: the index is made anew. Tokens of the service, and how the store is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables more; the index from the resources that are there."""
    op.create_table(
        "token",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("host_class", sa.String(16), nullable=False),
        sa.Column("writes", sa.Boolean(), nullable=False),
        sa.Column("made", sa.String(32), nullable=False),
        sa.Column("until", sa.String(32), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_token"),
        sa.UniqueConstraint("digest", name="uq_token_digest"),
    )
    op.create_table(
        "keeping",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_keeping"),
    )
    # Derived data: made by the code that also keeps it, from the resources that are there.
    from adapter.store.sealing import index_anew

    index_anew(op.get_bind())


def downgrade() -> None:
    """Back to the index as it is: the rows of more parameters do no harm."""
    op.drop_table("keeping")
    op.drop_table("token")
