"""Tells systemd and the journal how this process is doing."""

from __future__ import annotations

import os
import sys
from typing import NoReturn

from sdnotify import SystemdNotifier

ERROR, WARNING, NOTICE, INFO, DEBUG = 3, 4, 5, 6, 7
"""Priorities as in syslog(3)."""

LONGEST = 40_000
"""Characters of an entry. What doesn't fit into a datagram would take a memfd, and the core may make none."""


def ready(status: str) -> None:
    SystemdNotifier().notify(f"READY=1\nSTATUS={status}")


def status(text: str) -> None:
    """One line that `systemctl status` shows, and that is read by whoever started this unit."""
    SystemdNotifier().notify(f"STATUS={' '.join(text.split())}")


def stopping(text: str) -> None:
    SystemdNotifier().notify(f"STOPPING=1\nSTATUS={text}")


def still_alive() -> None:
    SystemdNotifier().notify("WATCHDOG=1")


def watchdog_seconds() -> float | None:
    """How often systemd wants a sign of life at the least, if it wants one."""
    usec = os.environ.get("WATCHDOG_USEC", "")
    return int(usec) / 1_000_000 if usec.isdigit() else None


def log(priority: int, message: str, **fields: str) -> None:
    """One journal entry under systemd, else one line on stderr. The fields are for `journalctl TORU_PLUGIN=clock`."""
    if "JOURNAL_STREAM" in os.environ:
        record(priority, message, **fields)
    else:
        sys.stderr.write(f"{message}\n")


def record(priority: int, message: str, **fields: str) -> None:
    """One journal entry, whoever runs this program and wherever: for what must be found again."""
    from systemd import journal  # noqa: PLC0415  (10 ms at each start of a plugin, for who has nothing to say)

    identifier = os.path.basename(sys.argv[0])  # noqa: PTH119  (a Path for one name is slower to import)
    journal.send(message[:LONGEST], PRIORITY=str(priority), SYSLOG_IDENTIFIER=identifier, **fields)


def fail(message: str, *, exit_status: int = 1, **fields: str) -> NoReturn:
    """Says why this program ends, wherever somebody may look, and ends it."""
    log(ERROR, message, **fields)
    status(message)
    raise SystemExit(exit_status)
