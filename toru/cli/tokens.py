"""`toru token`: API tokens, with which programs get in as a user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from toru.cli import output
from toru.cli.arguments import AsJson
from toru.cli.groups import group
from toru.cli.refusals import WrongUsage

if TYPE_CHECKING:
    from toru.cli.way import Row

User = Annotated[str, typer.Argument(metavar="USER", help="A user's name.", show_default=False)]

ABOUT = """\
API tokens, with which programs get in as a user.

For root and members of toru-admin, while the core is up.
"""


def commands(markup: Literal["rich"] | None) -> typer.Typer:
    """`toru token` and its commands."""
    app = group(markup, ABOUT)
    app.command("add")(add)
    app.command("list")(list_)
    app.command("revoke")(revoke)
    return app


def add(
    user: User,
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.", show_default=False)],
    *,
    scope: Annotated[
        list[str], typer.Option(help="What it is good for: read, use, manage; once for each.", show_default=False)
    ],
    expires: Annotated[
        str | None, typer.Option(help='When it ends: in "90d", "12h", or on a date. Default: never.')
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a token, and show it this once.

    It can do what its user may, within its scopes: read looks, use reaches plugins and their storage, manage changes.
    """
    from toru.cli import api, moments

    ends = None if expires is None else moments.coming("--expires", expires).isoformat()
    row = api.ask("POST", _tokens_of(user), {"name": name, "scopes": _checked(scope), "expires_at": ends})
    if as_json:
        output.put_json(row)
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.done(name, f"is a token of {output.printable(user)}", None), row["token"])
    else:
        output.put_fields(*_fields(row), row["token"])


def list_(
    user: Annotated[str | None, typer.Argument(metavar="USER", help="Whose. Default: everybody's.")] = None,
    *,
    as_json: AsJson = False,
) -> None:
    """The tokens there are, but for the tokens themselves: nobody knows those.

    In a pipe, parted by tabs: number, user, name, scopes, expiry.
    """
    from toru.cli import api

    names = [user] if user is not None else [row["name"] for row in api.ask("GET", "/api/users")]
    rows = [row for name in names for row in api.ask("GET", _tokens_of(name))]
    if as_json:
        output.put_json({"tokens": rows})
    elif output.people_watch():
        from toru.cli import listings

        output.put_rich(listings.tokens([_fields(row) for row in rows]))
    else:
        for row in rows:
            output.put_fields(*_fields(row))


def revoke(
    user: User,
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Its number.", show_default=False)],
    *,
    as_json: AsJson = False,
) -> None:
    """Make a token worth nothing, from now on."""
    from toru.cli import api

    api.ask("DELETE", f"{_tokens_of(user)}/{number}")
    if as_json:
        output.put_json({"id": number, "user": user, "revoked": True})
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.done(str(number), f"of {output.printable(user)} is revoked", None))
    else:
        output.put_fields(number, user, "revoked")


def _tokens_of(user: str) -> str:
    from toru.cli.people import path_of

    return f"{path_of(user)}/tokens"


def _checked(scopes: list[str]) -> list[str]:
    from toru.domain.people import Scope

    for scope in scopes:
        if scope not in set(Scope):
            raise WrongUsage(f"--scope {scope!r} is none of {', '.join(Scope)}")
    return sorted(set(scopes))


def _fields(row: Row) -> tuple[str, str, str, str, str]:
    return str(row["id"]), row["user"], row["name"], ", ".join(row["scopes"]), row["expires_at"] or "never"
