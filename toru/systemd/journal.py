"""Reads the journal: what a plugin wrote, and what systemd wrote about its unit."""

from __future__ import annotations

import select
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from systemd import journal

from toru.domain.ids import PluginId


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One journal entry of a plugin."""

    at: datetime
    priority: int
    message: str
    of_systemd: bool
    """Written by systemd about the unit, not by the plugin."""
    pid: int | None
    invocation_id: str
    cursor: str


def newest(plugin_id: PluginId, count: int, *, invocation_id: str | None = None) -> list[LogLine]:
    """The newest lines, oldest first. Takes as long in a large journal as in a small one."""
    with journal.Reader() as reader:
        _match(reader, plugin_id, invocation_id)
        reader.seek_tail()
        lines: list[LogLine] = []
        while len(lines) < count and (entry := reader.get_previous()):
            lines.append(_line(entry))
    return lines[::-1]


def follow(plugin_id: PluginId, *, after: str | None = None) -> Iterator[LogLine | None]:
    """Every line after this cursor, or from now on, as it is written; None whenever there is nothing new for a second.

    Without a cursor it seeks the present by the clock: seeking the tail of a journal that has no entry of this plugin
    yet, systemd 257 would never return one, and 252 would miss the first.
    """
    with journal.Reader() as reader:
        _match(reader, plugin_id)
        if after is None:
            reader.seek_realtime(time.time())
        else:
            reader.seek_cursor(after)
            reader.get_next()
        poller = select.poll()
        poller.register(reader.fileno(), reader.get_events())
        while True:
            while entry := reader.get_next():
                yield _line(entry)
            if not poller.poll(1000):
                yield None
            reader.process()


def _match(reader: Any, plugin_id: PluginId, invocation_id: str | None = None) -> None:
    """What the plugin's processes wrote, and what systemd wrote of its units (process 1: nobody else can be that)."""
    run = {} if invocation_id is None else {"_SYSTEMD_INVOCATION_ID": invocation_id}
    reader.add_match(_SYSTEMD_UNIT=plugin_id.service, **run)
    run = {} if invocation_id is None else {"INVOCATION_ID": invocation_id}
    for unit in (plugin_id.service, plugin_id.socket):
        reader.add_disjunction()
        reader.add_match(UNIT=unit, _PID="1", **run)


def _line(entry: dict[str, Any]) -> LogLine:
    message = entry.get("MESSAGE", "")
    of_systemd = entry.get("_PID") == 1
    invocation = entry.get("INVOCATION_ID" if of_systemd else "_SYSTEMD_INVOCATION_ID")
    return LogLine(
        at=entry["__REALTIME_TIMESTAMP"].astimezone(UTC),
        priority=entry.get("PRIORITY", 6),
        message=message.decode(errors="replace") if isinstance(message, bytes) else str(message),
        of_systemd=of_systemd,
        pid=None if of_systemd else entry.get("_PID"),
        invocation_id=invocation.hex if invocation is not None else "",
        cursor=entry["__CURSOR"],
    )
