"""One request to a plugin of toru/2 on its way there and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toru.gateway import refusals
from toru.gateway.exchange import Exchange
from toru.gateway.refusals import Refusal
from toru.gateway.toru2.connection import Connection
from toru.gateway.toru2.frames import LARGEST_FRAME
from toru.gateway.toru2.messages import Head
from toru.gateway.toru2.stream import Stream

if TYPE_CHECKING:
    from toru.gateway.toru2.way import Toru2

KEPT_BYTES = 256 << 10
"""Of a request's body, to send it again to a plugin that says it did not begin."""
SILENT_SECONDS = 5.0
"""A connection that was silent for so long, and to the end of a request's time, gets no more requests."""
TRIES = 4
"""For a plugin that says goodbye before it takes the request."""


class Carrier:
    """One request on its way to the plugin and back."""

    def __init__(self, way: Toru2, exchange: Exchange) -> None:
        self._way = way
        self._exchange = exchange
        self._connection: Connection | None = None
        self._stream: Stream | None = None
        self._body: list[bytes] | None = [exchange.request.body] if exchange.request.body else []
        """All that has come of the request's body; None: too much, or no longer needed."""
        self._body_bytes = 0
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
            self._body_bytes += len(data)
        if self._stream is not None:
            if self._stream.is_taken or self._body_bytes > KEPT_BYTES:
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
