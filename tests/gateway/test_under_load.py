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

CLIENTS = 16
RESTARTS = 4

WRK = ("wrk", "--threads=1", "--connections=16", "--duration=10m", "--timeout=30s")


@pytest.fixture
def steady(rig: Rig) -> Rig:
    plant(rig, "1.0")
    rig.toru.scan()
    return rig


def plant(rig: Rig, version: str) -> None:
    rig.toru.plant("steady", "http_steady.py", metadata={"protocol": "http", "version": version})


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


@pytest.mark.req("LIFE-6", "PROTO-7")
def test_replacing_and_restarting_a_plugin_loses_no_request(steady: Rig) -> None:
    versions = [f"{number}.0" for number in range(1, RESTARTS + 2)]
    processes = {steady.toru.pid("steady")}
    with load(steady, "/api/plugins/route/steady/version", "a body") as outcome:
        for version in versions[1:]:
            plant(steady, version)
            steady.host.run("systemctl", "restart", "toru-plugin-steady.service")
            processes.add(steady.toru.pid("steady"))
    nothing_failed(outcome)
    assert len(processes) == RESTARTS + 1
    # Between two restarts nobody waits for an answer, so one in the middle may have had no time to give any.
    assert {versions[0], versions[-1]} <= outcome["answers"].keys() <= set(versions)


@pytest.mark.req("ISO-5", "LIFE-6")
def test_restarting_the_core_loses_no_request(steady: Rig) -> None:
    cores, plugin = {steady.core()}, steady.toru.pid("steady")
    with load(steady, "/api/plugins/route/steady/version") as outcome:
        for _ in range(RESTARTS):
            steady.host.run("systemctl", "restart", "toru.service")
            cores.add(steady.core())
    nothing_failed(outcome)
    assert len(cores) == RESTARTS + 1
    assert steady.toru.pid("steady") == plugin, "the plugin went on"
