"""A database of another release: brought up to this one's with a copy of it as it was, or left alone."""

from __future__ import annotations

import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine, text

from toru import __version__
from toru.domain.errors import NewerDatabase, StoreUnavailable
from toru.store.copies import KEPT, copies_before_upgrades, copy
from toru.store.engine import Database
from toru.store.upgrading import _config, newest_revision

pytestmark = pytest.mark.req("KV-3", "OPS-2")

TO_BE_KEPT = "INSERT INTO plugin_kv VALUES ('clock', 'k', '\"kept\"', 7, NULL, 1.0)"


def make_old(url: str, *more: str) -> None:
    """A database as the first release left it."""
    engine = create_engine(url)
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "r0001")
        for statement in (TO_BE_KEPT, *more):
            connection.execute(text(statement))
    engine.dispose()


def migrate(url: str) -> None:
    database = Database(url)
    try:
        database.migrate()
    finally:
        database.close()


def asked(file: Path, question: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        return connection.execute(question).fetchall()


def beside(file: Path) -> list[str]:
    return sorted(path.name for path in file.parent.iterdir() if not path.name.endswith(("-wal", "-shm")))


def test_an_older_database_is_brought_up_to_date_and_a_copy_of_it_stays(tmp_path: Path) -> None:
    file, url = tmp_path / "toru.db", f"sqlite:///{tmp_path}/toru.db"
    make_old(url)
    migrate(url)
    assert asked(file, "SELECT version_num FROM alembic_version") == [(newest_revision(),)]
    assert asked(file, "SELECT revision, release FROM releases") == [(newest_revision(), __version__)]
    (kept,) = copies_before_upgrades(file)
    assert re.fullmatch(r"toru\.db\.r0001-\d{8}T\d{6}Z", kept.path.name)
    assert kept.path.stat().st_mode & 0o777 == 0o600
    assert asked(kept.path, "SELECT version_num FROM alembic_version") == [("r0001",)]
    for each in (file, kept.path):
        assert asked(each, "SELECT value FROM plugin_kv") == [('"kept"',)]
        assert asked(each, "PRAGMA integrity_check") == [("ok",)]
    # The next start finds nothing to do.
    migrate(url)
    assert beside(file) == ["toru.db", kept.path.name]


def test_a_new_database_needs_no_copy(tmp_path: Path) -> None:
    migrate(f"sqlite:///{tmp_path}/toru.db")
    assert beside(tmp_path / "toru.db") == ["toru.db"]


def test_of_the_copies_the_last_few_are_kept_and_nothing_else_is_touched(tmp_path: Path) -> None:
    file, url = tmp_path / "toru.db", f"sqlite:///{tmp_path}/toru.db"
    make_old(url)
    old = [f"toru.db.r000{number}-2020010{number}T000000Z" for number in range(1, 6)]
    others = ["toru.db.mine", "toru.db.r0001", "other.db.r0001-20200101T000000Z"]
    for name in (*old, *others):
        (tmp_path / name).touch()
    migrate(url)
    assert [copy.path.name for copy in copies_before_upgrades(file)][:-1] == old[-KEPT + 1 :]
    assert set(others) < set(beside(file))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", disk], check=True)
    yield disk
    subprocess.run(["umount", disk], check=True)


def test_without_room_for_a_copy_the_database_stays_as_it_is(small_disk: Path) -> None:
    file, url = small_disk / "toru.db", f"sqlite:///{small_disk}/toru.db"
    make_old(url, "INSERT INTO plugin_kv SELECT 'clock', 'large', hex(randomblob(600000)), 9, NULL, 1.0")
    with pytest.raises(StoreUnavailable, match=r"stays as it is, because there is no copy of it: .* full"):
        migrate(url)
    assert asked(file, "SELECT version_num FROM alembic_version") == [("r0001",)]
    assert beside(file) == ["toru.db"], "what was begun is gone"
    subprocess.run(["mount", "-o", "remount,size=8M", small_disk], check=True)
    migrate(url)
    assert asked(file, "SELECT version_num FROM alembic_version") == [(newest_revision(),)]
    assert len(copies_before_upgrades(file)) == 1


def test_an_upgrade_that_fails_changes_nothing_and_leaves_no_copy(tmp_path: Path) -> None:
    file, url = tmp_path / "toru.db", f"sqlite:///{tmp_path}/toru.db"
    make_old(url, "CREATE TABLE releases (in_the_way TEXT)")
    with pytest.raises(StoreUnavailable, match="releases already exists"):
        migrate(url)
    assert asked(file, "SELECT version_num FROM alembic_version") == [("r0001",)]
    assert beside(file) == ["toru.db"]


def test_what_was_written_and_is_in_the_log_alone_is_in_the_copy_while_others_write(tmp_path: Path) -> None:
    file = tmp_path / "toru.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as writer:
        writer.execute("PRAGMA journal_mode = WAL")
        writer.execute("CREATE TABLE entries (number INTEGER)")
        writer.execute("INSERT INTO entries VALUES (1)")
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO entries VALUES (2)")
        copy(file, tmp_path / "copy")
        writer.execute("COMMIT")
    assert asked(tmp_path / "copy", "SELECT number FROM entries") == [(1,)]
    assert beside(file) == ["copy", "toru.db"]


@pytest.mark.parametrize("content", [b"no database at all, whatever its name says" * 100, None])
def test_what_is_no_database_is_not_copied(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "toru.db").write_bytes(content)
    before = beside(tmp_path / "toru.db")
    with pytest.raises(StoreUnavailable, match="can't be copied"):
        copy(tmp_path / "toru.db", tmp_path / "copy")
    assert beside(tmp_path / "toru.db") == before


def make_newer(url: str) -> None:
    migrate(url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'r9999'"))
        connection.execute(text("INSERT INTO releases VALUES ('r9999', '99.1.0', 1.0)"))
    engine.dispose()


def test_a_newer_database_is_refused_with_both_versions_and_left_alone(database_url: str) -> None:
    make_newer(database_url)
    told = rf"Toru 99\.1\.0 \(revision r9999\), and this is Toru {re.escape(__version__)} \(revision r0003\).*: install"
    with pytest.raises(NewerDatabase, match=told):
        migrate(database_url)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == "r9999"
    engine.dispose()


@pytest.mark.parametrize(
    ("change", "whose"),
    [("DELETE FROM releases", "a later release"), ("DROP TABLE releases", "a later release")],
    ids=["that does not say which", "that says it elsewhere"],
)
def test_a_newer_database_is_refused(database_url: str, change: str, whose: str) -> None:
    make_newer(database_url)
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text(change))
    engine.dispose()
    with pytest.raises(NewerDatabase, match=rf"is of {whose} \(revision r9999\)"):
        migrate(database_url)


def named(path: Path) -> str:
    return f"put back {path}, the copy from before the upgrade"


@pytest.mark.parametrize(
    ("lying_there", "told"),
    [
        ((), lambda folder: f"none lies beside {folder}/toru.db"),
        (("r9000-20260101T000000Z",), lambda folder: f"none lies beside {folder}/toru.db"),
        (
            ("r0001-20250101T000000Z", "r0002-20260101T000000Z", "r9000-20270101T000000Z"),
            lambda folder: named(folder / "toru.db.r0002-20260101T000000Z"),
        ),
    ],
    ids=["none", "none that this release knows", "the last that this release knows"],
)
def test_the_copy_to_go_back_to_is_named(
    tmp_path: Path, lying_there: tuple[str, ...], told: Callable[[Path], str]
) -> None:
    url = f"sqlite:///{tmp_path}/toru.db"
    make_newer(url)
    for ending in lying_there:
        (tmp_path / f"toru.db.{ending}").touch()
    with pytest.raises(NewerDatabase, match=re.escape(told(tmp_path))):
        migrate(url)
