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
from toru.systemd.notify import DEBUG, INFO


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


def newest(
    plugin_id: PluginId,
    count: int,
    *,
    invocation_id: str | None = None,
    since: datetime | None = None,
    most_verbose: int = DEBUG,
) -> list[LogLine]:
    """The newest lines, oldest first. Takes as long in a large journal as in a small one.

    `most_verbose` is the least urgent priority to show (syslog(3): 0 is an emergency, 7 a debug message).
    """
    with journal.Reader() as reader:
        _match(reader, plugin_id, invocation_id, most_verbose)
        reader.seek_tail()
        lines: list[LogLine] = []
        while len(lines) < count and (entry := reader.get_previous()):
            line = _line(entry)
            if since is not None and line.at < since:
                break
            lines.append(line)
    return lines[::-1]


def follow(plugin_id: PluginId, *, after: str | None = None, most_verbose: int = DEBUG) -> Iterator[LogLine | None]:
    """Every line after this cursor, or from now on, as it is written; None whenever there is nothing new for a second.

    Without a cursor it seeks the present by the clock: seeking the tail of a journal that has no entry of this plugin
    yet, systemd 257 would never return one, and 252 would miss the first.
    """
    with journal.Reader() as reader:
        _match(reader, plugin_id, None, most_verbose)
        if after is None:
            reader.seek_realtime(time.time())
        else:
            reader.seek_cursor(after)
            # The entry itself, unless it has been vacuumed since: then the next one that is left.
            if (entry := reader.get_next()) and entry["__CURSOR"] != after:
                yield _line(entry)
        poller = select.poll()
        poller.register(reader.fileno(), reader.get_events())
        while True:
            while entry := reader.get_next():
                yield _line(entry)
            if not poller.poll(1000):
                yield None
            reader.process()


def _match(reader: Any, plugin_id: PluginId, invocation_id: str | None, most_verbose: int) -> None:
    """What the plugin's processes wrote, and what systemd wrote of its units (process 1: nobody else can be that)."""
    sources: list[tuple[dict[str, str], str]] = [({"_SYSTEMD_UNIT": plugin_id.service}, "_SYSTEMD_INVOCATION_ID")]
    sources += [({"UNIT": unit, "_PID": "1"}, "INVOCATION_ID") for unit in (plugin_id.service, plugin_id.socket)]
    for number, (source, run) in enumerate(sources):
        if number:
            reader.add_disjunction()
        reader.add_match(**source)
        if invocation_id is not None:
            reader.add_match(**{run: invocation_id})
        if most_verbose < DEBUG:
            for priority in range(most_verbose + 1):
                reader.add_match(PRIORITY=str(priority))


def _line(entry: dict[str, Any]) -> LogLine:
    # A plugin may write entries in journald's own protocol, and so leave out, repeat or misuse every field without an
    # underscore in front.
    of_systemd = entry.get("_PID") == 1
    return LogLine(
        at=entry["__REALTIME_TIMESTAMP"].astimezone(UTC),
        priority=_priority(_one(entry.get("PRIORITY"))),
        message=_text(_one(entry.get("MESSAGE", ""))),
        of_systemd=of_systemd,
        pid=None if of_systemd else entry.get("_PID"),
        invocation_id=_text(_one(entry.get("INVOCATION_ID" if of_systemd else "_SYSTEMD_INVOCATION_ID", ""))),
        cursor=entry["__CURSOR"],
    )


def _one(value: Any) -> Any:
    return value[-1] if isinstance(value, list) and value else value


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def _priority(value: Any) -> int:
    return value if isinstance(value, int) and 0 <= value <= DEBUG else INFO
