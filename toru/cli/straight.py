"""The way to Toru straight to systemd and the journal."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from toru.cli import look, presence
from toru.cli.refusals import JournalHidden, NotPermitted, NotScanned
from toru.cli.way import Document, LinesWanted, Row, Verb, unknown
from toru.core import rows
from toru.core.inspection import Inspector
from toru.core.lifecycle import Lifecycle
from toru.core.logs import LogQuery, read_page
from toru.core.overview import PluginView, read_catalogue, without_units
from toru.core.unit_rows import units_document
from toru.core.why import LINES_OF_A_RUN, last_run, read_run, read_runs
from toru.core.wishing import Wish, act
from toru.domain.errors import RejectedPlugin, SystemdRefused, ToruError, UnknownPlugin, UnknownRun
from toru.domain.ids import PluginId
from toru.systemd import journal
from toru.systemd.bus import Bus

JOURNALS = ("/var/log/journal/*/system.journal", "/run/log/journal/*/system.journal")

DENIED = {"org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"}


class Straight:
    def overview(self) -> Document:
        return rows.overview_document(look.ask(look.at_all), now=time.time())

    def plugin(self, plugin_id: PluginId) -> Row:
        return rows.plugin_row(look.ask(lambda bus: look.at_plugin(bus, plugin_id)), now=time.time())

    def why(self, plugin_id: PluginId) -> Row:
        view = look.ask(lambda bus: look.at_plugin(bus, plugin_id))
        _check_journal()
        run, lines = last_run(plugin_id), []
        if run is not None:
            query = LogQuery(plugin_id=plugin_id, invocation_id=run.invocation_id)
            lines = read_page(query, LINES_OF_A_RUN).lines
        return rows.why_document(view, run, lines, now=time.time())

    def runs(self, plugin_id: PluginId, count: int) -> Row:
        _check_journal()
        found = read_runs(plugin_id, count)
        # As with lines: a plugin that is gone has runs, and who was never there has none.
        if not found.runs:
            look.ask(lambda bus: look.at_plugin(bus, plugin_id))
        return rows.runs_document(found, _current_run(plugin_id))

    def run(self, plugin_id: PluginId, invocation_id: str) -> Row:
        _check_journal()
        run = read_run(plugin_id, invocation_id)
        if run is None:
            raise UnknownRun(f"the journal remembers no such run of {plugin_id}")
        lines = read_page(LogQuery(plugin_id=plugin_id, invocation_id=invocation_id), LINES_OF_A_RUN).lines
        return rows.run_document(run, lines, _current_run(plugin_id))

    def units(self, plugin_id: PluginId) -> Row:
        return look.ask(lambda bus: _units(bus, plugin_id))

    def wish(self, verb: Verb, plugin_id: PluginId) -> Row | None:
        try:
            view = look.ask(lambda bus: _carried_out(bus, Wish(verb), plugin_id))
        except SystemdRefused as refusal:
            raise _understood(refusal, verb, plugin_id) from refusal
        return None if view is None else rows.plugin_row(view, now=time.time())

    def newest(self, wanted: LinesWanted, count: int) -> list[Row]:
        query = _query(wanted)
        lines: list[journal.LogLine] = []
        cursor: str | None = None
        while len(lines) < count:
            page = read_page(query, count - len(lines), before=cursor)
            lines += page.lines
            if (cursor := page.next_cursor) is None:
                break
        if not lines:
            _check_journal()
            # The lines of a plugin that is gone are still there; but who was never there has none.
            if wanted.plugin_id not in read_catalogue().by_id:
                raise unknown(wanted.plugin_id)
        return [rows.log_row(line) for line in lines[::-1]]

    def follow(self, wanted: LinesWanted, after: str | None, idle: Callable[[], None]) -> Iterator[Row]:
        _check_journal()
        query = _query(wanted)
        for line in journal.follow(wanted.plugin_id, after=after, invocation_id=wanted.invocation_id):
            if line is None:
                idle()
            elif query.wants(line):
                yield rows.log_row(line)


def journal_is_readable() -> bool:
    """Whether this user may read the system's journal: whoever may not is shown an empty one, without an error."""
    return any(os.access(file, os.R_OK) for pattern in JOURNALS for file in Path("/").glob(pattern.lstrip("/")))


def _check_journal() -> None:
    if not journal_is_readable():
        raise JournalHidden("the journal shows you nothing: be root, or a member of the group systemd-journal")


def _current_run(plugin_id: PluginId) -> str | None:
    try:
        return look.ask(lambda bus: look.at_plugin(bus, plugin_id)).current_run
    except (RejectedPlugin, UnknownPlugin):
        return None


async def _units(bus: Bus, plugin_id: PluginId) -> Row:
    view = await look.at_plugin(bus, plugin_id)
    return units_document(plugin_id, await Inspector(lambda: bus).inspect(view), view.sandbox)


def _query(wanted: LinesWanted) -> LogQuery:
    return LogQuery(
        plugin_id=wanted.plugin_id,
        most_verbose=wanted.most_verbose,
        text=wanted.text,
        since=wanted.since,
        until=wanted.until,
        invocation_id=wanted.invocation_id,
    )


async def _carried_out(bus: Bus, wish: Wish, plugin_id: PluginId) -> PluginView | None:
    """The plugin as it is then; None, where there is nothing left of it."""
    lifecycle = Lifecycle(bus)
    try:
        before = await look.at_plugin(bus, plugin_id)
    except (NotScanned, RejectedPlugin, UnknownPlugin):
        if wish not in {Wish.ENABLE, Wish.DISABLE}:
            raise
        before = None
    try:
        if before is not None:
            await act(lifecycle, wish, before)
        # toru-admin also finds a file that came a moment ago, and in config.json one that has gone.
        elif wish is Wish.ENABLE:
            await lifecycle.enable(plugin_id)
        else:
            await lifecycle.disable(plugin_id)
    except ToruError:
        await look.at_plugin(bus, plugin_id)  # where there is none, that is what stood in the way
        raise
    try:
        return await look.at_plugin(bus, plugin_id)
    except (RejectedPlugin, UnknownPlugin):
        return None if before is None else without_units(before)


def _understood(refusal: SystemdRefused, verb: Verb, plugin_id: PluginId) -> ToruError:
    """systemd's refusal in words that help."""
    if refusal.facts.get("error_name") not in DENIED:
        return refusal
    who = "while the core is down only root" if presence.knows_me() else f"only root and members of {presence.ADMINS}"
    return NotPermitted(f"{who} may {verb} {plugin_id}: sudo toru {verb} {plugin_id}")
