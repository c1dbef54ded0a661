"""Requests to a plugin that speaks HTTP/1.1. Its answers are read as the gateway reads them."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress
from pathlib import Path
from typing import Self

from toru.check.asking import CLOSED, ENOUGH_BYTES, Ask, Reply, connect, together
from toru.check.verdict import Broken
from toru.gateway.answers import MOST_HEAD_BYTES, Answer, BadAnswer, read_answer
from toru.gateway.framing import LAST_CHUNK, BadChunk, Chunked, chunk

AT_ONCE = 1 << 16
CLOSES_WITHIN = 2.0
"""After so many seconds a plugin is believed to keep a connection that the client has closed."""


class Http:
    """A connection for each request, closed behind it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def ask(self, what: Ask) -> Reply:
        async with Connection(self._path) as connection:
            return await connection.ask(what)

    async def ask_at_once(self, several: list[Ask]) -> list[Reply]:
        return await together([asyncio.create_task(self.ask(one)) for one in several])

    async def leave(self, what: Ask) -> None:
        async with Connection(self._path) as connection:
            await connection.send(head_of(what) + what.body[: len(what.body) // 2])
            if what.body:
                await connection.end()

    async def hold(self, what: Ask) -> _Held:
        connection = Connection(self._path)
        await connection.connect()
        await connection.send(head_of(what))
        return _Held(connection, what)

    async def close(self) -> None:
        """Nothing is kept."""


class _Held:
    def __init__(self, connection: Connection, what: Ask) -> None:
        self._connection = connection
        self._what = what

    async def finish(self) -> Reply:
        await self._connection.send(self._what.body)
        return await self._connection.answer(self._what)

    async def drop(self) -> None:
        await self._connection.drop()


class Connection:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._socket: socket.socket
        self._rest = b""
        self.is_kept = True
        """Whether the plugin takes another request on it."""

    async def connect(self) -> None:
        self._socket = await connect(self._path)

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.drop()

    async def drop(self) -> None:
        self._socket.close()

    async def ask(self, what: Ask, *, chunked: bool = False) -> Reply:
        # A plugin may answer before it has read everything, and read no more.
        sending = asyncio.create_task(self._send_all(what, chunked=chunked))
        try:
            return await self.answer(what)
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)

    async def answer(self, what: Ask) -> Reply:
        """To this, which was sent."""
        answer = await self._head()
        body = await self._body(answer, is_head=what.method == "HEAD")
        headers = tuple(tuple(line.split(b":", 1)) for line in answer.lines)
        return Reply(answer.status, headers, body)  # type: ignore[arg-type]  # read_answer has seen to the colons

    async def send(self, data: bytes) -> None:
        """As far as the plugin takes it."""
        with suppress(BrokenPipeError, ConnectionResetError):
            await asyncio.get_running_loop().sock_sendall(self._socket, data)

    async def end(self) -> None:
        """Nothing more will be said. Returns when the plugin has closed its end too, or doesn't seem to."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSES_WITHIN):
                while await self.receive():
                    pass

    async def _send_all(self, what: Ask, *, chunked: bool) -> None:
        await self.send(head_of(what, chunked=chunked))
        for start in range(0, len(what.body), AT_ONCE):
            part = what.body[start : start + AT_ONCE]
            await self.send(chunk(part) if chunked else part)
        if chunked:
            await self.send(LAST_CHUNK)

    async def receive(self) -> bytes:
        """What comes next; nothing at the end."""
        if self._rest:
            received, self._rest = self._rest, b""
            return received
        try:
            return await asyncio.get_running_loop().sock_recv(self._socket, AT_ONCE)
        except ConnectionResetError:
            return b""

    async def _head(self) -> Answer:
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0 and len(received) <= MOST_HEAD_BYTES:
            if not (more := await self.receive()):
                raise Broken("the plugin closed the connection in the head of its answer" if received else CLOSED)
            received += more
        if not 0 <= end <= MOST_HEAD_BYTES:
            raise Broken(f"the plugin sent a head of more than {MOST_HEAD_BYTES} bytes")
        self._rest = received[end + 4 :]
        try:
            answer = read_answer(received[:end])
        except BadAnswer as bad:
            raise Broken(f"the plugin {bad}") from bad
        if answer.status == 101:
            raise Broken("the plugin changes the protocol, though it was not asked to")
        self.is_kept = not answer.close
        return answer if answer.status >= 200 else await self._head()

    async def _body(self, answer: Answer, *, is_head: bool) -> bytes:
        if is_head or answer.status in {204, 304} or answer.endless:
            self.is_kept = self.is_kept and not answer.endless
            return b""
        if answer.chunked:
            return await self._chunks()
        if answer.length is None:
            self.is_kept = False
        body = bytearray()
        while len(body) < (ENOUGH_BYTES if answer.length is None else answer.length):
            if not (more := await self.receive()):
                if answer.length is None:
                    break
                raise Broken(f"the plugin announced {answer.length} bytes and sent {len(body)}")
            body += more
        if answer.length is not None:
            self._rest = bytes(body[answer.length :])
            del body[answer.length :]
        return bytes(body)

    async def _chunks(self) -> bytes:
        chunks, body = Chunked(), bytearray()
        while len(body) < ENOUGH_BYTES:
            if not (more := await self.receive()):
                raise Broken("the plugin closed the connection before its answer was complete")
            try:
                parts, rest = chunks.feed(more)
            except BadChunk as bad:
                raise Broken(f"the plugin sent a chunked body that is none: {bad}") from bad
            body += b"".join(parts)
            if rest is not None:
                self._rest = rest
                break
        return bytes(body)


def head_of(what: Ask, *, chunked: bool = False) -> bytes:
    """Its head, as the gateway writes it."""
    lines = [f"{what.method} {what.path} HTTP/1.1".encode("latin-1")]
    lines += [name.title() + b": " + value for name, value in what.all_headers]
    if chunked:
        lines.append(b"Transfer-Encoding: chunked")
    elif what.body or what.method not in {"GET", "HEAD", "OPTIONS", "DELETE"}:
        lines.append(b"Content-Length: %d" % len(what.body))
    return b"\r\n".join((*lines, b"", b""))
