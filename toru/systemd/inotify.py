"""Says when files change: inotify(7), which Python's library has no words for.

No package, because all that is wanted is "look again": watchfiles wakes a thread every 50 ms, watchdog has two threads
for each directory, and the others in Debian block, or nobody looks after them any more.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import struct
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

# <sys/inotify.h>
_CLOSE_WRITE, _MOVED_FROM, _MOVED_TO, _CREATE, _DELETE = 0x8, 0x40, 0x80, 0x100, 0x200
_ONLYDIR, _ISDIR = 0x0100_0000, 0x4000_0000
_ANYTHING = _CLOSE_WRITE | _MOVED_FROM | _MOVED_TO | _CREATE | _DELETE | _ONLYDIR
_EVENT = struct.Struct("iIII")  # struct inotify_event: watch, mask, cookie, length of the name that follows

_libc = ctypes.CDLL(None, use_errno=True)


async def changes(directories: Sequence[Path]) -> AsyncIterator[None]:
    """Yields at first, and after anything in these directories was written, came or went: look again.

    A directory that is missing is watched from the next change of another one on, so name its parent as well. OSError,
    where the kernel lets nobody watch.
    """
    descriptor = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if descriptor < 0:
        raise OSError(ctypes.get_errno(), "inotify_init1")
    loop = asyncio.get_running_loop()
    something = asyncio.Event()
    loop.add_reader(descriptor, something.set)
    try:
        while True:
            for directory in directories:
                # Again each time, because it may be another one by now. Watching one twice is watching it once.
                _libc.inotify_add_watch(descriptor, os.fsencode(directory), _ANYTHING)
            yield
            while True:
                await something.wait()
                something.clear()
                if _is_news(_read(descriptor)):
                    break
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


def _read(descriptor: int) -> bytes:
    read = b""
    try:
        while True:
            read += os.read(descriptor, 65536)
    except BlockingIOError:
        return read


def _is_news(events: bytes) -> bool:
    """Whether there is anything but files that somebody has begun to write."""
    place = 0
    while place < len(events):
        _, mask, _, length = _EVENT.unpack_from(events, place)
        if mask & _ISDIR or not mask & _CREATE:
            return True
        place += _EVENT.size + length
    return False
