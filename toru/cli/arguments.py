"""What several commands take."""

from __future__ import annotations

from typing import Annotated

import typer

_an_id = typer.Argument(metavar="ID", help="A plugin's id.", show_default=False)

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of text.")]
Id = Annotated[str, _an_id]
OptionalId = Annotated[str | None, _an_id]
Ids = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of plugins.", show_default=False)]
Since = Annotated[
    str | None,
    typer.Option(help='Only what is not older: "30min", "2h", "3d", or a date and time.', show_default=False),
]
Until = Annotated[str | None, typer.Option(help="Only what is older: the same.", show_default=False)]
