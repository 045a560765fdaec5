"""By what a resource was found valid when it was written."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column more: of what is there nothing is known."""
    with op.batch_alter_table("resource") as table:
        table.add_column(sa.Column("valid", sa.String(16), nullable=False, server_default=""))
