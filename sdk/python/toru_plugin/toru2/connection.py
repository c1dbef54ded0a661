"""A connection from the core: the conversation, and the socket that carries it."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Callable, Protocol, cast

from toru_plugin.exchange import Exchange
from toru_plugin.logs import log
from toru_plugin.toru2.conversation import Conversation
from toru_plugin.toru2.frames import Breach
from toru_plugin.toru2.stream import Stream


class Keeper(Protocol):
    """Whoever accepts connections."""

    def opened(self, connection: Connection) -> None: ...

    def changed(self, connection: Connection) -> None:
        """It was greeted, a request is over, or somebody said goodbye."""

    def closed(self, connection: Connection) -> None: ...

    def begun(self) -> None:
        """A request has come."""

    def ended(self) -> None:
        """Nobody works on it any more."""


class Connection(asyncio.Protocol):
    def __init__(self, keeper: Keeper, serve: Callable[[Exchange], Coroutine[Any, Any, None]]) -> None:
        self._keeper = keeper
        self._serve = serve
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._unsent: list[bytes] = []
        self.conversation: Conversation

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.conversation = Conversation(send=self._send, begin=self._begin, change=self._changed)
        self._keeper.opened(self)

    def data_received(self, data: bytes) -> None:
        if self._transport.is_closing():
            return
        try:
            self.conversation.receive(data)
        except Breach as breach:
            log.warning("the core broke a rule of toru/2: %s", breach)
            self.close()
        else:
            if self.conversation.is_refused:
                self.close()

    def pause_writing(self) -> None:
        self.conversation.pause()

    def resume_writing(self) -> None:
        self.conversation.resume()

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002  (the conversation is over either way)
        self.conversation.lost()
        self._keeper.closed(self)

    def _begin(self, stream: Stream) -> None:
        self._keeper.begun()
        stream.task = self._loop.create_task(self._serve(stream))
        stream.task.add_done_callback(lambda _: self._over(stream))

    def _over(self, stream: Stream) -> None:
        """Also for one that was cancelled before it began."""
        stream.abort("it was not answered to its end")
        self.conversation.give_back(stream.unread())
        self._keeper.ended()

    def _changed(self) -> None:
        self._keeper.changed(self)

    def close(self) -> None:
        """When what was said is on its way."""
        self._flush()
        self._transport.close()

    def _send(self, data: bytes) -> None:
        # What all requests have to say in one turn of the loop goes out with one write.
        if not self._unsent:
            self._loop.call_soon(self._flush)
        self._unsent.append(data)

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        if unsent and not self._transport.is_closing():
            self._transport.write(b"".join(unsent))
