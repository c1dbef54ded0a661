"""`toru list`, `toru status` and `toru why`: what there is, how it does, and why."""

from __future__ import annotations

import time

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, Id, OptionalId

UNHEALTHY = 3
"""What systemctl status says, too, of a unit that is not active."""

NEWEST_LINES = 10


def list_(*, as_json: AsJson = False) -> None:
    """Every plugin and how it does.

    Then the files that are no plugins, and why.

    In a pipe, parted by tabs: id, health, state, version, name, reason. A rejected file's health is "rejected".
    """
    from toru.cli import way

    document = way.to_toru().overview()
    now = time.time()
    if as_json:
        output.put_json(document)
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(*tables.overview(document, now=now, width=output.console().width))
    else:
        from toru.cli import words

        for row in document["plugins"]:
            name = None if row["path"] is None else row["name"]
            output.put_fields(row["id"], row["health"], row["state"], row["version"], name, words.remark(row, now=now))
        for rejection in document["rejected"]:
            output.put_fields(rejection["file"], "rejected", None, None, None, rejection["reason"])


def status(plugin_id: OptionalId = None, *, as_json: AsJson = False) -> None:
    """All about one plugin, or all plugins in figures.

    Exit status: 0 when the plugin is healthy, 3 when it is not or is disabled, 1 when there is no such plugin.
    """
    if plugin_id is None:
        _summarise(as_json=as_json)
    else:
        _show(plugin_id, as_json=as_json)


def _show(text: str, *, as_json: bool) -> None:
    from toru.cli import way
    from toru.cli.refusals import JournalHidden
    from toru.domain.state import Health

    plugin_id = way.checked_id(text)
    toru = way.to_toru()
    row = toru.plugin(plugin_id)
    try:
        lines = toru.newest(way.LinesWanted(plugin_id=plugin_id), NEWEST_LINES)
    except JournalHidden:
        lines = None
    now = time.time()
    if as_json:
        output.put_json({**row, "log": lines})
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(*tables.card(row, lines, now=now))
    else:
        from toru.cli import words

        for name, said in [("id", row["id"]), *words.facts(row, now=now)]:
            output.put_fields(name, said)
        for line in lines or ():
            output.put_fields("log", *words.log_fields(line))
    if row["health"] != Health.HEALTHY:
        raise typer.Exit(UNHEALTHY)


def _summarise(*, as_json: bool) -> None:
    from toru.cli import look, rows, way

    plugins = way.to_toru().overview()
    summary = look.ask(lambda bus: look.at_host(bus, plugins))
    if as_json:
        output.put_json(rows.summary_document(summary))
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(*tables.summary(summary))
    else:
        from toru.cli import words

        for name, said in words.summary_facts(summary):
            output.put_fields(name, said)
        for unit in summary.units:
            output.put_fields("unit", unit.name, unit.active, unit.sub, unit.load)


def why(plugin_id: Id, *, as_json: AsJson = False) -> None:
    """How a plugin's last run ended, with what that run wrote last."""
    from toru.cli import way, words

    document = way.to_toru().why(way.checked_id(plugin_id))
    now = time.time()
    facts = list(words.why_facts(document, now=now))
    if as_json:
        output.put_json(document)
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(*tables.why(facts, document))
    else:
        for name, said in [("id", document["id"]), *facts]:
            output.put_fields(name, said)
        for line in document["logs"]:
            output.put_fields("log", *words.log_fields(line))
