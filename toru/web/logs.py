"""What a plugin wrote, and systemd of it: page by page, as a file, and as it is written. For admins."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, WithJsonSchema

from toru.core import rows
from toru.core.journals import Journals
from toru.core.live import Live, Reader
from toru.core.logs import LogQuery
from toru.core.plugins import Plugins
from toru.domain.errors import InvalidInput
from toru.domain.ids import PluginId
from toru.domain.levels import DEBUG, LEVELS, priority_of
from toru.systemd.journal import LogLine
from toru.web import problems
from toru.web.answers import json_answer
from toru.web.caller import AdminCaller
from toru.web.parameters import IdInPath, Moment
from toru.web.streams import HEARTBEAT, RETRY, CutOff, EventStream, TextStream, reading, sse, until_ended

SKIP_AT_MOST = 100_000
"""Lines before a page that is asked for by number. Cursors know no such bound."""

# What could move a terminal's cursor or pass for another line: NUL to US but tab, DEL, and C1.
_ESCAPES = {code: f"\\x{code:02x}" for code in [*range(0x20), *range(0x7F, 0xA0)] if code not in {0x09, 0x0A}}
_ESCAPES |= {0x0A: "\n\t", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def _known_level(text: str) -> str:
    if priority_of(text) is None:
        raise ValueError(f"must be one of {', '.join(LEVELS)}, or error, warn, trace …")
    return text


# The document names each level once; what others call them will do as well.
_LEVEL = {"anyOf": [{"type": "string", "enum": list(LEVELS)}, {"type": "integer", "minimum": 0, "maximum": DEBUG}]}
Level = Annotated[str, AfterValidator(_known_level), WithJsonSchema(_LEVEL)]


class Wanted(BaseModel):
    """Which lines."""

    level: Level | None = Field(None, description="The least urgent to show, by what a JSON line says itself.")
    q: str | None = Field(None, max_length=200, description="Only lines with this in them, in whatever case.")
    invocation: str | None = Field(None, pattern="^[0-9a-f]{32}$", description="Only lines of this run.")


class WantedBetween(Wanted):
    since: Moment | None = Field(None, description="What was written then or later.")
    until: Moment | None = Field(None, description="What was written earlier.")


class WantedPage(WantedBetween):
    page: int = Field(0, ge=0, le=SKIP_AT_MOST, description="From 0; of no meaning beside a cursor.")
    page_size: int = Field(100, ge=1, le=1000)
    cursor: str | None = Field(None, max_length=1000, description="Of a line, or `next_cursor` of a page.")


class WantedFromNowOn(Wanted):
    cursor: str | None = Field(None, max_length=1000, description="Of a line: begin with what came after it.")


class LogRow(BaseModel):
    """A journal entry. A JSON line of the plugin's is taken apart; what has no name here is in `fields`."""

    at: datetime
    timestamp: str | None
    priority: int
    level: Literal["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"]
    message: str
    fields: dict[str, Any]
    source: Literal["plugin", "systemd"]
    plugin_id: str
    pid: int | None
    invocation_id: str | None
    cursor: str

    model_config = ConfigDict(extra="forbid")


class LogPage(BaseModel):
    """Newest first. `next_cursor`: where older ones go on, while there may be some; a page may be short before that."""

    logs: list[LogRow]
    next_cursor: str | None
    page: int
    page_size: int

    model_config = ConfigDict(extra="forbid")


