"""careplan db upgrade."""

from __future__ import annotations

import click

from adapter.cli.app import example
from adapter.cli.store import services


@click.group()
def db() -> None:
    """The database of the store."""


@db.command()
@example("careplan db upgrade", "CAREPLAN_DATABASE_URL=postgresql://careplan@db/careplan careplan db upgrade")
def upgrade() -> None:
    """Bring the tables to the newest version; nothing happens where they are."""
    with services() as made:
        present, newest = made.store().version()
    click.echo(f"the tables are at version {present} of {newest}", err=True)
