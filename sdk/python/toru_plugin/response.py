"""What a handler answers: anything that `response_of` understands, or a `Response` that says more."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any, NamedTuple, Union

from toru_plugin.headers import Headers, HeadersLike

TEXT = "text/plain; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"
EVENTS = "text/event-stream"

Parts = Union[Iterator[Any], AsyncIterator[Any]]


class Response:
    """An answer with its status and headers.

    `content` is bytes, a text, or something to be said as JSON; or an iterator, async or plain, of bytes and texts:
    then each part goes out as it comes, as fast as the client reads. A header may have several values:
    {"set-cookie": ["a=1", "b=2"]}.
    """

    def __init__(
        self,
        content: Any = b"",
        *,
        status: int = 200,
        headers: HeadersLike = (),
        content_type: str | None = None,
    ) -> None:
        self.status = status
        self.headers = Headers(headers)
        self.parts: Parts | None = None
        self.content = b""
        if _is_parts(content):
            self.parts, kind = content, BYTES
        elif isinstance(content, (bytes, bytearray, memoryview)):
            self.content, kind = bytes(content), BYTES
        elif isinstance(content, str):
            self.content, kind = content.encode(), TEXT
        else:
            self.content, kind = said_as_json(content), JSON
        if content_type is not None:
            self.headers["content-type"] = content_type
        elif "content-type" not in self.headers and (self.parts is not None or self.content):
            self.headers["content-type"] = kind


class Event(NamedTuple):
    """One of server-sent events."""

    data: Any
    """A text, or something to be said as JSON."""
    event: str | None = None
    id: str | None = None
    retry: int | None = None
    """Milliseconds until the browser comes back when the connection breaks."""

    def encoded(self) -> bytes:
        text = self.data if isinstance(self.data, str) else said_as_json(self.data).decode()
        lines = [f"{name}: {value}" for name, value in (("event", self.event), ("id", self.id)) if value is not None]
        if any("\n" in line or "\r" in line for line in lines):
            raise ValueError("an event's name and id are of one line")
        if self.retry is not None:
            lines.append(f"retry: {self.retry}")
        lines.extend(f"data: {line}" for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
        return ("\n".join(lines) + "\n\n").encode()


def events(source: AsyncIterator[Any] | Iterable[Any]) -> Response:
    """Server-sent events: each item is an `Event`, or what one has to say."""
    parts = _events_async(source) if isinstance(source, AsyncIterator) else (_event(item) for item in source)
    return Response(parts, headers={"cache-control": "no-store"}, content_type=EVENTS)


async def _events_async(source: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    try:
        async for item in source:
            yield _event(item)
    finally:
        aclose = getattr(source, "aclose", None)
        if aclose is not None:
            await aclose()


def _event(item: Any) -> bytes:
    return (item if isinstance(item, Event) else Event(item)).encoded()


def response_of(answer: Any) -> Response:
    """What a handler has returned, as a response. None is an answer without content (204)."""
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status=204)
    return Response(answer)


def said_as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def bytes_of(part: Any) -> bytes:
    if isinstance(part, str):
        return part.encode()
    if isinstance(part, (bytes, bytearray, memoryview)):
        return bytes(part)
    raise TypeError(f"a part of an answer is bytes or a text, not {type(part).__name__}")


def _is_parts(content: Any) -> bool:
    return isinstance(content, (AsyncIterator, Iterator))
