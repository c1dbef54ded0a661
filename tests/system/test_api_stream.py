"""The live stream: whatever happens shows in it, whoever did it."""

import json
from typing import Any

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import CONFIG, Toru

pytestmark = pytest.mark.req("UI-6", "SUP-5")


@pytest.fixture
def api(host: Host) -> Api:
    return Api(host)


UNIT = "toru-plugin-web.service"

# What somebody does to the unit, the state that the stream then tells, and what systemd itself says of it.
DEEDS = [
    ("systemctl stop", "idle", {"ActiveState": "inactive"}),
    ("systemctl start", "running", {"ActiveState": "active"}),
    ("systemctl restart", "running", {"ActiveState": "active"}),
    ("systemctl freeze", "paused", {"FreezerState": "frozen"}),
    ("systemctl thaw", "running", {"FreezerState": "running"}),
    ("systemctl kill --signal=KILL", "backing off", {"SubState": "auto-restart"}),
]


def test_what_ops_do_by_hand_a_crash_and_a_freeze_each_appear(toru: Toru, api: Api, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 5\nmax_delay = 5\n")
    toru.plant("web")
    toru.serve()
    told: dict[str, Any] = {}
    with api.stream("/api/stream") as stream:
        stream.first("hello")
        for command, state, facts in DEEDS:
            before = toru.pid("web")
            host.run(*command.split(), UNIT)
            told = stream.first("plugin", id="web", state=state).data
            witness = host.show(UNIT, "MainPID", *facts)
            assert facts.items() <= witness.items(), command
            assert told["pid"] == (int(witness["MainPID"]) or None), command
            assert (told["pid"] == before) is (command in {"systemctl freeze", "systemctl thaw"}), command
            assert told["health"] == ("unhealthy" if state == "backing off" else "healthy")
        assert told["reason"] == "it was killed by SIGKILL"
        assert 0 < told["retry_in_seconds"] <= 5.5
        risen = stream.first("plugin", id="web", state="running").data
        assert (risen["restarts"], risen["pid"]) == (1, toru.pid("web"))
        toru.disable("web")
        off = stream.first("plugin", enabled=False, state="stopped").data
        assert off["health"] == "disabled"


@pytest.mark.req("LIFE-3", "LIFE-5")
def test_what_is_written_by_hand_appears_though_nobody_asks(toru: Toru, api: Api, host: Host) -> None:
    toru.plant("web", metadata={"start": "on-demand"})
    toru.serve()
    with api.stream("/api/stream") as stream:
        stream.first("hello")
        for enabled in (False, True):
            host.put(CONFIG, json.dumps({"plugins": {"web": enabled}}))
            assert stream.first("plugin", id="web").data["enabled"] is enabled
        # A scan that systemd knows nothing of.
        host.run("systemctl", "stop", "toru-scan.path", "toru-rescan.timer")
        try:
            toru.drop("bad.binary", "#!/bin/sh\n", mode=0o644)
            host.run("toru-admin", "scan")
            assert [row["file"] for row in stream.first("rejected").data] == ["bad.binary"]
        finally:
            host.run("systemctl", "start", "toru-scan.path")


@pytest.mark.req("UI-6", "LIFE-6")
def test_new_files_rejected_ones_and_those_that_go_appear(toru: Toru, api: Api) -> None:
    with api.stream("/api/stream") as stream:
        stream.first("hello")
        toru.plant("newcomer", metadata={"start": "on-demand"})
        toru.drop("bad.binary", "#!/bin/sh\n")
        assert stream.first("plugin", id="newcomer", state="idle").data["route"] == "/newcomer"
    with api.stream("/api/stream") as stream:
        stream.first("hello")
        toru.drop("worse.binary", "#!/bin/sh\nexit 1\n")
        for event in stream.events():
            if event.name == "rejected" and {row["file"] for row in event.data} >= {"bad.binary", "worse.binary"}:
                break
        toru.disable("newcomer")
        toru.remove("newcomer.binary")
        stream.first("gone", id="newcomer")


@pytest.mark.req("SUP-7")
def test_figures_come_every_few_seconds(toru: Toru, api: Api) -> None:
    toru.plant("busy", "odd.py", way="burns the processor", metadata={"protocol": "http"})
    toru.plant("asleep", metadata={"start": "on-demand"})
    toru.serve()
    with api.stream("/api/stream") as stream:
        first, second = stream.first("figures"), stream.first("figures")
        assert 2 < second.data["at"] - first.data["at"] < 8
        assert second.at - first.at < 8
        assert set(second.data["plugins"]) == {"busy"}
        figures = second.data["plugins"]["busy"]
        assert set(figures) == {
            *("memory_bytes", "tasks", "cpu_seconds", "cpu_percent", "restarts"),
            *("requests", "request_errors", "requests_per_second", "errors_per_second"),
        }
        if figures["cpu_seconds"] is not None:  # measured only where the kernel lets systemd
            assert figures["cpu_percent"] > 5
            assert api.get("/api/plugins/busy")["cpu_seconds"] >= figures["cpu_seconds"]


@pytest.mark.req("UI-5")
def test_requests_and_restarts_are_in_the_figures(toru: Toru, api: Api, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 0.1\nmax_delay = 0.2\nfailures = 100\n")
    toru.plant("web")
    toru.serve()
    with api.stream("/api/stream") as stream:
        stream.first("figures")
        for _ in range(3):
            assert api("GET", "/api/plugins/route/web/").status == 200
        asked = next(it.data["plugins"]["web"] for it in stream.events() if _figure(it, "web", "requests") == 3)
        assert asked["requests_per_second"] > 0
        assert asked["request_errors"] == 0
        host.run("systemctl", "kill", "--signal=KILL", UNIT)
        assert next(_figure(it, "web", "restarts") for it in stream.events() if _figure(it, "web", "restarts")) == 1
        assert len(toru.starts("web")) == 2


def _figure(event: Any, plugin_id: str, name: str) -> Any:
    return event.data["plugins"].get(plugin_id, {}).get(name) if event.name == "figures" else None


@pytest.mark.req("UI-5", "SEC-3")
def test_the_core_sees_the_host_and_what_all_plugins_use_together(toru: Toru, api: Api, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    with api.stream("/api/stream") as stream:
        told = stream.first("host").data
    # One file of the kernel's about all of it, read by somebody else.
    total = host.run("grep", "MemTotal", "/proc/meminfo").stdout.split()[1]
    assert told["memory_total_bytes"] == int(total) * 1024
    assert 0 < told["memory_available_bytes"] < told["memory_total_bytes"]
    assert told["hostname"] == host.run("uname", "--nodename").stdout.strip()
    size = host.run("df", "--block-size=1", "--output=size", "/var/lib/toru/plugins").stdout.split()[-1]
    assert told["disks"][0]["paths"][0] == "/var/lib/toru/plugins"
    assert told["disks"][0]["total_bytes"] == int(size)
    if host.show("toru-plugins.slice", "TasksCurrent")["TasksCurrent"] != "[not set]":
        assert told["plugins"]["tasks"] >= 1
    assert set(api.get("/api/host")) == set(told)
