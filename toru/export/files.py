"""The files: appended to, and set aside by size as NAME.1, NAME.2 … with higher numbers for what is older.

A file is opened for each append, by its name. So whoever renames one has it to himself from the next append on, and
nothing has to be told to this program.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from toru.domain.policy import ExportPolicy
from toru.export.lines import cursor_of

LONGEST_END = 1 << 20
"""Bytes at a file's end that hold its last line for sure: journald's library gives 64 KiB of a message."""

_OURS = re.compile(r"[A-Za-z0-9-]{1,64}\.log(?:\.(?P<number>[0-9]{1,3}))?")


class LogFile:
    """One of them, with those that were set aside. OSError with the file's name, where the disk won't."""

    def __init__(self, path: Path, policy: ExportPolicy) -> None:
        self.path = path
        self._policy = policy
        self._is_whole = False
        """It ends where a line does: the last program to write to it may have been killed."""
        self._is_synced = True

    def touch(self) -> None:
        """Makes it, so that there is something to watch, or to find out that it can't be made."""
        with self._opened():
            pass

    def append(self, lines: Sequence[bytes]) -> None:
        rest = list(lines)
        while rest:
            with self._opened() as descriptor:
                size = os.fstat(descriptor).st_size
                if not self._is_whole:
                    rest = self._mended(descriptor, size, rest)
                    size = os.fstat(descriptor).st_size
                room = self._policy.max_file - size
                count = _fitting(rest, room)
                if count == 0 and size == 0:
                    count = 1  # longer than a whole file may be, and all the same not to be lost
                self._is_synced &= count == 0
                _write(descriptor, b"".join(rest[:count]))
            rest = rest[count:]
            if rest:
                self._set_aside()

    def last_cursors(self) -> set[str]:
        """Of the last whole line of the file and of each that it was set aside as, by whomever."""
        found = {_last_cursor(path) for path in self.path.parent.glob(f"{self.path.name}*")}
        return {cursor for cursor in found if cursor is not None}

    def sync(self) -> None:
        """To the disk, if it isn't there."""
        if self._is_synced:
            return
        with _named(self.path), suppress(FileNotFoundError):  # somebody has taken it away, and has it now
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            try:
                os.fdatasync(descriptor)
            finally:
                os.close(descriptor)
        self._is_synced = True

    def _mended(self, descriptor: int, size: int, lines: list[bytes]) -> list[bytes]:
        """Ends a line that was broken off, and returns the others. An agent may have read its beginning already.

        What is no beginning of the next line, nobody can end: that goes.
        """
        end = os.pread(descriptor, LONGEST_END, max(0, size - LONGEST_END))
        fragment = end[end.rfind(b"\n") + 1 :]
        if fragment and lines[0].startswith(fragment):
            _write(descriptor, lines.pop(0)[len(fragment) :])
        elif fragment:
            os.ftruncate(descriptor, size - len(fragment))
        self._is_whole, self._is_synced = True, not fragment
        return lines

    def _set_aside(self) -> None:
        self.sync()
        with _named(self.path):
            for number in range(self._policy.keep, 0, -1):
                # Where a number is missing, whoever was here before was killed on the way: nothing is lost by that.
                with suppress(FileNotFoundError):
                    self._aside(number - 1).rename(self._aside(number))

    def _aside(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path

    @contextmanager
    def _opened(self) -> Iterator[int]:
        with _named(self.path):
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.path, flags, 0o640)
            try:
                yield descriptor
            finally:
                os.close(descriptor)


def remove_old(directory: Path, policy: ExportPolicy, *, now: float) -> None:
    """Files that nobody has written to for long, and those set aside beyond what is to be kept. No other files."""
    with _named(directory):
        for path in directory.iterdir():
            if (ours := _OURS.fullmatch(path.name)) is None:
                continue
            with suppress(FileNotFoundError):
                too_many = int(ours["number"] or 0) > policy.keep
                if too_many or path.lstat().st_mtime < now - policy.keep_days * 86_400:
                    path.unlink()


def _fitting(lines: Sequence[bytes], room: int) -> int:
    """How many of the lines fit there."""
    for count, line in enumerate(lines):
        room -= len(line)
        if room < 0:
            return count
    return len(lines)


def _write(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def _last_cursor(path: Path) -> str | None:
    with _named(path), suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - LONGEST_END))
        for line in reversed(file.read().split(b"\n")[:-1]):
            if (cursor := cursor_of(line)) is not None:
                return cursor
    return None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """An error says of which file it is. The system says so of opening it only."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
