"""Writes that leave the old file or the new one, and locks."""

from __future__ import annotations

import fcntl
import grp
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toru.domain.errors import ToruError


def write_atomically(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """After a crash, a kill or a full disk there is the old file or the new one, never neither and never half."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(temporary, "xb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            os.fchmod(file.fileno(), mode)  # whatever the umask
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    # The rename itself is safe only when the directory is on the disk (rename(2) promises nothing about that).
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


def let_core_in(path: Path | str) -> None:
    """Gives the file to the core's group: it is the group's mode that then decides what the core may."""
    try:
        group = grp.getgrnam("toru").gr_gid
    except KeyError:
        raise ToruError("the group toru is missing: systemd-sysusers toru.conf makes it") from None
    os.chown(path, -1, group)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Waits for its turn. The lock goes with the process, however that ends."""
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # For root's eyes only: whoever may open a file, if only for reading, may hold its lock for ever (flock(2)).
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
