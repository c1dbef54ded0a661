"""Copies of a SQLite database, made by SQLite itself: consistent, whoever writes meanwhile."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from toru.domain.errors import StoreUnavailable

KEPT = 3
"""Copies from before an upgrade: as many upgrades can be gone back on."""

BUSY_SECONDS = 5


class Copy(NamedTuple):
    """A copy that was made before an upgrade, as its name tells."""

    made_at: str
    revision: str
    path: Path


def copy(source: Path, target: Path) -> None:
    """A new file, for its owner's eyes only: whole, or none. `StoreUnavailable` says why there is none.

    Needs no write-ahead log beside it: to go back to it is to put this one file in the place of the database.
    """
    incomplete = target.with_name(f".{target.name}.incomplete")
    try:
        incomplete.unlink(missing_ok=True)  # of somebody who was killed
        os.close(os.open(incomplete, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with (
            closing(_connected(source, "ro")) as original,
            closing(_connected(incomplete, "rw")) as copied,
        ):
            original.backup(copied)
            copied.execute("PRAGMA journal_mode = DELETE")
        _sync(incomplete)
        incomplete.rename(target)
        _sync(target.parent)
    except (OSError, sqlite3.Error) as error:
        with suppress(OSError):
            incomplete.unlink()
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise StoreUnavailable(f"{source} can't be copied to {target.parent}: {reason}") from error


def copy_before_upgrade(database: Path, revision: str) -> Path:
    """A copy beside the database, named by its revision and the time."""
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    target = database.with_name(f"{database.name}.{revision}-{moment}")
    copy(database, target)
    return target


def revision_of_file(database: Path) -> str | None:
    """Where the tables of a copy are; None, where there are none. `StoreUnavailable`, if it is no sound database."""
    try:
        # Nobody writes to a copy, and nothing must be written beside it.
        with closing(_connected(database, "ro&immutable=1")) as connection:
            verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if verdict != "ok":
                raise StoreUnavailable(f"{database.name} is damaged: {verdict}")
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'alembic_version'").fetchone():
                return None
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return None if row is None else str(row[0])
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{database.name} is damaged: {error}") from error


def copies_before_upgrades(database: Path) -> list[Copy]:
    """Oldest first."""
    return sorted(_copies_beside(database))


def forget_oldest(database: Path) -> None:
    """But the last few. What can't be removed takes room and does no harm."""
    for old in copies_before_upgrades(database)[:-KEPT]:
        with suppress(OSError):
            old.path.unlink()


def _copies_beside(database: Path) -> Iterator[Copy]:
    name = re.compile(rf"{re.escape(database.name)}\.(\w+)-(\d{{8}}T\d{{6}}Z)")
    with suppress(OSError):
        for path in database.parent.iterdir():
            if found := name.fullmatch(path.name):
                yield Copy(made_at=found[2], revision=found[1], path=path)


def _connected(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(path))}?mode={mode}", uri=True, timeout=BUSY_SECONDS)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
