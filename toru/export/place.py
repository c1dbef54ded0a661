"""How far the journal has been written to the files."""

from __future__ import annotations

import os
from pathlib import Path

from toru.systemd.records import newest


class Place:
    """A cursor in a file."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self.cursor: str | None = file.read_text(encoding="ascii", errors="replace")
        except FileNotFoundError:
            # Whoever switches this on will want what comes, also if this program ends before anything does.
            self.cursor = newest()
            if self.cursor is not None:
                self.keep(self.cursor)

    def keep(self, cursor: str) -> None:
        """All entries up to this one are in the files. After a crash or a power cut it is this cursor or the last."""
        self.cursor = cursor
        new = self._file.with_name(f"{self._file.name}.new")  # nobody else writes here
        with new.open("w", encoding="ascii") as file:
            file.write(cursor)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._file)
        directory = os.open(self._file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
