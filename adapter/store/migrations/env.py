"""Alembic's entry: migrations run on the connection, and in the transaction, that `database.upgrade` gives."""

from alembic import context

from adapter.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
