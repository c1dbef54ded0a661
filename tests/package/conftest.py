"""The packages as apt, dpkg and their own tests see them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hosts.fixtures import Hosts
from tests.hosts.host import Host
from tests.hosts.package import Packages, debian_without_toru, install
from tests.system.toru import Toru


@pytest.fixture(scope="session")
def installed(hosts: Hosts, packages: Packages) -> Iterator[Host]:
    """A host of their own that apt has installed Toru on, and nothing else has been done to."""
    host = debian_without_toru(hosts.engine(), hosts.say, packages)
    install(host, packages)
    yield host
    host.stop()


@pytest.fixture
def toru(installed: Host) -> Iterator[Toru]:
    toru = Toru(installed)
    yield toru
    toru.clean_up()
