"""How urgent a log line is: in syslog's numbers and words, and in the words of logging libraries."""

from __future__ import annotations

LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""syslog's priorities by number (syslog(3))."""

ERROR, WARNING, NOTICE, INFO, DEBUG = 3, 4, 5, 6, 7

# The other words, as logging libraries have them.
_PRIORITIES = {word: number for number, word in enumerate(LEVELS)} | {
    "emergency": 0,
    "panic": 0,
    "fatal": 2,
    "critical": 2,
    "error": ERROR,
    "warn": WARNING,
    "information": INFO,
    "trace": DEBUG,
    "verbose": DEBUG,
}


def priority_of(level: str) -> int | None:
    """The priority that a word or a digit means, in whatever case; None if it means none."""
    if level in {"0", "1", "2", "3", "4", "5", "6", "7"}:
        return int(level)
    return _PRIORITIES.get(level.strip().lower())
