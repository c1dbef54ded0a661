"""How a database gets from each release's tables to the next one's: what Alembic reads."""
