"""The database: SQLite in a file of the core's own, or any other that SQLAlchemy knows (PostgreSQL is tested).

Work on it is synchronous and runs in threads of its own, so that the event loop never waits for a disk.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, create_engine, event, exc, text
from sqlmodel import Session

from toru.domain.errors import InvalidSettings, StoreUnavailable
from toru.store import copies
from toru.store.upgrading import upgrade

T = TypeVar("T")

BUSY_SECONDS = 5
"""How long to wait for a database that somebody else is writing to, or for one that doesn't answer."""

STATEMENT_SECONDS = 30

ANSWER_SECONDS = 40.0
"""Longer than anything may take. Whoever has waited for so long is told that the database is away."""

THREADS = 4
"""Work is short, and SQLite has one writer at a time."""

MIGRATION_LOCK = 0x746F7275
"""PostgreSQL's advisory lock that hosts on one database take in turn; any number will do as long as it stays."""


class Database:
    """Every call raises `StoreUnavailable` where the database is locked, read-only, full or away."""

    def __init__(self, url: str) -> None:
        try:
            self._engine = create_engine(url, **_options(url))
        except (exc.ArgumentError, exc.NoSuchModuleError, ImportError) as mistake:
            # Without the URL itself, which may hold a password.
            raise InvalidSettings(
                f"database_url: {type(mistake).__name__}: not a database that can be used"
            ) from mistake
        self.is_shared = self._engine.dialect.name != "sqlite"
        """Other hosts may write to it too."""
        if not self.is_shared:
            event.listen(self._engine, "do_connect", _check_sqlite)
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        self._writing = self._engine.execution_options(writes=True)
        # In turn here is faster and fairer than polling for SQLite's lock.
        self._turn: AbstractContextManager[Any] = nullcontext() if self.is_shared else threading.Lock()
        self._migrated = False
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="store")

    def close(self) -> None:
        self._threads.shutdown()
        self._engine.dispose()

    def migrate(self) -> None:
        """Bring the tables up to this release's, one process at a time. All or nothing.

        A SQLite file is copied before. `NewerDatabase`, if a later release has been here.
        """
        # What fails is tried again and again: each time there would be one more copy.
        with ExitStack() as if_undone:
            with _told(), self._turn, self._writing.begin() as connection:
                if self._engine.dialect.name == "postgresql":
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
                copied = upgrade(connection, if_undone)
            if_undone.pop_all()
        if copied is not None:
            copies.forget_oldest(copied)
        self._migrated = True

    def join(self) -> None:
        """Take the tables for what they should be: another process of this release has migrated them."""
        self._migrated = True

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent look."""
        self._check()
        with _told(), Session(self._engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """One transaction: committed at the end, or undone by whatever is raised."""
        self._check()
        with _told(), self._turn, Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def _check(self) -> None:
        if not self._migrated:
            raise StoreUnavailable("the database has not been opened yet")

    async def read(self, look: Callable[[Session], T]) -> T:
        """What `look` returns, off the event loop."""

        def work() -> T:
            with self.reading() as session:
                return look(session)

        return await self._aside(work)

    async def write(self, change: Callable[[Session], T]) -> T:
        """What `change` returns, once it is on disk. Off the event loop."""

        def work() -> T:
            with self.writing() as session:
                return change(session)

        return await self._aside(work)

    async def _aside(self, work: Callable[[], T]) -> T:
        done = self._threads.submit(work)
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                # Shielded: a client that leaves does not tell half a story. What was begun is finished.
                return await asyncio.shield(asyncio.wrap_future(done))
        except TimeoutError as error:
            done.cancel()  # what has not begun must not begin when nobody expects it any more
            raise StoreUnavailable("the database doesn't answer") from error


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        # A connection goes from thread to thread, but is never used by two at once: that is what the pool is for.
        return {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}, "pool_timeout": BUSY_SECONDS}
    options: dict[str, Any] = {"pool_timeout": BUSY_SECONDS, "pool_pre_ping": True}
    if url.startswith("postgresql+psycopg"):
        options["connect_args"] = {
            "connect_timeout": BUSY_SECONDS,
            "options": f"-c lock_timeout={BUSY_SECONDS}s -c statement_timeout={STATEMENT_SECONDS}s",
            # A server whose network broke is given up within so many seconds, instead of two hours.
            "keepalives_idle": BUSY_SECONDS,
            "keepalives_interval": BUSY_SECONDS,
            "keepalives_count": 2,
            "tcp_user_timeout": 3000 * BUSY_SECONDS,
        }
    return options


def _check_sqlite(_dialect: object, _record: object, arguments: list[Any], _options: object) -> None:
    # What can't be written to SQLite opens for reading, and keeps it so as long as any connection of this process is
    # open: the core would have to be restarted after somebody has put that right.
    for path in (Path(f"{arguments[0]}{ending}") for ending in ("", "-wal", "-shm")):
        if path.exists() and not os.access(path, os.W_OK):
            raise sqlite3.OperationalError(f"{path} is read-only")


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves: the driver says it too late, and never for DDL
    for pragma in (
        "journal_mode = WAL",  # who reads doesn't wait for who writes
        # A commit is on disk when it returns. NORMAL would lose the last ones with the power: a user who was just
        # disabled would be back. What is written here is written at people's pace, so that costs nothing one notices.
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that starts by reading can't wait for a writer later: SQLite would refuse it at once.
    writes = connection.get_execution_options().get("writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def _told() -> Iterator[None]:
    """What the database can't do just now as `StoreUnavailable`. What we did wrong stays what it is."""
    try:
        yield
    except (exc.OperationalError, exc.InterfaceError, exc.InternalError, exc.TimeoutError) as error:
        raise _unavailable(error) from error
    except exc.DatabaseError as error:
        if type(error) is not exc.DatabaseError:  # a constraint, a value: the caller's
            raise
        raise _unavailable(error) from error


def _unavailable(error: Exception) -> StoreUnavailable:
    cause = getattr(error, "orig", None) or error
    return StoreUnavailable(f"the database can't be used now: {' '.join(str(cause).split())}")
