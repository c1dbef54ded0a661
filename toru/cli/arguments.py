"""What several commands take, and the completion of ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer


def _known_ids(incomplete: str) -> Iterator[str]:
    """Ids that begin so. Without the plugins' names: zsh's completion hands such text to eval."""
    from toru.core.overview import read_catalogue

    for plugin in read_catalogue().plugins:
        if plugin.id.startswith(incomplete):
            yield plugin.id


_an_id = typer.Argument(metavar="ID", help="A plugin's id.", autocompletion=_known_ids, show_default=False)

AsJson = Annotated[bool, typer.Option("--json", help="For programs: JSON instead of text.")]
Id = Annotated[str, _an_id]
OptionalId = Annotated[str | None, _an_id]
Ids = Annotated[
    list[str], typer.Argument(metavar="ID…", help="Ids of plugins.", autocompletion=_known_ids, show_default=False)
]
Since = Annotated[
    str | None,
    typer.Option(help='Only what is not older: "30min", "2h", "3d", or a date and time.', show_default=False),
]
Until = Annotated[str | None, typer.Option(help="Only what is older: the same.", show_default=False)]
