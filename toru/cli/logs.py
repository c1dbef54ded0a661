"""`toru logs`: what a plugin wrote, and what systemd wrote of its units."""

from __future__ import annotations

import os
import re
import select
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, Id
from toru.cli.refusals import JournalHidden, WrongUsage
from toru.domain.levels import LEVELS

if TYPE_CHECKING:
    from toru.systemd.journal import LogLine

DEFAULT_LINES = 100
MOST_LINES = 100_000
"""With --since. They are all held in memory, since the journal is read backwards."""

_AGO = re.compile(r"(?P<number>[0-9]{1,4}) ?(?P<unit>s|min|h|d)")
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}

JOURNALS = ("/var/log/journal/*/system.journal", "/run/log/journal/*/system.journal")


def logs(  # noqa: PLR0913  (one for each option)
    plugin_id: Id,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new line, until Ctrl-C.")] = False,
    count: Annotated[
        int | None, typer.Option("--lines", "-n", min=0, help="How many of the newest lines. Default: 100.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help='Only what is not older: "30min", "2h", "3d", or a date and time.')
    ] = None,
    priority: Annotated[
        str | None, typer.Option("--priority", "-p", help='Only what is as urgent: "err", "warning" … as in syslog.')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a plugin wrote, and systemd of it, oldest first.

    In a pipe, one entry a line, parted by tabs: time, level, source, message. With --json, one object a line.
    """
    from toru.cli.look import checked_id, unknown
    from toru.core.overview import read_catalogue
    from toru.systemd import journal

    checked = checked_id(plugin_id)
    oldest = None if since is None else _moment(since, datetime.now().astimezone())
    most_verbose = len(LEVELS) - 1 if priority is None else _number(priority)
    if count is None:
        count = DEFAULT_LINES if oldest is None else MOST_LINES
    lines = journal.newest(checked, count, since=oldest, most_verbose=most_verbose)
    catalogue = read_catalogue()
    if not lines:
        if not journal_is_readable():
            raise JournalHidden("the journal shows you nothing: be root, or a member of the group systemd-journal")
        # The lines of a plugin that is gone are still there; but who was never there has none.
        if checked not in catalogue.by_id:
            raise unknown(checked, catalogue)
    for line in lines:
        _put(line, as_json=as_json)
    if follow:
        for new in journal.follow(checked, after=lines[-1].cursor if lines else None, most_verbose=most_verbose):
            if new is not None:
                _put(new, as_json=as_json)
            elif _nobody_reads():
                raise SystemExit(output.CLOSED_PIPE)


def _moment(text: str, now: datetime) -> datetime:
    """What `--since` means: so long ago, or that day and time of day here."""
    if match := _AGO.fullmatch(text):
        return now - timedelta(**{_UNITS[match["unit"]]: int(match["number"])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise WrongUsage(f'--since {text!r} is neither like "30min", "2h" or "3d" nor a date and time') from None


def _number(text: str) -> int:
    """What `--priority` means."""
    if text in LEVELS:
        return LEVELS.index(text)
    if re.fullmatch("[0-7]", text):
        return int(text)
    raise WrongUsage(f"--priority {text!r} is none of {', '.join(LEVELS)}")


def journal_is_readable() -> bool:
    """Whether this user may read the system's journal: whoever may not is shown an empty one, without an error."""
    return any(os.access(file, os.R_OK) for pattern in JOURNALS for file in Path("/").glob(pattern.lstrip("/")))


def _put(line: LogLine, *, as_json: bool) -> None:
    from toru.core import rows

    if as_json:
        output.put_json(rows.log_row(line), on_one_line=True)
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.log_line(line))
    else:
        from toru.cli import words

        output.put_fields(*words.log_fields(line))


def _nobody_reads() -> bool:
    """Whether stdout is a pipe whose reader went away: while there is nothing to write, no write would tell."""
    poller = select.poll()
    poller.register(sys.stdout, 0)  # POLLERR comes unasked
    return any(event & select.POLLERR for _, event in poller.poll(0))