def router(plugins: Plugins, journals: Journals, live: Live) -> APIRouter:
    routes = APIRouter(prefix="/api/plugins/{plugin_id}/logs", tags=["logs"])

    @routes.get("", response_model=LogPage)
    async def read_logs(
        plugin_id: IdInPath,
        caller: AdminCaller,  # noqa: ARG001  (only admins get here)
        wanted: Annotated[WantedPage, Query()],
    ) -> Any:
        """The newest lines, newest first, or those before a cursor."""
        skip = 0 if wanted.cursor is not None else wanted.page * wanted.page_size
        if skip > SKIP_AT_MOST:
            raise InvalidInput(f"pages end after {SKIP_AT_MOST} lines: go on with next_cursor", field="page")
        found = await journals.page(_query(plugin_id, wanted), wanted.page_size, before=wanted.cursor, skip=skip)
        # The lines of a plugin that is gone are still there; who was never there has none.
        if not found.lines:
            plugins.view(plugin_id)  # an error for one that nobody knows
        return json_answer(
            {
                "logs": [rows.log_row(line) for line in found.lines],
                "next_cursor": found.next_cursor,
                "page": wanted.page,
                "page_size": wanted.page_size,
            }
        )

    @routes.get("/download", response_class=TextStream, status_code=200, responses=problems.documented(429))
    async def download_logs(
        plugin_id: IdInPath, caller: AdminCaller, request: Request, wanted: Annotated[WantedBetween, Query()]
    ) -> TextStream:
        """All lines as a text file, oldest first."""
        plugins.view(plugin_id)  # an error for one that nobody knows
        async with AsyncExitStack() as opened:
            query = _query(plugin_id, wanted)
            batches = await opened.enter_async_context(journals.onwards(query, follow=False))
            reader = await opened.enter_async_context(reading(live, request, caller, wants_events=False))
            return TextStream(_texts(batches, reader), reader, opened.pop_all(), file_name=f"{plugin_id}.log")

    @routes.get("/stream", response_class=EventStream, status_code=200, responses=problems.documented(429))
    async def follow_logs(
        plugin_id: IdInPath,
        caller: AdminCaller,
        request: Request,
        wanted: Annotated[WantedFromNowOn, Query()],
        last_event_id: Annotated[str | None, Header(max_length=1000)] = None,
    ) -> EventStream:
        """Each line as it is written, in events `log` whose id is a cursor. With a cursor, first what came after it."""
        plugins.view(plugin_id)  # an error for one that nobody knows
        async with AsyncExitStack() as opened:
            after = last_event_id or wanted.cursor
            query = _query(plugin_id, wanted)
            batches = await opened.enter_async_context(journals.onwards(query, follow=True, after=after))
            reader = await opened.enter_async_context(reading(live, request, caller, wants_events=False))
            return EventStream(_events(batches, reader), reader, opened.pop_all())

    return routes


def _query(plugin_id: PluginId, wanted: Wanted) -> LogQuery:
    priority = None if wanted.level is None else priority_of(wanted.level)
    return LogQuery(
        plugin_id=plugin_id,
        most_verbose=DEBUG if priority is None else priority,
        text=wanted.q or None,
        since=wanted.since if isinstance(wanted, WantedBetween) else None,
        until=wanted.until if isinstance(wanted, WantedBetween) else None,
        invocation_id=wanted.invocation,
    )


async def _texts(batches: AsyncIterator[list[LogLine]], reader: Reader) -> AsyncIterator[str]:
    async for lines in until_ended(batches, reader):
        if lines is not None:
            yield "".join(map(_as_text, lines))
    if reader.has_ended:
        raise CutOff  # nobody shall take half a file for the whole


async def _events(batches: AsyncIterator[list[LogLine]], reader: Reader) -> AsyncIterator[str]:
    yield RETRY
    async for lines in until_ended(batches, reader):
        yield HEARTBEAT if lines is None else "".join(map(_as_event, lines))


def _as_event(line: LogLine) -> str:
    return sse("log", json.dumps(rows.log_row(line), separators=(",", ":")), line.cursor)


def _as_text(line: LogLine) -> str:
    """One line, or several of which all but the first are indented: nothing in it can pass for another entry."""
    source = "systemd" if line.of_systemd else "plugin"
    said = line.message.translate(_ESCAPES)
    return f"{line.at.isoformat(timespec='milliseconds')} {LEVELS[line.priority]:7} {source:7} {said}\n"
