"""The way to Toru by the core: over api.sock."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from toru.cli import api, output
from toru.cli.api import NoAnswer, Refused
from toru.cli.refusals import NOT_SCANNED, NotScanned
from toru.cli.way import Document, LinesWanted, Row, Verb, unknown
from toru.domain import places
from toru.domain.errors import ToruError
from toru.domain.ids import PluginId
from toru.domain.levels import DEBUG, LEVELS

WISH_SECONDS = 100.0
"""The core gives systemd 90 (toru.core.lifecycle), and then answers how it went."""

PAGE_LINES = 1000
PAGE_RUNS = 100

NOBODY = frozenset({"unknown-plugin", "rejected-plugin"})


class ByCore:
    def overview(self) -> Document:
        _check_scanned()
        return {"plugins": api.ask("GET", "/api/plugins"), "rejected": api.ask("GET", "/api/rejected")}

    def plugin(self, plugin_id: PluginId) -> Row:
        _check_scanned()
        row: Row = ask_of(plugin_id)
        return row

    def why(self, plugin_id: PluginId) -> Row:
        _check_scanned()
        document: Row = ask_of(plugin_id, "/why")
        return document

    def runs(self, plugin_id: PluginId, count: int) -> Row:
        _check_scanned()
        rows: list[Row] = []
        cursor: str | None = None
        while len(rows) < count:
            size = min(count - len(rows), PAGE_RUNS)
            page = ask_of(plugin_id, "/runs" + api.query(after=cursor, page_size=size))
            rows += page["runs"]
            if (cursor := page["next"]) is None:
                break
        return {"runs": rows, "next": cursor}

    def run(self, plugin_id: PluginId, invocation_id: str) -> Row:
        _check_scanned()
        document: Row = ask_of(plugin_id, f"/runs/{invocation_id}")
        return document

    def units(self, plugin_id: PluginId) -> Row:
        _check_scanned()
        document: Row = ask_of(plugin_id, "/units")
        return document

    def wish(self, verb: Verb, plugin_id: PluginId) -> Row | None:
        try:
            answer = ask_of(plugin_id, f"/{verb}", method="POST", patience=WISH_SECONDS)
        except ToruError as refusal:
            # The core knows what the last scan saw. toru-admin also finds a file that came a moment ago, and in
            # config.json one that has gone: root may have it look.
            if refusal.code in NOBODY and verb in {"enable", "disable"} and os.geteuid() == 0:
                from toru.cli.straight import Straight

                return Straight().wish(verb, plugin_id)
            raise
        return {name: value for name, value in answer.items() if name != "success"}

    def newest(self, wanted: LinesWanted, count: int) -> list[Row]:
        asked = {**_filter(wanted), "since": _moment(wanted.since), "until": _moment(wanted.until)}
        lines: list[Row] = []
        cursor: str | None = None
        while len(lines) < count:
            size = min(count - len(lines), PAGE_LINES)
            page = ask_of(wanted.plugin_id, "/logs" + api.query(**asked, cursor=cursor, page_size=size))
            lines += page["logs"]
            if (cursor := page["next_cursor"]) is None:
                break
        return lines[::-1]

    def follow(self, wanted: LinesWanted, after: str | None, idle: Callable[[], None]) -> Iterator[Row]:
        from toru.cli.straight import Straight

        path = f"/api/plugins/{wanted.plugin_id}/logs/stream" + api.query(**_filter(wanted), cursor=after)
        try:
            for _name, line in api.stream(path, idle):
                after = line["cursor"]
                yield line
        except Refused as refusal:
            raise _understood(refusal, wanted.plugin_id) from None
        except NoAnswer:
            pass
        # That the core ends, to be upgraded say, is no reason to stop.
        output.warn("core-gone", "the core has ended, so the journal itself is read")
        yield from Straight().follow(wanted, after, idle)


def ask_of(
    plugin_id: PluginId,
    path: str = "",
    body: object = None,
    *,
    method: str = "GET",
    patience: float = api.PATIENCE_SECONDS,
) -> Any:
    """What the core answers about a plugin, as `api.ask`; where there is none of this id, which one may be meant."""
    try:
        return api.ask(method, f"/api/plugins/{plugin_id}{path}", body, patience=patience)
    except Refused as refusal:
        raise _understood(refusal, plugin_id) from None


def _understood(refusal: Refused, plugin_id: PluginId) -> ToruError:
    """The core's refusal in words that help."""
    return unknown(plugin_id) if refusal.code == "unknown-plugin" else refusal


def _check_scanned() -> None:
    if not places.CATALOGUE.exists():
        raise NotScanned(NOT_SCANNED)


def _filter(wanted: LinesWanted) -> dict[str, str | None]:
    level = LEVELS[wanted.most_verbose] if wanted.most_verbose < DEBUG else None
    return {"level": level, "q": wanted.text, "invocation": wanted.invocation_id}


def _moment(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
