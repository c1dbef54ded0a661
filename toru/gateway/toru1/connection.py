"""A connection to a plugin of toru/1: one request goes out, and messages come in."""

from __future__ import annotations

import asyncio
from typing import cast

from toru.domain import frames
from toru.gateway import refusals
from toru.gateway.refusals import Refusal

AHEAD_BYTES = 256 << 10
"""So much is received beyond what is waited for, and no more."""


class Failed(Exception):
    """There is no answer; `refusal` is what to say instead."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.detail)
        self.refusal = refusal


class Connection(asyncio.Protocol):
    """What comes from the plugin, message by message."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport
        self._received = bytearray()
        self._wanted = 4
        self._is_paused = False
        self._ended = False
        self._unread = False
        self._something = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._something.set()
        if len(self._received) > self._wanted + AHEAD_BYTES and not self._is_paused:
            self._is_paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        # The transport closes from here on, and what is left is sent nowhere: so the plugin hasn't read it.
        self._unread = self._transport.get_write_buffer_size() > 0
        self._end()

    def connection_lost(self, error: Exception | None) -> None:
        # The kernel says so when what was sent has not been read to its end, be it that nobody had accepted the
        # connection (unix_release_sock in net/unix/af_unix.c). A plugin that read all of it ends without an error.
        self._unread = self._unread or isinstance(error, ConnectionResetError | BrokenPipeError)
        self._end()

    def _end(self) -> None:
        self._ended = True
        self._something.set()

    async def length(self) -> int:
        """Of the next message, which has only begun to come."""
        await self._until(4)
        length = int.from_bytes(self._received[:4], "big")
        if not 0 < length <= frames.LARGEST_MESSAGE_BYTES:
            sent = bytes(self._received[:200])
            raise Failed(refusals.bad_answer(f"announced a message of {length} bytes", sent))
        return length

    async def message(self, length: int) -> bytes:
        """The whole of it, without its length."""
        await self._until(4 + length)
        with memoryview(self._received) as received:
            message = bytes(received[4 : 4 + length])
        del self._received[: 4 + length]
        return message

    async def _until(self, count: int) -> None:
        self._wanted = count
        if self._is_paused and len(self._received) < count:
            self._is_paused = False
            self._transport.resume_reading()
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
