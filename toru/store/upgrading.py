"""Brings a database's tables to this release's: forwards only, and a SQLite file never without a copy of it as it was.

PostgreSQL is looked after by whoever runs it, and so are its copies.
"""

from __future__ import annotations

import time
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, exc, select

from toru import __version__
from toru.domain.errors import NewerDatabase, StoreUnavailable
from toru.store import copies
from toru.store.tables import Table

MIGRATIONS = Path(__file__).with_name("migrations")

_releases = Table.metadata.tables["releases"]


def upgrade(connection: Connection, if_undone: ExitStack) -> Path | None:
    """The work of one transaction, in which nobody else writes. The SQLite file that has a copy now, if one was due.

    What is on `if_undone` then is for when the transaction fails. `NewerDatabase`, and nothing is done, where a later
    release has been here.
    """
    known, newest = known_revisions(), newest_revision()
    found = revision_of(connection)
    if found == newest:
        return None
    file = _file_of(connection)
    if found is not None and found not in known:
        raise NewerDatabase(_why_newer(connection, found, file))
    if found is not None and file is not None:
        try:
            if_undone.callback(copies.copy_before_upgrade(file, found).unlink, missing_ok=True)
        except StoreUnavailable as error:
            raise StoreUnavailable(
                f"the database must be brought from revision {found} to {newest}, and stays as it is, because there is "
                f"no copy of it: {error}"
            ) from error
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    connection.execute(_releases.insert(), {"revision": newest, "release": __version__, "at": time.time()})
    return file if found is not None else None


def revision_of(connection: Connection) -> str | None:
    """Where the tables are; None, where there are none."""
    try:
        return MigrationContext.configure(connection).get_current_revision()
    except CommandError as error:
        raise StoreUnavailable(f"the database says of more than one revision that it has it: {error}") from error


@cache
def known_revisions() -> frozenset[str]:
    return frozenset(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


@cache
def newest_revision() -> str:
    newest = ScriptDirectory.from_config(_config()).get_current_head()
    assert newest is not None  # noqa: S101  there is a first one
    return newest


def _why_newer(connection: Connection, found: str, file: Path | None) -> str:
    release = _release_of(connection, found) or "a later release"
    theirs = release if release.startswith("a ") else f"Toru {release}"
    said = (
        f"the database is of {theirs} (revision {found}), and this is Toru {__version__} (revision "
        f"{newest_revision()}), which can't go back: install {theirs} again, or put back "
    )
    if file is None:
        return f"{said}a copy from before the upgrade"
    for copy in reversed(copies.copies_before_upgrades(file)):
        if copy.revision in known_revisions():
            return f"{said}{copy.path}, the copy from before the upgrade"
    return f"{said}a copy from before the upgrade; none lies beside {file}"


def _release_of(connection: Connection, revision: str) -> str | None:
    try:
        with connection.begin_nested():
            question = select(_releases.c.release).where(_releases.c.revision == revision)
            return connection.execute(question).scalar()
    except exc.SQLAlchemyError:
        return None  # that release may have had a better idea


def _file_of(connection: Connection) -> Path | None:
    """Where a SQLite database lies; None of another one, or one that is in memory."""
    if connection.dialect.name != "sqlite":
        return None
    for _number, name, file in connection.exec_driver_sql("PRAGMA database_list"):
        if name == "main" and file:
            return Path(file)
    return None


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
