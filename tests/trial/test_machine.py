"""What the machine must offer for a trial, and where Toru may lie on it."""

from __future__ import annotations

import shutil
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path

import toru
from tests.trial.conftest import traces
from toru.trial import Trial

Command = Callable[..., subprocess.CompletedProcess[str]]
PACKAGE = Path(toru.__file__).parent


def test_a_program_that_is_missing_is_named_with_its_package(tmp_path: Path, name: str, toru_try: Command) -> None:
    for program in (
        "unshare",
        "setpriv",
        "setsid",
        "mount",
        "umount",
        "systemctl",
        "systemd-sysusers",
        "systemd-tmpfiles",
    ):
        (tmp_path / program).symlink_to(f"/usr/bin/{program}")
    result = toru_try("up", "--name", name, path=str(tmp_path))
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "A trial needs nsenter and dbus-daemon, which this machine lacks: apt install util-linux dbus\n"
    )


def test_root_is_asked_for(trial: Trial) -> None:
    program = "import sys; sys.path.insert(0, '/usr/lib/toru/src'); import toru.trial.__main__ as m; sys.exit(m.main())"
    result = trial.run(["python3", "-I", "-c", program, "up"], user="nobody")
    assert (result.returncode, result.stderr) == (1, "A trial needs root: try it with sudo.\n")


def test_a_python_that_sandboxed_units_can_not_see_is_refused(tmp_path: Path, name: str) -> None:
    python = tmp_path / "python3"
    shutil.copy(Path(sys.executable).resolve(), python)
    up = [str(python), "-m", "toru.trial", "up", "--name", name]
    result = subprocess.run(up, cwd=PACKAGE.parent, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr.count("\n")) == (1, 1)
    assert f"Python is {python}, where the sandboxed units of a trial can't see it" in result.stderr


def test_plugins_that_only_root_can_read_are_refused(tmp_path: Path, name: str, toru_try: Command) -> None:
    tmp_path.chmod(0o700)
    result = toru_try("up", "--name", name, "--plugins", str(tmp_path))
    assert (result.returncode, result.stderr) == (
        1,
        f"Plugins, which are not root, can't read {tmp_path}: chmod go+rx it.\n",
    )


def test_toru_may_lie_where_sandboxed_units_can_not_look(tmp_path: Path, name: str) -> None:
    tmp_path.chmod(0o700)
    shutil.copytree(PACKAGE, tmp_path / "toru", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PACKAGE.parent / "units", tmp_path / "units")
    venv.create(tmp_path / "venv", symlinks=True)
    up = [str(tmp_path / "venv/bin/python3"), "-m", "toru.trial", "up", "--name", name, "--detach"]
    subprocess.run(up, cwd=tmp_path, stdout=subprocess.DEVNULL, check=True)
    program = "import sys; sys.path.insert(0, '/usr/lib/toru/src'); import toru; print(sys.prefix, toru.__file__)"
    result = Trial.find(name).run(
        [
            *("systemd-run", "--quiet", "--wait", "--pipe", "-p", "DynamicUser=yes"),
            *("-p", "ProtectHome=yes", "-p", "PrivateTmp=yes"),
            *("/usr/lib/toru/venv/bin/python3", "-I", "-c", program),
        ]
    )
    assert (result.stdout, result.stderr) == ("/usr/lib/toru/venv /usr/lib/toru/src/toru/__init__.py\n", "")
    Trial.find(name).stop()
    assert traces(name) == []
