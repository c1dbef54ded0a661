"""Crashes, back-off, giving up, sleeping and waking: what systemd does for a plugin, with and without the core."""

import itertools
import json

import pytest

from tests.hosts.host import Host
from tests.system.toru import CONFIG, Toru

QUICK = "[restart]\nfirst_delay = 0.1\nmax_delay = 1.6\n"
"""The real policy, ten times as fast."""


def gaps(moments: list[float]) -> list[float]:
    return [later - earlier for earlier, later in itertools.pairwise(moments)]


def waits(toru: Toru, plugin_id: str) -> list[float]:
    """From each end of a process to the start that followed it."""
    starts = toru.starts(plugin_id)
    return [min(start - end for start in starts if start > end) for end in toru.ends(plugin_id) if starts[-1] > end]


@pytest.mark.req("SUP-2")
@pytest.mark.timeout(120)
def test_a_plugin_that_crashes_at_every_start_is_restarted_after_1_2_4_8_and_16_seconds(toru: Toru) -> None:
    toru.plant("crasher", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.scan()
    toru.wait_until("the sixth start", lambda: len(toru.starts("crasher")) >= 6, 60)
    measured = waits(toru, "crasher")[:5]
    # systemd coalesces timers (up to a quarter of a second was seen), and never fires early.
    for wait, promised in zip(measured, [1, 2, 4, 8, 16], strict=True):
        assert promised - 0.1 <= wait <= promised + 0.9, measured


@pytest.mark.req("SUP-2", "ISO-2", "SUP-5")
def test_a_crash_is_seen_at_once_and_hurts_nobody_else(toru: Toru, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 6\nmax_delay = 16\n")  # time enough to look
    toru.plant("victim")
    toru.plant("neighbour")
    toru.scan()
    core, neighbour = host.show("toru.service", "MainPID"), toru.pid("neighbour")
    host.run("kill", "-9", str(toru.pid("victim")))
    shown = toru.until_shown("victim", 3, state="backing off")
    assert (shown["health"], shown["reason"]) == ("unhealthy", "it was killed by SIGKILL")
    assert 0 <= shown["retry_in_seconds"] <= 16
    assert host.show("toru.service", "MainPID") == core
    assert toru.pid("neighbour") == neighbour
    toru.wait_until("the restart", lambda: toru.pid("victim") > 0, 10)
    toru.until_shown("victim", health="healthy")


@pytest.mark.req("SUP-3")
@pytest.mark.parametrize("way", ["crashes at once", "exits 0 at once"])
def test_ten_failures_in_a_row_disable_the_plugin_with_no_core_running(toru: Toru, host: Host, way: str) -> None:
    toru.settings("[restart]\nfirst_delay = 0.05\nmax_delay = 0.2\n")
    with toru.core_down():
        toru.plant("hopeless", "odd.py", way=way, metadata={"protocol": "http", "start": "on-demand"})
        toru.scan()
        toru.ring("hopeless")
        toru.wait_until(
            "the plugin to be disabled",
            lambda: host.run("grep", "-q", "hopeless", CONFIG, check=False).returncode == 0,
            30,
        )
        toru.wait_until("its units to be gone", lambda: not toru.is_loaded("hopeless"))
        assert toru.config()["plugins"]["hopeless"] is False
        assert len(toru.starts("hopeless")) == 10
    plugin = toru.plugin("hopeless")
    assert (plugin["enabled"], plugin["state"], plugin["health"]) == (False, "stopped", "disabled")
    because = toru.config()["disabled_because"]["hopeless"]
    assert "too many times in a row" in because["reason"]
    if way == "crashes at once":
        assert "exited with status 3" in because["reason"]
    entries = host.wait_for("the event", lambda: toru.journal("TORU_EVENT=disabled", "TORU_PLUGIN=hopeless"))
    assert entries[-1]["TORU_REASON"] == because["reason"]
    lines = host.run("journalctl", "-o", "cat", f"_SYSTEMD_INVOCATION_ID={because['invocation_id']}").stdout
    assert f"going wrong: {way}" in lines, "the last run's lines can be found"


@pytest.mark.req("SUP-3")
def test_the_number_of_failures_is_up_to_ops_and_enabling_starts_from_scratch(toru: Toru, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 0.05\nmax_delay = 0.1\nfailures = 3\n")
    toru.plant("hopeless", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.scan()
    toru.wait_until("the plugin to be disabled", lambda: not toru.is_loaded("hopeless"))
    assert len(toru.starts("hopeless")) == 3
    toru.enable("hopeless", check=False)
    toru.wait_until("it to be given up again", lambda: len(toru.starts("hopeless")) == 6, 20)
    toru.wait_until("it to be disabled again", lambda: not toru.is_loaded("hopeless"))


@pytest.mark.req("SUP-4")
def test_a_healthy_while_wipes_the_slate(toru: Toru, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 0.2\nmax_delay = 3.2\nfailures = 4\nstable_after = 1.5\n")
    toru.plant("mostly-well", crashes_after=3)
    toru.scan()
    # It crashes more often than it may in a row, and every time after a healthy while: it is never given up, and
    # every restart comes after the first delay.
    toru.wait_until("six crashes", lambda: len(toru.ends("mostly-well")) >= 6, 40)
    toru.wait_until("the last restart", lambda: len(toru.starts("mostly-well")) >= 7, 5)
    # Without a clean slate the fourth would have come after 1.6 seconds, the fifth after 3.2.
    assert all(wait <= 1.5 for wait in waits(toru, "mostly-well")), waits(toru, "mostly-well")
    assert toru.plugin("mostly-well")["enabled"]


@pytest.mark.req("SUP-2")
def test_without_the_core_a_plugin_is_still_restarted(toru: Toru) -> None:
    toru.settings(QUICK)
    with toru.core_down():
        toru.plant("crasher", "odd.py", way="crashes at once", metadata={"protocol": "http"})
        toru.scan()
        toru.wait_until("four starts", lambda: len(toru.starts("crasher")) >= 4, 10)
        assert all(wait <= 3 for wait in waits(toru, "crasher")), waits(toru, "crasher")


@pytest.mark.req("SUP-1", "PROTO-7")
def test_a_sleeping_plugin_is_woken_by_the_first_connection_and_goes_back_to_sleep(toru: Toru) -> None:
    toru.plant("sleeper", metadata={"start": "on-demand"}, exits_when_idle_for=3)
    toru.scan()

    def sleeps() -> bool:
        return (toru.pid("sleeper"), toru.plugin("sleeper")["state"]) == (0, "idle")

    assert toru.pid("sleeper") == 0
    toru.until_shown("sleeper", state="idle", health="healthy")
    first = toru.ask("sleeper")["pid"]
    assert first == toru.pid("sleeper")
    toru.wait_until("it to sleep again", sleeps, 7)
    assert toru.ask("sleeper")["pid"] not in {0, first}


@pytest.mark.req("SUP-3", "SUP-4")
def test_waking_and_sleeping_is_no_failure_however_often(toru: Toru) -> None:
    toru.settings("[restart]\nfirst_delay = 0.1\nmax_delay = 0.2\nfailures = 3\n")
    toru.plant("sleeper", metadata={"start": "on-demand"}, exits_when_idle_for=0.5)
    toru.scan()
    for _ in range(6):
        toru.ask("sleeper")
        toru.wait_until("it to sleep", lambda: toru.pid("sleeper") == 0, 5)
    assert toru.plugin("sleeper")["enabled"]


@pytest.mark.req("SUP-1", "LIFE-6")
def test_nothing_is_lost_while_a_service_restarts_under_fifty_clients(toru: Toru, host: Host) -> None:
    toru.plant("busy")
    toru.scan()
    script = """
import json, socket, sys, threading
answers, versions, over = [], set(), threading.Event()
def ask():
    while not over.is_set() or len(answers) <= 500:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(20)
        try:
            connection.connect("/run/toru/plugins/busy.sock")
            connection.sendall(b"GET / HTTP/1.1\\r\\n\\r\\n")
            data = b""
            while part := connection.recv(65536):
                data += part
            version = json.loads(data.split(b"\\r\\n\\r\\n")[1])["version"]
        except Exception as error:
            version = repr(error)
        answers.append(version)
        if version not in versions:
            versions.add(version)
            print(f"{version}\\n", end="", flush=True)
        connection.close()
threads = [threading.Thread(target=ask) for _ in range(50)]
[thread.start() for thread in threads]
sys.stdin.read()
over.set()
[thread.join() for thread in threads]
print(json.dumps(answers))
"""
    with host.popen("python3", "-c", script, stdin=-1, stdout=-1) as clients:
        assert clients.stdin is not None
        assert clients.stdout is not None
        assert "1.0\n" in iter(clients.stdout.readline, "")
        for version in ("2.0", "3.0"):
            toru.plant("busy", metadata={"version": version})
            host.run("systemctl", "restart", "toru-plugin-busy.service")
            assert f"{version}\n" in iter(clients.stdout.readline, "")
        clients.stdin.close()
        answers = json.loads(clients.stdout.readlines()[-1])
    assert set(answers) == {"1.0", "2.0", "3.0"}, "every answer is one of the three processes', none is an error"
    assert len(answers) > 500


@pytest.mark.req("ISO-5")
def test_killing_everything_of_torus_leaves_plugins_running_and_they_are_known_again(toru: Toru, host: Host) -> None:
    toru.plant("steady")
    toru.plant("other", "toru1.py")
    toru.scan()
    before = toru.pid("steady"), toru.pid("other")
    host.run("systemctl", "kill", "--signal=KILL", "toru.service", "toru-scan.service", "toru-plugins.service")
    host.run("systemctl", "stop", "toru.service", "toru.socket", "toru-plugins.service", "toru-scan.path")
    assert (toru.pid("steady"), toru.pid("other")) == before
    assert toru.ask("steady")["pid"] == before[0]
    host.run("systemctl", "start", "toru.socket", "toru.service", "toru-plugins.service", "toru-scan.path")
    assert (toru.pid("steady"), toru.pid("other")) == before
    assert [toru.plugin(name)["state"] for name in ("steady", "other")] == ["running", "running"]


@pytest.mark.req("ISO-2")
@pytest.mark.parametrize("way", ["forks", "ignores SIGTERM", "never accepts"])
def test_an_odd_plugin_is_stopped_within_its_bound_and_leaves_no_process(toru: Toru, host: Host, way: str) -> None:
    toru.settings("stop_timeout = 1")
    toru.plant("odd", "odd.py", way=way, metadata={"protocol": "http"})
    toru.plant("fine")
    toru.scan()
    toru.wait_until("it to go wrong", lambda: f"going wrong: {way}" in toru.logged("odd"))
    uid = host.run("stat", "-c", "%u", f"/proc/{toru.pid('odd')}").stdout.strip()
    toru.disable("odd")
    assert not toru.is_loaded("odd")
    assert host.run("pgrep", "-u", uid, check=False).stdout == ""
    assert toru.ask("fine")["pid"]


@pytest.mark.req("SUP-6")
def test_a_plugin_that_stops_answering_the_watchdog_is_restarted(toru: Toru) -> None:
    toru.plant("stuck", "odd.py", way="stops answering the watchdog", metadata={"protocol": "toru/2", "watchdog": 1})
    toru.scan()
    toru.wait_until("the watchdog to bite", lambda: len(toru.starts("stuck")) >= 2, 15)
    assert toru.service("stuck", "WatchdogUSec")["WatchdogUSec"] == "1s"


@pytest.mark.req("SUP-1")
def test_a_plugin_with_notify_counts_as_started_when_it_says_so(toru: Toru) -> None:
    toru.plant("says-so", metadata={"protocol": "toru/2"}, notifies=True)
    toru.scan()
    assert toru.service("says-so", "Type", "SubState") == {"Type": "notify", "SubState": "running"}


@pytest.mark.req("SUP-2")
def test_a_delay_that_ops_chose_is_respected(toru: Toru, host: Host) -> None:
    host.run("mkdir", "-p", "/etc/systemd/system/toru-plugin-slow.service.d")
    host.put(
        "/etc/systemd/system/toru-plugin-slow.service.d/override.conf", "[Service]\nRestartSec=4\nRestartSteps=0\n"
    )
    host.run("systemctl", "daemon-reload")
    toru.plant("slow", "odd.py", way="crashes at once", metadata={"protocol": "http"})
    toru.scan()
    toru.wait_until("the second start", lambda: len(toru.starts("slow")) >= 2, 10)
    assert 3.9 <= waits(toru, "slow")[0] <= 4.6
