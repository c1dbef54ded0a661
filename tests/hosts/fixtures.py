"""The hosts that tests run on. Each boots when the first test asks for it, and serves until the last has ended.

host           every host that --host names, in turn; for what LIFE and SUP promise, one with the package, too
limited_host   the same, where MemoryMax=, TasksMax= and CPUQuota= are enforced
hosts          all of them, for a test that wants a certain one: hosts("debian13")
bare_debian13  a Debian 13 of the module's own, with nothing of Toru on it but what Toru depends on
packages       Toru's Debian packages, built from this tree
docker_engine  a docker.DockerClient, for a test that wants containers of its own
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.hosts.container import ContainerHost
from tests.hosts.engine import docker_engine as running_engine
from tests.hosts.host import Host
from tests.hosts.image import DEBIAN_13
from tests.hosts.package import Packages, build, debian_without_toru, install
from tests.hosts.private import PrivateHost
from toru.trial import enforcement

HOSTS = ("private", "debian13")
INSTALLED = "installed"


class Hosts:
    """Every host of this run of the tests: each booted once, or not at all and always for the same reason."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self._had: dict[object, Any] = {}
        self._end = ExitStack()

    def __call__(self, name: str, *, limits: bool = False) -> Host:
        host: Host = self._once((name, limits), lambda: self._boot(name, limits=limits))
        return host

    def engine(self) -> Any:
        return self._once("engine", lambda: self._end.enter_context(running_engine()))

    def packages(self, version: str | None = None) -> Packages:
        """Toru's Debian packages, built from this tree as this version."""
        built: Packages = self._once(("packages", version), lambda: self._build(version))
        return built

    def stop(self) -> None:
        self._end.close()

    def _boot(self, name: str, *, limits: bool) -> Host:
        host: Host
        if name == "private":
            host = PrivateHost.boot(name, limits=limits)
        elif name == INSTALLED:
            assert not limits, "limits are tested on the other hosts"
            host = debian_without_toru(self.engine(), self.say, self.packages())
        else:
            host = ContainerHost.boot(name, self.engine(), self.say, limits=limits)
        self._end.callback(host.stop)
        if name == INSTALLED:
            install(host, self.packages())
        return host

    def _build(self, version: str | None) -> Packages:
        self.say(f"building the Debian packages{f' as {version}' if version else ''}")
        return build(Path(self._end.enter_context(TemporaryDirectory(prefix="toru-packages-"))), version)

    def _once(self, what: object, have: Callable[[], Any]) -> Any:
        if what not in self._had:
            try:
                self._had[what] = have()
            except Exception as error:  # noqa: BLE001  told to every test that asks
                self._had[what] = error
        had = self._had[what]
        if isinstance(had, Exception):
            raise had
        return had


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--host", choices=(*HOSTS, INSTALLED, "all"), default="all", help="the host to test on (default: %(default)s)"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = metafunc.config.getoption("--host")
    names: tuple[Any, ...] = HOSTS if asked == "all" else tuple({asked} - {INSTALLED})
    is_for_one = asked == "all" and metafunc.definition.get_closest_marker("one_host") is not None
    if is_for_one:
        names = HOSTS[:1]
    if "limited_host" in metafunc.fixturenames:
        metafunc.parametrize("limited_host", names, indirect=True, scope="session")
    if asked in {INSTALLED, "all"} and not is_for_one and _is_promised_of_the_package(metafunc.definition):
        # The first of them waits for the packages, too.
        names = (*names, pytest.param(INSTALLED, marks=pytest.mark.timeout(900)))
    if "host" in metafunc.fixturenames:
        metafunc.parametrize("host", names, indirect=True, scope="session")


def _is_promised_of_the_package(test: pytest.Item) -> bool:
    """Whether it is one of those that have to hold once more on a host where apt has installed Toru."""
    promises = [promise for mark in test.iter_markers("req") for promise in mark.args]
    return test.nodeid.startswith("tests/system/") and any(it.startswith(("LIFE-", "SUP-")) for it in promises)


@pytest.fixture(scope="session")
def hosts(pytestconfig: pytest.Config) -> Iterator[Hosts]:
    capture = pytestconfig.pluginmanager.getplugin("capturemanager")
    assert capture is not None

    def say(text: str) -> None:
        with capture.global_and_fixture_disabled():
            print(f"\ntoru: {text}", flush=True)

    hosts = Hosts(say)
    yield hosts
    hosts.stop()


@pytest.fixture(scope="session")
def host(request: pytest.FixtureRequest, hosts: Hosts) -> Host:
    return hosts(request.param)


@pytest.fixture(scope="session")
def limited_host(request: pytest.FixtureRequest, hosts: Hosts) -> Host:
    if not enforcement(limits=True).complete:
        pytest.skip("the machine has no controllers for memory, pids and cpu")
    return hosts(request.param, limits=True)


@pytest.fixture(scope="session")
def packages(hosts: Hosts) -> Packages:
    return hosts.packages()


@pytest.fixture(scope="session")
def docker_engine(hosts: Hosts) -> Any:
    return hosts.engine()


@pytest.fixture(scope="module")
def bare_debian13(hosts: Hosts) -> Iterator[Host]:
    host = ContainerHost.boot("debian13", hosts.engine(), hosts.say, bare=DEBIAN_13)
    yield host
    host.stop()
