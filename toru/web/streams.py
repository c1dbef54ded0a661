"""Answers that go on: text as it is read, and server-sent events as they happen.

https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import Any, TypeVar

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from toru.core.live import Reader

Item = TypeVar("Item")

HEARTBEAT_SECONDS = 15.0
"""Proxies take a connection for dead that is silent for a minute or so; and only a write finds a reader gone."""

HEARTBEAT = ": still here\n\n"
RETRY = "retry: 1000\n\n"
"""How long a browser waits before it comes again, in milliseconds."""


class _Stream(StreamingResponse):
    """Closes what was opened for it when it ends, however that comes: even if it never began."""

    def __init__(
        self, content: AsyncIterator[str], opened: AsyncExitStack, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(content, headers=headers)
        self._opened = opened

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with self._opened:
            await super().__call__(scope, receive, send)


class EventStream(_Stream):
    media_type = "text/event-stream"

    def __init__(self, content: AsyncIterator[str], opened: AsyncExitStack) -> None:
        # X-Accel-Buffering: nginx would hold events back until it has a bufferful.
        super().__init__(content, opened, {"Cache-Control": "no-store", "X-Accel-Buffering": "no"})


class TextStream(_Stream):
    media_type = "text/plain"

    def __init__(self, content: AsyncIterator[str], opened: AsyncExitStack, file_name: str) -> None:
        named = {"Content-Disposition": f'attachment; filename="{file_name}"', "Cache-Control": "no-store"}
        super().__init__(content, opened, {**named, "X-Content-Type-Options": "nosniff"})


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
