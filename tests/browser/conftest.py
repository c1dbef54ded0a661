from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.browser import chromium
from tests.browser.manager import Manager
from tests.hosts.fixtures import Hosts
from tests.hosts.host import Host
from tests.system.toru import Toru
from toru.trial import enforcement


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """For one module at a time: Playwright keeps an event loop running in this thread, where others want their own."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def private_host(hosts: Hosts) -> Host:
    """One host is enough: what a browser shows of another systemd, the core says, and that has its tests."""
    # With limits, systemd measures what plugins use on every kind of machine.
    return hosts("private", limits=enforcement(limits=True).complete)


@pytest.fixture
def toru(private_host: Host) -> Iterator[Toru]:
    """Toru on a real systemd, without any plugin; and again without any afterwards."""
    toru = Toru(private_host)
    yield toru
    toru.clean_up()
    assert toru.loaded() == set(), "units were left behind"


@pytest.fixture(scope="module")
def building(private_host: Host, browser: Browser) -> Manager:
    return Manager(private_host, browser)


@pytest.fixture
def manager(building: Manager, toru: Toru) -> Iterator[Manager]:
    """The manager of `toru`. Pages are closed before plugins go, and none of them may have complained."""
    building.complaints.clear()
    yield building
    building.close()
    assert building.complaints == []
