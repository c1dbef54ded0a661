"""inotify(7): the kernel says when files change. Python's library has no words for it, so this asks the C library.

No package either, for so little: watchfiles wakes a thread every 50 ms, watchdog has two threads for each directory,
and the others in Debian block, or nobody looks after them any more.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

# <sys/inotify.h>
MODIFIED = 0x2
WRITTEN = 0x8
"""By somebody who has closed it since."""
CAME, WENT = 0x100 | 0x80, 0x200 | 0x40
_IS_DIRECTORY, _DIRECTORIES_ONLY = 0x4000_0000, 0x0100_0000
_CREATED = 0x100

_EVENT = struct.Struct("iIII")  # the watch, what happened, two halves of a renaming, the length of the name behind it
_LARGEST = 64 * 1024


class Inotify:
    """Watches files, and calls back from the event loop when there is something to `read`. OSError, if it may not."""

    def __init__(self, on_something: Callable[[], None]) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._descriptor = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "inotify_init1")
        asyncio.get_running_loop().add_reader(self._descriptor, on_something)

    def close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)

    def watch(self, path: str | Path, what: int) -> int | None:
        """The number of the watch: for one file always the same. None: there is nothing to watch."""
        number: int = self._libc.inotify_add_watch(self._descriptor, os.fsencode(path), what)
        return number if number >= 0 else None

    def forget(self, watch: int) -> None:
        self._libc.inotify_rm_watch(self._descriptor, watch)

    def read(self) -> Iterator[tuple[int, int]]:
        """Everything that happened since the last time: which watch, and what."""
        while True:
            try:
                events = os.read(self._descriptor, _LARGEST)
            except BlockingIOError:
                return
            place = 0
            while place < len(events):
                watch, what, _, length = _EVENT.unpack_from(events, place)
                place += _EVENT.size + length
                yield watch, what


async def changes(directories: Sequence[Path]) -> AsyncIterator[None]:
    """Yields at first, and after anything in these directories was written, came or went: look again.

    A directory that is missing is watched from the next change of another one on, so name its parent as well. A file
    that somebody has only begun to write is no change.
    """
    something = asyncio.Event()
    inotify = Inotify(something.set)
    try:
        while True:
            for directory in directories:
                inotify.watch(directory, WRITTEN | CAME | WENT | _DIRECTORIES_ONLY)  # by now it may be another one
            yield
            while True:
                await something.wait()
                something.clear()
                happened = [what for _, what in inotify.read()]
                if any(what & _IS_DIRECTORY or not what & _CREATED for what in happened):
                    break
    finally:
        inotify.close()
