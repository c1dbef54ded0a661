"""A connection to a plugin of toru/1: one request goes out, and messages come in."""

from __future__ import annotations

import asyncio

from toru.domain import frames
from toru.gateway import refusals
from toru.gateway.refusals import Refusal


class Failed(Exception):
    """There is no answer; `refusal` is what to say instead."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class Connection(asyncio.Protocol):
    """What comes from the plugin, message by message."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._ended = False
        self._unread = False
        self._something = asyncio.Event()

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._something.set()

    def eof_received(self) -> None:
        self._end()

    def connection_lost(self, error: Exception | None) -> None:
        # The kernel says so when what was sent has not been read to its end, be it that nobody had accepted the
        # connection (unix_release_sock in net/unix/af_unix.c). A plugin that read all of it ends without an error.
        self._unread = isinstance(error, ConnectionResetError | BrokenPipeError)
        self._end()

    def _end(self) -> None:
        self._ended = True
        self._something.set()

    async def message(self) -> bytes:
        """The next one, without its length."""
        received = self._received
        await self._until(4)
        length = int.from_bytes(received[:4], "big")
        if not 0 < length <= frames.LARGEST_MESSAGE_BYTES:
            raise Failed(refusals.bad_answer(f"announced a message of {length} bytes", bytes(received[:200])))
        await self._until(4 + length)
        message = bytes(received[4 : 4 + length])
        del received[: 4 + length]
        return message

    async def _until(self, count: int) -> None:
        while len(self._received) < count:
            if self._ended and self._received:
                raise Failed(
                    refusals.bad_answer("closed the connection within its answer", bytes(self._received[:200]))
                )
            if self._ended and self._unread:
                raise ConnectionResetError
            if self._ended:
                raise Failed(refusals.no_answer())
            self._something.clear()
            await self._something.wait()
