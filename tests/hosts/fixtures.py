"""The hosts that tests run on. Each boots when the first test asks for it, and serves until the last has ended.

host           every host that --host names, in turn
limited_host   the same, where MemoryMax=, TasksMax= and CPUQuota= are enforced
hosts          all of them, for a test that wants a certain one: hosts("debian13")
bare_debian13  a Debian 13 of the test's own, with nothing of Toru on it but what Toru depends on
docker_engine  a docker.DockerClient, for a test that wants containers of its own
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.hosts.container import ContainerHost
from tests.hosts.engine import docker_engine as running_engine
from tests.hosts.host import Host
from tests.hosts.private import PrivateHost
from toru.trial import enforcement

HOSTS = ("private", "debian13")


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

    def stop(self) -> None:
        self._end.close()

    def _boot(self, name: str, *, limits: bool) -> Host:
        host: Host
        if name == "private":
            host = PrivateHost.boot(name, limits=limits)
        else:
            host = ContainerHost.boot(name, self.engine(), self.say, limits=limits)
        self._end.callback(host.stop)
        return host

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
        "--host", choices=(*HOSTS, "all"), default="all", help="the host to test on (default: %(default)s)"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    asked = metafunc.config.getoption("--host")
    names = HOSTS if asked == "all" else (asked,)
    if metafunc.definition.get_closest_marker("one_host") and asked == "all":
        names = HOSTS[:1]
    for fixture in ("host", "limited_host"):
        if fixture in metafunc.fixturenames:
            metafunc.parametrize(fixture, names, indirect=True, scope="session")


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
def docker_engine(hosts: Hosts) -> Any:
    return hosts.engine()


@pytest.fixture
def bare_debian13(hosts: Hosts) -> Iterator[Host]:
    host = ContainerHost.boot("debian13", hosts.engine(), hosts.say, bare=True)
    yield host
    host.stop()
