"""careplan db upgrade."""

from __future__ import annotations

import click

from adapter.cli.app import example


@click.group()
def db() -> None:
    """The database of the store."""


@db.command("upgrade")
@example("careplan db upgrade", "CAREPLAN_DATABASE_URL=postgresql://localhost/careplan careplan db upgrade")
def upgrade() -> None:
    """Bring the tables of the store to this version of the adapter; make a copy of it first.

    Does nothing where they are. `careplan serve` does the same when it starts.
    """
    from adapter import settings
    from adapter.store import open_store

    chosen = settings.load()
    store = open_store(chosen.database_url, timeout=chosen.database_timeout, migrate=False)
    before, newest = store.version()
    store.upgrade()
    store.close()
    click.echo(f"the store is at {newest}" + ("" if before == newest else f", it was at {before or 'nothing'}"))
