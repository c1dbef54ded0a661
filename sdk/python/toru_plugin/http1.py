"""HTTP/1.1 for development: what a browser or curl needs to talk to a plugin that runs without Toru."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Awaitable
from http import HTTPStatus
from typing import Callable

from toru_plugin.exchange import Exchange, Gone
from toru_plugin.headers import Headers
from toru_plugin.logs import log
from toru_plugin.process import Accepting, Activity

LARGEST_HEAD = 64 << 10
PART = 64 << 10

_REQUEST = re.compile(rb"([A-Z]+) (/[^ ]*) HTTP/1\.[01]")


class BadRequest(Exception):
    """No sound HTTP. The text says why."""


class Http:
    def __init__(
        self, listener: socket.socket, serve: Callable[[Exchange], Awaitable[None]], activity: Activity
    ) -> None:
        self._serve = serve
        self._activity = activity
        self._accepting = Accepting(listener, self._protocol)
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        self._accepting.open()

    def push(self, name: str, data: object) -> bool:
        log.info("pushed %s: %s", name, data)
        return True

    async def close(self, reason: str) -> None:  # noqa: ARG002  (nobody to be told)
        await self._accepting.close()
        # A developer doesn't wait for a stream to end.
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _protocol(self) -> asyncio.Protocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(limit=LARGEST_HEAD), self._connected)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (exchange := await _next(reader, writer)) is not None:
                self._activity.begun()
                try:
                    await self._serve(exchange)
                finally:
                    self._activity.ended()
                if not exchange.has_ended or not await exchange.is_clear():
                    return
        except BadRequest as bad:
            writer.write(_head(400, Headers({"content-type": "text/plain", "connection": "close"})) + str(bad).encode())
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            log.debug("a connection broke off: %s", error)
        except asyncio.CancelledError:
            log.debug("a connection is cut off, because the plugin stops")
        finally:
            writer.close()


class HttpExchange(Exchange):
    def __init__(
        self, method: str, target: str, headers: Headers, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        super().__init__(method, target, headers)
        self._reader = reader
        self._writer = writer
        self._is_chunked = (headers.get("transfer-encoding") or "").lower() == "chunked"
        self._left = 0 if self._is_chunked else _length(headers)
        self._is_whole = not self._is_chunked and not self._left
        self._continues = (headers.get("expect") or "").lower() == "100-continue"
        self._sends_chunks = False

    async def receive(self) -> bytes:
        if self._is_whole:
            return b""
        if self._continues and not self.has_begun:
            self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self._continues = False
        try:
            if self._is_chunked and not self._left:
                self._left = await self._chunk_length()
                if not self._left:
                    self._is_whole = True
                    return b""
            part = await self._reader.read(min(self._left, PART))
            if not part:
                raise Gone("the request broke off")
            self._left -= len(part)
            if self._is_chunked and not self._left:
                await self._reader.readuntil(b"\r\n")
            self._is_whole = not self._is_chunked and not self._left
        except (OSError, asyncio.IncompleteReadError) as error:
            raise Gone("the request broke off") from error
        return part

    async def is_clear(self) -> bool:
        """Whether the next request may come: reads what nobody wanted of the body."""
        try:
            while await self.receive():
                pass
        except Gone:
            return False
        return (self.headers.get("connection") or "").lower() != "close"

    def abort(self, reason: str) -> None:
        log.debug("cut off: %s", reason)
        self.has_begun = True
        self._writer.transport.abort()

    def _begin(self, status: int, headers: Headers, *, has_body: bool) -> None:
        self._sends_chunks = has_body and "content-length" not in headers
        if self._sends_chunks:
            headers["transfer-encoding"] = "chunked"
        self._writer.write(_head(status, headers))

    async def _send(self, part: bytes, *, is_last: bool) -> None:
        if self._writer.is_closing():
            raise Gone("the client has left")
        if self._sends_chunks:
            chunk = b"%x\r\n%s\r\n" % (len(part), part) if part else b""
            part = chunk + b"0\r\n\r\n" if is_last else chunk
        self._writer.write(part)
        try:
            await self._writer.drain()
        except OSError as error:
            raise Gone("the client has left") from error

    async def _chunk_length(self) -> int:
        line = (await self._reader.readuntil(b"\r\n")).split(b";")[0].strip()
        if not re.fullmatch(rb"[0-9a-fA-F]{1,8}", line):
            raise BadRequest("a chunk without a length")
        length = int(line, 16)
        if not length:
            while await self._reader.readuntil(b"\r\n") != b"\r\n":
                pass  # trailers are nobody's business
        return length


async def _next(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> HttpExchange | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head[:-4].split(b"\r\n")
    request = _REQUEST.fullmatch(first)
    if request is None:
        raise BadRequest("a request line that is none")
    headers = Headers()
    for line in lines:
        name, colon, value = line.partition(b":")
        try:
            headers.add(name.decode("latin-1"), value.strip(b" \t").decode("latin-1"))
        except ValueError:
            colon = b""
        if not colon:
            raise BadRequest("a header that is none")
    return HttpExchange(request[1].decode(), request[2].decode("latin-1"), headers, reader, writer)


def _length(headers: Headers) -> int:
    text = headers.get("content-length") or "0"
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise BadRequest("a length that is none")
    return int(text)


def _head(status: int, headers: Headers) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
