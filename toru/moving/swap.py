"""Puts what was laid down in the place of what is there: all of it or nothing.

Renames can't be made together. So what is to be done is written down first, where it survives a power failure, and
Toru's units don't start while it is there: whoever comes next puts back what was before.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from toru.admin.files import write_atomically
from toru.domain import places
from toru.domain.errors import ToruError


class Move(NamedTuple):
    source: Path
    target: Path


class SwapFailed(ToruError):
    """Everything is as it was before."""

    code = "restore-failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    moves: Sequence[Move]
    directories: Sequence[Path]
    """What is laid down and what goes aside lie in these."""
    units: Sequence[str]
    """Those that run, when nothing is under way."""


def carry_out(plan: Plan, *, file: Path = places.RESTORE_PLAN) -> None:
    """All moves, or `SwapFailed`. Whoever is killed in between leaves the plan, for `recover`."""
    os.sync()  # what is renamed must be on the disk before its name is
    file.parent.mkdir(mode=0o700, exist_ok=True)
    write_atomically(file, _as_text(plan), mode=0o600)
    try:
        for move in plan.moves:
            move.source.rename(move.target)
    except BaseException as error:  # Ctrl-C too
        undo(plan)
        _forget(file)
        if not isinstance(error, OSError):
            raise
        raise SwapFailed(
            f"{error.filename2 or error.filename}: {error.strerror}; everything was put back as it was"
        ) from error
    _sync(plan)
    _forget(file)


def recover(*, file: Path = places.RESTORE_PLAN) -> Plan | None:
    """Puts back what was before a swap that was cut off, and returns its plan; None, if none was."""
    try:
        plan = _parsed(file.read_bytes())
    except FileNotFoundError:
        return None
    undo(plan)
    for directory in plan.directories:
        shutil.rmtree(directory, ignore_errors=True)
    _forget(file)
    return plan


def undo(plan: Plan) -> None:
    """Whatever of it has been done is taken back, the last first. May itself be cut off, and done again."""
    for move in reversed(plan.moves):
        if not os.path.lexists(move.target):
            continue
        if os.path.lexists(move.source):
            if not any(move.target.is_relative_to(directory) for directory in plan.directories):
                continue  # it has not been done
            # It went aside, and somebody has made it anew meanwhile: that goes with the directory.
            move.source.rename(move.target.with_name(f".{move.target.name}.{secrets.token_hex(4)}"))
        move.target.rename(move.source)
    _sync(plan)


def _forget(file: Path) -> None:
    file.unlink()
    sync_directory(file.parent)
    with suppress(OSError):
        file.parent.rmdir()


def _sync(plan: Plan) -> None:
    for directory in {path.parent for move in plan.moves for path in move}:
        sync_directory(directory)


def sync_directory(path: Path) -> None:
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _as_text(plan: Plan) -> bytes:
    return json.dumps(
        {
            "moves": [[str(move.source), str(move.target)] for move in plan.moves],
            "directories": [str(directory) for directory in plan.directories],
            "units": list(plan.units),
        },
        indent=2,
    ).encode()


def _parsed(text: bytes) -> Plan:
    said = json.loads(text)
    return Plan(
        moves=[Move(Path(source), Path(target)) for source, target in said["moves"]],
        directories=[Path(directory) for directory in said["directories"]],
        units=said["units"],
    )
