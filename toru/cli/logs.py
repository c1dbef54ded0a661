"""`toru logs`: what a plugin wrote, and what systemd wrote of its units."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, Id, Since, Until
from toru.cli.refusals import WrongUsage
from toru.domain.levels import DEBUG, LEVELS, priority_of

if TYPE_CHECKING:
    from toru.cli.way import Row

DEFAULT_LINES = 100
MOST_LINES = 100_000
"""With --since. They are all held in memory, since the journal is read backwards."""


def logs(  # noqa: PLR0913  (one for each option)
    plugin_id: Id,
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with each new line, until Ctrl-C.")] = False,
    count: Annotated[
        int | None, typer.Option("--lines", "-n", min=0, help="How many of the newest lines. Default: 100.")
    ] = None,
    since: Since = None,
    until: Until = None,
    priority: Annotated[
        str | None, typer.Option("--priority", "-p", help='Only what is as urgent: "err", "warning" … as in syslog.')
    ] = None,
    text: Annotated[str | None, typer.Option("--grep", "-g", help="Only lines with this text in them.")] = None,
    run: Annotated[
        str | None, typer.Option(help="Only lines of this run: an invocation id, as `toru why` shows it.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a plugin wrote, and systemd of it, oldest first.

    In a pipe, one entry a line, parted by tabs: time, level, source, message. With --json, one object a line.
    """
    from toru.cli import moments, way

    wanted = way.LinesWanted(
        plugin_id=way.checked_id(plugin_id),
        most_verbose=DEBUG if priority is None else _number(priority),
        text=text,
        invocation_id=None if run is None else _invocation_id(run),
        since=None if since is None else moments.past("--since", since),
        until=None if until is None else moments.past("--until", until),
    )
    if follow and until is not None:
        raise WrongUsage("either --follow or --until")
    if count is None:
        count = DEFAULT_LINES if since is None else MOST_LINES
    toru = way.to_toru()
    lines = toru.newest(wanted, count)
    for line in lines:
        _put(line, as_json=as_json)
    if follow:
        for line in toru.follow(wanted, lines[-1]["cursor"] if lines else None, output.end_if_nobody_reads):
            _put(line, as_json=as_json)


def _number(text: str) -> int:
    """What `--priority` means."""
    if (number := priority_of(text)) is not None:
        return number
    raise WrongUsage(f"--priority {text!r} is none of {', '.join(LEVELS)}")


def _invocation_id(text: str) -> str:
    if re.fullmatch("[0-9a-f]{32}", text):
        return text
    raise WrongUsage(f"--run {text!r} is no invocation id: 32 digits from 0 to f")


def _put(line: Row, *, as_json: bool) -> None:
    if as_json:
        output.put_json(line, on_one_line=True)
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.log_line(line))
    else:
        from toru.cli import words

        output.put_fields(*words.log_fields(line))
