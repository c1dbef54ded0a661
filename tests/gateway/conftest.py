from collections.abc import Iterator

import pytest

from tests.gateway.conformance.rig import Rig
from tests.hosts.host import Host


@pytest.fixture(scope="module")
def rig(host: Host) -> Iterator[Rig]:
    """A plugin that does exactly what a test says, in service on a real systemd, and a client beside it."""
    rig = Rig(host)
    yield rig
    rig.close()
