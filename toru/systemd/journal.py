"""Reads the journal: what a plugin wrote, and what systemd wrote about its unit."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self

from systemd import journal

from toru.domain.errors import BadCursor
from toru.domain.ids import PluginId
from toru.systemd.fields import priority, sought, text


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One journal entry of a plugin."""

    plugin_id: PluginId
    """Whose unit it came from, by the journal's own witness."""
    at: datetime
    priority: int
    message: str
    of_systemd: bool
    """Written by systemd about the unit, not by the plugin."""
    pid: int | None
    invocation_id: str
    cursor: str


def follow(
    plugin_id: PluginId, *, after: str | None = None, invocation_id: str | None = None
) -> Iterator[LogLine | None]:
    """Every line after this cursor, or from now on, as it is written; None, whenever nothing is new for a second."""
    with PluginJournal(plugin_id, invocation_id=invocation_id) as entries:
        if after is None:
            entries.seek_now()
        else:
            entries.seek_after(after)
        poller = select.poll()
        poller.register(entries.fileno(), entries.events())
        while True:
            while (line := entries.next()) is not None:
                yield line
            if not poller.poll(1000):
                yield None
            entries.process()


class PluginJournal:
    """The entries of one plugin, and a place among them from which to go either way.

    Its calls read from the disk and may take a while. One at a time: it is not for two threads at once.
    """

    def __init__(self, plugin_id: PluginId, *, invocation_id: str | None = None) -> None:
        self._plugin_id = plugin_id
        self._reader = journal.Reader()
        _match(self._reader, plugin_id, invocation_id)
        self._found: LogLine | None = None
        """What a seek came upon on its way, and is still to be handed out."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        self._reader.close()

    def fileno(self) -> int:
        """Becomes readable when something was written; then call `process`."""
        descriptor: int = self._reader.fileno()
        return descriptor

    def events(self) -> int:
        mask: int = self._reader.get_events()
        return mask

    def process(self) -> None:
        """Takes note of what was written since, and waits for more."""
        self._reader.process()

    def seek_end(self) -> None:
        """To the newest entry, for `previous`."""
        self._reader.seek_tail()

    def seek_start(self) -> None:
        """To the oldest entry, for `next`."""
        self._reader.seek_head()

    def seek_now(self) -> None:
        """For `next`, which then returns what is written from now on.

        By the clock: having sought the tail of a journal that has no entry of this plugin yet, systemd 257 would never
        return one, and 252 would miss the first.
        """
        self._reader.seek_realtime(time.time())

    def seek_time(self, moment: datetime) -> None:
        """Between what is older than this moment and what is not."""
        self._reader.seek_realtime(max(0.0, moment.timestamp()))

    def seek_before(self, cursor: str) -> None:
        """To the entry at this cursor, for `previous`. `BadCursor`, if it is none."""
        self._seek_cursor(cursor)
        # The entry itself, unless it has been vacuumed since: then the next older one that is left.
        if (line := self.previous()) is not None and line.cursor != cursor:
            self._found = line

    def seek_after(self, cursor: str) -> None:
        """To the entry at this cursor, for `next`. `BadCursor`, if it is none."""
        self._seek_cursor(cursor)
        if (line := self.next()) is not None and line.cursor != cursor:
            self._found = line

    def previous(self) -> LogLine | None:
        """The next older entry."""
        return self._taken() or self._line(self._reader.get_previous())

    def next(self) -> LogLine | None:
        """The next newer entry; None if there is none yet."""
        return self._taken() or self._line(self._reader.get_next())

    def skip_back(self, count: int) -> None:
        """Past so many older entries, without reading any of them."""
        if count:
            self._reader._next(-count)  # noqa: SLF001  (get_previous would take the last one apart, too)

    def _taken(self) -> LogLine | None:
        line, self._found = self._found, None
        return line

    def _seek_cursor(self, cursor: str) -> None:
        if not sought(self._reader, cursor):
            raise BadCursor("this cursor is none of the journal's")

    def _line(self, entry: dict[str, Any]) -> LogLine | None:
        if not entry:
            return None
        # A plugin may write entries in journald's own protocol, and so leave out, repeat or misuse every field without
        # an underscore in front.
        of_systemd = entry.get("_PID") == 1
        return LogLine(
            plugin_id=self._plugin_id,
            at=entry["__REALTIME_TIMESTAMP"].astimezone(UTC),
            priority=priority(entry.get("PRIORITY")),
            message=text(entry.get("MESSAGE", "")),
            of_systemd=of_systemd,
            pid=None if of_systemd else entry.get("_PID"),
            invocation_id=text(entry.get("INVOCATION_ID" if of_systemd else "_SYSTEMD_INVOCATION_ID", "")),
            cursor=entry["__CURSOR"],
        )


def _match(reader: Any, plugin_id: PluginId, invocation_id: str | None) -> None:
    """What the plugin's processes wrote, and what systemd wrote of its units (process 1: nobody else can be that)."""
    sources: list[tuple[dict[str, str], str]] = [({"_SYSTEMD_UNIT": plugin_id.service}, "_SYSTEMD_INVOCATION_ID")]
    sources += [({"UNIT": unit, "_PID": "1"}, "INVOCATION_ID") for unit in (plugin_id.service, plugin_id.socket)]
    for number, (source, run) in enumerate(sources):
        if number:
            reader.add_disjunction()
        reader.add_match(**source)
        if invocation_id is not None:
            reader.add_match(**{run: invocation_id})
