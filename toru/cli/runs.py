"""`toru runs`: a plugin's runs, as far back as the journal remembers."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Annotated

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, Id
from toru.cli.refusals import WrongUsage

if TYPE_CHECKING:
    from toru.domain.ids import PluginId

DEFAULT_RUNS = 20


def runs(
    plugin_id: Id,
    run: Annotated[
        str | None,
        typer.Argument(metavar="RUN", help="One of them: its invocation id, as the list shows it.", show_default=False),
    ] = None,
    *,
    count: Annotated[
        int | None, typer.Option("--lines", "-n", min=1, help="How many of the newest. Default: 20.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """How long each run of a plugin lasted, and how it ended.

    The newest comes first. Or one of them, with what it wrote last.

    In a pipe, one a line, parted by tabs: invocation id, start, end, seconds, how it ended.
    """
    from toru.cli import way

    wanted = way.checked_id(plugin_id)
    if run is None:
        _list(wanted, DEFAULT_RUNS if count is None else count, as_json=as_json)
    elif not re.fullmatch("[0-9a-f]{32}", run):
        raise WrongUsage(f"{run!r} is no invocation id: 32 digits from 0 to f")
    elif count is not None:
        raise WrongUsage("either --lines or one run")
    else:
        _show(wanted, run, as_json=as_json)


def _list(plugin_id: PluginId, count: int, *, as_json: bool) -> None:
    from toru.cli import way, words

    document = way.to_toru().runs(plugin_id, count)
    if as_json:
        output.put_json(document)
    elif output.people_watch():
        from toru.cli import listings

        now = time.time()
        output.put_rich(listings.runs([words.run_cells(row, now=now) for row in document["runs"]]))
    else:
        for row in document["runs"]:
            output.put_fields(*words.run_fields(row))


def _show(plugin_id: PluginId, run: str, *, as_json: bool) -> None:
    from toru.cli import way, words

    document = way.to_toru().run(plugin_id, run)
    facts = list(words.run_facts(document["run"], now=time.time()))
    if as_json:
        output.put_json(document)
    elif output.people_watch():
        from toru.cli import cards

        output.put_rich(*cards.run(facts, document))
    else:
        for name, said in facts:
            output.put_fields(name, said)
        for line in document["logs"]:
            output.put_fields("log", *words.log_fields(line))
