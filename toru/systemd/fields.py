"""Entries of the journal as python3-systemd gives them: what stands in their fields, and their places."""

from __future__ import annotations

from typing import Any

from toru.domain.errors import InvalidId
from toru.domain.ids import PluginId
from toru.domain.levels import DEBUG, INFO


def sought(reader: Any, cursor: str) -> bool:
    """Whether this is the place of an entry, if only of one that has been vacuumed since: then the reader is there."""
    try:
        reader.seek_cursor(cursor)
    except (OSError, ValueError):  # ValueError: a NUL in it
        return False
    return True


def text(value: Any) -> str:
    value = _one(value)
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def priority(value: Any) -> int:
    value = _one(value)
    return value if isinstance(value, int) and 0 <= value <= DEBUG else INFO


def plugin_named(name: str) -> PluginId | None:
    try:
        return PluginId(name)
    except InvalidId:
        return None


def _one(value: Any) -> Any:
    """Of a field that an entry has several times, the last."""
    return value[-1] if isinstance(value, list) and value else value
