"""`toru logs`: what a plugin wrote, and what systemd wrote of its units."""

from __future__ import annotations

import os
import select
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, Id

if TYPE_CHECKING:
    from toru.systemd.journal import LogLine

JOURNALS = ("/var/log/journal/*/system.journal", "/run/log/journal/*/system.journal")


def logs(
    plugin_id: Id,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new line, until Ctrl-C.")] = False,
    count: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the newest lines.")] = 100,
    as_json: AsJson = False,
) -> None:
    """What a plugin wrote, and systemd of it, oldest first.

    In a pipe, one entry a line, parted by tabs: time, level, source, message. With --json, one object a line.
    """
    from toru.cli.look import checked_id, unknown
    from toru.cli.refusals import JournalHidden
    from toru.core.overview import read_catalogue
    from toru.systemd import journal

    checked = checked_id(plugin_id)
    lines = journal.newest(checked, count)
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
        for new in journal.follow(checked, after=lines[-1].cursor if lines else None):
            if new is not None:
                _put(new, as_json=as_json)
            elif _nobody_reads():
                raise SystemExit(output.CLOSED_PIPE)


def journal_is_readable() -> bool:
    """Whether this user may read the system's journal: whoever may not is shown an empty one, without an error."""
    return any(os.access(file, os.R_OK) for pattern in JOURNALS for file in Path("/").glob(pattern.lstrip("/")))


def _put(line: LogLine, *, as_json: bool) -> None:
    from toru.cli import rows

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
