from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway import programs
from tests.gateway.conformance.rig import Rig
from tests.gateway.server import Door
from tests.hosts.host import Host
from toru.domain.policy import Policy
from toru.store.engine import Database


@pytest.fixture(scope="module")
def rig(host: Host) -> Iterator[Rig]:
    """A plugin that does exactly what a test says, in service on a real systemd, and a client beside it."""
    rig = Rig(host)
    yield rig
    rig.close()


@pytest.fixture
def policy() -> Policy:
    return Policy()


@pytest.fixture
def door(sqlite_url: str, tmp_path: Path, policy: Policy) -> Iterator[Door]:
    """The gateway over real sockets, without systemd."""
    database = Database(sqlite_url)
    database.migrate()
    door = Door(database, tmp_path, policy)
    with door.running():
        yield door
    database.close()


@pytest.fixture
def tells(door: Door) -> Door:
    """With a plugin that says what it was asked."""
    door.plugin("tells", programs.TELLS, route="/say")
    return door
