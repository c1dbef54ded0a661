"""The commands, as a table for Typer."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

import typer

from toru import __version__
from toru.cli import (
    backups,
    check,
    completion,
    config,
    doctor,
    events,
    host,
    imports,
    kv,
    logs,
    new,
    output,
    plugins,
    runs,
    sandbox,
    sessions,
    tokens,
    trial,
    users,
    wishes,
)
from toru.cli.refusals import WrongUsage

# Typer doesn't name the click that it uses, its own or the host's. This is UsageError in either.
UsageError: Any = typer.BadParameter.__mro__[1]


def run() -> int:
    """Run the command that the arguments name, and return its exit status; `WrongUsage` if they name none."""
    try:
        status = _commands()(prog_name="toru", standalone_mode=False)
    except UsageError as error:
        command = error.ctx.command_path if error.ctx else "toru"
        raise WrongUsage(f"{error.format_message()} (see {command} --help)") from error
    return status if isinstance(status, int) else 0


def tree() -> Any:
    """Every command with its options and arguments, as click has them."""
    return typer.main.get_command(_commands())


def _commands() -> typer.Typer:
    # Panels and colours are for people; a pipe gets plain text.
    markup: Literal["rich"] | None = "rich" if os.isatty(1) else None
    app = typer.Typer(
        rich_markup_mode=markup,
        add_completion=False,  # `completion` does that without a start of the program at each key press
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_toru)
    panels: Mapping[str, Mapping[str, Callable[..., None]]] = {
        "Plugins": {
            "list": plugins.list_,
            "status": plugins.status,
            "enable": wishes.enable,
            "disable": wishes.disable,
            "restart": wishes.restart,
            "pause": wishes.pause,
            "resume": wishes.resume,
            "retry": wishes.retry,
            "why": plugins.why,
            "runs": runs.runs,
            "logs": logs.logs,
            "events": events.events,
            "figures": host.figures,
            "sandbox": sandbox.sandbox,
        },
        "Your own plugin": {"new": new.new, "check": check.check},
        "This host": {
            "doctor": doctor.doctor,
            "host": host.host,
            "backup": backups.backup,
            "restore": backups.restore,
            "import": imports.import_,
            "serve": _serve,
            "completion": completion.completion,
        },
    }
    for panel, named in panels.items():
        for name, function in named.items():
            app.command(name, rich_help_panel=panel)(function)
    app.add_typer(kv.commands(markup), name="kv", rich_help_panel="Plugins")
    app.add_typer(tokens.commands(markup), name="token", rich_help_panel="This host")
    app.add_typer(sessions.commands(markup), name="session", rich_help_panel="This host")
    app.add_typer(users.commands(markup), name="user", rich_help_panel="This host")
    app.add_typer(config.commands(markup), name="config", rich_help_panel="This host")
    app.add_typer(trial.commands(markup), name="try", rich_help_panel="This host")
    return app


def _show_version(wanted: bool) -> None:  # noqa: FBT001  (as Typer calls it)
    if wanted:
        output.put(f"toru {__version__}")
        raise typer.Exit


def _toru(
    context: typer.Context,
    *,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Programs as plugins of this host, supervised by systemd."""
    if context.invoked_subcommand is None:
        output.put(context.get_help())


def _serve(
    *,
    worker: Annotated[
        str | None, typer.Option(metavar="NAME", help="Be a worker of the core, as toru-worker@NAME.service is.")
    ] = None,
    export: Annotated[
        bool, typer.Option("--export", help="Write what plugins log to files instead, as toru-export.service does.")
    ] = False,
) -> None:
    """Run the core, as toru.service does: it watches the plugins and paces their restarts.

    This is what toru.service does.
    """
    if export and worker is not None:
        raise WrongUsage("--worker and --export are two different things to do")
    if export:
        from toru.export.exporting import main as export_logs

        export_logs()
    elif worker is not None:
        from toru.workers.process import main as be_worker

        be_worker(worker)
    else:
        from toru.serve import main

        main()
