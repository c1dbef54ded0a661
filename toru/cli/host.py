"""`toru host` and `toru figures`: how the host does, and what plugins used over the last hour.

The core measures both and keeps them in memory, so it takes a core to tell.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, OptionalId

if TYPE_CHECKING:
    from toru.domain.ids import PluginId


def host(*, as_json: AsJson = False) -> None:
    """The host at a glance: processors, memory, disks, and what all plugins use together."""
    from toru.cli import api, words

    document = api.ask("GET", "/api/host")
    if as_json:
        output.put_json(document)
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(tables.pairs(words.host_facts(document), {"host": "bold"}))
    else:
        for name, said in words.host_facts(document):
            output.put_fields(name, said)


def figures(
    plugin_id: OptionalId = None,
    *,
    count: Annotated[
        int | None, typer.Option("--lines", "-n", min=0, help="How many of the newest. Default: the last hour.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """What a plugin, or all of them together, used over the last hour, oldest first.

    In a pipe, a line every 15 seconds, parted by tabs: time, memory in bytes, tasks, percent of a processor, requests a
    second, errors a second, restarts. With --json, columns.
    """
    from toru.cli import way

    columns = _columns(None if plugin_id is None else way.checked_id(plugin_id))
    if count is not None:
        columns = {name: values[len(values) - min(count, len(values)) :] for name, values in columns.items()}
    if as_json:
        output.put_json(columns)
        return
    lines = list(zip(*columns.values(), strict=True))
    if output.people_watch():
        from toru.cli import listings, words

        output.put_rich(listings.figures([words.figure_cells(*line) for line in lines]))
    else:
        for at, *measured in lines:
            when = datetime.fromtimestamp(at).astimezone().isoformat(timespec="milliseconds")
            output.put_fields(when, *(None if it is None else f"{it:.15g}" for it in measured))


def _columns(plugin_id: PluginId | None) -> dict[str, list[Any]]:
    """The times first."""
    from toru.cli import api
    from toru.cli.by_core import ask_of

    columns: dict[str, list[Any]] = (
        api.ask("GET", "/api/figures") if plugin_id is None else ask_of(plugin_id, "/figures")
    )
    return columns
