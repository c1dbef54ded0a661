"""Every table, as SQLModel reads it. migrations/ brings a database there.

Times are seconds since 1970. Texts hold no NUL: PostgreSQL has no room for one.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Double, ForeignKey, Index, Integer, MetaData, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

# Only INTEGER PRIMARY KEY counts up by itself on SQLite, where it has 64 bits anyway.
Counter = BigInteger().with_variant(Integer(), "sqlite")

# The number of a row that is gone goes to no other, as on PostgreSQL.
_NEVER_AGAIN = {"sqlite_autoincrement": True}

# In the order of its bytes on every database, as SQLite has it by itself.
ByteText = Text().with_variant(Text(collation="C"), "postgresql")


def _owner(**options: Any) -> Any:
    """A row that goes with its user."""
    return Field(sa_type=Counter, sa_column_args=[ForeignKey("users.id", ondelete="CASCADE")], **options)


class Table(SQLModel):
    # Every constraint has a name, so that a later migration can drop it on any database.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class User(Table, table=True):
    __tablename__ = "users"
    __table_args__ = _NEVER_AGAIN

    id: int | None = Field(default=None, primary_key=True, sa_type=Counter)
    name: str = Field(max_length=64, unique=True)
    role: str = Field(max_length=16)
    password_hash: str = Field(max_length=255)
    disabled: bool = False
    all_plugins: bool = True
    """False: the plugins named in grants, and no others."""
    created_at: float = Field(sa_type=Double)


class SignIn(Table, table=True):
    """A browser that somebody signed in with."""

    __tablename__ = "sessions"
    __table_args__ = _NEVER_AGAIN

    id: int | None = Field(default=None, primary_key=True, sa_type=Counter)
    token_hash: str = Field(max_length=64, unique=True)
    """SHA-256 in hexadecimal. The token itself is known to the browser alone."""
    user_id: int = _owner(index=True)
    created_at: float = Field(sa_type=Double)
    seen_at: float = Field(sa_type=Double)
    """When something was last asked by it, to within minutes."""
    expires_at: float = Field(sa_type=Double, index=True)
    address: str | None = Field(default=None, max_length=64)
    browser: str | None = Field(default=None, max_length=255)


class ApiToken(Table, table=True):
    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("user_id", "name"), _NEVER_AGAIN)

    id: int | None = Field(default=None, primary_key=True, sa_type=Counter)
    user_id: int = _owner()
    name: str = Field(max_length=64)
    token_hash: str = Field(max_length=64, unique=True)
    scopes: str = Field(max_length=255)
    """Words with a space between them."""
    created_at: float = Field(sa_type=Double)
    expires_at: float | None = Field(default=None, sa_type=Double)


class Grant(Table, table=True):
    __tablename__ = "grants"

    user_id: int = _owner(primary_key=True)
    plugin_id: str = Field(primary_key=True, max_length=64)


class KvEntry(Table, table=True):
    __tablename__ = "plugin_kv"
    __table_args__ = (
        Index(
            None,
            "expires_at",
            sqlite_where=text("expires_at IS NOT NULL"),
            postgresql_where=text("expires_at IS NOT NULL"),
        ),
    )

    plugin_id: str = Field(primary_key=True, max_length=64)
    key: str = Field(primary_key=True, sa_type=ByteText)
    value: str = Field(sa_type=Text)
    """JSON."""
    size_bytes: int
    """Of key and value, in UTF-8."""
    expires_at: float | None = Field(default=None, sa_type=Double)
    updated_at: float = Field(sa_type=Double)


class KvUsage(Table, table=True):
    """What a plugin's entries add up to, kept in the same transaction, so that limits need no counting."""

    __tablename__ = "plugin_kv_usage"

    plugin_id: str = Field(primary_key=True, max_length=64)
    keys: int
    bytes: int = Field(sa_type=BigInteger)


class PluginEvent(Table, table=True):
    __tablename__ = "plugin_events"
    __table_args__ = (UniqueConstraint("host", "cursor"), Index(None, "plugin_id", "at", "id"), _NEVER_AGAIN)

    id: int | None = Field(default=None, primary_key=True, sa_type=Counter)
    plugin_id: str = Field(max_length=64)
    kind: str = Field(max_length=16)
    at: float = Field(sa_type=Double, index=True)
    """By the journal's clock."""
    cause: str | None = Field(default=None, sa_type=Text)
    details: str = Field(default="{}", sa_type=Text)
    """JSON."""
    host: str = Field(max_length=64)
    """Its machine id: several hosts may share a database."""
    cursor: str = Field(sa_type=Text)
    """Of the journal entry that told it, so that none is told twice."""


class JournalCursor(Table, table=True):
    """How far a host's journal has been read into events."""

    __tablename__ = "journal_cursor"

    host: str = Field(primary_key=True, max_length=64)
    cursor: str = Field(sa_type=Text)
    at: float = Field(sa_type=Double)


class Release(Table, table=True):
    """Which release of Toru brought the tables to which revision."""

    __tablename__ = "releases"

    revision: str = Field(primary_key=True, max_length=32)
    release: str = Field(max_length=64)
    at: float = Field(sa_type=Double)
