"""Reads directories that somebody else may be writing to, and may want to lead us out of."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import IO

from toru.moving.roots import Root

IN_MEMORY = 8 << 20
CHUNK = 1 << 20
TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An entry, as it was when it was looked at."""

    path: str
    """From the root on."""
    status: os.stat_result
    link: str | None
    _name: str
    _directory: int

    @property
    def is_directory(self) -> bool:
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        return stat.S_ISREG(self.status.st_mode)

    def open(self) -> int:
        """A descriptor of the file. FileNotFoundError, if there is something else now, or nothing."""
        # O_NONBLOCK: a pipe in its place must not hold us up.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            descriptor = os.open(self._name, flags, dir_fd=self._directory)
        except OSError as error:
            if error.errno in {errno.ELOOP, errno.ENXIO}:  # a link, a socket
                raise FileNotFoundError(self.path) from error
            raise
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise FileNotFoundError(self.path)
        return descriptor


def entries_of(root: Root) -> Iterator[Found]:
    """Everything of ours, each directory before what is in it. What goes meanwhile is left out."""
    top = root.directory.resolve()
    if not top.is_dir():
        return
    for place, directories, files, descriptor in os.fwalk(top, onerror=_unless_gone):
        inside = os.path.relpath(place, top)
        at_top = inside == "."
        names = sorted(name for name in (*directories, *files) if not at_top or root.has(name))
        directories[:] = sorted(set(directories) & set(names))
        for name in names:
            try:
                status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                link = os.readlink(name, dir_fd=descriptor) if stat.S_ISLNK(status.st_mode) else None
            except OSError:
                continue
            path = name if at_top else f"{inside}/{name}"
            yield Found(path=path, status=status, link=link, _name=name, _directory=descriptor)


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        raise error


def held_still(found: Found, scratch: Path) -> tuple[IO[bytes], int, bool]:
    """The content as it was at one moment, its size, and whether it was: somebody may write to it all the time."""
    for attempt in range(TRIES):
        descriptor = found.open()
        with os.fdopen(descriptor, "rb", buffering=0) as file:
            copy: IO[bytes] = SpooledTemporaryFile(IN_MEMORY, dir=str(scratch))  # noqa: SIM115  (the caller's to close)
            before = os.fstat(descriptor)
            size = 0
            while chunk := file.read(CHUNK):
                size += copy.write(chunk)
            after = os.fstat(descriptor)
        was_still = _version(before) == _version(after) and size == after.st_size
        if was_still or attempt == TRIES - 1:
            copy.seek(0)
            return copy, size, was_still
        copy.close()
    raise AssertionError("the last try returns")


def _version(status: os.stat_result) -> tuple[int, int, int]:
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


class Sum:
    """A file that counts what is read from it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self._hash.update(chunk)
        return chunk

    def hexdigest(self) -> str:
        return self._hash.hexdigest()
