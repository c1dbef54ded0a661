"""Logging to the journal: a line an entry, with its level, and its parts where it has any.

systemd reads the level off a prefix (sd-daemon(3)). A record with `extra` fields, an exception or more than one line is
written as a JSON object, which Toru shows with its parts.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TextIO

log = logging.getLogger("toru_plugin")
"""What the SDK itself has to say."""

NOTICE = 25
"""Between info and warning, as syslog(3) has it."""

_LONGEST_TRACE = 16 << 10
# Level of Python, from which on → level of syslog.
_LEVELS = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (NOTICE, 5), (logging.INFO, 6))
_NAMES = {2: "crit", 3: "err", 4: "warning", 5: "notice", 6: "info", 7: "debug"}
_OF_EVERY_RECORD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JournalFormatter(logging.Formatter):
    """`<6>a line`, or `<6>{"level": "info", "message": "a line", …}`."""

    def format(self, record: logging.LogRecord) -> str:
        level = _level(record)
        message = record.getMessage()
        fields = _fields(record)
        trace = self._trace(record)
        if fields or trace or "\n" in message or "\r" in message or message.startswith(("{", "<")):
            said: dict[str, Any] = {"level": _NAMES[level], "message": message, "logger": record.name, **fields}
            if trace:
                said["exception"] = trace[-_LONGEST_TRACE:]
            message = json.dumps(said, ensure_ascii=False, default=str)
        return f"<{level}>{message}"

    def _trace(self, record: logging.LogRecord) -> str:
        parts = [self.formatException(record.exc_info)] if record.exc_info and record.exc_info[0] else []
        if record.stack_info:
            parts.append(self.formatStack(record.stack_info))
        return "\n".join(parts)


if TYPE_CHECKING:
    _StreamHandler = logging.StreamHandler[TextIO]
else:
    _StreamHandler = logging.StreamHandler  # takes no parameter before Python 3.11


class JournalHandler(_StreamHandler):
    """Writes to stdout, which systemd gives to the journal."""

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(sys.stdout if stream is None else stream)
        self.setFormatter(JournalFormatter())


def set_up(level: int = logging.INFO) -> None:
    """For a program that is a plugin: logs go to the journal, or to a person's terminal, and no line waits."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(line_buffering=True)
    root = logging.getLogger()
    logging.addLevelName(NOTICE, "NOTICE")
    if root.handlers:
        return  # the author has set up what he wants
    if "JOURNAL_STREAM" in os.environ:
        root.addHandler(JournalHandler())
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
        root.addHandler(handler)
    root.setLevel(level)


def _level(record: logging.LogRecord) -> int:
    return next((syslog for python, syslog in _LEVELS if record.levelno >= python), 7)


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    return {name: value for name, value in vars(record).items() if name not in _OF_EVERY_RECORD}
