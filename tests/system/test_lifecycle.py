"""Enabling, disabling, boot, and what ops do by hand."""

import json

import pytest

from tests.hosts.host import Host
from tests.system.toru import CONFIG, PLUGINS, Toru


@pytest.mark.req("LIFE-1", "LIFE-2", "LIFE-3", "SUP-1")
def test_enable_returns_with_a_socket_that_answers_and_disable_leaves_nothing(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    toru.disable("web")
    assert not toru.is_loaded("web")
    assert toru.config()["plugins"]["web"] is False
    host.run("systemctl", "start", "toru-enable@web.service")
    assert toru.socket("web", "ActiveState")["ActiveState"] == "active"
    assert toru.service("web", "Transient", "DynamicUser", "Slice") == {
        "Transient": "yes", "DynamicUser": "yes", "Slice": "toru-plugins.slice"
    }  # fmt: skip
    assert toru.ask("web")["pid"] == toru.pid("web")
    assert toru.config()["plugins"]["web"] is True
    host.run("systemctl", "start", "toru-disable@web.service")
    for left in ("/run/toru/plugins/web.sock", "/run/toru/tokens/web", "/run/toru-plugins/web"):
        assert host.run("test", "-e", left, check=False).returncode == 1, left


@pytest.mark.req("LIFE-2")
def test_what_is_switched_by_hand_is_in_the_journal_too(toru: Toru) -> None:
    toru.plant("web")
    toru.scan()
    toru.disable("web")
    toru.enable("web")
    entries = toru.journal("TORU_PLUGIN=web", "SYSLOG_IDENTIFIER=toru-admin")
    assert [entry["TORU_EVENT"] for entry in entries if "TORU_EVENT" in entry] == ["disabled", "enabled"]


@pytest.mark.req("LIFE-1")
def test_enable_says_why_a_plugin_does_not_start(toru: Toru, host: Host) -> None:
    toru.plant("broken", "odd.py", way="crashes at once")
    toru.scan()
    toru.disable("broken")
    done = host.run("systemctl", "start", "toru-enable@broken.service", check=False)
    assert done.returncode == 1
    status = host.show("toru-enable@broken.service", "StatusText")["StatusText"]
    assert "exited with status 3" in status or "ended before it listened" in status
    assert toru.config()["plugins"]["broken"] is True, "the wish stands, and systemd goes on trying"


@pytest.mark.parametrize("verb", ["enable", "disable"])
def test_an_unknown_id_is_refused_with_a_sentence(toru: Toru, host: Host, verb: str) -> None:
    done = host.run("toru-admin", verb, "nobody", check=False)
    assert (done.returncode, done.stderr.strip()) == (1, "there is no plugin nobody")
    assert host.run("systemctl", "start", f"toru-{verb}@nobody.service", check=False).returncode == 1
    assert host.show(f"toru-{verb}@nobody.service", "StatusText")["StatusText"] == "there is no plugin nobody"


@pytest.mark.parametrize("bad", ["../etc", "a/b", "a b", "a;reboot", "$(reboot)", "%n", "", "ä", "x" * 65, "a\nb"])
@pytest.mark.req("SEC-5")
def test_what_is_no_id_is_refused_before_anything_happens(toru: Toru, host: Host, bad: str) -> None:
    done = host.run("toru-admin", "enable", "--", bad, check=False)
    assert done.returncode == 1
    assert "is not a plugin id" in done.stderr


@pytest.mark.req("LIFE-4", "LIFE-3")
def test_a_reboot_brings_up_exactly_the_enabled_plugins(toru: Toru, host: Host) -> None:
    toru.plant("on-after")
    toru.plant("off-after")
    toru.plant("asleep-after", metadata={"start": "on-demand"})
    toru.scan()
    toru.disable("off-after")
    host.run("systemctl", "disable", "toru.service", "toru.socket")  # with or without the core
    try:
        host.reboot()
        toru.wait_until("boot to end", lambda: host.show("toru-plugins.service", "SubState")["SubState"] == "exited")
        assert toru.pid("on-after") > 0
        assert not toru.is_loaded("off-after")
        assert toru.socket("asleep-after", "SubState")["SubState"] == "listening"
        assert toru.pid("asleep-after") == 0
        assert host.show("toru.service", "ActiveState")["ActiveState"] == "inactive"
    finally:
        host.run("systemctl", "enable", "--now", "toru.socket", "toru.service")


@pytest.mark.req("LIFE-3")
def test_a_corrupt_config_switches_nobody_and_is_kept_aside(toru: Toru, host: Host) -> None:
    toru.plant("wanted")
    toru.plant("unwanted")
    toru.scan()
    toru.disable("unwanted")
    toru.enable("wanted")
    host.put(CONFIG, '{"plugins": {"wanted": tr')
    host.run("systemctl", "restart", "toru-plugins.service")
    assert toru.is_loaded("wanted")
    assert not toru.is_loaded("unwanted")
    assert toru.config()["plugins"] == {"wanted": True, "unwanted": False}, "the last good state is back"
    aside = host.run("sh", "-c", f"cat {PLUGINS}/.metadata/config.json.corrupt-*").stdout
    assert aside == '{"plugins": {"wanted": tr'
    warnings = [entry["MESSAGE"] for entry in toru.written_by_admin("PRIORITY=4")]
    assert any("can't be read" in warning for warning in warnings)


@pytest.mark.req("LIFE-3")
def test_with_no_good_copy_of_a_corrupt_config_nothing_is_switched(toru: Toru, host: Host) -> None:
    toru.plant("running")
    toru.scan()
    before = toru.pid("running")
    host.run("mkdir", "-p", f"{PLUGINS}/.metadata")
    host.run("rm", "-f", f"{PLUGINS}/.metadata/config.last-good.json")
    host.put(CONFIG, "[]")
    toru.plant("newcomer")
    host.run("systemctl", "start", "toru-scan.service", check=False)
    for verb in ("enable", "disable"):
        done = host.run("toru-admin", verb, "running", check=False)
        assert done.returncode == 1
        assert "can't be read" in done.stderr
    assert host.read(CONFIG) == "[]"
    assert toru.pid("running") == before
    assert not toru.is_loaded("newcomer")


@pytest.mark.req("LIFE-3")
def test_unknown_keys_in_the_config_are_kept(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    host.run("mkdir", "-p", f"{PLUGINS}/.metadata")
    host.put(CONFIG, json.dumps({"plugins": {"elsewhere": False}, "theirs": {"deep": [1, 2]}}))
    toru.disable("web")
    assert toru.config() == {"plugins": {"elsewhere": False, "web": False}, "theirs": {"deep": [1, 2]}}


@pytest.mark.req("LIFE-3")
def test_a_full_disk_leaves_the_old_state(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    toru.enable("web")
    host.run("mount", "-t", "tmpfs", "-o", "size=16k,mode=755", "tmpfs", f"{PLUGINS}/.metadata")
    try:
        host.put(CONFIG, '{"plugins": {"web": true}}')
        host.run("sh", "-c", f"cat /dev/zero > {PLUGINS}/.metadata/filler", check=False)
        done = host.run("toru-admin", "disable", "web", check=False)
        assert done.returncode == 1
        assert "No space left" in done.stderr
        assert toru.config() == {"plugins": {"web": True}}
        assert toru.ask("web")["pid"]
        leftovers = host.run("ls", "-A", f"{PLUGINS}/.metadata").stdout.split()
        assert sorted(leftovers) == ["config.json", "filler"]
    finally:
        host.run("umount", f"{PLUGINS}/.metadata")


@pytest.mark.req("LIFE-3")
def test_a_kill_at_any_moment_leaves_the_old_state_or_the_new(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    toru.enable("web")
    for number in range(12):
        verb = "disable" if number % 2 == 0 else "enable"
        delay = 0.08 + number * 0.012  # all through the moments in which it writes and makes units
        host.run("timeout", "-s", "KILL", f"{delay}", "toru-admin", verb, "web", check=False)
        assert toru.config()["plugins"]["web"] in {True, False}
        host.run("toru-admin", verb, "web")  # and the next one finds nothing in its way
        assert toru.config()["plugins"]["web"] is (verb == "enable")
        assert toru.is_loaded("web") is (verb == "enable")


@pytest.mark.req("LIFE-5")
def test_ops_may_do_everything_by_hand_and_toru_shows_it(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    unit = "toru-plugin-web.service"
    first = toru.pid("web")
    host.run("systemctl", "restart", unit)
    again = toru.pid("web")
    assert again not in {0, first}
    assert "10-sandbox.conf" in host.run("systemctl", "cat", unit).stdout
    assert "Active: active" in host.run("systemctl", "status", unit).stdout
    assert unit in host.run("systemd-cgls", "--no-pager", "-u", "toru-plugins.slice").stdout
    toru.wait_until(
        "its words", lambda: f"serving as {again}" in host.run("journalctl", "--no-pager", "-u", unit).stdout
    )
    host.run("systemctl", "stop", unit)
    toru.until_shown("web", state="idle")
    host.run("systemctl", "stop", "toru-plugin-web.socket")
    toru.until_shown("web", state="stopped", enabled=True)
    toru.scan()
    assert not toru.is_loaded("web"), "what ops took down stays down"
    toru.enable("web")
    assert toru.ask("web")["pid"]


@pytest.mark.req("LIFE-5", "SUP-7", "SEC-4")
def test_a_drop_in_of_ops_holds_over_everything_and_survives(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    host.run("mkdir", "-p", "/etc/systemd/system/toru-plugin-web.service.d")
    host.put("/etc/systemd/system/toru-plugin-web.service.d/override.conf", "[Service]\nTasksMax=77\n")
    host.run("systemctl", "daemon-reload")
    toru.disable("web")
    toru.enable("web")
    assert toru.service("web", "TasksMax")["TasksMax"] == "77"


@pytest.mark.req("LIFE-5")
def test_a_runtime_drop_in_of_ops_outlives_disable(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    drop_in = "/run/systemd/system/toru-plugin-web.service.d/50-theirs.conf"
    host.put(drop_in, "[Service]\nTasksMax=55\n")
    toru.disable("web")
    toru.enable("web")
    assert toru.service("web", "TasksMax") == {"TasksMax": "55"}
    host.run("rm", drop_in)


@pytest.mark.req("SEC-3")
def test_nobody_else_can_hold_up_toru_admin_by_holding_its_lock(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    for lock in ("/run/toru/admin.lock", "/run/toru/scan.lock"):
        for user in ("nobody", "toru"):
            assert host.run("flock", "--nonblock", lock, "true", user=user, check=False).returncode != 0


def test_a_mistake_in_the_settings_is_named_with_file_and_key(toru: Toru, host: Host) -> None:
    host.run("mkdir", "-p", "/etc/toru/toru.toml.d")
    host.put("/etc/toru/toru.toml.d/50-wrong.toml", "[restart]\nfirst_dealy = 1\n")
    try:
        done = host.run("toru-admin", "scan", check=False)
        assert done.returncode == 1
        assert done.stderr.strip() == "/etc/toru/toru.toml.d/50-wrong.toml:2: restart.first_dealy is not a setting"
    finally:
        host.run("rm", "/etc/toru/toru.toml.d/50-wrong.toml")


@pytest.mark.req("LIFE-6")
def test_daemon_reload_and_reexec_change_nothing(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    before = toru.pid("web")
    host.run("systemctl", "daemon-reload")
    host.run("systemctl", "daemon-reexec")
    toru.wait_until("systemd to be back", lambda: host.run("systemctl", "list-units", check=False).returncode == 0)
    assert toru.ask("web")["pid"] == before
    assert toru.plugin("web")["state"] == "running"
