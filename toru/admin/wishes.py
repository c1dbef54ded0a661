"""Keeps `.metadata/config.json`. A file that can't be read switches nobody on or off."""

from __future__ import annotations

import hashlib
from pathlib import Path

from toru.admin.files import write_atomically
from toru.domain import places
from toru.domain.errors import WishesUnreadable
from toru.domain.wishes import Wishes
from toru.systemd import notify


class WishesFile:
    """The file and its last good copy, in one plugins directory. Whoever changes it holds `places.LOCK`."""

    def __init__(self, plugins_dir: Path) -> None:
        self._path = places.wishes_file(plugins_dir)
        self._last_good = places.last_good_wishes_file(plugins_dir)

    def load(self) -> Wishes:
        """What the operator wants; in the place of a corrupt file, what they last wanted, or `WishesUnreadable`."""
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            return Wishes.none()
        try:
            wishes = Wishes.parse(text)
        except ValueError as mistake:
            return self._last_good_instead_of(text, mistake)
        self._remember(text)
        return wishes

    def save(self, wishes: Wishes) -> None:
        self._path.parent.mkdir(mode=0o755, exist_ok=True)
        text = wishes.format()
        write_atomically(self._path, text)
        self._remember(text)

    def _last_good_instead_of(self, text: bytes, mistake: ValueError) -> Wishes:
        aside = self._path.with_name(f"config.json.corrupt-{hashlib.sha256(text).hexdigest()[:8]}")
        if not aside.exists():
            write_atomically(aside, text)
        try:
            wishes = Wishes.parse(self._last_good.read_bytes())
        except (OSError, ValueError):
            raise WishesUnreadable(
                f"{self._path} can't be read: {mistake}. Nothing is switched on or off until it is mended or removed; "
                f"a copy is kept in {aside.name}"
            ) from mistake
        notify.log(
            notify.WARNING,
            f"{self._path} can't be read: {mistake}. It is kept as {aside.name}, and the last good state is put back",
        )
        self.save(wishes)
        return wishes

    def _remember(self, text: bytes) -> None:
        try:
            if self._last_good.read_bytes() == text:
                return
        except OSError:
            pass  # not there yet, or itself unreadable: written anew below
        write_atomically(self._last_good, text)
