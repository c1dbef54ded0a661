"""Reads what the earlier system left: its database steering.db and its folder plugins. Writes to neither."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toru.domain import places
from toru.domain.errors import ToruError
from toru.domain.wishes import Wishes

DATABASE, PLUGINS = "steering.db", "plugins"

TABLES = {
    "settings": ("key", "value"),
    "users": ("id", "username", "password_hash", "display_name", "role", "is_active", "created_at"),
    "plugin_kv": ("plugin_id", "key", "value"),
    "plugin_events": ("id", "plugin_id", "event_type", "timestamp", "details"),
}


class Unreadable(ToruError):
    """Nothing was taken."""

    code = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """The rows of its database, column by column as above."""

    instance_id: str | None
    users: Sequence[Sequence[Any]]
    kv: Sequence[Sequence[Any]]
    events: Sequence[Sequence[Any]]
    missing: Sequence[str]
    """Tables that there are none of."""


def read_database(file: Path) -> Records:
    with _opened(file) as connection:
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        rows: dict[str, list[Any]] = {table: [] for table in TABLES}
        for table in there & TABLES.keys():
            columns = ", ".join(TABLES[table])
            rows[table] = [list(map(_sayable, row)) for row in connection.execute(f"SELECT {columns} FROM {table}")]  # noqa: S608  (names of ours)
    ids = [value for key, value in rows["settings"] if key == "instance_id"]
    return Records(
        instance_id=ids[0] if ids else None,
        users=rows["users"],
        kv=rows["plugin_kv"],
        events=rows["plugin_events"],
        missing=sorted(TABLES.keys() - there),
    )


def read_wishes(plugins: Path) -> Wishes:
    """Which plugins were enabled; one that isn't named was."""
    file = places.wishes_file(plugins)
    try:
        return Wishes.parse(file.read_bytes())
    except FileNotFoundError:
        return Wishes.none()
    except (OSError, ValueError) as mistake:
        raise Unreadable(
            f"{file} can't be read: {mistake}. Without it nobody knows what was disabled; nothing was taken"
        ) from mistake


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    """A copy of it, because SQLite writes beside what it opens, if only to read."""
    with tempfile.TemporaryDirectory(prefix="toru-import-") as folder:
        try:
            copy = _copied(file, Path(folder))
            with closing(sqlite3.connect(copy)) as connection:
                connection.text_factory = _text
                verdict = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
                if verdict not in {"ok", b"ok"}:
                    raise Unreadable(f"{file} is damaged: {verdict}; nothing was taken")
                yield connection
        except OSError as error:
            raise Unreadable(f"{file} can't be read: {error.strerror}; nothing was taken") from error
        except sqlite3.Error as error:
            raise Unreadable(f"{file} can't be read: {error}; nothing was taken") from error


def _copied(file: Path, folder: Path) -> Path:
    """With its write-ahead log or journal, as they were at one moment."""
    there = [path for ending in ("", "-wal", "-journal") if (path := Path(f"{file}{ending}")).exists() or not ending]
    before = [_version(path) for path in there]
    for path in there:
        shutil.copyfile(path, folder / path.name)
    if [_version(path) for path in there] != before:
        raise Unreadable(f"{file} is being written to: stop the earlier system first; nothing was taken")
    return folder / file.name


def _version(path: Path) -> tuple[int, int, int]:
    status = os.stat(path)  # noqa: PTH116  (OSError names the file)
    return status.st_ino, status.st_size, status.st_mtime_ns


def _text(content: bytes) -> str | bytes:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return content


def _sayable(value: Any) -> Any:
    """As JSON can say it. What is no text in UTF-8 is none."""
    return {"bytes": len(value)} if isinstance(value, bytes) else value
