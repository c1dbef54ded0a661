"""A trial leaves nothing on the machine, however it ends."""

from __future__ import annotations

import os
import select
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.trial.conftest import command, traces
from toru.trial import Options, Trial
from toru.trial.registry import Record

Command = Callable[..., subprocess.CompletedProcess[str]]


def wait_for_end(pid: int) -> None:
    """Return when a process that need not be our child has ended."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    try:
        assert select.select([fd], [], [], 20)[0], f"{pid} did not end"
    finally:
        os.close(fd)


def tree(directory: Path) -> dict[str, tuple[int, int, int]]:
    paths = [directory, *directory.rglob("*")]
    return {str(path): (path.stat().st_mode, path.stat().st_uid, path.stat().st_size) for path in paths}


@pytest.fixture
def plugins(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    (tmp_path / "hello.binary").write_text("#!/bin/sh\n")
    return tmp_path


def test_the_end_leaves_nothing(name: str) -> None:
    with Trial(Options(name=name)):
        assert traces(name)
    assert traces(name) == []


def test_poweroff_inside_ends_it_and_leaves_nothing(name: str) -> None:
    trial = Trial(Options(name=name)).start()
    trial.run(["systemctl", "poweroff"])
    trial.wait()
    assert traces(name) == []
    trial.stop()


def test_its_parent_killed_hard_leaves_nothing(name: str, plugins: Path) -> None:
    before = tree(plugins)
    arguments = command("up", "--name", name, "--plugins", str(plugins))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout
        up.stdout.readline()
        keeper = Record.load(name).keeper
        up.kill()
    wait_for_end(keeper)
    assert traces(name) == []
    assert tree(plugins) == before


def test_its_keeper_killed_hard_takes_everything_along_and_the_next_command_sweeps(
    name: str, plugins: Path, toru_try: Command
) -> None:
    before = tree(plugins)
    trial = Trial(Options(name=name, plugins=plugins)).start()
    init, keeper = trial.pid, Record.load(name).keeper
    os.kill(keeper, signal.SIGKILL)
    wait_for_end(keeper)
    wait_for_end(init)
    assert name not in toru_try("list").stdout
    assert traces(name) == []
    assert tree(plugins) == before
    trial.stop()


def test_a_boot_that_fails_says_why_and_leaves_nothing(name: str, tmp_path: Path, toru_try: Command) -> None:
    (tmp_path / "install.sh").write_text("echo the disk is on fire >&2; exit 1")
    with pytest.raises(Exception, match="the disk is on fire"):
        Trial(Options(name=name, units=tmp_path)).start()
    assert traces(name) == []


def test_a_plugins_directory_is_shown_as_it_changes_and_never_written_to(name: str, plugins: Path) -> None:
    before = tree(plugins)
    with Trial(Options(name=name, plugins=plugins)) as trial:
        inside = "/var/lib/toru/plugins"
        assert trial.run(["ls", inside], user="nobody").stdout == "hello.binary\n"
        assert trial.run(["touch", f"{inside}/new"]).returncode != 0
        trial.run(["sh", "-c", f"echo mine > {inside}/.metadata/config.json"], check=True)
        trial.run(["mkfifo", "/run/seen"], check=True)
        watch = ["--unit=seen", f"--path-property=PathChanged={inside}"]
        trial.run(["systemd-run", *watch, "sh", "-c", "echo seen > /run/seen"], check=True)
        (plugins / "late.binary").write_text("#!/bin/sh\n")
        assert trial.run(["timeout", "10", "cat", "/run/seen"]).stdout == "seen\n"
        trial.reboot()
        assert trial.path(f"{inside}/.metadata/config.json").read_text() == "mine\n"
        (plugins / "late.binary").unlink()
    assert tree(plugins) == before


def test_the_metadata_there_is_stays_as_it_is_and_is_seen_inside(name: str, plugins: Path) -> None:
    (plugins / ".metadata").mkdir()
    (plugins / ".metadata" / "config.json").write_text("{}")
    before = tree(plugins)
    with Trial(Options(name=name, plugins=plugins)) as trial:
        config = "/var/lib/toru/plugins/.metadata/config.json"
        assert trial.run(["cat", config]).stdout == "{}"
        trial.run(["sh", "-c", f"echo more > {config}"], check=True)
    assert tree(plugins) == before


def test_two_trials_of_one_directory_do_not_take_it_from_each_other(name: str, plugins: Path) -> None:
    before = tree(plugins)
    with Trial(Options(name=f"{name}-b", plugins=plugins)) as second:
        with Trial(Options(name=name, plugins=plugins)):
            pass
        second.run(["touch", "/var/lib/toru/plugins/.metadata/x"], check=True)
    assert tree(plugins) == before
