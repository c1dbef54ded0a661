"""A trial is a machine with Toru: it boots, reboots, runs commands and shows what it should."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import toru
from tests.trial.conftest import command, new_name, traces
from toru.trial import Options, Trial, TrialError

Command = Callable[..., subprocess.CompletedProcess[str]]


def test_it_boots_with_the_units_we_ship_and_nothing_fails(trial: Trial) -> None:
    assert trial.run(["systemctl", "--failed", "--no-legend", "--plain"]).stdout == ""
    assert trial.run(["systemctl", "is-system-running"]).stdout == "running\n"
    active = trial.run(["systemctl", "is-active", "toru.socket", "toru.service", "toru-scan.path", "dbus.service"])
    assert active.stdout.split() == ["active"] * 4


def test_toru_has_its_user_its_directories_and_the_settings_laid_for_it(trial: Trial) -> None:
    assert trial.run(["id", "-nG"], user="toru").stdout == "toru systemd-journal\n"
    assert trial.run(["stat", "-c", "%a %U %G", "/var/lib/toru"]).stdout == "1775 root toru\n"
    assert trial.path("/etc/toru/toru.toml").read_text() == "# laid by the tests\n"
    assert not Path("/etc/toru").exists()


def test_the_web_address_is_held_at_the_port_chosen(trial: Trial) -> None:
    listen = trial.run(["systemctl", "show", "-P", "Listen", "toru.socket"]).stdout.split("\n")
    assert f"127.0.0.1:{trial.port} (Stream)" in listen
    assert "/run/toru/api.sock (Stream)" in listen
    with socket.create_connection(("127.0.0.1", trial.port)):
        pass


def test_commands_get_input_user_and_a_fresh_environment(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVATE", "of the machine")
    assert trial.run(["cat"], input="täst\n").stdout == "täst\n"
    assert trial.run(["id", "-un"], user="nobody").stdout == "nobody\n"
    assert "PRIVATE" not in trial.run(["env"]).stdout
    assert "HOME=/root" in trial.run(["env"]).stdout.splitlines()
    assert trial.run(["cat", "/proc/1/comm"]).stdout == "systemd\n"


def test_the_exit_status_of_a_command_is_that_of_exec(trial: Trial, toru_try: Command) -> None:
    assert trial.run(["sh", "-c", "exit 7"]).returncode == 7
    result = toru_try("exec", "--name", trial.name, "--", "sh", "-c", "echo in $(systemctl is-active dbus); exit 9")
    assert (result.returncode, result.stdout) == (9, "in active\n")


def test_a_command_given_up_dies_inside_too(trial: Trial) -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        trial.run(["sleep", "1234.5"], timeout=0.3)
    assert trial.run(["pgrep", "-f", "sleep 1234.5"]).stdout == ""


def test_plugins_get_users_sandboxes_and_credentials_of_their_own(trial: Trial) -> None:
    result = trial.run(
        [
            *("systemd-run", "--quiet", "--wait", "--pipe", "-p", "DynamicUser=yes", "-p", "ProtectSystem=strict"),
            *(
                "-p",
                "SetCredential=token:secret",
                "-p",
                "PrivateTmp=yes",
                "-p",
                "ProtectHome=yes",
                "-p",
                "StateDirectory=x",
            ),
            *("sh", "-c", 'cat "$CREDENTIALS_DIRECTORY/token"; id -u; touch "$STATE_DIRECTORY/file"; touch /usr/x'),
        ]
    )
    credential, uid = result.stdout.split("secret")[0], int(result.stdout.removeprefix("secret"))
    assert (credential, 61184 <= uid <= 65519) == ("", True)
    assert "Read-only file system" in result.stderr
    assert trial.path("/var/lib/private/x/file").exists()
    assert not Path("/var/lib/private/x").exists()


def test_systemd_in_it_can_move_a_command_into_a_scope(trial: Trial) -> None:
    result = trial.run(["systemd-run", "--quiet", "--scope", "--unit=moved", "cat", "/proc/self/cgroup"])
    assert "0::/system.slice/moved.scope" in result.stdout.splitlines()


def test_polkit_answers(trial: Trial) -> None:
    action = ["--action-id", "org.freedesktop.systemd1.manage-units", "--process", "1"]
    refused = trial.run(["busctl", "call", "org.freedesktop.systemd1", "/org/freedesktop/systemd1",
                         "org.freedesktop.systemd1.Manager", "Reload"], user="nobody")  # fmt: skip
    assert trial.run(["pkcheck", *action]).returncode == 0
    assert refused.returncode == 1
    assert "authentication required" in refused.stderr


def test_the_machines_kernel_is_not_its_to_tune(trial: Trial) -> None:
    before = Path("/proc/sys/kernel/panic").read_text()
    assert trial.run(["sh", "-c", "echo 77 > /proc/sys/kernel/panic"]).returncode != 0
    assert Path("/proc/sys/kernel/panic").read_text() == before


def test_a_reboot_keeps_var_and_etc_and_the_journal_and_forgets_run_and_tmp(trial: Trial) -> None:
    boots, pid = trial.boots, trial.pid
    kept, lost = ["/var/lib/kept", "/etc/kept", "/usr/bin/kept"], ["/run/lost", "/tmp/lost", "/dev/shm/lost"]  # noqa: S108
    trial.run(["touch", *kept, *lost], check=True)
    trial.run(["logger", "before the reboot"], check=True)
    trial.reboot()
    assert (trial.boots, trial.pid != pid) == (boots + 1, True)
    assert trial.run(["ls", *kept, *lost]).stdout.split() == sorted(kept)
    assert "before the reboot" in trial.run(["journalctl", "--boot=-1", "-o", "cat"]).stdout
    assert trial.run(["systemctl", "is-active", "toru.socket"]).stdout == "active\n"


def test_systemctl_reboot_inside_reboots(trial: Trial) -> None:
    boots = trial.boots
    trial.run(["systemctl", "reboot"])
    trial.wait_for_boot(boots + 1)
    assert trial.run(["systemctl", "is-active", "multi-user.target"]).stdout == "active\n"


def test_a_reload_of_systemd_is_no_boot(trial: Trial) -> None:
    boots = trial.boots
    for _ in range(12):  # more than the datagrams that may wait unread
        trial.run(["systemctl", "daemon-reload"], check=True)
    assert (trial.boots, trial.run(["systemctl", "is-active", "dbus"]).stdout) == (boots, "active\n")


def test_a_name_twice_or_not_at_all_is_said_in_a_sentence(trial: Trial, toru_try: Command) -> None:
    for result in (
        toru_try("up", "--name", trial.name),
        toru_try("down", "no-such"),
        toru_try("exec", "--name", "no-such"),
    ):
        assert (result.returncode, result.stderr.count("\n"), "Traceback" in result.stderr) == (1, 1, False)
    assert trial.name in toru_try("list").stdout
    with pytest.raises(TrialError, match="no name for a trial"):
        Options(name="../x")


def test_a_port_that_is_taken_is_refused_when_asked_for(name: str, toru_try: Command) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = toru_try("up", "--name", name, "--port", port)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert f"Port {port} is taken" in result.stderr
    assert traces(name) == []


def test_four_started_at_once_live_side_by_side() -> None:
    trials = [Trial(Options(name=new_name())) for _ in range(4)]
    with ThreadPoolExecutor() as pool:
        try:
            list(pool.map(Trial.start, trials))
            assert len({trial.port for trial in trials}) == 4
            ids = {trial.run(["cat", "/etc/machine-id"]).stdout for trial in trials}
            assert len(ids) == 4
            trials[0].run(["touch", "/var/lib/of-the-first"], check=True)
            assert not trials[1].path("/var/lib/of-the-first").exists()
        finally:
            list(pool.map(Trial.stop, trials))
    assert [traces(trial.name) for trial in trials] == [[]] * 4


def test_up_prints_where_it_is_and_ends_with_a_signal(name: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with subprocess.Popen(
            command("up", "--name", name), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as up:
            assert up.stdout
            lines = [up.stdout.readline() for _ in range(4)]
            assert f"open         {Trial.find(name).url}" in lines[1]
            up.send_signal(number)
            output, errors = up.communicate(timeout=30)
        assert (up.returncode, "nothing of it is left" in output, "Traceback" in errors) == (0, True, False)
        assert traces(name) == []


def test_a_detached_trial_outlives_its_command_until_down(name: str, toru_try: Command) -> None:
    assert toru_try("up", "--name", name, "--detach").returncode == 0
    assert toru_try("exec", "--name", name, "true").returncode == 0
    assert toru_try("down", name).returncode == 0
    assert traces(name) == []


def test_on_a_machine_that_runs_systemd_it_is_a_scope_of_that(trial: Trial) -> None:
    # In a place that the trial sees, wherever this tree lies: a trial has a /tmp of its own.
    tree, compiled = Path(toru.__file__).parents[1], shutil.ignore_patterns("__pycache__")
    for part in ("toru", "units"):
        shutil.copytree(tree / part, trial.path(f"/var/src/{part}"), ignore=compiled)

    def inside(*arguments: str) -> str:
        python = "/usr/lib/toru/venv/bin/python3"
        return trial.run(["env", "PYTHONPATH=/var/src", python, "-m", "toru.trial", *arguments], check=True).stdout

    # The inner one doesn't know of the trials outside, whose network it shares: it takes the port that is ours to give.
    trial.run(["systemctl", "stop", "toru.service", "toru.socket"], check=True)
    inside("up", "--name", "inner", "--port", str(trial.port), "--detach")
    assert trial.run(["systemctl", "show", "-P", "Delegate", "toru-try-inner.scope"]).stdout == "yes\n"
    assert inside("exec", "--name", "inner", "systemctl", "is-active", "multi-user.target") == "active\n"
    # Alone in its cgroup, or its systemd could not hand controllers on.
    processes = trial.path("/sys/fs/cgroup/system.slice/toru-try-inner.scope/toru-try-inner/cgroup.procs")
    assert processes.read_text() == ""
    inside("down", "inner")
    assert trial.run(["systemctl", "is-active", "toru-try-inner.scope"]).stdout == "inactive\n"
    assert not trial.path("/run/toru-try").exists()
    trial.run(["systemctl", "start", "toru.socket", "toru.service"], check=True)
