"""Plugins in the field: they bind a path of their own and know nothing of socket activation."""

import pytest

from tests.hosts.host import Host
from tests.system.toru import Toru


def inits(toru: Toru, plugin_id: str) -> list[str]:
    return [line for line in toru.logged(plugin_id) if line.startswith("init ")]


@pytest.mark.req("PROTO-2", "PROTO-6")
def test_init_reaches_each_new_process_exactly_once_and_before_its_first_request(toru: Toru, host: Host) -> None:
    toru.plant("field", "toru1.py")
    toru.scan()
    instance = host.read("/var/lib/toru/instance-id").strip()
    answer = toru.ask_toru1("field", "/a?b=1")
    assert answer == {"pid": toru.pid("field"), "path": "/a?b=1"}
    for _ in range(3):
        host.run("systemctl", "restart", "toru-plugin-field.service")
        toru.ask_toru1("field")
    lines = toru.logged("field")
    assert len(inits(toru, "field")) == 4
    assert len({line.rpartition("=")[2] for line in inits(toru, "field")}) == 4, "each of another process"
    socket_and_log = "/run/toru-plugins/field/plugin.sock /var/log/toru-plugins/field/plugin.log"
    assert all(line.startswith(f"init {instance} {socket_and_log}") for line in inits(toru, "field"))
    assert [line.split()[0] for line in lines if line.startswith(("init", "http"))] == ["init", "http"] * 4


@pytest.mark.req("PROTO-2", "SUP-2")
def test_init_reaches_the_process_after_a_crash_with_no_core_running(toru: Toru, host: Host) -> None:
    toru.settings("[restart]\nfirst_delay = 0.2\nmax_delay = 0.4\n")
    with toru.core_down():
        toru.plant("field", "toru1.py")
        toru.scan()
        toru.wait_until("the first init", lambda: len(inits(toru, "field")) == 1)
        first = toru.pid("field")
        host.run("kill", "-9", str(first))
        toru.wait_until("a second init", lambda: len(inits(toru, "field")) == 2, 10)
        toru.wait_until("the plugin to run", lambda: toru.service("field", "SubState")["SubState"] == "running")
        assert toru.ask_toru1("field")["pid"] not in {0, first}


@pytest.mark.req("PROTO-3", "LIFE-2")
@pytest.mark.parametrize("how", ["systemctl stop", "disable", "systemctl restart"])
def test_shutdown_reaches_the_plugin_before_it_is_stopped(toru: Toru, host: Host, how: str) -> None:
    toru.plant("field", "toru1.py", busy_for=0.5)
    toru.scan()
    if how == "disable":
        toru.disable("field")
    else:
        host.run(*how.split(), "toru-plugin-field.service")
    assert "shutdown received" in toru.logged("field")
    assert toru.ends("field") == [], "it was given the time to end well"


@pytest.mark.req("LIFE-2", "PROTO-3")
def test_a_plugin_too_busy_for_its_shutdown_message_is_ended_all_the_same(toru: Toru, host: Host) -> None:
    toru.settings("stop_timeout = 1")
    toru.plant("field", "toru1.py", busy_for=1000)
    toru.scan()
    toru.disable("field")
    assert not toru.is_loaded("field")


@pytest.mark.req("PROTO-6", "SUP-1")
def test_the_bell_wakes_a_sleeping_plugin_once_and_not_again(toru: Toru, host: Host) -> None:
    toru.plant("field", "toru1.py", metadata={"start": "on-demand"})
    toru.scan()
    assert toru.pid("field") == 0
    toru.ring("field")
    toru.wait_until("the plugin to run", lambda: toru.service("field", "SubState")["SubState"] == "running")
    assert toru.ask_toru1("field")["pid"] == toru.pid("field")
    toru.ring("field")  # while it runs: nobody accepts it
    host.run("systemctl", "stop", "toru-plugin-field.service")
    assert len(toru.starts("field")) == 1
    assert toru.pid("field") == 0, "an old ring must not wake it"
    assert toru.socket("field", "SubState")["SubState"] == "listening"


@pytest.mark.req("LIFE-1", "PROTO-6")
def test_a_plugin_that_never_listens_is_refused_within_two_seconds_with_the_reason(toru: Toru, host: Host) -> None:
    toru.plant("mute", "odd.py", way="never accepts")
    toru.scan()
    toru.disable("mute")
    done = host.run("toru-admin", "enable", "mute", check=False, timeout=6)
    assert done.returncode == 1
    assert "did not start" in done.stderr or "does not listen yet" in done.stderr
    toru.wait_until(
        "the reason in the log",
        lambda: any("does not listen at" in line for line in toru.logged("mute")),
        20,
    )


@pytest.mark.req("LIFE-1", "PROTO-6")
def test_a_slow_starter_is_waited_for(toru: Toru) -> None:
    toru.plant("slow", "toru1.py", listens_after=4)
    toru.scan()
    toru.disable("slow")
    assert "does not listen yet" in toru.enable("slow", check=False)
    toru.wait_until("it to run", lambda: toru.service("slow", "SubState")["SubState"] == "running")
    assert len(toru.starts("slow")) == 2, "one for each enable, none because it was slow"
    assert toru.ask_toru1("slow")["pid"] == toru.pid("slow")


@pytest.mark.req("PROTO-6", "SEC-4")
def test_no_plugin_can_connect_to_another_and_the_core_to_all(toru: Toru, host: Host) -> None:
    toru.plant("mine", "toru1.py")
    toru.plant("other")
    toru.scan()
    connect = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    uids = {name: host.run("stat", "-c", "%u", f"/proc/{toru.pid(name)}").stdout.strip() for name in ("mine", "other")}
    assert len(set(uids.values())) == 2
    for owner, socket in (
        ("other", "/run/toru-plugins/mine/plugin.sock"),
        ("other", "/run/toru/plugins/mine.sock"),
        ("mine", "/run/toru/plugins/other.sock"),
    ):
        uid = uids[owner]
        as_plugin = ("setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "python3", "-c", connect, socket)
        assert "PermissionError" in host.run(*as_plugin, check=False).stderr, socket
        assert host.run("python3", "-c", connect, socket, user="toru").returncode == 0
        assert "PermissionError" in host.run("python3", "-c", connect, socket, user="nobody", check=False).stderr


@pytest.mark.req("SEC-5", "SEC-4")
def test_a_trap_in_the_place_of_the_socket_is_not_touched(toru: Toru, host: Host) -> None:
    before = host.run("stat", "-c", "%U %G %a", "/etc/shadow").stdout
    toru.plant("trapper", "odd.py", way="lays a trap")
    toru.scan()
    toru.wait_until("it to be refused", lambda: any("does not listen" in line for line in toru.logged("trapper")), 20)
    assert host.run("stat", "-c", "%U %G %a", "/etc/shadow").stdout == before
