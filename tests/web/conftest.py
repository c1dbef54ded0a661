from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.server import ADMIN, CLIENT, Site
from toru.domain.people import Role
from toru.store.engine import Database


@pytest.fixture
def empty_site(sqlite_url: str, tmp_path: Path) -> Iterator[Site]:
    """The application, running, and nobody can sign in."""
    database = Database(sqlite_url)
    database.migrate()
    site = Site(database, tmp_path)
    with site.running():
        yield site
    database.close()


@pytest.fixture
def site(empty_site: Site) -> Site:
    """The application with an admin and a client."""
    empty_site.add_user(ADMIN, Role.ADMIN)
    empty_site.add_user(CLIENT)
    return empty_site
