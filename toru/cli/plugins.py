"""`toru list` and `toru status`: what there is, and how it does."""

from __future__ import annotations

import time

import typer

from toru.cli import output
from toru.cli.arguments import AsJson, OptionalId

UNHEALTHY = 3
"""What systemctl status says, too, of a unit that is not active."""

NEWEST_LINES = 10


def list_(*, as_json: AsJson = False) -> None:
    """Every plugin and how it does.

    Then the files that are no plugins, and why.

    In a pipe, parted by tabs: id, health, state, version, name, reason. A rejected file's health is "rejected".
    """
    from toru.cli import look
    from toru.core import rows

    overview = look.ask(look.at_all)
    now = time.time()
    if as_json:
        output.put_json(rows.overview_document(overview, now=now))
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(*tables.overview(overview, now=now, width=output.console().width))
    else:
        from toru.cli import words

        for view in overview.plugins:
            manifest = view.manifest
            named = (manifest.version, manifest.name) if manifest else (None, None)
            output.put_fields(view.id, view.status.health, view.status.state, *named, words.remark(view, now=now))
        for rejection in overview.rejected:
            output.put_fields(rejection.file, "rejected", None, None, None, rejection.reason)


def status(plugin_id: OptionalId = None, *, as_json: AsJson = False) -> None:
    """All about one plugin, or all plugins in figures.

    Exit status: 0 when the plugin is healthy, 3 when it is not or is disabled, 1 when there is no such plugin.
    """
    if plugin_id is None:
        _summarise(as_json=as_json)
    else:
        _show(plugin_id, as_json=as_json)


def _show(text: str, *, as_json: bool) -> None:
    from toru.cli import look
    from toru.cli.logs import journal_is_readable
    from toru.core import rows
    from toru.domain.state import Health
    from toru.systemd import journal

    plugin_id = look.checked_id(text)
    view = look.ask(lambda bus: look.at_plugin(bus, plugin_id))
    lines = journal.newest(plugin_id, NEWEST_LINES) if journal_is_readable() else None
    now = time.time()
    if as_json:
        log = None if lines is None else [rows.log_row(line) for line in lines]
        output.put_json({**rows.plugin_row(view, now=now), "log": log})
    elif output.people_watch():
        from toru.cli import tables

        output.put_rich(*tables.card(view, lines, now=now))
    else:
        from toru.cli import words

        for name, said in [("id", view.id), *words.facts(view, now=now)]:
            output.put_fields(name, said)
        for line in lines or ():
            output.put_fields("log", *words.log_fields(line))
    if view.status.health is not Health.HEALTHY:
        raise typer.Exit(UNHEALTHY)


def _summarise(*, as_json: bool) -> None:
    from toru.cli import look, rows

    summary = look.ask(look.at_host)
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
