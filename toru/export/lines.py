"""What a line for outside agents looks like: a JSON object, all of it ASCII, so that nothing in it ends the line."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from toru.domain.events import Event
from toru.domain.levels import DEBUG, ERROR, WARNING
from toru.domain.loglines import Said, understood
from toru.systemd.sayings import Saying, Speaker


def line_of(saying: Saying, event: Event | None = None) -> bytes:
    """One line, with its end. The same entry makes the same line, whenever it is read."""
    said = Said(priority=saying.priority, message=saying.message)
    if saying.speaker is Speaker.PLUGIN:
        said = understood(saying.message, saying.priority)
    fields = dict(said.fields)
    parts: dict[str, Any] = {
        "timestamp": _moment(saying.at),
        "level": _level(said.priority),
        "plugin": saying.plugin_id,
        "message": said.message,
        "error": fields.pop("error") if isinstance(fields.get("error"), str) else None,
        "fields": fields,
        "event": event and str(event.kind),
        "cause": event and event.cause,
        "details": event and dict(event.details),
        "source": None if saying.speaker is Speaker.PLUGIN else str(saying.speaker),
        "unit": None if saying.speaker is Speaker.PLUGIN else saying.unit,
        "priority": said.priority,
        "pid": saying.pid,
        "invocation_id": saying.invocation_id,
        "plugin_timestamp": said.timestamp,
        "cursor": saying.cursor,
    }
    there = {name: part for name, part in parts.items() if part not in (None, "", {}) or name == "message"}
    return json.dumps(there).encode() + b"\n"


def cursor_of(line: bytes) -> str | None:
    """The cursor in a line that this program wrote; None, if it is none of those."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return None
    cursor = said.get("cursor") if isinstance(said, dict) else None
    return cursor if isinstance(cursor, str) else None


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _level(priority: int) -> str:
    """syslog's eight in the four words that every agent knows."""
    if priority <= ERROR:
        return "error"
    if priority <= WARNING:
        return "warn"
    return "debug" if priority >= DEBUG else "info"
