"""The live stream: whatever happens shows in it, whoever did it."""

import statistics

import pytest

from tests.hosts.host import Host
from tests.system.api import Api
from tests.system.toru import Toru

pytestmark = pytest.mark.req("UI-6", "SUP-5")


@pytest.fixture
def api(host: Host) -> Api:
    return Api(host)


def test_what_ops_do_by_hand_a_crash_and_a_freeze_each_appear(toru: Toru, api: Api, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 1\nmax_delay = 16\n")
    toru.plant("web")
    toru.scan()
    unit = "toru-plugin-web.service"
    with api.stream("/api/stream") as stream:
        stream.first("hello")
        # Each time the second witness first: what systemd says must be what the stream says.
        host.run("systemctl", "stop", unit)
        assert stream.first("plugin", state="idle").data["pid"] is None
        host.run("systemctl", "start", unit)
        assert stream.first("plugin", state="running").data["pid"] == toru.pid("web")
        host.run("systemctl", "restart", unit)
        stream.first("plugin", state="running", pid=toru.pid("web"))
        host.run("systemctl", "freeze", unit)
        assert stream.first("plugin", state="paused").data["health"] == "healthy"
        host.run("systemctl", "thaw", unit)
        stream.first("plugin", state="running")
        host.run("kill", "-9", str(toru.pid("web")))
        fallen = stream.first("plugin", state="backing off").data
        assert (fallen["health"], fallen["reason"]) == ("unhealthy", "it was killed by SIGKILL")
        assert 0 < fallen["retry_in_seconds"] <= 1.5
        risen = stream.first("plugin", state="running").data
        assert (risen["restarts"], risen["pid"]) == (1, toru.pid("web"))
        toru.disable("web")
        off = stream.first("plugin", enabled=False, state="stopped").data
        assert off["health"] == "disabled"


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
    toru.scan()
    with api.stream("/api/stream") as stream:
        first, second = stream.first("figures"), stream.first("figures")
        assert 2 < second.at - first.at < 8
        assert set(second.data["plugins"]) == {"busy"}
        figures = second.data["plugins"]["busy"]
        assert set(figures) == {"memory_bytes", "tasks", "cpu_seconds", "cpu_percent", "requests"}
        if figures["cpu_seconds"] is not None:  # measured only where the kernel lets systemd
            assert figures["cpu_percent"] > 5
            assert api.get("/api/plugins/busy")["cpu_seconds"] >= figures["cpu_seconds"]


DEEDS = {
    "freeze": ("paused", "systemctl freeze"),
    "thaw": ("running", "systemctl thaw"),
    "stop": ("idle", "systemctl stop"),
    "start": ("running", "systemctl start"),
    "restart": ("running", "systemctl restart"),
    "crash": ("backing off", "systemctl kill --signal=KILL"),
}


def test_how_long_until_it_shows(toru: Toru, api: Api, host: Host) -> None:
    """No bound: the figures are for whoever reads the output (-s). They include systemctl's own time."""
    toru.settings("[restart]\nfirst_delay = 0.5\nmax_delay = 0.8\nfailures = 100\nstable_after = 0.2\n")
    toru.plant("web")
    toru.scan()
    took: dict[str, list[float]] = {name: [] for name in DEEDS}
    with api.stream("/api/stream") as stream:
        stream.first("hello")
        for _ in range(5):
            for name, (state, command) in DEEDS.items():
                done = host.run("sh", "-c", f"date +%s.%N; exec {command} toru-plugin-web.service")
                event = stream.first("plugin", state=state)
                took[name].append(event.at - float(done.stdout))
            stream.first("plugin", state="running")
    for name, seconds in took.items():
        print(f"{name}: median {statistics.median(seconds) * 1000:.0f} ms, worst {max(seconds) * 1000:.0f} ms")
