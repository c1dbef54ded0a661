"""The way to a plugin of toru/2: a few connections, each with many requests under way."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

from toru.gateway import refusals
from toru.gateway.bell import Bell, Unreachable
from toru.gateway.exchange import Exchange
from toru.gateway.refusals import Refusal
from toru.gateway.targets import Availability, Target
from toru.gateway.toru2.connection import Connection
from toru.gateway.toru2.frames import LARGEST_FRAME
from toru.gateway.toru2.messages import Head
from toru.gateway.toru2.pushes import OnPush, Pushes
from toru.gateway.toru2.stream import Stream
from toru.systemd import notify

CONNECTIONS_AT_MOST = 4
CROWDED = 32
"""From so many requests on a connection on, another one may do them sooner: a plugin may have several processes."""
KEPT_BYTES = 256 << 10
"""Of a request's body, to send it again to a plugin that says it did not begin."""
SILENT_SECONDS = 5.0
"""A connection that was silent for so long, and to the end of a request's time, gets no more requests."""
TRIES = 4
"""For a plugin that ends before it reads the hello."""


class Toru2:
    def __init__(self, target: Target, *, on_push: OnPush) -> None:
        self._target = target
        self._bell = Bell(target)
        self._pushes = Pushes(target.plugin, on_push)
        self._connections: list[Connection] = []
        self._waiting: deque[_Carrier] = deque()
        self._opening: asyncio.Task[None] | None = None
        self._unmet = 0
        """Connections in a row on which the plugin never said hello."""
        self._is_closed = False
        if target.availability is Availability.RUNNING:
            self._open()

    # What the client's side says.

    def begin(self, exchange: Exchange) -> _Carrier:
        carrier = _Carrier(self, exchange)
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
        plugin = self._target.plugin
        notify.log(notify.WARNING, f"{plugin} broke its protocol, toru/2: {why}", TORU_PLUGIN=plugin)

    # What carriers say.

    def again(self, carrier: _Carrier) -> None:
        """The plugin said goodbye before it began with this one."""
        self._waiting.appendleft(carrier)

    def withdraw(self, carrier: _Carrier) -> None:
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
            sock = await self._bell.reach()
            await loop.create_unix_connection(lambda: Connection(self, loop.time), sock=sock)
        except Unreachable as unreachable:
            self._fail_waiting(unreachable.refusal)
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


class _Carrier:
    """One request on its way to the plugin and back."""

    def __init__(self, way: Toru2, exchange: Exchange) -> None:
        self._way = way
        self._exchange = exchange
        self._connection: Connection | None = None
        self._stream: Stream | None = None
        self._body: list[bytes] | None = [exchange.request.body] if exchange.request.body else []
        """All that has come of the request's body; None: too much, or no longer needed."""
        self._is_whole = exchange.request.body is not None
        self._body_is_paused = False
        self._client_waits = False
        self._tries = 0

    def start(self, connection: Connection) -> None:
        """On this connection, which has room."""
        request = self._exchange.request
        headers = request.headers
        has_body = request.length != 0
        if has_body and request.length is not None:
            headers.append((b"content-length", str(request.length).encode()))
        conversation = connection.conversation
        try:
            stream = conversation.begin(self, request.method, request.path, headers, has_body=has_body)
        except ValueError:
            self._exchange.fail(_head_too_large())
            return
        self._connection, self._stream, self._started_at = connection, stream, connection.now()
        if self._client_waits:
            stream.pause()
        if has_body:
            self._exchange.invite_body()
            for part in self._body or ():
                stream.body(part)
            if self._is_whole:
                stream.body(b"", is_last=True)
            self._pace()

    # What the exchange says.

    def body(self, data: bytes) -> None:
        if self._body is not None:
            self._body.append(data)
        if self._stream is not None:
            if self._stream.is_taken or sum(map(len, self._body or ())) > KEPT_BYTES:
                self._body = None
            self._stream.body(data)
        self._pace()

    def end_of_body(self) -> None:
        self._is_whole = True
        if self._stream is not None:
            self._stream.body(b"", is_last=True)

    def pause(self) -> None:
        self._client_waits = True
        if self._stream is not None:
            self._stream.pause()

    def resume(self) -> None:
        self._client_waits = False
        if self._stream is not None:
            self._stream.resume()

    def abandon(self) -> None:
        if self._stream is None or self._connection is None:
            self._way.withdraw(self)
            return
        self._stream.cancel("the client has left, or its time is up")
        silent_since = max(self._started_at, self._connection.heard_at)
        if self._connection.now() - silent_since > SILENT_SECONDS:
            # Another process of the plugin's, or the next, may be better.
            self._connection.conversation.leave("stopping", "nothing came for too long")
            self._connection.close_if_idle()

    # What the conversation says.

    def head(self, head: Head) -> None:
        self._body = None
        self._exchange.respond(head.status, b"", head.headers, head.length)

    def part(self, content: bytes) -> None:
        self._exchange.write(content)

    def end(self) -> None:
        self._exchange.finish()

    def fail(self, refusal: Refusal) -> None:
        self._exchange.fail(refusal)

    def untaken(self) -> None:
        self._stream = None
        self._tries += 1
        if self._body is None or self._tries >= TRIES:
            self._exchange.fail(refusals.unavailable("stopped before it took the request", retry_after=1))
        else:
            self._way.again(self)

    def drained(self) -> None:
        self._pace()

    def _pace(self) -> None:
        """Takes from the client as much as goes to the plugin."""
        is_full = self._stream is None or self._stream.has_backlog
        if is_full and not self._body_is_paused and not self._is_whole:
            self._body_is_paused = True
            self._exchange.pause_body()
        elif self._body_is_paused and not is_full:
            self._body_is_paused = False
            self._exchange.resume_body()


def _head_too_large() -> Refusal:
    return Refusal(
        status=431,
        code="head-too-large",
        detail=f"the head of a request to this plugin has to fit into one message of {LARGEST_FRAME} bytes",
        facts={"max_message_bytes": LARGEST_FRAME},
    )
