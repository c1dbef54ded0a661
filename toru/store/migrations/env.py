"""How Alembic comes by the database: through the connection that `Database.migrate` hands over.

A new one: alembic -c toru/store/migrations/alembic.ini revision --autogenerate -m "what it does"
"""

from __future__ import annotations

from alembic import context

from toru.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    # SQLite changes tables by copying them.
    render_as_batch=True,
)
# The transaction is the caller's, lock and all.
context.run_migrations()
