"""careplan db upgrade, key, seal."""

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
    store = open_store(
        chosen.database_url, timeout=chosen.database_timeout, migrate=False, key_file=chosen.store_key_file
    )
    before, newest = store.version()
    store.upgrade()
    store.close()
    click.echo(f"the store is at {newest}" + ("" if before == newest else f", it was at {before or 'nothing'}"))


@db.command("key")
@example("careplan db key > store.keys", "CAREPLAN_STORE_KEY_FILE=store.keys careplan db seal")
def key() -> None:
    """Print a new key for the store, as a line of the file that CAREPLAN_STORE_KEY_FILE names.

    Who has the file can read the store, and without it nobody can: keep a copy apart from the copies of the store.
    """
    from adapter.store import new_key

    click.echo(new_key())


@db.command("seal")
@example("CAREPLAN_STORE_KEY_FILE=store.keys careplan db seal")
def seal() -> None:
    """Encrypt the store with the first key of CAREPLAN_STORE_KEY_FILE; make a copy of it first.

    What is legible, or was encrypted with a later key of the file, is written anew, all or nothing; nothing else may use
    the store meanwhile. To change the key, put a new one before the others, run this, then take the others away.
    """
    from adapter import settings
    from adapter.errors import SettingsError
    from adapter.store import open_store

    chosen = settings.load()
    if not chosen.store_key_file:
        raise SettingsError(
            "There is no key to seal with.", place="CAREPLAN_STORE_KEY_FILE", remedy="`careplan db key` makes one."
        )
    store = open_store(
        chosen.database_url, timeout=chosen.database_timeout, migrate=False, key_file=chosen.store_key_file
    )
    store.upgrade()
    written = store.seal()
    store.close()
    click.echo(f"the store is sealed; {written} value(s) were written anew")
