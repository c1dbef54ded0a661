"""A plugin's id, and every name that follows from it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

from toru.domain import places
from toru.domain.errors import InvalidId

_ID = re.compile(r"[A-Za-z0-9-]{1,64}")
_UNIT = re.compile(r"toru-plugin-(?P<id>[A-Za-z0-9-]{1,64})\.(?:service|socket)")

RESERVED = frozenset({"route"})
"""What stands behind /api/plugins/ in the place of an id: in /api/plugins/route/ROUTE/…, the way to every plugin."""

UNIT_PATTERNS = ("toru-plugin-*.service", "toru-plugin-*.socket")


class PluginId(str):
    """An id that can't be wrong: making one from anything else raises `InvalidId`.

    Unit names and paths are derived here and nowhere else, so no other text can become one.
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if not _ID.fullmatch(text):
            raise InvalidId(f"{text[:80]!r} is not a plugin id: 1 to 64 letters, digits and hyphens", id=text[:80])
        return super().__new__(cls, text)

    @classmethod
    def of_unit(cls, unit: str) -> Self | None:
        """The id of the plugin that this unit belongs to, if it is a plugin's."""
        match = _UNIT.fullmatch(unit)
        return cls(match["id"]) if match else None

    @property
    def service(self) -> str:
        return f"toru-plugin-{self}.service"

    @property
    def socket(self) -> str:
        return f"toru-plugin-{self}.socket"

    @property
    def enable_unit(self) -> str:
        return f"toru-enable@{self}.service"

    @property
    def disable_unit(self) -> str:
        return f"toru-disable@{self}.service"

    @property
    def pause_unit(self) -> str:
        return f"toru-pause@{self}.service"

    @property
    def resume_unit(self) -> str:
        return f"toru-resume@{self}.service"

    @property
    def socket_path(self) -> Path:
        """Where systemd listens: the plugin's own socket, or the bell of one that binds for itself."""
        return places.SOCKETS / f"{self}.sock"

    @property
    def private_socket_path(self) -> Path:
        """Where a plugin that binds for itself listens."""
        return places.OWN_RUNTIME / self / "plugin.sock"

    @property
    def log_path(self) -> Path:
        return places.OWN_LOGS / self / "plugin.log"

    @property
    def token_path(self) -> Path:
        return places.TOKENS / self

    @property
    def profile_drop_in(self) -> Path:
        """The link that lays a sandbox profile over the default one, for as long as the plugin is enabled."""
        return places.RUNTIME_UNITS / f"{self.service}.d" / "20-profile.conf"
