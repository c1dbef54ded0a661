"""A connection to a plugin of toru/2: the conversation, and the socket that carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Protocol, cast

from toru.gateway import refusals
from toru.gateway.toru2 import messages
from toru.gateway.toru2.conversation import Conversation
from toru.gateway.toru2.frames import Breach

CLOSED_WITHIN = 5.0
"""A plugin that doesn't read its goodbye is cut off after so many seconds."""


class Keeper(Protocol):
    """Whoever keeps connections to a plugin."""

    def opened(self, connection: Connection) -> None: ...

    def changed(self, connection: Connection) -> None:
        """It is ready, has more room or none any more, or has nothing to do."""

    def lost(self, connection: Connection, *, unread: bool) -> None:
        """It is gone. `unread`: the plugin had not read all that was sent."""

    def pushed(self, payload: Mapping[str, Any]) -> None: ...

    def breached(self, why: str) -> None:
        """The plugin broke a rule."""


class Connection(asyncio.Protocol):
    def __init__(self, keeper: Keeper, clock: Callable[[], float]) -> None:
        self._keeper = keeper
        self._clock = clock
        self.conversation: Conversation
        self._transport: asyncio.Transport
        self.heard_at = clock()
        """When the plugin last said something."""
        self._cut_off: asyncio.TimerHandle | None = None
        self._unsent: list[bytes] = []
        self._unread = False
        self._is_behind = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.conversation = Conversation(send=self._send, push=self._keeper.pushed, change=self._changed)
        self._keeper.opened(self)

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._clock()
        self._handle(data)

    def _handle(self, data: bytes = b"") -> None:
        """Some of the frames that have come; while there are more, nothing is read, and others have their turn."""
        if self._transport.is_closing():
            return
        try:
            is_more = self.conversation.receive(data) if data else self.conversation.go_on()
        except Breach as breach:
            self._keeper.breached(str(breach))
            self._send(messages.goodbye("protocol", str(breach)))
            self.conversation.lost(refusals.bad_answer(f"broke its protocol: {breach}"))
            self.close()
            return
        if self._transport.is_closing():
            return
        if is_more:
            asyncio.get_running_loop().call_soon(self._handle)
        if is_more != self._is_behind:
            self._is_behind = is_more
            if is_more:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def eof_received(self) -> None:
        # The transport closes from here on, and what begins before it is lost would be sent nowhere.
        self.conversation.is_leaving = True
        self._unread = bool(self._unsent) or self._transport.get_write_buffer_size() > 0

    def pause_writing(self) -> None:
        self.conversation.pause()

    def resume_writing(self) -> None:
        self.conversation.resume()

    def connection_lost(self, error: Exception | None) -> None:
        if self._cut_off is not None:
            self._cut_off.cancel()
        self.conversation.lost(refusals.no_answer())
        # The kernel says so when what was sent has not been read to its end (see toru1/connection.py).
        self._keeper.lost(self, unread=self._unread or isinstance(error, ConnectionResetError | BrokenPipeError))

    def now(self) -> float:
        """By the clock of `heard_at`."""
        return self._clock()

    def close_if_idle(self) -> None:
        """Where no request is under way. Else it closes when the last of them is over, as it is leaving."""
        if self.conversation.load == 0:
            self.close()

    def close(self) -> None:
        """When what was said is on its way, and soon."""
        if not self._transport.is_closing():
            self._flush()
            self._transport.close()
            self._cut_off = asyncio.get_running_loop().call_later(CLOSED_WITHIN, self._transport.abort)

    def _send(self, data: bytes) -> None:
        # What all requests have to say in one turn of the loop goes out with one write.
        if not self._unsent:
            asyncio.get_running_loop().call_soon(self._flush)
        self._unsent.append(data)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and not self._transport.is_closing():
            self._transport.write(b"".join(unsent))

    def _changed(self) -> None:
        if self.conversation.is_leaving:
            self.close_if_idle()
        self._keeper.changed(self)
