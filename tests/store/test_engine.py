"""The database, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col, select

from tests.hosts.relay import Relay, from_path, to_path
from tests.store.postgresql import SOCKET, PostgreSql
from tests.store.test_upgrading import make_old
from toru.domain.errors import InvalidSettings, StoreUnavailable
from toru.domain.ids import PluginId
from toru.domain.people import Role, UserName
from toru.store import accounts, sessions
from toru.store.engine import THREADS, Database
from toru.store.tables import Grant, JournalCursor, SignIn, Table

ANN = UserName("ann")


def add(session: Session, name: UserName = ANN) -> None:
    accounts.add_user(session, name=name, role=Role.ADMIN, password_hash="", grants=[PluginId("clock")], now=1.0)


def test_migrations_arrive_at_the_tables_as_the_code_has_them(database: Database) -> None:
    with database._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_several_may_migrate_at_once(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(database.migrate) for database in databases]:
            done.result()
    for database in databases:
        with database.reading() as session:
            assert accounts.accounts(session) == []
        database.close()


def test_who_was_signed_in_before_sessions_could_be_shown_still_is(database_url: str) -> None:
    make_old(
        database_url,
        "INSERT INTO users VALUES (7, 'ann', 'admin', '', false, true, 1.0)",
        "INSERT INTO sessions VALUES ('hash', 7, 2.0, 9.0)",
    )
    database = Database(database_url)
    database.migrate()
    with database.reading() as session:
        assert accounts.recognise(session, "hash", now=3.0) is not None
        ((facts, _),) = sessions.sessions(session, ANN, {}, now=3.0)
    assert (facts.began_at, facts.seen_at, facts.address, facts.browser) == (2.0, 2.0, None, None)
    database.close()


def test_nothing_is_read_before_the_tables_are_there(database_url: str) -> None:
    database = Database(database_url)
    with pytest.raises(StoreUnavailable), database.reading():
        pass
    database.close()


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    def fail(session: Session) -> None:
        add(session)
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(database.write(fail))
    with database.reading() as session:
        assert accounts.accounts(session) == []


def test_what_belongs_to_a_user_goes_with_the_user(database: Database) -> None:
    with database.writing() as session:
        add(session)
        add(session, UserName("bob"))
        accounts.add_sign_in(session, ANN, "0" * 64, now=1.0, expires_at=2.0)
    with database.writing() as session:
        accounts.delete_user(session, ANN)
    with database.reading() as session:
        assert session.exec(select(SignIn)).all() == []
        assert len(session.exec(select(Grant)).all()) == 1


def test_foreign_keys_are_kept(database: Database) -> None:
    with pytest.raises(IntegrityError), database.writing() as session:
        session.add(Grant(user_id=99, plugin_id="clock"))


def test_many_writers_wait_for_each_other(database: Database) -> None:
    async def all_at_once() -> None:
        def write(number: int) -> None:
            def change(session: Session) -> None:
                session.exec(select(JournalCursor)).all()
                session.add(JournalCursor(host=f"host {number}", cursor="c", at=number))

            with database.writing() as session:
                change(session)

        await asyncio.gather(*(asyncio.to_thread(write, number) for number in range(50)))

    asyncio.run(all_at_once())
    with database.reading() as session:
        assert len(session.exec(select(JournalCursor)).all()) == 50


def test_the_event_loop_never_waits(database: Database) -> None:
    seen: list[str] = []

    def look(_session: Session) -> str:
        return threading.current_thread().name

    async def ask() -> None:
        seen.append(await database.read(look))
        seen.append(await database.write(look))

    asyncio.run(ask())
    assert all(name.startswith("store") for name in seen)


@pytest.mark.parametrize("url", ["nonsense://x", "sqlite+nonsense://x", "://"])
def test_a_url_that_is_none_is_a_mistake_in_the_settings(url: str) -> None:
    with pytest.raises(InvalidSettings, match="database_url"):
        Database(url)


def test_sqlite_is_set_up_for_power_cuts_and_many_readers(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    database.migrate()
    with database.reading() as session:

        def pragma(name: str) -> object:
            return session.connection().execute(text(f"PRAGMA {name}")).scalar()

        assert (pragma("journal_mode"), pragma("synchronous"), pragma("foreign_keys")) == ("wal", 2, 1)
        assert pragma("busy_timeout") == 5000
    database.close()


def test_a_locked_database_is_told_as_such(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toru.store.engine.BUSY_SECONDS", 0.1)
    database = Database(sqlite_url)
    database.migrate()
    other = sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreUnavailable, match="locked"), database.writing() as session:
        add(session)
    other.rollback()
    other.close()
    with database.writing() as session:
        add(session)
    database.close()


def test_a_full_database_is_told_as_such_and_works_again_with_room(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    database.migrate()

    def write(size: int) -> None:
        with database.writing() as session:
            pages = session.connection().execute(text("PRAGMA page_count")).scalar()
            session.connection().execute(text(f"PRAGMA max_page_count = {pages if size > 100 else 10**6}"))
            session.add(JournalCursor(host=f"host {size}", cursor="c" * size, at=1.0))

    with pytest.raises(StoreUnavailable, match="full"):
        write(100_000)
    write(1)
    database.close()


def test_a_file_that_is_no_database_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "toru.db").write_bytes(b"no database, by any means" * 100)
    database = Database(f"sqlite:///{tmp_path}/toru.db")
    with pytest.raises(StoreUnavailable, match="not a database"):
        database.migrate()
    database.close()


def test_a_server_that_is_away_is_told_as_such(tmp_path: Path) -> None:
    database = Database(f"postgresql+psycopg://postgres@/toru?host={tmp_path}")
    with pytest.raises(StoreUnavailable):
        database.migrate()
    database.close()


@pytest.fixture
def relay(postgresql: PostgreSql, tmp_path: Path) -> Iterator[Relay]:
    with from_path(tmp_path / SOCKET, to_path(postgresql.directory / SOCKET)) as relay:
        yield relay


def test_a_server_that_does_not_answer_is_told_as_such(
    postgresql: PostgreSql, relay: Relay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgresql.new_database(seen_at=tmp_path)
    database = Database(url)
    database.migrate()

    async def story() -> None:
        await database.write(lambda session: add(session, UserName("before")))
        relay.stall()
        monkeypatch.setattr("toru.store.engine.ANSWER_SECONDS", 0.3)
        told = await asyncio.gather(
            *(database.read(accounts.accounts) for _ in range(THREADS)),
            *(database.write(lambda session: add(session, UserName("meanwhile"))) for _ in range(3)),
            return_exceptions=True,
        )
        assert {str(it) for it in told if isinstance(it, StoreUnavailable)} == {"the database doesn't answer"}
        assert len(told) == sum(isinstance(it, StoreUnavailable) for it in told)
        monkeypatch.undo()
        relay.go_on()
        await database.write(lambda session: add(session, UserName("afterwards")))

    asyncio.run(story())
    database.close()
    # Not "meanwhile": those who were told so may have asked once more, and what they asked first would come too late.
    assert postgresql.rows(url, "SELECT name FROM users ORDER BY name") == [("afterwards",), ("before",)]


def test_a_server_that_was_restarted_is_as_before(postgresql: PostgreSql, postgresql_url: str) -> None:
    database = Database(postgresql_url)
    database.migrate()
    with database.writing() as session:
        add(session)
    postgresql.end(signal.SIGQUIT)
    with pytest.raises(StoreUnavailable), database.reading() as session:
        accounts.accounts(session)
    postgresql.serve()
    with database.reading() as session:
        assert [account.name for account in accounts.accounts(session)] == [ANN]
    database.close()


def test_connections_that_a_server_dropped_are_made_anew(postgresql_url: str) -> None:
    database = Database(postgresql_url)
    database.migrate()
    with database.writing() as session:
        session.connection().execute(
            text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
        )
    with database.writing() as session:
        add(session)
    database.close()


WRITER = """
import sys
from toru.store.engine import Database
from toru.store.tables import JournalCursor
database = Database(sys.argv[1])
database.migrate()
number = 0
while True:
    with database.writing() as session:
        session.add(JournalCursor(host=f"host {number}", cursor="c", at=number))
    print(number, flush=True)
    number += 1
"""


@pytest.mark.req("KV-3")
def test_kill_9_loses_nothing_that_was_acknowledged(database: Database, database_url: str) -> None:
    writer = subprocess.Popen([sys.executable, "-c", WRITER, database_url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    acknowledged = -1
    for line in writer.stdout:
        acknowledged = int(line)
        if acknowledged == 200:
            os.kill(writer.pid, signal.SIGKILL)
    writer.stdout.close()
    assert writer.wait() == -signal.SIGKILL
    assert acknowledged >= 200
    with database.reading() as session:
        kept = session.exec(select(JournalCursor).order_by(col(JournalCursor.at))).all()
    # One more may have been written without anybody having been told.
    assert [row.at for row in kept][: acknowledged + 1] == list(range(acknowledged + 1))
    assert len(kept) <= acknowledged + 2
