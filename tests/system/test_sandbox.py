"""What a plugin is kept from, and how ops loosen it."""

import pytest

from tests.hosts.host import Host
from tests.system.toru import Toru


def exposure(host: Host, unit: str) -> float:
    lines = host.run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout.splitlines()
    return float(next(line for line in lines if "Overall exposure" in line).split(":")[1].split()[0])


@pytest.mark.req("SEC-4")
def test_a_serving_plugin_is_exposed_no_more_than_one_and_a_half(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.plant("locked", metadata={"sandbox": "strict"})
    toru.scan()
    assert toru.ask("web")["pid"]
    assert toru.ask("locked")["pid"]
    assert exposure(host, "toru-plugin-web.service") <= 1.5
    assert exposure(host, "toru-plugin-locked.service") <= 0.5


@pytest.mark.req("SEC-4", "ISO-1")
def test_each_plugin_is_a_user_of_its_own_with_places_of_its_own(toru: Toru, host: Host) -> None:
    toru.plant("one")
    toru.plant("two")
    toru.scan()
    one, two = toru.ask("one")["uid"], toru.ask("two")["uid"]
    assert len({0, one, two}) == 3
    places = toru.ask("one", "/environment")
    assert places["STATE_DIRECTORY"] == "/var/lib/toru-plugins/one"
    for variable in ("STATE_DIRECTORY", "RUNTIME_DIRECTORY", "CACHE_DIRECTORY", "LOGS_DIRECTORY"):
        path = places[variable]
        assert host.run("stat", "-L", "-c", "%u", path).stdout.strip() == str(one)
        entry = host.run("setpriv", "--reuid", str(two), "--regid", str(two), "--clear-groups", "ls", path, check=False)
        assert entry.returncode != 0, path


@pytest.mark.req("SEC-4")
def test_a_plugins_secret_is_its_own_and_new_at_each_enable(toru: Toru, host: Host) -> None:
    toru.plant("web")
    toru.plant("other")
    toru.scan()
    secret = toru.ask("web", "/credential")
    assert len(secret) >= 32
    assert host.read("/run/toru/tokens/web") == secret
    assert secret != toru.ask("other", "/credential")
    shown = host.run("systemctl", "show", "toru-plugin-web.service", user="nobody").stdout
    unit_file = host.run("cat", "/run/systemd/transient/toru-plugin-web.service", user="nobody").stdout
    assert secret not in shown + unit_file
    assert host.run("cat", "/run/toru/tokens/web", user="nobody", check=False).returncode != 0
    toru.disable("web")
    toru.enable("web")
    assert toru.ask("web", "/credential") != secret


@pytest.mark.req("SEC-4", "META-4")
def test_trusted_is_granted_by_ops_alone(toru: Toru, host: Host) -> None:
    toru.plant("host-viewer", metadata={"sandbox": "trusted"})
    toru.scan()
    unit = "toru-plugin-host-viewer.service"
    assert host.show(unit, "ProtectProc") == {"ProtectProc": "invisible"}
    assert toru.plugin("host-viewer")["sandbox"] == "default"
    toru.settings('[plugins.host-viewer]\nsandbox = "trusted"\n')
    toru.disable("host-viewer")
    toru.enable("host-viewer")
    assert host.show(unit, "ProtectProc", "DynamicUser") == {"ProtectProc": "default", "DynamicUser": "yes"}
    assert "trusted.conf" in host.run("readlink", f"/run/systemd/system/{unit}.d/20-profile.conf").stdout
    toru.disable("host-viewer")
    assert host.run("test", "-e", f"/run/systemd/system/{unit}.d", check=False).returncode == 1


@pytest.mark.req("META-4", "SUP-7")
def test_a_manifest_tightens_limits_and_only_ops_loosen_them(toru: Toru, host: Host) -> None:
    limits = {"memory": "64M", "tasks": 16, "cpu": 50}
    toru.plant("modest", metadata={"limits": limits})
    toru.plant("greedy", metadata={"limits": {"memory": "900G", "tasks": 90000, "cpu": 9000}})
    toru.scan()

    def limits_of(plugin_id: str) -> tuple[str, ...]:
        names = ("MemoryMax", "TasksMax", "CPUQuotaPerSecUSec")
        shown = toru.service(plugin_id, *names)
        return tuple(shown[name] for name in names)

    assert limits_of("modest") == (str(64 << 20), "16", "500ms")
    assert limits_of("greedy") == (str(512 << 20), "256", "1s")
    toru.settings('[plugins.greedy]\nmemory = "1G"\ntasks = 500\n')
    toru.disable("greedy")
    toru.enable("greedy")
    assert limits_of("greedy") == (str(1 << 30), "500", "1s")


@pytest.mark.req("SEC-4")
def test_a_strict_plugin_has_no_network_and_serves_all_the_same(toru: Toru, host: Host) -> None:
    toru.plant("locked", metadata={"sandbox": "strict"})
    toru.scan()
    pid = toru.ask("locked")["pid"]
    devices = host.run("nsenter", "-t", str(pid), "-n", "cat", "/proc/net/dev").stdout
    assert [line.split(":")[0].strip() for line in devices.splitlines()[2:]] == ["lo"]


@pytest.mark.req("SEC-5")
def test_a_profile_of_one_plugin_never_reaches_another(toru: Toru, host: Host) -> None:
    # toru-plugin-a-.service.d is a directory that systemd applies to toru-plugin-a-b.service as well.
    toru.settings('[plugins.a-]\nsandbox = "strict"\n')
    toru.plant("a-")
    toru.plant("a-b")
    toru.scan()
    assert toru.service("a-", "PrivateNetwork") == {"PrivateNetwork": "yes"}
    assert toru.service("a-b", "PrivateNetwork") == {"PrivateNetwork": "no"}
    assert toru.ask("a-b")["pid"]
