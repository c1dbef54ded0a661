"""The socket of a plugin that binds a path of its own, in the directory that systemd made for it.

The directory belongs to the plugin, which may lay a trap: a link to somebody else's socket, for one that trusts us.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_socket(path: Path) -> Iterator[str | None]:
    """A path that means the plugin's socket and nothing else, or None where there is no socket of the plugin's own.

    Opened without following links and named by descriptor, so that it stays the same file, whatever the plugin does.
    """
    try:
        descriptor = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        yield None
        return
    try:
        file = os.fstat(descriptor)
        owner = path.parent.stat().st_uid
        genuine = stat.S_ISSOCK(file.st_mode) and file.st_uid == owner and file.st_nlink == 1
        yield f"/proc/self/fd/{descriptor}" if genuine else None
    finally:
        os.close(descriptor)
