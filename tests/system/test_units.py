"""The unit files we ship."""

import pytest

from tests.hosts.host import Host

UNITS = (
    "toru.socket", "toru.service", "toru-worker@1.service", "toru-plugins.service", "toru-plugins.slice",
    "toru-scan.path", "toru-scan.service",
    "toru-rescan.timer", "toru-rescan.service", "toru-enable@web.service", "toru-disable@web.service",
    "toru-pause@web.service", "toru-resume@web.service", "toru-hooks.path", "toru-hooks.service", "toru-hooks.slice",
    "toru-export.service",
    "toru-halt.service",
)  # fmt: skip


@pytest.mark.req("SUP-1")
def test_systemd_finds_nothing_to_complain_about(host: Host) -> None:
    done = host.run("systemd-analyze", "verify", "--man=no", *UNITS, check=False)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "toru" in line]
    assert (done.returncode, complaints) == (0, [])


@pytest.mark.req("SEC-3")
@pytest.mark.parametrize(
    "unit",
    [
        "toru.service",
        "toru-worker@1.service",
        "toru-enable@web.service",
        "toru-pause@web.service",
        "toru-scan.service",
        "toru-hooks.service",
        "toru-export.service",
        "toru-halt.service",
    ],
)
def test_our_own_units_are_sandboxed(host: Host, unit: str) -> None:
    lines = host.run("systemd-analyze", "security", "--no-pager", unit, check=False).stdout.splitlines()
    exposure = float(next(line for line in lines if "Overall exposure" in line).split(":")[1].split()[0])
    assert exposure <= (2.0 if unit in {"toru.service", "toru-worker@1.service", "toru-export.service"} else 5.0), (
        exposure
    )


@pytest.mark.req("OPS-1")
def test_the_host_is_up_with_nothing_failed(host: Host) -> None:
    assert host.run("systemctl", "list-units", "--failed", "--no-legend", "toru*").stdout == ""
    for unit in ("toru.socket", "toru.service", "toru-plugins.service", "toru-scan.path", "toru-hooks.path"):
        assert host.show(unit, "ActiveState") == {"ActiveState": "active"}


@pytest.mark.req("LIFE-6")
def test_many_scans_in_a_row_leave_nothing_failed(host: Host) -> None:
    for _ in range(8):
        host.run("systemctl", "start", "toru-scan.service")
        host.run("systemctl", "stop", "toru-rescan.timer", "toru-rescan.service")  # so that each starts it anew
    assert host.run("systemctl", "list-units", "--failed", "--no-legend", "toru*").stdout == ""


@pytest.mark.req("OPS-1")
def test_the_core_answers_on_both_its_addresses(host: Host) -> None:
    script = """
import http.client, socket, sys
for path in ("/run/toru/api.sock",):
    connection = http.client.HTTPConnection("toru")
    connection.sock = socket.socket(socket.AF_UNIX)
    connection.sock.connect(path)
    connection.request("GET", "/api/health")
    print(connection.getresponse().read().decode())
"""
    assert '"systemd":"connected"' in host.run("python3", "-c", script, user="nobody").stdout


@pytest.mark.req("ISO-5")
def test_stopping_the_core_refuses_nobody(host: Host) -> None:
    host.run("systemctl", "restart", "toru.service")
    assert host.show("toru.service", "StatusText") == {"StatusText": "serving"}
    assert host.show("toru.socket", "SubState") == {"SubState": "running"}
