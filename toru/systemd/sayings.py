"""Goes through the whole journal, and finds what plugins wrote, and what systemd and Toru wrote about them.

Without matches: a journal is asked for exact values, and there are as many units as plugins, of which a new one may
come at any time. To pass over an entry of somebody else takes some microseconds.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from systemd import journal

from toru.domain.events import OF_SYSTEMD, WISHES, Record
from toru.domain.ids import PluginId
from toru.systemd.fields import plugin_named, priority, sought, text
from toru.systemd.records import record_of

LOOK_AT_MOST = 20_000
"""Entries that are looked at in one go, where few are of any interest."""

_OURS = re.compile(
    r"toru(?:-(?:worker|enable|disable|pause|resume)@[^/]+|-(?:plugins|scan|rescan|hooks|export))?\.service"
)
"""What Toru itself runs; not hooks and files being probed, which are other people's programs."""

_LASTING = re.compile(r"toru(?:-worker@[^/]+|-hooks|-export)?\.(?:service|socket)")
"""Those whose start and end are worth a word."""


class Speaker(StrEnum):
    PLUGIN = "plugin"
    SYSTEMD = "systemd"
    TORU = "toru"


@dataclass(frozen=True, slots=True, kw_only=True)
class Saying:
    """A journal entry of a plugin or about Toru, by who wrote it beyond doubt."""

    cursor: str
    at: datetime
    speaker: Speaker
    plugin_id: PluginId | None
    """PLUGIN: whose unit it came from; else whom it is about, if it is about one."""
    unit: str
    """SYSTEMD: which unit it is about; else from which it came."""
    priority: int
    message: str
    pid: int | None
    invocation_id: str
    record: Record | None
    """What an event can be told from."""


class Sayings:
    """What is said after a cursor; without one, from this moment on.

    Its calls read from the disk, and are for one thread at a time.
    """

    def __init__(self, after: str | None) -> None:
        self._reader = journal.Reader()
        self._found = False
        """A seek stands on an entry that is still to be handed out."""
        self.lost = False
        """The journal has no such place any more: there may have been more, before what follows."""
        if after is None or not sought(self._reader, after):
            # By the clock: having sought the end of an empty journal, systemd 257 would find nothing that comes later.
            self._reader.seek_realtime(time.time())
            self.lost = after is not None
        elif self._reader._next():  # noqa: SLF001  (get_next would take apart what nobody wants to see)
            self._found = self.lost = self._reader._get_cursor() != after  # noqa: SLF001

    def fileno(self) -> int:
        """Readable when something was written; then `read`."""
        descriptor: int = self._reader.fileno()
        return descriptor

    def close(self) -> None:
        self._reader.close()

    def read(self, at_most: int) -> tuple[list[Saying], str | None, bool]:
        """The next sayings, the place to go on from (None: where it was), and whether there is nothing more by now."""
        self._reader.process()
        said: list[Saying] = []
        for looked_at in range(LOOK_AT_MOST):
            if not self._next():
                return said, self._cursor() if looked_at else None, True
            if (saying := self._look()) is not None:
                said.append(saying)
                if len(said) == at_most:
                    break
        return said, self._cursor(), False

    def _next(self) -> bool:
        if self._found:
            self._found = False
            return True
        return bool(self._reader._next())  # noqa: SLF001  (as above)

    def _cursor(self) -> str:
        cursor: str = self._reader._get_cursor()  # noqa: SLF001  (Reader has no other word for it)
        return cursor

    def _field(self, name: str) -> bytes:
        try:
            value: bytes = self._reader._get(name)  # noqa: SLF001  (as above)
        except KeyError:
            return b""
        return value

    def _look(self) -> Saying | None:
        """What this entry says, if it is any of our business. Only fields with an underscore can be believed."""
        if self._field("_PID") == b"1":
            unit = self._field("UNIT").decode(errors="replace")
            plugin_id = PluginId.of_unit(unit)
            if plugin_id is None and not _LASTING.fullmatch(unit):
                return None
            return self._saying(Speaker.SYSTEMD, plugin_id, unit)
        unit = self._field("_SYSTEMD_UNIT").decode(errors="replace")
        if (plugin_id := PluginId.of_unit(unit)) is not None:
            return self._saying(Speaker.PLUGIN, plugin_id, unit)
        by_hand = self._field("SYSLOG_IDENTIFIER") == b"toru-admin" and self._field("_UID") == b"0"
        if by_hand or _OURS.fullmatch(unit):
            return self._saying(Speaker.TORU, plugin_named(self._field("TORU_PLUGIN").decode(errors="replace")), unit)
        return None

    def _saying(self, speaker: Speaker, plugin_id: PluginId | None, unit: str) -> Saying:
        reader = self._reader
        entry: dict[str, Any] = reader._convert_entry(reader._get_all())  # noqa: SLF001  (as above)
        entry["__CURSOR"] = self._cursor()
        entry["__REALTIME_TIMESTAMP"] = at = datetime.fromtimestamp(reader._get_realtime() / 1e6, UTC)  # noqa: SLF001
        by_systemd = speaker is Speaker.SYSTEMD
        return Saying(
            cursor=entry["__CURSOR"],
            at=at,
            speaker=speaker,
            plugin_id=plugin_id,
            unit=unit,
            priority=priority(entry.get("PRIORITY")),
            message=text(entry.get("MESSAGE", "")),
            pid=None if by_systemd else entry.get("_PID"),
            invocation_id=text(entry.get("INVOCATION_ID" if by_systemd else "_SYSTEMD_INVOCATION_ID", "")),
            record=record_of(entry) if _tells(speaker, entry) else None,
        )


def _tells(speaker: Speaker, entry: dict[str, Any]) -> bool:
    """Whether `Records` would find it."""
    if speaker is Speaker.SYSTEMD:
        return text(entry.get("MESSAGE_ID", "")).replace("-", "") in OF_SYSTEMD
    if speaker is Speaker.TORU:
        by_admin = entry.get("_UID") == 0 and text(entry.get("SYSLOG_IDENTIFIER", "")) == "toru-admin"
        return by_admin and text(entry.get("TORU_EVENT", "")) in WISHES
    return False
