"""What the machine must offer, and what of Toru there is to show."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from toru.trial.options import TrialError

PACKAGE = Path(__file__).resolve().parent.parent

# Program → Debian package. Looked up in PATH.
PROGRAMS = {
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
    "setsid": "util-linux",
    "mount": "mount",
    "systemctl": "systemd",
    "systemd-sysusers": "systemd",
    "systemd-tmpfiles": "systemd",
    "dbus-daemon": "dbus",
}

# File → Debian package. Globs below /usr/lib, since some lie in a directory of the machine's architecture.
FILES = {
    "systemd/systemd": "systemd",
    "polkit-1/polkitd": "polkitd",
    "*/libnss_systemd.so.2": "libnss-systemd",
}

# Sandboxed units see nothing of these (ProtectHome=, PrivateTmp=).
HIDDEN_FROM_UNITS = tuple(map(Path, ("/home", "/root", "/run/user", "/tmp", "/var/tmp")))  # noqa: S108  only named


@dataclass(frozen=True, slots=True)
class Toru:
    """The running Toru, as a trial shows it.

    python     the interpreter's path inside
    package    the package's directory, to be shown below /usr/lib/toru/src; None where Debian's package is installed
    venv       the running virtual environment, to be shown at /usr/lib/toru/venv
    units      the folder with install.sh
    """

    python: str
    package: str | None
    venv: str | None
    units: str | None


def check_machine() -> None:
    """Raise TrialError, in one sentence, when a trial can't work here."""
    if sys.platform != "linux":
        raise TrialError("A trial needs Linux.")
    if os.geteuid() != 0:
        raise TrialError("A trial needs root: try it with sudo.")
    if missing := list(_missing()):
        programs = " and ".join(program for program, _ in missing)
        packages = " ".join(dict.fromkeys(package for _, package in missing))
        raise TrialError(f"A trial needs {programs}, which this machine lacks: apt install {packages}")


def _missing() -> Iterator[tuple[str, str]]:
    for program, package in PROGRAMS.items():
        if shutil.which(program) is None:
            yield program, package
    for pattern, package in FILES.items():
        if next(Path("/usr/lib").glob(pattern), None) is None:
            yield pattern.rpartition("/")[2], package


def running_toru(units: Path | None = None) -> Toru:
    """Say what a trial has to show for the Toru that is running; raise TrialError if it couldn't run inside."""
    if units is None and "dist-packages" in PACKAGE.parts and Path("/usr/bin/toru").exists():
        return Toru(python="/usr/bin/python3", package=None, venv=None, units=None)
    units = (units or PACKAGE.parent / "units").absolute()
    if not (units / "install.sh").exists():
        raise TrialError(f"{units} has no install.sh, so there are no units to try: run Toru from its source tree.")
    interpreter = Path(sys.executable).resolve()
    for hidden in HIDDEN_FROM_UNITS:
        if interpreter.is_relative_to(hidden):
            raise TrialError(
                f"Python is {interpreter}, where the sandboxed units of a trial can't see it: "
                "make the environment with /usr/bin/python3 -m venv."
            )
    for directory in (PACKAGE, Path(sys.prefix)):
        if not open_to_all(directory):
            raise TrialError(f"The units of a trial, which are not root, can't read {directory}: chmod -R go+rX it.")
    if sys.prefix == sys.base_prefix:
        return Toru(python=str(interpreter), package=str(PACKAGE), venv=None, units=str(units))
    venv = str(Path(sys.prefix).resolve())
    return Toru(python="/usr/lib/toru/venv/bin/python3", package=str(PACKAGE), venv=venv, units=str(units))


def open_to_all(directory: Path) -> bool:
    """Say whether any user may list and enter the directory, once there is a way to it."""
    return directory.stat().st_mode & 0o005 == 0o005


def default_plugins() -> Path | None:
    """Return the examples, where this is a source tree in which they were built."""
    built = PACKAGE.parent / "build" / "plugins"
    return built if (PACKAGE.parent / "units").is_dir() and built.is_dir() else None
