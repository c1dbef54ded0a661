"""A request, for async handlers (`Request`) and for plain ones (`PlainRequest`): the same methods, awaited or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Coroutine, Iterator
from typing import Any, TypeVar
from urllib.parse import parse_qs, unquote

from toru_plugin.errors import Refusal
from toru_plugin.exchange import Exchange
from toru_plugin.headers import Headers

T = TypeVar("T")

LARGEST_WHOLE_BODY = 16 << 20
"""What `body` collects at most, unless it is told otherwise: whoever wants more should stream it."""


class RequestHead:
    """All of a request but its body."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.method = exchange.method
        self.target = exchange.target
        """The path with the query, as the client sent it."""
        self.headers: Headers = exchange.headers
        self.raw_path, _, self.query_string = self.target.partition("?")
        self._query: dict[str, list[str]] | None = None

    @property
    def path(self) -> str:
        """Percent-decoded, without the query."""
        return unquote(self.raw_path)

    def query(self, name: str, default: str | None = None) -> str | None:
        """The first value of this name in the query."""
        values = self.queries.get(name)
        return values[0] if values else default

    @property
    def queries(self) -> dict[str, list[str]]:
        """Every name in the query with its values."""
        if self._query is None:
            self._query = parse_qs(self.query_string, keep_blank_values=True)
        return self._query

    @property
    def user(self) -> str:
        """Who asks: Toru has signed them in. Empty while developing."""
        return self.headers.get("x-toru-user") or ""

    @property
    def role(self) -> str:
        """`admin` or `client`; empty while developing."""
        return self.headers.get("x-toru-role") or ""

    @property
    def id(self) -> str:
        """Of this very request, in Toru's log too."""
        return self.headers.get("x-toru-request-id") or ""

    @property
    def prefix(self) -> str:
        """What is before the plugin's paths in the browser, for links."""
        return self.headers.get("x-forwarded-prefix") or ""

    async def _receive_all(self, limit: int) -> bytes:
        parts: list[bytes] = []
        length = 0
        while part := await self._exchange.receive():
            length += len(part)
            if length > limit:
                raise Refusal(413, f"a body of more than {limit} bytes")
            parts.append(part)
        return b"".join(parts)


class Request(RequestHead):
    """For async handlers."""

    async def body(self, *, limit: int = LARGEST_WHOLE_BODY) -> bytes:
        """The whole body. A longer one than `limit` is answered with 413."""
        return await self._receive_all(limit)

    async def text(self, *, limit: int = LARGEST_WHOLE_BODY) -> str:
        """The body as UTF-8; any other is answered with 400."""
        return _text(await self.body(limit=limit))

    async def json(self, *, limit: int = LARGEST_WHOLE_BODY) -> Any:
        """What the body says; one that is no JSON is answered with 400."""
        return _json(await self.body(limit=limit))

    async def stream(self) -> AsyncIterator[bytes]:
        """The body, part by part. The client sends as fast as this is read."""
        while part := await self._exchange.receive():
            yield part


class PlainRequest(RequestHead):
    """For plain handlers, which run in a thread."""

    def __init__(self, exchange: Exchange, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(exchange)
        self._loop = loop

    def body(self, *, limit: int = LARGEST_WHOLE_BODY) -> bytes:
        """The whole body. A longer one than `limit` is answered with 413."""
        return self._wait(self._receive_all(limit))

    def text(self, *, limit: int = LARGEST_WHOLE_BODY) -> str:
        """The body as UTF-8; any other is answered with 400."""
        return _text(self.body(limit=limit))

    def json(self, *, limit: int = LARGEST_WHOLE_BODY) -> Any:
        """What the body says; one that is no JSON is answered with 400."""
        return _json(self.body(limit=limit))

    def stream(self) -> Iterator[bytes]:
        """The body, part by part. The client sends as fast as this is read."""
        while part := self._wait(self._exchange.receive()):
            yield part

    def _wait(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise Refusal(400, "the body is not UTF-8") from None


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is not JSON") from None
