"""Plain lists for a terminal: trials, users, sessions, API tokens, runs, figures, what a plugin keeps, settings."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from toru.cli.output import printable

_GAP = 2
"""Blanks between columns."""


def trials(rows: Sequence[tuple[str, str, str]]) -> RenderableType:
    """The trials that run: name, address, plugins."""
    return _listed(("NAME", "ADDRESS", "PLUGINS"), rows, "No trial is running. To have one: toru try up")


def users(rows: Sequence[tuple[str, str, str, str]]) -> RenderableType:
    """Everybody who may sign in: name, role, whether disabled, plugins."""
    nobody = "Nobody may sign in. To let somebody: toru user add NAME --admin"
    return _listed(("NAME", "ROLE", "STATE", "SEES"), rows, nobody, dim=("STATE", "disabled"))


def tokens(rows: Sequence[tuple[str, str, str, str, str]]) -> RenderableType:
    """API tokens: number, user, name, scopes, expiry."""
    none = "There is no API token. To make one: toru token add USER NAME --scope read"
    return _listed(("NUMBER", "USER", "NAME", "SCOPES", "EXPIRES"), rows, none)


def sessions(rows: Sequence[tuple[str, str, str, str, str, str]]) -> RenderableType:
    """Where users are signed in: number, user, when last seen, expiry, address, browser."""
    return _listed(("NUMBER", "USER", "SEEN", "EXPIRES", "ADDRESS", "BROWSER"), rows, "Nobody is signed in.")


def runs(rows: Sequence[tuple[str, str, str, str]]) -> RenderableType:
    """A plugin's runs: since when, how long, how it ended, invocation id."""
    return _listed(("STARTED", "LASTED", "END", "RUN"), rows, "It has not run, as far as the journal goes back.")


def figures(rows: Sequence[tuple[str, ...]]) -> RenderableType:
    """What was used over time: memory, tasks, percent of a processor, requests and errors a second, restarts."""
    titles = ("TIME", "MEMORY", "TASKS", "CPU %", "REQUESTS/S", "ERRORS/S", "RESTARTS")
    return _listed(titles, rows, "Nothing has been measured yet.")


def entries(rows: Sequence[tuple[str, str, str]]) -> RenderableType:
    """What a plugin keeps: key, value, expiry."""
    return _listed(("KEY", "VALUE", "EXPIRES"), rows, "It keeps nothing.")


def settings(rows: Sequence[tuple[str, str, str]]) -> RenderableType:
    """Every setting: key, value, where it was said. What nobody said is dim."""
    return _listed(("KEY", "VALUE", "FROM"), rows, "", dim=("FROM", "default"))


def imported(rows: Sequence[tuple[str, str, str, str, str]], *, dry_run: bool) -> RenderableType:
    """What became of everything: outcome, what, name, how many, why."""
    first = "WOULD BE" if dry_run else "IS"
    return _listed((first, "WHAT", "NAME", "COUNT", "REASON"), rows, "There is nothing to take.")


def _listed(
    titles: Sequence[str], rows: Sequence[Sequence[str]], if_empty: str, *, dim: tuple[str, str] = ("", "")
) -> RenderableType:
    """`dim`: a title, and the word under it that takes a row into the background."""
    if not rows:
        return Text(if_empty, "dim")
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim")
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(printable, row), style="dim" if dim in zip(titles, row, strict=True) else "")
    return table
