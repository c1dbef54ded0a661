"""Answers that go on, for as long as who asked may read: text as it is read, and server-sent events as they happen.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from toru.core.live import Live, Reader
from toru.domain.errors import StoreUnavailable
from toru.web.caller import Caller, Callers

Item = TypeVar("Item")

HEARTBEAT_SECONDS = 15.0
"""Proxies take a connection for dead that is silent for a minute or so; and only a write finds a reader gone."""

HEARTBEAT = ": still here\n\n"
RETRY = "retry: 1000\n\n"
"""How long a browser waits before it comes again, in milliseconds."""


LAST_WORDS_SECONDS = 5.0
"""For a reader who was let go of to take what is still to be sent. Who takes nothing would hold a place for ever."""


class CutOff(Exception):
    """What is sent is not all of it: the connection is closed without the end that HTTP would put there."""


@asynccontextmanager
async def reading(live: Live, request: Request, caller: Caller, *, wants_events: bool = True) -> AsyncIterator[Reader]:
    """A reader for as long as this caller may read: it ends with the session or API token that the caller came by."""
    callers: Callers = request.app.state.callers
    with live.reading(caller.name, wants_events=wants_events) as reader:
        watch = asyncio.create_task(_end_with(callers, request, caller, reader))
        try:
            yield reader
        finally:
            watch.cancel()
            with suppress(asyncio.CancelledError):
                await watch


async def _end_with(callers: Callers, request: Request, caller: Caller, reader: Reader) -> None:
    try:
        await callers.until_another(request, caller)
    except StoreUnavailable:
        pass  # nobody can say who it is any more, and whoever asks anew is told so
    finally:
        reader.end()


class _Stream(StreamingResponse):
    """Closes what was opened for it when it ends, however that comes: even if it never began."""

    def __init__(
        self, content: AsyncIterator[str], reader: Reader, opened: AsyncExitStack, headers: Mapping[str, str]
    ) -> None:
        super().__init__(content, headers=headers)
        self._reader = reader
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._opened:
            with suppress(CutOff):
                async with _let_go_of_with(self._reader):
                    await super().__call__(scope, receive, send)


class EventStream(_Stream):
    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[str], reader: Reader, opened: AsyncExitStack) -> None:
        # X-Accel-Buffering: nginx would hold events back until it has a bufferful.
        super().__init__(content, reader, opened, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


class TextStream(_Stream):
    media_type = "text/plain"

    def __init__(self, content: AsyncIterator[str], reader: Reader, opened: AsyncExitStack, file_name: str) -> None:
        named = {"Content-Disposition": f'attachment; filename="{file_name}"', "Cache-Control": "no-store"}
        super().__init__(content, reader, opened, {**named, "X-Content-Type-Options": "nosniff"})


@asynccontextmanager
async def _let_go_of_with(reader: Reader) -> AsyncIterator[None]:
    """The block, ended by `CutOff` if it goes on for much longer than its reader."""

    async def watch() -> None:
        await reader.ended()
        limit.reschedule(asyncio.get_running_loop().time() + LAST_WORDS_SECONDS)

    limit = asyncio.timeout(None)
    try:
        async with limit:
            watcher = asyncio.create_task(watch())
            try:
                yield
            finally:
                watcher.cancel()
    except TimeoutError as error:
        if limit.expired():
            raise CutOff from error
        raise


def sse(name: str, data: str, event_id: str | None = None) -> str:
    """One event. The data is JSON on one line, so nothing in it can begin another field."""
    number = "" if event_id is None else f"id: {event_id}\n"
    return f"event: {name}\n{number}data: {data}\n\n"


async def until_ended(items: AsyncIterator[Item], reader: Reader) -> AsyncIterator[Item | None]:
    """The items, and None whenever there was none for a while, until they or the reader come to an end."""
    end: asyncio.Future[None] = asyncio.ensure_future(reader.ended())
    coming: asyncio.Future[Item | None] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(_next(items))
            either: set[asyncio.Future[Any]] = {coming, end}
            await asyncio.wait(either, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if end.done():
                return
            if not coming.done():
                yield None
                continue
            item, coming = coming.result(), None
            if item is None:
                return
            yield item
    finally:
        waiting = [task for task in (end, coming) if task is not None]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _next(items: AsyncIterator[Item]) -> Item | None:
    return await anext(items, None)
