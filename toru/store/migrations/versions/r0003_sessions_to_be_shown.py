"""Sessions have a number, a place and a browser, so that they can be shown and ended one by one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"

_KEPT = "token_hash, user_id, created_at, expires_at"


def upgrade() -> None:
    # Made anew, because another column is the key now, which SQLite can't change. Nobody is signed out by it.
    op.execute(f"CREATE TEMPORARY TABLE sessions_before AS SELECT {_KEPT} FROM sessions")  # noqa: S608  (a constant)
    op.drop_table("sessions")
    op.create_table(
        "sessions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("address", sa.String(64), nullable=True),
        sa.Column("browser", sa.String(255), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_sessions_token_hash"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id_users", ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_expires_at", "sessions", ["expires_at"])
    op.execute(
        f"INSERT INTO sessions ({_KEPT}, seen_at) SELECT {_KEPT}, created_at FROM sessions_before"  # noqa: S608
    )
    op.execute("DROP TABLE sessions_before")
