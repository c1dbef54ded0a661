"""The databases that tests run on.

database        an empty one with Toru's tables: on SQLite, and again on PostgreSQL
database_url    the same, before there are tables
sqlite_url      a file that isn't there yet
postgresql_url  an empty database on the one server
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.store.postgresql import PostgreSql
from toru.store.engine import Database

KINDS = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSql]:
    server = PostgreSql.start()
    yield server
    server.stop()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/toru.db"


@pytest.fixture
def postgresql_url(postgresql: PostgreSql) -> str:
    return postgresql.new_database()


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest) -> str:
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    database.migrate()
    yield database
    database.close()
