from collections.abc import Iterator

import pytest

from tests.hosts.host import Host
from tests.store.postgresql import PostgreSql
from tests.system.databases import SOCKETS, Rows, kept_in, reachable, rows_of_sqlite
from tests.system.hooks import SEEN, Hooks
from tests.system.toru import Toru


@pytest.fixture
def toru(host: Host) -> Iterator[Toru]:
    """Toru on a real systemd, without any plugin; and again without any afterwards."""
    toru = Toru(host)
    yield toru
    toru.clean_up()
    assert toru.loaded() == set(), "units were left behind"


@pytest.fixture(params=["sqlite", "postgresql"])
def rows(request: pytest.FixtureRequest, toru: Toru, host: Host) -> Iterator[Rows]:
    """The core on this database and on that one; what is in it, asked past the core."""
    if request.param == "sqlite":
        yield rows_of_sqlite(host)
        return
    server: PostgreSql = request.getfixturevalue("postgresql")
    url = server.new_database(seen_at=SOCKETS)
    with reachable(server, host), kept_in(url, host):
        yield lambda question: server.rows(url, question)


@pytest.fixture
def hooks(toru: Toru, host: Host) -> Iterator[Hooks]:
    """Hooks that may write to /var/lib/seen; none is there yet."""
    hooks = Hooks(toru)
    host.run("install", "-d", "-m", "1777", SEEN)
    hooks.drop_in("toru-hook-@.service", f"ReadWritePaths={SEEN}")
    yield hooks
    hooks.clean_up()
