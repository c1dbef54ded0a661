"""What the core's user may ask of systemd, and what it may not."""

import pytest

from tests.hosts.host import Host
from tests.system.toru import Toru

MANAGER = ("org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager")
RUN_AS_ROOT = ("1", "ExecStart", "a(sasb)", "1", "/bin/touch", "2", "/bin/touch", "/run/owned", "false")


def as_core(host: Host, *argv: str) -> str:
    """What the command answered, empty where it was let through."""
    done = host.run(*argv, user="toru", check=False)
    return "" if done.returncode == 0 else done.stderr + done.stdout


def call(host: Host, method: str, *arguments: str) -> str:
    return as_core(host, "busctl", "call", *MANAGER, method, *arguments)


@pytest.mark.req("SEC-3", "SEC-4")
def test_the_core_may_wish_and_handle_plugins(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    for argv in (
        ("start", "toru-disable@web.service"),
        ("start", "toru-enable@web.service"),
        ("start", "toru-pause@web.service"),
        ("start", "toru-resume@web.service"),
        ("restart", "toru-plugin-web.service"),
        ("reset-failed", "toru-plugin-web.service"),
        ("stop", "toru-plugin-web.service"),
        ("start", "toru-plugin-web.service"),
    ):
        assert as_core(host, "systemctl", *argv) == "", argv
    assert toru.ask("web")["pid"] == toru.pid("web")


@pytest.mark.req("SEC-3")
@pytest.mark.parametrize(
    "argv",
    [
        ("start", "dbus.service"),
        ("stop", "toru-scan.path"),
        ("restart", "systemd-journald.service"),
        ("start", "toru-scan.service"),
        ("start", "toru-plugins.service"),
        ("stop", "toru-enable@web.service"),
        ("restart", "toru-enable@web.service"),
        ("stop", "toru.socket"),
        ("start", "toru-enable@web.socket"),
        ("stop", "toru-pause@web.service"),
        ("start", "toru-pause@..-..-x.service"),
        ("start", "toru-paused@web.service"),
        ("thaw", "toru-plugin-web.service"),
        ("start", "toru-pluginx-web.service"),
        ("start", "xtoru-plugin-web.service"),
        ("start", "toru-plugin-web.service.service"),
        ("start", "toru-plugin-web@x.service"),
        ("start", "toru-plugin-web.timer"),
        ("start", "toru-enable@..-..-x.service"),
        ("start", "toru-enable@a\\x2fb.service"),
        ("kill", "toru-plugin-web.service"),
        ("freeze", "toru-plugin-web.service"),
        ("set-property", "--runtime", "toru-plugin-web.service", "MemoryMax=1G"),
        ("daemon-reload",),
        ("edit", "--runtime", "--full", "toru-plugin-web.service"),
    ],
    ids=" ".join,
)
def test_the_core_may_do_nothing_else(toru: Toru, host: Host, argv: tuple[str, ...]) -> None:
    toru.plant("web")
    toru.scan()
    before = toru.pid("web")
    assert as_core(host, "systemctl", *argv) != ""
    assert toru.pid("web") == before


@pytest.mark.req("SEC-3")
@pytest.mark.parametrize(
    "unit", ["toru-plugin-evil.service", "toru-enable@evil.service", "toru-plugin-web.service", "x.service"]
)
def test_the_core_can_make_no_unit_of_its_own(toru: Toru, host: Host, unit: str) -> None:
    toru.plant("web")
    toru.scan()
    refusal = call(host, "StartTransientUnit", "ssa(sv)a(sa(sv))", unit, "fail", *RUN_AS_ROOT, "0")
    assert refusal != ""
    assert host.run("test", "-e", "/run/owned", check=False).returncode == 1


@pytest.mark.req("SEC-3")
def test_the_core_cannot_change_a_unit_over_the_bus(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.scan()
    assert (
        call(host, "SetUnitProperties", "sba(sv)", "toru-plugin-web.service", "true", "1", "TasksMax", "t", "9") != ""
    )
    assert call(host, "KillUnit", "ssi", "toru-plugin-web.service", "main", "9") != ""
    assert call(host, "AttachProcessesToUnit", "ssau", "toru-plugin-web.service", "/", "1", "1") != ""


@pytest.mark.req("SEC-3")
@pytest.mark.parametrize("user", ["nobody", "daemon"])
def test_other_users_may_not_even_wish(toru: Toru, host: Host, user: str) -> None:
    toru.plant("web")
    toru.scan()
    for argv in (("start", "toru-disable@web.service"), ("restart", "toru-plugin-web.service")):
        assert host.run("systemctl", *argv, user=user, check=False).returncode != 0
    assert toru.ask("web")["pid"]


@pytest.mark.req("SEC-3")
def test_the_core_can_put_no_program_where_plugins_are_looked_for(toru: Toru, host: Host) -> None:
    for command in (
        "echo > /var/lib/toru/plugins/evil.binary",
        "mv /var/lib/toru/plugins /var/lib/toru/aside",
        "rm /var/lib/toru/instance-id",
        "echo > /var/lib/toru/plugins/.metadata/config.json",
        "echo > /run/toru/catalogue.json",
        "echo > /run/toru/tokens/web",
        "ln -s /tmp/evil /run/toru/evil",
    ):
        assert host.run("sh", "-c", command, user="toru", check=False).returncode != 0, command


@pytest.mark.req("SEC-3")
def test_the_core_runs_without_any_privilege(host: Host) -> None:
    pid = host.show("toru.service", "MainPID")["MainPID"]
    status = dict(line.split(":\t", 1) for line in host.read(f"/proc/{pid}/status").splitlines() if ":\t" in line)
    assert status["Uid"].split()[0] != "0"
    assert (status["CapEff"], status["CapBnd"], status["NoNewPrivs"]) == ("0" * 16, "0" * 16, "1")
