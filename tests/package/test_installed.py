"""A host where apt has installed Toru, and nobody has done anything else yet."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from tests.hosts.host import Host
from tests.hosts.package import TREE, Packages
from tests.system.api import Api
from tests.system.toru import PLUGINS, Toru

pytestmark = pytest.mark.timeout(900)

OWN_TESTS = TREE / "packaging/debian/tests"
PASSWORD = "/etc/credstore/toru-admin-password"  # noqa: S105  where it lies

PRESET = (TREE / "units/system-preset/80-toru.preset").read_text()
ENABLED = re.findall(r"^enable (\S+)$", PRESET, re.MULTILINE)


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("unit", ENABLED)
def test_what_should_run_is_enabled_and_runs(installed: Host, unit: str) -> None:
    assert installed.show(unit, "LoadState", "UnitFileState", "ActiveState") == {
        "LoadState": "loaded", "UnitFileState": "enabled", "ActiveState": "active"
    }  # fmt: skip


@pytest.mark.req("OPS-2", "OBS-3")
@pytest.mark.parametrize("unit", re.findall(r"^disable (\S+)$", PRESET, re.MULTILINE))
def test_what_is_for_those_who_ask_for_it_is_off(installed: Host, unit: str) -> None:
    assert installed.show(unit, "UnitFileState", "ActiveState") == {
        "UnitFileState": "disabled",
        "ActiveState": "inactive",
    }


@pytest.mark.req("OPS-2")
def test_nothing_else_of_it_runs_or_has_failed(installed: Host) -> None:
    def there() -> set[str]:
        units = installed.run("systemctl", "list-units", "--plain", "--no-legend", "toru*").stdout
        return {line.split()[0] for line in units.splitlines()}

    # A scan, and what looks once more after it, end by themselves.
    installed.wait_for("all others to end", lambda: there() == set(ENABLED))
    assert installed.run("systemctl", "list-units", "--failed", "--no-legend").stdout == ""


@pytest.mark.req("OPS-2")
def test_every_file_is_as_dpkg_has_put_it_there(installed: Host) -> None:
    assert installed.run("dpkg", "--verify", "toru", "python3-toru-plugin").stdout == ""
    assert installed.run("dpkg", "--audit").stdout == ""


@pytest.mark.req("OPS-2", "SEC-2")
def test_the_first_admin_signs_in_with_the_password_that_root_finds(installed: Host) -> None:
    assert installed.run("stat", "--format=%U %a", PASSWORD).stdout == "root 600\n"
    assert installed.run("cat", PASSWORD, user="nobody", check=False).returncode == 1
    said = [entry["MESSAGE"] for entry in installed.journal("_SYSTEMD_UNIT=toru.service")]
    assert any(PASSWORD in message for message in said), "the journal says where it is"
    assert not any(installed.read(PASSWORD).strip() in message for message in said), "and not what it is"

    web = Api(installed, "3000")
    person = json.dumps({"name": "admin", "password": installed.read(PASSWORD).strip()}).encode()
    headers = {"Content-Type": "application/json"}
    answer = web("POST", "/api/auth/login", headers=headers, body=person)
    assert (answer.status, answer.json()["role"]) == (200, "admin")
    cookie = {"Cookie": answer.headers["set-cookie"].partition(";")[0]}
    assert web("GET", "/api/users", headers=cookie).status == 200
    assert web("GET", "/api/users").status == 401


def test_the_doctor_finds_nothing_bad(installed: Host) -> None:
    findings = json.loads(installed.run("toru", "doctor", "--json").stdout)["findings"]
    levels = {finding["check"]: finding["level"] for finding in findings}
    # Containers don't have every controller.
    assert {check for check, level in levels.items() if level != "ok"} <= {"limits"}


@pytest.mark.req("SEC-3")
def test_the_core_is_a_user_without_privilege_and_can_change_no_program(installed: Host) -> None:
    pid = installed.show("toru.service", "MainPID")["MainPID"]
    status = installed.read(f"/proc/{pid}/status")
    assert re.findall(r"^Cap(?:Prm|Eff|Bnd|Amb):\s*(\w+)$", status, re.MULTILINE) == ["0" * 16] * 4
    assert "NoNewPrivs:\t1" in status
    assert installed.run("ps", "-o", "user=", "-p", pid).stdout.strip() == "toru"
    writable = [
        "find",
        "/usr",
        "/etc",
        "-xdev",
        "(",
        "-user",
        "toru",
        "-o",
        "-group",
        "toru",
        "-o",
        "-perm",
        "-o+w",
        ")",
    ]
    assert installed.run(*writable, "-not", "-type", "l").stdout == ""


@pytest.mark.req("OPS-2")
def test_systemd_finds_no_fault_with_the_units(installed: Host) -> None:
    units = "/usr/lib/systemd/system"
    files = installed.run("sh", "-c", f"ls -d {units}/toru*.*").stdout.split()
    judged = [file.replace("@.", "@x.") for file in files if not file.endswith(".d")]
    done = installed.run("systemd-analyze", "verify", "--man=no", *judged)
    assert done.stdout + done.stderr == ""


# What each may be exposed to, of 10: the core and its brother face the network; the others are root, for a moment.
EXPOSURE = {
    "toru.service": 2.0,
    "toru-worker@.service": 2.0,
    "toru-scan.service": 4.0,
    "toru-plugins.service": 4.0,
    "toru-enable@.service": 4.0,
    "toru-disable@.service": 4.0,
    "toru-rescan.service": 4.0,
    "toru-pause@.service": 3.0,
    "toru-resume@.service": 3.0,
    "toru-hooks.service": 3.0,
    "toru-export.service": 2.0,
    "toru-halt.service": 4.0,
}


@pytest.mark.req("SEC-3", "OPS-2")
def test_every_unit_that_runs_a_program_is_sandboxed(installed: Host) -> None:
    files = installed.run("sh", "-c", "cd /usr/lib/systemd/system && ls toru*.service").stdout.split()
    for unit in files:
        limit = EXPOSURE[unit]
        name = unit.replace("@.", "@x.")
        done = installed.run("systemd-analyze", "security", f"--threshold={limit * 10:.0f}", name, check=False)
        assert done.returncode == 0, done.stdout.splitlines()[-1]


@pytest.mark.req("SEC-4")
def test_a_plugin_is_sandboxed_and_a_user_of_its_own(installed: Host, toru: Toru) -> None:
    toru.plant("web")
    toru.scan()
    assert toru.ask("web")["uid"] > 60_000
    done = installed.run("systemd-analyze", "security", "--threshold=15", "toru-plugin-web.service", check=False)
    assert done.returncode == 0, done.stdout.splitlines()[-1]


@pytest.fixture
def tools(installed: Host, packages: Packages) -> Iterator[str]:
    """The packages of ours that not everybody has."""
    installed.run("dpkg", "--install", f"/srv/toru/{packages.of('toru-examples').name}")
    installed.run("mkdir", "-p", "/srv/tests/empty")
    yield "/srv/tests"
    installed.run("rm", "-rf", "/srv/tests")
    installed.run("dpkg", "--purge", "toru-examples")


@pytest.mark.req("OPS-2")
@pytest.mark.parametrize("test", re.findall(r"^Tests: (.*)$", (OWN_TESTS / "control").read_text(), re.MULTILINE))
def test_the_packages_own_tests_pass(installed: Host, tools: str, test: str) -> None:
    installed.put(f"{tools}/{test}", (OWN_TESTS / test).read_bytes(), 0o755)
    installed.run("env", f"AUTOPKGTEST_TMP={tools}/empty", f"{tools}/{test}", timeout=120)
    assert installed.run("ls", PLUGINS).stdout == ""
