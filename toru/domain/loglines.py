"""What a line says that a plugin wrote: text as it is, or a JSON object with its parts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from toru.domain.levels import priority_of

LONGEST_JSON = 64 * 1024
"""A longer line is shown as text: it isn't worth its memory as parts."""

_TIMES = ("timestamp", "time", "ts")
_LEVELS = ("level", "severity", "lvl")
_MESSAGES = ("message", "msg")
# Whose line it is, the journal says. A line that claims to be another plugin's doesn't even get to say so.
_CLAIMS = frozenset({"plugin", "plugin_id", "plugin_name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line of a plugin, understood."""

    priority: int
    message: str
    timestamp: str | None = None
    """By the plugin's own clock and in its own words."""
    fields: Mapping[str, Any] = field(default_factory=dict)
    """What else a JSON line says."""


def understood(text: str, priority: int) -> Said:
    """The line as it is, or, where it is a JSON object with a message or a level, its parts.

    `priority` is the journal's, and that of a line that names no level.
    """
    said = _object(text)
    if said is None:
        return Said(priority=priority, message=text)
    rest = {name: value for name, value in said.items() if name not in _CLAIMS}
    level = _take(rest, _LEVELS, lambda value: isinstance(value, str) and priority_of(value) is not None)
    message = _take(rest, _MESSAGES, lambda value: isinstance(value, str))
    if level is None and message is None:
        return Said(priority=priority, message=text)
    timestamp = _take(rest, _TIMES, lambda value: isinstance(value, str | int | float) and not isinstance(value, bool))
    found = None if level is None else priority_of(level)
    return Said(
        priority=priority if found is None else found,
        message=text if message is None else message,
        timestamp=None if timestamp is None else str(timestamp),
        fields=rest,
    )


def _object(text: str) -> dict[str, Any] | None:
    """The JSON object that the text is, if it is one that can be said again."""
    if not text.startswith("{") or len(text) > LONGEST_JSON:
        return None
    try:
        said = json.loads(text, parse_constant=_refuse)
        # A lone surrogate can stand in JSON as an escape, and in no UTF-8.
        json.dumps(said, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, dict) else None


def _take(said: dict[str, Any], names: tuple[str, ...], fits: Any) -> Any:
    """The first of these that is there and fits; it is then no longer among the rest."""
    for name in names:
        if name in said and fits(said[name]):
            return said.pop(name)
    return None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
