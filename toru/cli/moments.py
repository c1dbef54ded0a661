"""Moments on the command line: so long from now, or a date and time here."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from toru.cli.refusals import WrongUsage

_SPAN = re.compile(r"(?P<number>[0-9]{1,4}) ?(?P<unit>s|min|h|d)")
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}


def past(option: str, text: str) -> datetime:
    """What `--since` means: so long ago, or that moment."""
    return _moment(option, text, -1)


def coming(option: str, text: str) -> datetime:
    """What `--expires` means: in so long, or that moment."""
    return _moment(option, text, +1)


def _moment(option: str, text: str, direction: int) -> datetime:
    if match := _SPAN.fullmatch(text):
        return datetime.now().astimezone() + direction * timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except (OverflowError, ValueError):
        raise WrongUsage(f'{option} {text!r} is neither like "30min", "2h" or "3d" nor a date and time') from None
