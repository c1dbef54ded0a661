"""Requests to a plugin that speaks toru/1, by the gateway's own messages and connections."""

from __future__ import annotations

import asyncio
import itertools
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn

from toru.check.asking import Ask, Reply, connect, together, worked
from toru.check.verdict import Broken
from toru.domain.frames import LARGEST_MESSAGE_BYTES
from toru.gateway.toru1 import messages
from toru.gateway.toru1.connection import Connection, Failed
from toru.gateway.toru1.messages import NotAnAnswer


class TooLong(Broken):
    """The answer is longer than a message may be."""


class _Connection(Connection):
    async def length(self) -> int:
        try:
            return await super().length()
        except Failed as failed:
            if int.from_bytes(self._received[:4], "big") > LARGEST_MESSAGE_BYTES:
                raise TooLong(failed.refusal.detail) from failed
            raise

    async def next(self) -> bytes:
        return await self.message(await self.length())


class Toru1:
    """A connection for each request, one after the other as the plugin takes them."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ids = map("check-{}".format, itertools.count(1))

    async def ask(self, what: Ask) -> Reply:
        number = next(self._ids)
        return await self.ask_as(number, self.framed(number, what))

    async def ask_as(self, number: str, message: bytes) -> Reply:
        """The answer to what this message asks, which is a request with this id."""
        transport, connection = await self._connect()
        try:
            transport.write(message)
            while (answer := worked(messages.answer(await connection.next(), number))) is None:
                pass  # about another request
        except ConnectionResetError:
            raise Broken("the plugin closed the connection without reading the request") from None
        except Failed as failed:
            raise Broken(failed.refusal.detail) from failed
        except NotAnAnswer as bad:
            raise Broken(f"the plugin {bad}") from bad
        finally:
            transport.abort()
        return Reply(answer.status, tuple(answer.headers), answer.body)

    async def ask_at_once(self, several: list[Ask]) -> list[Reply]:
        return await together([asyncio.create_task(self.ask(one)) for one in several])

    async def leave(self, what: Ask) -> None:
        message = self.framed("left", what)
        if what.body:
            await self.say(message[: len(message) // 2])
            return
        # Before the plugin comes to it, the client has gone: while another connection is open, nobody is served.
        with await connect(self._path):
            await self.say(message)

    async def say(self, data: bytes) -> None:
        """This, on a connection of its own that is closed behind it."""
        with await connect(self._path) as connection, suppress(BrokenPipeError, ConnectionResetError):
            await asyncio.get_running_loop().sock_sendall(connection, data)

    async def hold(self, what: Ask) -> NoReturn:
        raise AssertionError(f"{what}: a request of toru/1 is sent when it is complete")

    async def close(self) -> None:
        """Nothing is kept."""

    def framed(self, number: str, what: Ask) -> bytes:
        """ValueError, where it is longer than a message may be."""
        return worked(
            messages.request(
                request_id=number,
                method=what.method,
                path=what.path,
                headers=what.all_headers,
                body=what.body,
                now=datetime.now(UTC),
            )
        )

    async def _connect(self) -> tuple[asyncio.Transport, _Connection]:
        loop = asyncio.get_running_loop()
        return await loop.create_unix_connection(_Connection, sock=await connect(self._path))
