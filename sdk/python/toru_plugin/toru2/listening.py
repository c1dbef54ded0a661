"""All connections from the core together."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Coroutine
from typing import Any, Callable

from toru_plugin.exchange import Exchange
from toru_plugin.process import Accepting, Activity
from toru_plugin.toru2.connection import Connection

CLOSED_WITHIN = 10.0
"""A core that has heard goodbye, and has all its answers, is waited for so many seconds."""


class Toru2:
    def __init__(
        self, listener: socket.socket, serve: Callable[[Exchange], Coroutine[Any, Any, None]], activity: Activity
    ) -> None:
        self._activity = activity
        self._accepting = Accepting(listener, lambda: Connection(self, serve))
        self._connections: dict[Connection, None] = {}
        self._reason = ""
        self._is_empty = asyncio.Event()

    def open(self) -> None:
        self._accepting.open()

    def push(self, name: str, data: object) -> bool:
        for connection in self._connections:
            if connection.conversation.is_greeted and not connection.conversation.is_leaving:
                connection.conversation.push(name, data)
                return True
        return False

    async def close(self, reason: str) -> None:
        self._reason = reason
        await self._accepting.close()
        for connection in list(self._connections):
            self.changed(connection)
        # The core closes each when its last answer has come. systemd bounds a stop, and nobody a wish to sleep.
        while self._connections:
            self._is_empty.clear()
            try:
                await asyncio.wait_for(self._is_empty.wait(), CLOSED_WITHIN)
            except asyncio.TimeoutError:
                for connection in [it for it in self._connections if not it.conversation.load]:
                    connection.close()

    # What connections say.

    def opened(self, connection: Connection) -> None:
        self._connections[connection] = None

    def changed(self, connection: Connection) -> None:
        if self._reason:
            connection.conversation.leave(self._reason)

    def closed(self, connection: Connection) -> None:
        self._connections.pop(connection, None)
        self._is_empty.set()

    def begun(self) -> None:
        self._activity.begun()

    def ended(self) -> None:
        self._activity.ended()
