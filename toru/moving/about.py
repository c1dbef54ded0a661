"""What a backup says of itself, and whether this release can do anything with it."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from toru import __version__
from toru.domain.errors import ToruError
from toru.store.upgrading import known_revisions, newest_revision

FORMAT = 1

UNCHANGED = "nothing was changed"


class DamagedBackup(ToruError):
    """The file is no backup, or not what it was when it was made."""

    code = "damaged-backup"


class NewerBackup(ToruError):
    """A later release made it."""

    code = "newer-backup"


def about_of(archive: Path, content: bytes) -> dict[str, Any]:
    """What `backup.json` says, or `DamagedBackup` or `NewerBackup`."""
    try:
        about: dict[str, Any] = json.loads(content)
        if about["format"] > FORMAT or _numbers(about["toru"]) > _numbers(__version__):
            raise NewerBackup(
                f"{archive} was made by Toru {about['toru']}, and this is Toru {__version__}, which can't read it: "
                f"install Toru {about['toru']} first; {UNCHANGED}"
            )
        if about["revision"] is not None and about["revision"] not in known_revisions():
            raise NewerBackup(
                f"{archive} has a database of Toru {about['toru']} (revision {about['revision']}), and this is Toru "
                f"{__version__} (revision {newest_revision()}), which can't go back: install Toru {about['toru']} "
                f"first; {UNCHANGED}"
            )
        if not isinstance(about["data"], bool):
            raise ValueError("data")
        for name in ("plugins_dir", "database"):
            # A plain path from the top, such as settings may say it.
            if (path := about[name]) is not None and path != os.path.abspath(path):  # noqa: PTH100  (of a text)
                raise ValueError(name)
        Path(about["plugins_dir"])
    except (KeyError, TypeError, ValueError) as mistake:
        raise damaged(archive, f"its backup.json is not as it should be: {mistake}") from mistake
    return about


def damaged(archive: Path, why: str) -> DamagedBackup:
    return DamagedBackup(f"{archive} is damaged or no backup of Toru: {why}; {UNCHANGED}")


def _numbers(version: str) -> tuple[int, ...]:
    """Of a release: what comes behind a plus sign only says how it was built."""
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("+")[0])[:3])
