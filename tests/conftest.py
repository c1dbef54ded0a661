"""What every test can count on, and which tests may run beside which."""

from __future__ import annotations

import re
import signal
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # ships no types

from tests.promises import Promises

pytest_plugins = ["tests.hosts.fixtures", "tests.store.fixtures"]


def pytest_configure(config: pytest.Config) -> None:
    # A shell's background jobs are deaf to Ctrl-C, and so would every command be that is started here.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(Promises(config))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    return HostByHost(config, log)


class HostByHost(LoadScopeScheduling):  # type: ignore[misc]  # for the same reason
    """The hosts are tested side by side, each by a process of its own, and what needs no host by another (`pytest -n`).

    Most of a host's tests are waits for a real systemd: for back-off, watchdogs, reboots.
    """

    def _split_scope(self, nodeid: str) -> str:
        """The name of those that this test takes turns with."""
        if host := re.search(r"[\[-](private|debian13|installed)[\]-]", nodeid):
            return host[1]
        if nodeid.startswith("tests/package/"):
            return "installed"
        # With hosts and a Docker of their own.
        return "debian13" if nodeid.startswith("tests/hosts/") else "no host"
