"""Commands that belong together, such as `toru kv list` and `toru kv get`."""

from __future__ import annotations

from typing import Literal

import typer

from toru.cli import output


def group(markup: Literal["rich"] | None, about: str) -> typer.Typer:
    """A group to put commands in. Called by itself, it says what it is about and which commands it has."""
    app = typer.Typer(rich_markup_mode=markup)

    @app.callback(invoke_without_command=True, help=about)
    def show(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            output.put(context.get_help())

    return app
