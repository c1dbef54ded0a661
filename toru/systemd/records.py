"""Reads what systemd and toru-admin wrote to the journal about plugins, from a place on and as it comes.

Only entries whose writer is beyond doubt: the fields with an underscore come from the kernel, by way of journald. Not
`_SYSTEMD_UNIT` or `_COMM`, which journald looks up in /proc and misses if the process has ended by then.
"""

from __future__ import annotations

from typing import Any

from systemd import id128, journal

from toru.domain.events import OF_SYSTEMD, WISHES, Record
from toru.domain.ids import PluginId
from toru.systemd.fields import plugin_named, sought, text

_FIELDS = (
    *("COMMAND", "EXIT_CODE", "EXIT_STATUS", "INVOCATION_ID", "JOB_TYPE", "N_RESTARTS", "UNIT_RESULT"),
    *("TORU_EVENT", "TORU_REASON"),
)


class Records:
    """The records after a cursor; without one, or where it is none of a journal's, from this moment on.

    Its calls read from the disk, and are for one thread at a time.
    """

    def __init__(self, after: str | None, since: float) -> None:
        self._reader = _reader()
        self._found: dict[str, Any] | None = None
        if after is None or not sought(self._reader, after):
            # By the clock: having sought an end of the journal, systemd 257 would find nothing that comes later.
            self._reader.seek_realtime(since)
            return
        # The entry itself, unless it has been vacuumed since: then the next one that is left.
        entry = self._reader.get_next()
        self._found = entry if entry and entry["__CURSOR"] != after else None

    def fileno(self) -> int:
        """Readable when something was written; then `read`."""
        descriptor: int = self._reader.fileno()
        return descriptor

    def close(self) -> None:
        self._reader.close()

    def read(self, at_most: int) -> tuple[list[Record], str | None, int]:
        """The next records, the place to go on from (None: where it was), and how many entries were looked at."""
        self._reader.process()
        records: list[Record] = []
        cursor: str | None = None
        seen = 0
        while seen < at_most and (entry := self._next()):
            seen += 1
            cursor = entry["__CURSOR"]
            if (record := record_of(entry)) is not None:
                records.append(record)
        return records, cursor, seen

    def _next(self) -> dict[str, Any]:
        if self._found is not None:
            found, self._found = self._found, None
            return found
        entry: dict[str, Any] = self._reader.get_next()
        return entry


def machine_id() -> str:
    """Which journal this is: journals belong to a machine."""
    name: str = id128.get_machine().hex
    return name


def newest() -> str | None:
    """The place of the journal's newest entry, whoever wrote it; None in an empty journal."""
    with journal.Reader() as reader:
        reader.seek_tail()
        entry = reader.get_previous()
    return entry["__CURSOR"] if entry else None


def before(cursor: str, at_most: int) -> list[Record]:
    """The records up to and with this cursor, oldest first."""
    with _reader() as reader:
        if not sought(reader, cursor):
            return []
        entries = []
        entry = reader.get_next()
        if entry and entry["__CURSOR"] == cursor:
            entries.append(entry)
        while len(entries) < at_most and (entry := reader.get_previous()):
            entries.append(entry)
    return [record for entry in reversed(entries) if (record := record_of(entry)) is not None]


def _reader() -> Any:
    reader = journal.Reader()
    reader.add_match(_PID="1")
    for message_id in OF_SYSTEMD:
        reader.add_match(MESSAGE_ID=message_id)
    reader.add_disjunction()
    reader.add_match(_UID="0", SYSLOG_IDENTIFIER="toru-admin")
    for wish in WISHES:
        reader.add_match(TORU_EVENT=wish)
    return reader


def record_of(entry: dict[str, Any]) -> Record | None:
    """The record that an entry is, if it is one. Who wrote it, whoever found it has looked at."""
    of_systemd = entry.get("_PID") == 1
    unit = text(entry.get("UNIT", ""))
    plugin_id = PluginId.of_unit(unit) if of_systemd else plugin_named(text(entry.get("TORU_PLUGIN", "")))
    if plugin_id is None:
        return None
    return Record(
        cursor=entry["__CURSOR"],
        at=entry["__REALTIME_TIMESTAMP"].timestamp(),
        plugin_id=plugin_id,
        of_socket=unit == plugin_id.socket,
        message_id=text(entry.get("MESSAGE_ID", "")).replace("-", "") if of_systemd else "",
        fields={name: text(entry[name]) for name in _FIELDS if name in entry},
    )
