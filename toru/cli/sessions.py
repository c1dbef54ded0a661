"""`toru session`: where users are signed in."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from toru.cli import output
from toru.cli.arguments import AsJson
from toru.cli.groups import group
from toru.cli.refusals import WrongUsage

if TYPE_CHECKING:
    from toru.cli.way import Row

ABOUT = """\
Where users are signed in with a browser.

For root and members of toru-admin, while the core is up. Who asks here has no session: the kernel says who it is.
"""


def commands(markup: Literal["rich"] | None) -> typer.Typer:
    """`toru session` and its commands."""
    app = group(markup, ABOUT)
    app.command("list")(list_)
    app.command("end")(end)
    return app


def list_(
    user: Annotated[str | None, typer.Argument(metavar="USER", help="Whose. Default: everybody's.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """The sessions there are: of each user, the last seen first.

    In a pipe, parted by tabs: number, user, last seen, begin, end, address, browser.
    """
    from toru.cli import api

    names = [user] if user is not None else [row["name"] for row in api.ask("GET", "/api/users")]
    rows = [row for name in names for row in api.ask("GET", _sessions_of(name))]
    if as_json:
        output.put_json({"sessions": rows})
    elif output.people_watch():
        from toru.cli import listings

        now = time.time()
        output.put_rich(listings.sessions([_cells(row, now=now) for row in rows]))
    else:
        for row in rows:
            moments = (_here(row[name]).isoformat(timespec="seconds") for name in ("seen_at", "began_at", "expires_at"))
            output.put_fields(row["id"], row["user"], *moments, row["address"], row["browser"])


def end(
    user: Annotated[str, typer.Argument(metavar="USER", help="A user's name.", show_default=False)],
    number: Annotated[
        int | None, typer.Argument(metavar="NUMBER", min=1, help="The session's number.", show_default=False)
    ] = None,
    *,
    everywhere: Annotated[bool, typer.Option("--all", help="Sign the user out everywhere.")] = False,
    as_json: AsJson = False,
) -> None:
    """Sign a user out, in one place or everywhere.

    Whatever is being read there ends at once. They can sign in again, unless `toru user disable` keeps them out.
    """
    from toru.cli import api

    if (number is not None) == everywhere:
        raise WrongUsage("say which session: its number, or --all")
    if everywhere:
        ended: int = api.ask("DELETE", _sessions_of(user))["ended"]
    else:
        api.ask("DELETE", f"{_sessions_of(user)}/{number}")
        ended = 1
    if as_json:
        output.put_json({"user": user, "ended": ended})
    elif output.people_watch():
        from toru.cli import tables

        sessions = "1 session" if ended == 1 else f"{ended} sessions"
        output.put_rich(tables.done(user, f"is signed out of {sessions}", None))
    else:
        output.put_fields(user, "ended", ended)


def _sessions_of(user: str) -> str:
    from toru.cli.people import path_of

    return f"{path_of(user)}/sessions"


def _here(moment: str) -> datetime:
    return datetime.fromisoformat(moment).astimezone()


def _cells(row: Row, *, now: float) -> tuple[str, str, str, str, str, str]:
    """For people, who see by the day when it ends."""
    from toru.cli import words

    return (
        str(row["id"]),
        row["user"],
        words.at(_here(row["seen_at"]).timestamp(), now=now),
        _here(row["expires_at"]).strftime("%Y-%m-%d"),
        row["address"] or "-",
        row["browser"] or "-",
    )
