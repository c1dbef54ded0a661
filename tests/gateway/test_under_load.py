"""Under load a plugin is replaced, and the core restarted: no request fails, by the count of two clients.

One is ours and on every host; the other is wrk, where the host has it (`private` has, by set-up).
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.gateway.conformance.rig import Rig
from toru.systemd.activation import MOST_KEPT

CLIENTS = 16
RESTARTS = 4

WRK = ("wrk", "--threads=1", "--connections=16", "--duration=10m", "--timeout=30s")


SOURCES = {"http": "http_steady.py", "toru/1": "toru1.py", "toru/2": "toru2.py"}
"""Plugins that say their version at `/version`, and end well."""


@pytest.fixture(params=SOURCES)
def steady(request: pytest.FixtureRequest, rig: Rig) -> Steady:
    steady = Steady(rig, request.param)
    steady.plant("1.0")
    rig.toru.serve()
    return steady


class Steady:
    """A plugin of this protocol."""

    def __init__(self, rig: Rig, protocol: str) -> None:
        self.rig = rig
        self.protocol = protocol
        self.id = f"steady-{protocol.replace('/', '')}"
        self.target = f"/api/plugins/route/{self.id}/version"

    def plant(self, version: str) -> None:
        metadata = {"protocol": self.protocol, "version": version}
        self.rig.toru.plant(self.id, SOURCES[self.protocol], metadata=metadata)

    def pid(self) -> int:
        return self.rig.toru.pid(self.id)


@contextmanager
def load(rig: Rig, target: str, body: str = "") -> Iterator[dict[str, Any]]:
    """Both clients, at work while the block is; and then what they counted."""
    request = f"POST {target} HTTP/1.1\r\nHost: toru\r\n{rig.by_toru.head}Content-Length: {len(body)}\r\n\r\n{body}"
    argv = (*WRK, f"--header=Cookie: {rig.cookie}", f"http://127.0.0.1:{rig.port}{target}")
    there = rig.host.run("sh", "-c", "command -v wrk", check=False).returncode == 0
    assert there or rig.host.name != "private", "set-up installs wrk"
    wrk = rig.host.popen(*argv, stdout=subprocess.PIPE) if there else None
    try:
        with rig.crowding({"kind": "load", "clients": CLIENTS, "request": request}, module="load") as outcome:
            yield outcome
    finally:
        if wrk is not None:
            wrk.send_signal(signal.SIGINT)  # and it says what it has counted
            outcome["wrk"], _ = wrk.communicate()


def nothing_failed(outcome: dict[str, Any]) -> None:
    assert outcome["failures"] == {}, outcome
    assert sum(outcome["answers"].values()) >= CLIENTS
    if "wrk" not in outcome:
        return
    assert "Socket errors" not in outcome["wrk"], outcome["wrk"]
    assert "Non-2xx" not in outcome["wrk"], outcome["wrk"]
    counted = re.search(r"(\d+) requests in", outcome["wrk"])
    assert counted, outcome["wrk"]
    assert int(counted[1]) > 100


@pytest.mark.req("LIFE-6", "PROTO-3", "PROTO-6", "PROTO-7")
def test_replacing_and_restarting_a_plugin_loses_no_request(rig: Rig, steady: Steady) -> None:
    versions = [f"{number}.0" for number in range(1, RESTARTS + 2)]
    processes = {steady.pid()}
    with load(rig, steady.target, "a body") as outcome:
        for version in versions[1:]:
            steady.plant(version)
            rig.host.run("systemctl", "restart", f"toru-plugin-{steady.id}.service")
            processes.add(steady.pid())
    nothing_failed(outcome)
    assert len(processes) == RESTARTS + 1
    # Between two restarts nobody waits for an answer, so one in the middle may have had no time to give any.
    assert {versions[0], versions[-1]} <= outcome["answers"].keys() <= set(versions)


@pytest.mark.req("ISO-5", "LIFE-6")
def test_restarting_the_core_loses_no_request(rig: Rig, steady: Steady) -> None:
    cores, plugin = {rig.core()}, steady.pid()
    with load(rig, steady.target) as outcome:
        for _ in range(RESTARTS):
            rig.host.run("systemctl", "restart", "toru.service")
            cores.add(rig.core())
    nothing_failed(outcome)
    assert len(cores) == RESTARTS + 1
    assert steady.pid() == plugin, "the plugin went on"


@pytest.mark.req("ISO-5")
def test_clients_that_ask_nothing_keep_their_connections_when_the_core_restarts(rig: Rig) -> None:
    steady, crowd = Steady(rig, "http"), 500
    steady.plant("ok")
    rig.toru.serve()
    rig.host.run("systemctl", "restart", f"toru-plugin-{steady.id}.service")
    core = rig.core()
    request = f"GET {steady.target} HTTP/1.1\r\nHost: toru\r\n{rig.by_toru.head}\r\n"
    with rig.crowding({"kind": "idle", "count": crowd, "first": request}) as outcome:
        rig.host.run("systemctl", "restart", "toru.service")
        assert rig.core() != core
        # If systemd still had them too, the core could not close them.
        assert rig.host.show("toru.service", "NFileDescriptorStore") == {"NFileDescriptorStore": "0"}
    assert outcome == {"before": {"HTTP/1.1 200 OK": crowd}, "after": {"HTTP/1.1 200 OK": crowd}}


@pytest.mark.req("ISO-5")
def test_systemd_keeps_as_many_connections_as_the_core_may_leave(rig: Rig) -> None:
    assert rig.host.show("toru.service", "FileDescriptorStoreMax") == {"FileDescriptorStoreMax": str(MOST_KEPT)}
