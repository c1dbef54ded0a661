"""Runs a file with `--metadata` in a locked-down transient unit and returns what it printed.

The unit has a user of its own, no network, nothing to write to and five seconds. Its sandbox is in
units/toru-plugin-.service.d and units/profiles/strict.conf, as for plugins.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from toru.admin.units import last_run
from toru.domain.errors import SystemdRefused
from toru.domain.manifest import OUTPUT_LIMIT_BYTES
from toru.domain.state import ServiceFacts, last_end
from toru.domain.units import UnitSpec, command
from toru.systemd.transient import Systemd

TIME_LIMIT = 5.0


class ProbeFailed(Exception):
    """The file did not print its metadata. `lasting`: it will not either next time, unless the file changes."""

    def __init__(self, reason: str, *, lasting: bool = True) -> None:
        super().__init__(reason)
        self.reason = reason
        self.lasting = lasting


def probe(systemd: Systemd, path: Path) -> bytes:
    """What the file prints for `--metadata`, or `ProbeFailed`."""
    # The kernel bounds the output: a write beyond LimitFSIZE ends the program with SIGXFSZ (setrlimit(2)).
    output = os.memfd_create("toru-probe")
    try:
        result = _run(systemd, path, output)
        printed = os.pread(output, OUTPUT_LIMIT_BYTES + 1, 0)
    finally:
        os.close(output)
    if len(printed) > OUTPUT_LIMIT_BYTES:
        raise ProbeFailed(f"it printed more than {OUTPUT_LIMIT_BYTES // 1024} KiB for --metadata")
    if result.result == "timeout":
        raise ProbeFailed(f"it did not end within {TIME_LIMIT:g} seconds of being run with --metadata")
    if result.result == "exit-code" and result.exit_status == 203:
        raise _not_executable(path)
    if (end := last_end(result)) is not None:
        raise ProbeFailed(f"run with --metadata, {end}")
    return printed


def _run(systemd: Systemd, path: Path, output: int) -> ServiceFacts:
    unit = UnitSpec(
        f"toru-probe-{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.service",
        {
            "Description": f"Metadata of {path.name}",
            "Type": "oneshot",
            "ExecStart": [command(path, "--metadata")],
            "DynamicUser": True,
            "StandardOutputFileDescriptor": output,
            # Unless the two are named differently, systemd makes them one, descriptor or not.
            "StandardOutput": "null",
            "StandardError": "journal",
            "LimitFSIZE": OUTPUT_LIMIT_BYTES + 1,
            "LimitFSIZESoft": OUTPUT_LIMIT_BYTES + 1,
            "TimeoutStartUSec": round(TIME_LIMIT * 1_000_000),
            "TimeoutStartFailureMode": "kill",
            "MemoryMax": 512 << 20,
            "TasksMax": 64,
            # How it ended can be read for as long as this connection lives, and then nothing is left of it.
            "AddRef": True,
            "CollectMode": "inactive-or-failed",
        },
    )
    try:
        systemd.wait(systemd.create(unit), TIME_LIMIT + 10)
        return last_run(systemd, unit.name)
    except SystemdRefused as refusal:
        raise ProbeFailed(f"it could not be probed: {refusal}", lasting=False) from refusal


def _not_executable(path: Path) -> ProbeFailed:
    """What keeps a user without any privilege from running this file."""
    if not path.stat().st_mode & 0o001:
        return ProbeFailed(
            "other users may not execute it, and plugins run as users of their own: chmod 755", lasting=False
        )
    with path.open("rb") as file:
        first = file.readline(256)
    if first.startswith(b"#!"):
        interpreter = first[2:].split(maxsplit=1)[:1]
        if interpreter and not Path(os.fsdecode(interpreter[0])).exists():
            # The interpreter may be installed later, without any change of the file.
            return ProbeFailed(f"its interpreter {os.fsdecode(interpreter[0])} is not there", lasting=False)
        if not path.stat().st_mode & 0o004:
            return ProbeFailed("other users may not read it, as its interpreter must: chmod 755", lasting=False)
    elif not first.startswith(b"\x7fELF"):
        return ProbeFailed('it is neither a program nor a script that begins with "#!"')
    return ProbeFailed("it could not be executed", lasting=False)
