"""Which hooks there are, as far as nobody but root can have put them there."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from toru.domain import places
from toru.domain.hooks import WEBHOOK, Hook, name_fault, webhook_address
from toru.systemd import notify


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    hooks: tuple[Hook, ...]
    refused: tuple[tuple[str, str], ...]
    """Files that are no hooks, each with the reason."""

    @property
    def nothing(self) -> bool:
        """Not even a file that is no hook."""
        return not self.hooks and not self.refused

    def __str__(self) -> str:
        return ", ".join(hook.name for hook in self.hooks) or "no hook"


class HookFiles:
    """Looks for hooks, and says once of each file why it is none."""

    def __init__(self) -> None:
        self._said: set[tuple[str, str]] = set()

    def look(self) -> Found:
        found = look()
        for path, reason in found.refused:
            if (path, reason) not in self._said:
                notify.log(notify.WARNING, f"{path} is no hook, and is not used: {reason}", TORU_FILE=path)
        self._said = set(found.refused)
        return found


def look() -> Found:
    hooks: list[Hook] = []
    refused: list[tuple[str, str]] = []
    for path in _files():
        if (fault := name_fault(path.name) or _program_fault(path)) is None:
            hooks.append(Hook(path.name, path))
        else:
            refused.append((_printable(path), fault))
    if os.path.lexists(places.WEBHOOK_URL):
        if (fault := _address_fault(places.WEBHOOK_URL)) is None:
            hooks.append(WEBHOOK)
        else:
            refused.append((str(places.WEBHOOK_URL), fault))
    return Found(hooks=tuple(hooks), refused=tuple(refused))


def _files() -> list[Path]:
    try:
        return sorted(places.HOOKS.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _program_fault(path: Path) -> str | None:
    if (fault := _fault(path)) is not None:
        return fault
    return None if path.stat().st_mode & 0o111 else "it is not executable: chmod 755"


def _address_fault(path: Path) -> str | None:
    if (fault := _fault(path)) is not None:
        return fault
    if path.stat().st_mode & 0o077:
        return "others than root may read it, and the address may be a secret: chmod 600"
    try:
        webhook_address(path.read_text(encoding="ascii", errors="replace"))
    except (OSError, ValueError) as mistake:
        return f"it {mistake}"
    return None


def _fault(path: Path) -> str | None:
    """What lets somebody else than root decide what is in the file, if anything does."""
    kind = path.lstat().st_mode
    if stat.S_ISLNK(kind):
        return "it is a link, and whoever may change a directory on the way could lay another file there"
    if not stat.S_ISREG(kind):
        return "it is not a file"
    for place in (path, *path.parents):
        status = place.stat()
        if status.st_uid != 0:
            return f"{_printable(place)} does not belong to root"
        if status.st_mode & 0o022:
            return f"others than root may write to {_printable(place)}: chmod go-w"
    return None


def _printable(path: Path) -> str:
    """A path as it may be shown: whatever is not printable, or not UTF-8, as an escape."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in str(path))
