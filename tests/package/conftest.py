"""The packages as apt, dpkg and their own tests see them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.fixtures import INSTALLED, Hosts
from tests.hosts.host import Host
from tests.system.toru import Toru


@pytest.fixture(scope="session")
def installed(hosts: Hosts) -> Host:
    """A host that apt has installed Toru on, and nothing else has been done to."""
    return hosts(INSTALLED)


@pytest.fixture
def toru(installed: Host) -> Iterator[Toru]:
    toru = Toru(installed)
    yield toru
    toru.clean_up()
