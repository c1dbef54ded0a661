"""The way to a plugin of toru/2: a few connections, each with many requests under way."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from typing import Any

from toru.gateway import refusals
from toru.gateway.bell import Bell, Unreachable, carry
from toru.gateway.exchange import Exchange
from toru.gateway.refusals import Refusal
from toru.gateway.targets import Availability, Target
from toru.gateway.toru2.carrier import Carrier
from toru.gateway.toru2.connection import Connection
from toru.gateway.toru2.pushes import OnPush, Pushes
from toru.systemd import notify

CONNECTIONS_AT_MOST = 4
CROWDED = 32
"""From so many requests on a connection on, another one may do them sooner: a plugin may have several processes."""
BREACH_LOG_SECONDS = 60.0
"""Between two lines about broken rules. What follows from them for requests is logged with these."""
TRIES = 4
"""For a plugin that ends before it reads the hello."""


class Toru2:
    def __init__(self, target: Target, *, on_push: OnPush) -> None:
        self._target = target
        self._bell = Bell(target)
        self._pushes = Pushes(target.plugin, on_push)
        self._connections: list[Connection] = []
        self._waiting: deque[Carrier] = deque()
        self._opening: asyncio.Task[None] | None = None
        self._unmet = 0
        """Connections in a row on which the plugin never said hello."""
        self._is_closed = False
        self._quiet_until = float("-inf")
        if target.availability is Availability.RUNNING:
            self._open()

    # What the client's side says.

    def begin(self, exchange: Exchange) -> Carrier:
        carrier = Carrier(self, exchange)
        if exchange.request.upgrade is not None:
            exchange.fail(refusals.not_supported("WebSockets"))
        else:
            self._waiting.append(carrier)
            self._hand_out()
        return carrier

    def see(self, target: Target) -> None:
        before, self._target = self._target.availability, target
        self._bell.see(target)
        match target.availability:
            case Availability.BACKING_OFF | Availability.DOWN | Availability.OFF:
                self._close_unready()
                self._fail_waiting(refusals.for_now(target))
            case Availability.RUNNING if before is not Availability.RUNNING and not self._connections:
                # It may have something to say to its views before anybody asks. Now, and not whenever a connection is
                # missing: one that has gone to sleep would be woken.
                self._open()

    def close(self) -> None:
        self._is_closed = True
        for connection in list(self._connections):
            self.changed(connection)
        if self._opening is not None and not self._waiting:
            self._opening.cancel()

    # What connections say.

    def opened(self, connection: Connection) -> None:
        self._connections.append(connection)

    def changed(self, connection: Connection) -> None:
        if connection not in self._connections:
            return
        if connection.conversation.is_ready:
            self._unmet = 0
        self._hand_out()
        if self._is_closed and not self._waiting:
            connection.conversation.leave("stopping", "the core asks no more")
            connection.close_if_idle()

    def lost(self, connection: Connection, *, unread: bool) -> None:
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        conversation = connection.conversation
        if not conversation.is_ready:
            self._unmet += 1
            if self._unmet >= TRIES or not (unread or conversation.plugin_left):
                self._fail_waiting(refusals.no_answer("closed the connection before its hello"))
            elif conversation.refusal is not None:
                self._fail_waiting(conversation.refusal)
        self._hand_out()

    def pushed(self, payload: Mapping[str, Any]) -> None:
        self._pushes.take(payload)

    def breached(self, why: str) -> None:
        plugin, now = self._target.plugin, time.monotonic()
        if now < self._quiet_until:
            return
        self._quiet_until = now + BREACH_LOG_SECONDS
        notify.log(notify.WARNING, f"{plugin} broke its protocol, toru/2: {why}", TORU_PLUGIN=plugin)

    # What carriers say.

    def again(self, carrier: Carrier) -> None:
        """The plugin said goodbye before it began with this one."""
        self._waiting.appendleft(carrier)

    def withdraw(self, carrier: Carrier) -> None:
        """Nobody waits for this one any more."""
        if carrier in self._waiting:
            self._waiting.remove(carrier)
        if not self._waiting:
            self._close_unready()  # a plugin that never says hello has had its time

    def _hand_out(self) -> None:
        while self._waiting and (connection := self._roomiest()) is not None:
            self._waiting.popleft().start(connection)
        least = min((it.conversation.load for it in self._ready()), default=CROWDED)
        if self._waiting or least > CROWDED:
            self._open()

    def _ready(self) -> list[Connection]:
        return [it for it in self._connections if it.conversation.room > 0]

    def _roomiest(self) -> Connection | None:
        return min(self._ready(), key=lambda it: it.conversation.load, default=None)

    def _open(self) -> None:
        """Another connection, where there may be one."""
        unready = any(not it.conversation.is_ready for it in self._connections)
        if self._opening is None and not unready and len(self._connections) < CONNECTIONS_AT_MOST:
            self._opening = asyncio.get_running_loop().create_task(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await carry(lambda: Connection(self, loop.time), await self._bell.reach())
        except Unreachable as unreachable:
            self._fail_waiting(unreachable.refusal)
        except OSError as error:
            self._fail_waiting(refusals.no_answer(f"can't be reached: {error.strerror}"))
        finally:
            self._opening = None
        self._hand_out()  # it may have come and gone

    def _close_unready(self) -> None:
        unready = [it for it in self._connections if not it.conversation.is_ready]
        for connection in unready:
            self._connections.remove(connection)
            connection.close()

    def _fail_waiting(self, refusal: Refusal) -> None:
        waiting, self._waiting = self._waiting, deque()
        for carrier in waiting:
            carrier.fail(refusal)
