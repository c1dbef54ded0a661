"""Run a command in this tree, as root if so asked, and leave the tree to whom it belongs.

Usage: run.py [--as-root] COMMAND …

Tests and `toru try` start a systemd of their own, which takes root. What root leaves behind (caches, logs, built
examples) must not be in the way of the owner's next command.
"""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

TREE = Path(__file__).resolve().parents[2]

# sudo clears the environment; these mean something to what we run.
KEPT = ("CI", "COLORTERM", "DOCKER_HOST", "FORCE_COLOR", "NO_COLOR", "PYTEST_ADDOPTS", "RUSTUP_HOME")
KEPT_PREFIXES = ("TESTCONTAINERS_", "TORU_")

# Not that of whoever asks: it may lack what only root uses.
ROOTS_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def main(arguments: list[str]) -> int:
    as_root = arguments[0] == "--as-root"
    command = arguments[1:] if as_root else arguments
    if as_root and os.geteuid() != 0:
        become_root(command)
    try:
        return run(command)
    finally:
        if os.geteuid() == 0:
            hand_back()


def become_root(command: list[str]) -> None:
    if shutil.which("sudo") is None:
        sys.exit(f"toru: {Path(command[0]).name} needs root here, and there is no sudo: run make as root.")
    kept = [f"{name}={os.environ[name]}" for name in os.environ if name in KEPT or name.startswith(KEPT_PREFIXES)]
    os.execvp("sudo", ["sudo", "env", *kept, *compilers(), "/usr/bin/python3", __file__, *command])  # noqa: S606 no shell wanted


def compilers() -> list[str]:
    """Settings by which root finds the compilers that this person has: they may lie in the home."""
    found = [str(Path(path).parent) for name in ("cargo", "go") if (path := shutil.which(name)) is not None]
    toolchains = Path.home() / ".rustup"
    rustup = [f"RUSTUP_HOME={toolchains}"] if toolchains.is_dir() and "RUSTUP_HOME" not in os.environ else []
    return [f"PATH={':'.join([ROOTS_PATH, *found])}", *rustup]


def run(command: list[str]) -> int:
    child = subprocess.Popen(command)
    # Ctrl-C reaches the child from the terminal; what is sent to us alone is passed on.
    signal.signal(signal.SIGINT, lambda *_: None)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda received, _: child.send_signal(received))
    status = child.wait()
    return status if status >= 0 else 128 - status


def hand_back() -> None:
    owner = TREE.stat()
    if owner.st_uid != 0:
        # -xdev: a mount that somebody left in the tree is not ours to change.
        chown = ["chown", "--no-dereference", f"{owner.st_uid}:{owner.st_gid}", "{}", "+"]
        subprocess.run(["find", str(TREE), "-xdev", "-user", "0", "-exec", *chown], check=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
