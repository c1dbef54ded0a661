"""Everything that happens, as it happens: what a manager's screen follows.

hello     {"version": …}: read GET /api/plugins now; whatever happens later is in this stream
plugin    a plugin as it is now, as in GET /api/plugins/ID
gone      {"id": …}: there is no such plugin any more
rejected  […]: all files that are no plugins, as in GET /api/rejected; for admins
event     something that happened to a plugin, as in GET /api/events; for admins
figures   {"at": …, "plugins": {ID: {memory_bytes, tasks, cpu_seconds, cpu_percent, requests, …}}}
host      how the host does, as in GET /api/host; for admins
push      {"id", "name", "data", "dropped"}: what a plugin says to its open views (docs/protocol.md, toru/2)
behind    {}: too much has piled up for this reader, which is to come again and read everything anew
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from fastapi import APIRouter, Request

from toru import __version__
from toru.core.live import Event, Happened, Live, Reader
from toru.web import problems
from toru.web.caller import AnyCaller, Caller, Role
from toru.web.streams import HEARTBEAT, HEARTBEAT_SECONDS, RETRY, EventStream, reading, sse


def router(live: Live) -> APIRouter:
    routes = APIRouter(tags=["stream"])

    @routes.get("/api/stream", response_class=EventStream, status_code=200, responses=problems.documented(429))
    async def stream(caller: AnyCaller, request: Request) -> EventStream:
        """Server-sent events: `hello`, `plugin`, `gone`, `rejected`, `event`, `figures`, `host`, `push`, `behind`.

        After `hello`, read `GET /api/plugins`; whatever happens from then on is in the stream. `behind` says that too
        much has piled up for this reader: the stream ends, and it is to come again and read everything anew.
        """
        async with AsyncExitStack() as opened:
            reader = await opened.enter_async_context(reading(live, request, caller))
            return EventStream(_events(reader, caller), reader, opened.pop_all())

    return routes


async def _events(reader: Reader, caller: Caller) -> AsyncIterator[str]:
    yield RETRY + sse("hello", json.dumps({"version": __version__}))
    async for event in reader.events(HEARTBEAT_SECONDS):
        if event is None:
            yield HEARTBEAT
        elif (text := _for(caller, event)) is not None:
            yield text
    if reader.lagged:
        yield sse("behind", "{}")


def _for(caller: Caller, event: Event) -> str | None:
    """As much of an event as this caller may see."""
    if isinstance(event, Happened):
        if event.for_admins and caller.role is not Role.ADMIN:
            return None
        if event.plugin_id is not None and not caller.may_see(event.plugin_id):
            return None
        return sse(event.name, event.data)
    seen = {plugin_id: figures for plugin_id, figures in event.plugins.items() if caller.may_see(plugin_id)}
    return sse("figures", json.dumps({"at": event.at, "plugins": seen}, separators=(",", ":")))
