"""`toru user`: who may sign in."""

from __future__ import annotations

import os
import sys
from typing import Annotated, Literal

import typer

from toru.cli import output
from toru.cli.arguments import AsJson
from toru.cli.groups import group
from toru.cli.refusals import WrongUsage

Name = Annotated[str, typer.Argument(metavar="NAME", help="A user's name.", show_default=False)]
Generate = Annotated[bool, typer.Option("--generate", help="Make a password up, and show it this once.")]

ABOUT = """\
Who may sign in.

For root and members of toru-admin. While the core is down, for root.
"""


def commands(markup: Literal["rich"] | None) -> typer.Typer:
    """`toru user` and its commands."""
    app = group(markup, ABOUT)
    app.command("add")(add)
    app.command("list")(list_)
    app.command("passwd")(passwd)
    app.command("disable")(disable)
    app.command("enable")(enable)
    app.command("change")(change)
    app.command("delete")(delete)
    return app


def add(
    name: Name,
    *,
    admin: Annotated[bool, typer.Option("--admin", help="May do everything. Default: see and use plugins.")] = False,
    plugin: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A plugin to see; once for each. Default: all of them.")
    ] = None,
    generate: Generate = False,
    as_json: AsJson = False,
) -> None:
    """Let somebody in.

    Asks for the password, or reads it from a pipe.
    """
    from toru.cli import people

    password = _password(name, generate=generate)
    row = people.add(name, password, admin=admin, plugins=plugin)
    _tell(row, "may sign in", password if generate else None, as_json=as_json)


def passwd(name: Name, *, generate: Generate = False, as_json: AsJson = False) -> None:
    """Give somebody another password, which ends their sessions.

    Asks for it, or reads it from a pipe.
    """
    from toru.cli import people

    password = _password(name, generate=generate)
    row = people.change(name, password=password)
    _tell(row, "has another password", password if generate else None, as_json=as_json)


def disable(name: Name, *, as_json: AsJson = False) -> None:
    """Keep somebody out, from now on and until `toru user enable`."""
    from toru.cli import people

    _tell(people.change(name, disabled=True), "is disabled", as_json=as_json)


def enable(name: Name, *, as_json: AsJson = False) -> None:
    """Let somebody in again."""
    from toru.cli import people

    _tell(people.change(name, disabled=False), "may sign in", as_json=as_json)


def change(
    name: Name,
    *,
    role: Annotated[
        str | None, typer.Option(metavar="admin|client", help="What they may do.", show_default=False)
    ] = None,
    plugin: Annotated[
        list[str] | None, typer.Option(metavar="ID", help="A plugin to see; once for each.", show_default=False)
    ] = None,
    all_plugins: Annotated[bool, typer.Option("--all-plugins", help="They see all of them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give somebody another role, or other plugins to see."""
    from toru.cli import people

    if role not in {None, "admin", "client"}:
        raise WrongUsage(f"--role {role!r} is none of admin, client")
    if plugin and all_plugins:
        raise WrongUsage("either --plugin or --all-plugins")
    what: dict[str, object] = {} if role is None else {"role": role}
    if plugin or all_plugins:
        what["plugins"] = None if all_plugins else plugin
    if not what:
        raise WrongUsage("say what to change: --role, --plugin or --all-plugins")
    row = people.change(name, **what)
    _tell(row, f"is {row['role']} and sees {_plugins(row['plugins'])}", as_json=as_json)


def delete(name: Name, *, as_json: AsJson = False) -> None:
    """Remove somebody, with sessions, API tokens and all."""
    from toru.cli import people

    people.delete(name)
    _tell({"name": name, "removed": True}, "is removed", as_json=as_json)


def list_(*, as_json: AsJson = False) -> None:
    """Everybody there is."""
    from toru.cli import people

    rows = people.all_of_them()
    if as_json:
        output.put_json({"users": rows})
        return
    lines = [
        (row["name"], row["role"], "disabled" if row["disabled"] else "active", _plugins(row["plugins"]))
        for row in rows
    ]
    if output.people_watch():
        from toru.cli import listings

        output.put_rich(listings.users(lines))
    else:
        for line in lines:
            output.put_fields(*line)


def _plugins(ids: list[str] | None) -> str:
    return "all plugins" if ids is None else ", ".join(ids) or "no plugins"


def _password(name: str, *, generate: bool) -> str:
    if generate:
        from toru.core.passwords import new_password

        return new_password()
    if not os.isatty(0):
        if password := sys.stdin.readline().rstrip("\r\n"):
            return password
        raise WrongUsage("the password comes from standard input, or from --generate")
    from getpass import getpass

    while True:
        password = getpass(f"New password for {output.printable(name)}: ")
        if getpass("Once more: ") == password:
            return password
        output.complain("these are two different ones")


def _tell(row: dict[str, object], what: str, password: str | None = None, *, as_json: bool) -> None:
    shown = {} if password is None else {"password": password}
    if as_json:
        output.put_json({**row, **shown})
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.done(str(row["name"]), what, None), *shown.values())
    else:
        output.put_fields(row["name"], what, *shown.values())
