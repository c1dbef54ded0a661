"""`toru try`: Toru in a systemd of its own, which leaves nothing behind."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import typer

from toru.cli import output
from toru.cli.arguments import AsJson
from toru.cli.groups import group
from toru.cli.refusals import WrongUsage

# As toru.trial says, which is loaded when it is needed.
_DEFAULT_NAME = "toru"

# As toru.core.first_admin says.
_ADMIN = "admin"

Name = Annotated[str, typer.Option("--name", help="Which trial, where several run.")]

ABOUT = """\
Toru in a private systemd that leaves nothing behind.

Needs root, and Debian's systemd, dbus and polkitd.
"""


def commands(markup: Literal["rich"] | None) -> typer.Typer:
    """`toru try` and its commands."""
    app = group(markup, ABOUT)
    app.command("up")(up)
    app.command("exec", context_settings={"allow_interspersed_args": False})(execute)
    app.command("down")(down)
    app.command("list")(list_)
    return app


def up(  # noqa: PLR0913  (one for each option)
    *,
    name: Name = _DEFAULT_NAME,
    port: Annotated[int | None, typer.Option(help="Of the web address. Default: 3000, or the next one free.")] = None,
    plugins: Annotated[Path | None, typer.Option(help="A plugins directory to show; it is never written to.")] = None,
    settings: Annotated[Path | None, typer.Option(help="To be the trial's /etc/toru/toru.toml.")] = None,
    limits: Annotated[bool, typer.Option("--limits", help="Enforce limits also where only cgroup v1 can.")] = False,
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Return when it is up, and leave it running.")] = False,
    as_json: AsJson = False,
) -> None:
    """Boot a trial and hold it until Ctrl-C.

    With --detach, leave it running until `toru try down`.
    """
    from toru.trial import Options, Trial, commands, default_plugins

    if as_json and not detach:
        raise WrongUsage("--json goes with --detach (see toru try up --help)")
    password = _admins_password()
    files = {"credstore/toru-admin-password": password}
    if settings:
        files["toru/toru.toml"] = settings.read_text(encoding="utf-8")
    options = Options(name=name, port=port, plugins=plugins or default_plugins(), limits=limits, files=files)
    if as_json:
        trial = Trial(options).start(detach=True)
        admin = {"user": _ADMIN, "password": password}
        output.put_json({"name": trial.name, "url": trial.url, "port": trial.port, **admin})
    else:
        commands.up(options, detach=detach, notes={"sign in as": _ADMIN, "password": password})


def _admins_password() -> str:
    """TORU_ADMIN_PASSWORD, or one for the occasion."""
    from toru.core.passwords import check_password, new_password

    if (password := os.environ.get("TORU_ADMIN_PASSWORD")) is None:
        return new_password()
    check_password(password, user=_ADMIN)
    return password


def execute(
    command: Annotated[list[str] | None, typer.Argument(metavar="[COMMAND…]", help="Default: a shell.")] = None,
    *,
    name: Name = _DEFAULT_NAME,
    user: Annotated[str | None, typer.Option(help="One of the trial's users. Default: root.")] = None,
) -> None:
    """Run a command inside a trial, or a shell.

    Its exit status is ours.
    """
    from toru.trial import commands

    commands.execute(name, command or [], user=user)


def down(name: Annotated[str, typer.Argument(help="Which trial.")] = _DEFAULT_NAME, *, as_json: AsJson = False) -> None:
    """End a trial. Nothing of it is left."""
    from toru.trial import commands

    commands.down(name)
    if as_json:
        output.put_json({"name": name, "running": False})


def list_(*, as_json: AsJson = False) -> None:
    """The trials that run."""
    from toru.trial import commands

    records = commands.running()
    if as_json:
        rows = [
            {"name": it.name, "url": _url(it.port), "port": it.port, "plugins": it.plugins, "limits": it.limits}
            for it in records
        ]
        output.put_json({"trials": rows})
    elif output.people_watch():
        from toru.cli import listings

        output.put_rich(listings.trials([(it.name, _url(it.port), it.plugins or "") for it in records]))
    else:
        for it in records:
            output.put_fields(it.name, _url(it.port), it.plugins)


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"
