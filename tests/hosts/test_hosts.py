"""The hosts themselves."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.hosts.host import CommandFailed, Host, TooLate


def test_systemd_is_up_and_is_the_version_it_says(host: Host) -> None:
    assert host.run("cat", "/proc/1/comm").stdout == "systemd\n"
    assert host.systemd_version >= 252
    assert host.run("systemctl", "is-system-running", check=False).stdout in {"running\n", "degraded\n"}
    assert host.show("multi-user.target", "ActiveState") == {"ActiveState": "active"}


def test_a_command_says_how_it_ended(host: Host) -> None:
    done = host.run("sh", "-c", "cat; echo no >&2; exit 3", input="ä\n", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (3, "ä\n", "no\n")
    with pytest.raises(CommandFailed, match=r"status 3.\s*out\s*no"):
        host.run("sh", "-c", "echo out; echo no >&2; exit 3")


def test_a_command_that_takes_too_long_is_gone(host: Host) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        host.run("sleep", "4711", timeout=0.2)
    host.wait_for("sleep is gone", lambda: host.run("pgrep", "-fx", "sleep 4711", check=False).returncode == 1)


def test_a_command_runs_as_any_user_in_a_fresh_environment(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEAKED", "yes")
    assert host.run("id", "-un").stdout == "root\n"
    assert host.run("id", "-un", user="nobody").stdout == "nobody\n"
    assert host.run("id", "-Gn", user="toru").stdout.split() == ["toru", "systemd-journal"]
    assert "LEAKED" not in host.run("env").stdout


def test_signals_reach_the_command(host: Host) -> None:
    program = "trap 'echo got it; exit 7' USR1; echo ready; while :; do sleep 0.05; done"
    with host.popen("sh", "-c", program, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGUSR1)
        assert process.communicate(timeout=10)[0] == "got it\n"
        assert process.returncode == 7


def test_what_is_put_is_there(host: Host) -> None:
    file = "/srv/some where/file"
    host.put(file, "grüße $HOME\n")
    assert host.read(file) == "grüße $HOME\n"
    assert host.run("stat", "-c", "%a %U", file).stdout == "644 root\n"
    every_byte = bytes(range(256))
    host.put(file, every_byte, 0o750)
    assert host.run("sha256sum", file).stdout.split()[0] == hashlib.sha256(every_byte).hexdigest()
    assert host.run("stat", "-c", "%a", file).stdout == "750\n"
    host.run("ln", "-s", file, "/srv/link")
    host.put("/srv/link", "in place of the link")
    assert host.read("/srv/link") == "in place of the link"
    host.run("rm", "-r", "/srv/link", "/srv/some where")


def test_the_journal_has_what_was_logged_before_the_call(host: Host) -> None:
    before = host.cursor()
    host.run("systemd-cat", "--identifier=toru-test", "echo", "first")
    after_first = host.cursor()
    host.run("systemd-cat", "--identifier=toru-test", "printf", "not UTF-8: \\377")
    messages = [entry["MESSAGE"] for entry in host.journal("SYSLOG_IDENTIFIER=toru-test", since_cursor=before)]
    assert messages == ["first", "not UTF-8: \ufffd"]
    assert len(host.journal("SYSLOG_IDENTIFIER=toru-test", since_cursor=after_first)) == 1
    assert host.journal("SYSLOG_IDENTIFIER=nobody-logs-as-this") == []


def test_waiting_ends_with_the_fact_or_the_deadline(host: Host) -> None:
    begun = time.monotonic()
    assert host.wait_for("now", lambda: "found") == "found"
    with pytest.raises(TooLate, match=rf"never: not within 0.2 s on {host.name}"):
        host.wait_for("never", lambda: False, 0.2)
    assert time.monotonic() - begun < 5


def test_files_and_logs_survive_a_reboot_and_run_does_not(host: Host) -> None:
    for path in ("/etc/toru-kept", "/var/lib/toru-kept", "/run/toru-gone"):
        host.put(path, "x")
    machine = host.read("/etc/machine-id")
    boot = host.read("/proc/sys/kernel/random/boot_id")
    host.run("systemd-cat", "--identifier=toru-before", "echo", "still here")
    host.reboot()
    assert host.read("/proc/sys/kernel/random/boot_id") != boot
    assert host.read("/etc/machine-id") == machine
    assert host.show("multi-user.target", "ActiveState") == {"ActiveState": "active"}
    assert host.read("/etc/toru-kept") + host.read("/var/lib/toru-kept") == "xx"
    assert host.run("test", "-e", "/run/toru-gone", check=False).returncode == 1
    assert [entry["MESSAGE"] for entry in host.journal("SYSLOG_IDENTIFIER=toru-before")] == ["still here"]
    host.run("rm", "/etc/toru-kept", "/var/lib/toru-kept")


@pytest.mark.parametrize("unit", ["toru.socket", "toru-plugins.service", "toru-scan.path"])
def test_toru_is_installed_enabled_and_started(host: Host, unit: str) -> None:
    assert host.show(unit, "LoadState", "UnitFileState", "ActiveState") == {
        "LoadState": "loaded",
        "UnitFileState": "enabled",
        "ActiveState": "active",
    }


def test_nothing_stands_between_a_command_and_whoever_runs_it(host: Host) -> None:
    """A daemon would, and each command would take several times as long: `docker exec` goes by two."""
    with host.popen("sleep", "4713") as process:
        try:
            host.wait_for("sleep to descend from here", lambda: any(_descends_from_here(it) for it in _found("4713")))
        finally:
            process.kill()


def _found(argument: str) -> list[Path]:
    """Processes called sleep with this argument, on any host."""
    wanted = f"sleep\0{argument}\0".encode()
    return [process for process in Path("/proc").glob("[0-9]*") if _read(process / "cmdline") == wanted]


def _descends_from_here(process: Path) -> bool:
    parent = re.search(rb"^PPid:\t(\d+)$", _read(process / "status"), re.MULTILINE)
    if parent is None or parent[1] == b"0":
        return False
    return int(parent[1]) == os.getpid() or _descends_from_here(process.with_name(parent[1].decode()))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:
        return b""  # it has ended


def test_a_bare_host_has_what_toru_depends_on_and_no_toru(bare_debian13: Host) -> None:
    assert bare_debian13.systemd_version == 257
    assert bare_debian13.run("systemctl", "is-system-running").stdout == "running\n"
    assert bare_debian13.run("systemctl", "list-unit-files", "--no-legend", "toru*", check=False).stdout == ""
    bare_debian13.run("python3", "-c", "import fastapi, pystemd, sqlmodel, systemd, typer, uvicorn")
