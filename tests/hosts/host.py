"""What the tests can do with a host: a Debian with systemd, Toru installed as its package would."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from subprocess import CompletedProcess, Popen
from typing import Any, TypeVar

T = TypeVar("T")

# Makes the directory, and a new file in place of whatever was there, a running program or a link too.
_PUT = """\
set -e
umask 022
mkdir -p -- "$(dirname -- "$1")"
rm -f -- "$1"
base64 -d > "$1"
chmod "$2" -- "$1"
"""


class CommandFailed(subprocess.CalledProcessError):
    """A command on a host ended badly. Unlike its parent it tells what the command said."""

    def __str__(self) -> str:
        said = "\n".join(filter(None, (self.stdout.strip(), self.stderr.strip())))
        return f"{super().__str__()}\n{said}"


class TooLate(AssertionError):
    """Something didn't come true in time."""


class Host(ABC):
    """A host, as root sees it from a shell.

    `name` is what --host calls it.
    """

    name: str

    @abstractmethod
    def popen(self, *argv: str, user: str | None = None, **options: Any) -> Popen[str]:
        """Start a command there, as subprocess.Popen does, with text streams.

        It runs in a fresh environment. Signals reach the command itself.
        """

    @abstractmethod
    def reboot(self) -> None:
        """Do what `systemctl reboot` does, and return when systemd is up again."""

    @abstractmethod
    def stop(self) -> None:
        """End it, and everything in it."""

    @abstractmethod
    def path(self, inner: str) -> Path:
        """Return where a file of the host is seen from outside, until it reboots."""

    # Everything else is commands.

    def run(
        self,
        *argv: str,
        user: str | None = None,
        input: str | None = None,  # noqa: A002  as in subprocess
        timeout: float = 60,
        check: bool = True,
    ) -> CompletedProcess[str]:
        """Run a command there, as subprocess.run does, with its output captured as text."""
        stdin = subprocess.DEVNULL if input is None else subprocess.PIPE
        with self.popen(*argv, user=user, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            try:
                output, errors = process.communicate(input, timeout=timeout)
            except BaseException:
                process.kill()
                raise
        if check and process.returncode != 0:
            raise CommandFailed(process.returncode, list(argv), output, errors)
        return CompletedProcess(list(argv), process.returncode, output, errors)

    def put(self, path: str, content: str | bytes, mode: int = 0o644) -> None:
        """Lay down a file of root's, and its directory where that is missing."""
        data = content if isinstance(content, bytes) else content.encode()
        self.run("sh", "-c", _PUT, "put", path, f"{mode:o}", input=base64.b64encode(data).decode())

    def read(self, path: str) -> str:
        return self.run("cat", "--", path).stdout

    def show(self, unit: str, *properties: str) -> dict[str, str]:
        """Return what `systemctl show` says of a unit: these properties, or all."""
        wanted = [f"--property={','.join(properties)}"] if properties else []
        said = self.run("systemctl", "show", *wanted, "--", unit).stdout
        return {name: value for name, _, value in (line.partition("=") for line in said.splitlines())}

    def journal(self, *matches: str, since_cursor: str | None = None) -> list[dict[str, str]]:
        """Return the journal's entries, oldest first, that match (journalctl(1)) and were written after the cursor.

        Whatever was logged before the call is in it.
        """
        # Not --after-cursor: systemd 252 skips a match as well when the cursor's own entry is none.
        start = [f"--cursor={since_cursor}"] if since_cursor is not None else []
        # --sync: journald writes what it has received so far. --all: fields of any length.
        command = ["journalctl", "--quiet", "--all", "--output=json", *start, *matches]
        said = self.run("sh", "-c", 'journalctl --sync && exec "$@"', "sh", *command).stdout
        entries = [{name: _text(value) for name, value in json.loads(line).items()} for line in said.splitlines()]
        return [entry for entry in entries if entry["__CURSOR"] != since_cursor]

    def cursor(self) -> str:
        """Return the journal's end, for journal(since_cursor=…)."""
        # Not --lines=0 --show-cursor: that skips what comes next (seen on 252).
        last = self.run("sh", "-c", "journalctl --sync && exec journalctl --quiet --lines=1 --output=json").stdout
        return str(json.loads(last)["__CURSOR"])

    def wait_for(self, description: str, predicate: Callable[[], T], timeout: float = 15) -> T:
        """Return the first true thing that the predicate says, or raise TooLate."""
        deadline = time.monotonic() + timeout
        while True:
            asked = time.monotonic()
            if answer := predicate():
                return answer
            if asked > deadline:
                raise TooLate(f"{description}: not within {timeout:g} s on {self.name}")
            time.sleep(0.05)

    @cached_property
    def systemd_version(self) -> int:
        return int(self.run("systemctl", "--version").stdout.split()[1])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


def _text(value: Any) -> str:
    """Undo how journalctl writes a field that isn't UTF-8 (a list of bytes) or that an entry has twice (the last)."""
    if isinstance(value, list) and value and all(isinstance(byte, int) for byte in value):
        return bytes(value).decode(errors="replace")
    return _text(value[-1]) if isinstance(value, list) else str(value)
