"""What every test can count on, and which tests may run beside which."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tests.promises import Promises

pytest_plugins = ["tests.hosts.fixtures", "tests.store.fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Promises(config))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: Iterable[pytest.Item]) -> None:
    """The hosts are tested side by side, each by a process of its own, and what needs no host by another (`pytest -n`).

    Most of a host's tests are waits for a real systemd: for back-off, watchdogs, reboots.
    """
    for item in items:
        item.add_marker(pytest.mark.xdist_group(company(item)))


def company(item: pytest.Item) -> str:
    """The tests that this one takes turns with."""
    parameters = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    fixtures = getattr(item, "fixturenames", ())
    if host := parameters.get("host") or parameters.get("limited_host"):
        return str(host)
    return "debian13" if {"docker_engine", "bare_debian13", "hosts"} & {*fixtures} else "no host"
