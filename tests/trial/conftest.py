"""One trial that tests may look at, and a witness for what a trial leaves on the machine."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from toru.trial import Options, Trial

_numbers = itertools.count()


def new_name() -> str:
    """Return a name that no other run of the tests uses at the same time."""
    return f"test-{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def name() -> Iterator[str]:
    """A name; whatever becomes of its trial, it ends with the test."""
    name = new_name()
    yield name
    Trial(Options(name=name)).stop()


@pytest.fixture(scope="module")
def trial() -> Iterator[Trial]:
    with Trial(Options(name=new_name(), files={"toru/toru.toml": "# laid by the tests\n"})) as trial:
        yield trial


@pytest.fixture
def toru_try() -> Callable[..., subprocess.CompletedProcess[str]]:
    """The command, run to its end."""

    def run(*arguments: str, path: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PATH": path} if path is not None else None
        return subprocess.run(
            command(*arguments), capture_output=True, text=True, timeout=60, check=False, env=environment
        )

    return run


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "toru.trial", *arguments]


def traces(name: str) -> list[str]:
    """What there is of a trial on the machine: processes, mounts, cgroups and files."""
    found = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if name in line]
    for folder, subfolders, _ in os.walk("/sys/fs/cgroup"):  # which forgives what goes away meanwhile
        found += [os.path.join(folder, each) for each in subfolders if each == f"toru-try-{name}"]  # noqa: PTH118
    found += map(str, Path("/run/toru-try").glob(f"*{name}*"))
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == os.getpid():
            continue
        with suppress(FileNotFoundError, ProcessLookupError):
            if "State:\tZ" in (process / "status").read_text():
                continue  # dead, and the machine's init is slow to notice
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if name in words or f"toru-try-{name}" in (process / "cgroup").read_text():
                found.append(f"{process.name} {words}")
    return found
