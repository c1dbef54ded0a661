"""Checks of the file, and of what it says when it is run with --metadata."""

from __future__ import annotations

import asyncio
import os
import signal
import stat
import subprocess
from contextlib import suppress
from pathlib import Path

from toru.check.launch import CANNOT_RUN
from toru.check.program import bare_environment, command, how_it_ended
from toru.check.stage import Stage
from toru.check.verdict import Broken
from toru.domain.errors import InvalidManifest
from toru.domain.manifest import OUTPUT_LIMIT_BYTES, parse_manifest

SECONDS = 5.0


async def executable(stage: Stage) -> None:
    """As the scan sees it, and as a user of its own who has nothing but the file."""
    _look_at(_file(stage))


def _look_at(file: Path) -> None:
    mode = file.stat().st_mode
    if not mode & 0o111:
        raise Broken("it is not executable: chmod 755")
    if not mode & stat.S_IXOTH:
        raise Broken("other users may not execute it, and plugins run as users of their own: chmod 755")
    with file.open("rb") as opened:
        first = opened.readline(256)
    if first.startswith(b"#!"):
        interpreter = first[2:].split(maxsplit=1)[:1]
        if not interpreter or not Path(os.fsdecode(interpreter[0])).exists():
            named = os.fsdecode(interpreter[0]) if interpreter else "in its first line"
            raise Broken(f"its interpreter {named} is not there")
        if not mode & stat.S_IROTH:
            raise Broken("other users may not read it, as its interpreter must: chmod 755")
    elif not first.startswith(b"\x7fELF"):
        raise Broken('it is neither a program nor a script that begins with "#!"')


async def ends(stage: Stage) -> None:
    """Runs it as the probe does: with nothing of a plugin's environment, and with a bound to what it may print."""
    file = _file(stage)
    printed, complaints = os.memfd_create("printed"), os.memfd_create("complaints")
    try:
        code = await _run(file, printed, complaints)
        stage.said = os.pread(complaints, 4096, 0).decode(errors="replace").splitlines()
        stage.printed = os.pread(printed, OUTPUT_LIMIT_BYTES + 1, 0)
    finally:
        os.close(printed)
        os.close(complaints)
    if code is None:
        raise Broken(f"it did not end within {SECONDS:g} seconds of being run with --metadata")
    if code == CANNOT_RUN:
        raise Broken("it could not be executed")
    if code != 0 and len(stage.printed) <= OUTPUT_LIMIT_BYTES:
        raise Broken(f"it {how_it_ended(code)}")


async def _run(file: Path, printed: int, complaints: int) -> int | None:
    """Its return code; None: it had to be ended."""
    process = subprocess.Popen(  # noqa: ASYNC220  (it returns as soon as there is a process)
        command(file, "--metadata", largest=OUTPUT_LIMIT_BYTES + 1),
        env=bare_environment(),
        stdin=subprocess.DEVNULL,
        stdout=printed,
        stderr=complaints,
        start_new_session=True,
    )
    pidfd = os.pidfd_open(process.pid)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(pidfd, ended.set)
    try:
        async with asyncio.timeout(SECONDS):
            await ended.wait()
        return process.wait()
    except TimeoutError:
        return None
    finally:
        loop.remove_reader(pidfd)
        os.close(pidfd)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def valid(stage: Stage) -> None:
    try:
        stage.run(parse_manifest(stage.printed))
    except InvalidManifest as invalid:
        said = str(invalid)
        raise Broken(said if said.startswith("invalid") else f"it {said}") from None


def _file(stage: Stage) -> Path:
    assert stage.file is not None  # noqa: S101  (the table of checks says so)
    return stage.file
