"""A client's connection: which message begins and ends where, and whether it is the gateway's or the API's.

Every request is framed here, once for both: so no two programs can see different requests in the same bytes. One for a
plugin becomes a `Visit`; any other one is handed to uvicorn, a single message at a time. The next one waits until this
one is answered.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import time
from typing import TYPE_CHECKING, ClassVar

from toru.gateway import refusals
from toru.gateway.api_side import ApiSide
from toru.gateway.elsewhere import Elsewhere
from toru.gateway.framing import LAST_CHUNK, BadChunk, Chunked, chunk
from toru.gateway.heads import MOST_TARGET_BYTES, BadHead, Head, read_head
from toru.gateway.patience import Patience
from toru.gateway.refusals import Refusal
from toru.gateway.routes import PREFIX
from toru.gateway.targets import Target
from toru.gateway.visit import Visit
from toru.web.peer import peer_of, with_options

if TYPE_CHECKING:
    from toru.gateway.gateway import Gateway

MOST_HELD_BYTES = 64 << 10
"""Of what has come before its time. Beyond it, nothing more is read. No head is longer."""
KEEPALIVE_SECONDS = 60
"""Of silence; after it the kernel asks for a sign of life."""
WHOLE_BELOW = 64 << 10
"""Bytes of a body that came together with its head: it isn't streamed then."""

_EMPTY_LINES = re.compile(rb"(?:\r\n)+")

_HEAD, _SIZED, _CHUNKED, _RAW, _DEAF = range(5)
"""What comes next: a head, a body, anything at all, or what nobody wants any more."""


class GatewayProtocol(ApiSide):
    gateway: ClassVar[Gateway]
    brought = b""
    """What another process has read of this connection, before it handed it on."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self.peer = peer_of(transport)
        self.origin = self.gateway.reception.origin_of(self.client)
        self.app_state = {**self.app_state, "proxy_is_trusted": self.origin.trusted}
        self.patience = Patience(self, self.gateway.now)
        self.visit: Visit | None = None
        self.busy = False
        """A request has begun, and its answer hasn't ended."""
        self.full = False
        """It has more to read than it takes: it gets nothing new before."""
        self.head: Head | None = None
        """Of the request that is under way."""
        self.closes = False
        """Whether this answer is the last one of the connection."""
        self.knows_chunks = True
        self.request_is_whole = True
        self.taken = 0
        """Bytes of this request's body."""
        self.held = self.brought
        """What has come and can't be taken yet."""
        self.goes_to: Elsewhere | None = None
        """Whose process serves the request that has come."""
        self._next = _HEAD
        self._left = 0
        self._chunks: Chunked | None = None
        self._body_open = False
        self._api = False
        self._serving = self._paused = False
        self.gateway.connected(self)
        if self.held:
            asyncio.get_running_loop().call_soon(self._take_what_was_brought)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.gateway.clients.discard(self)
        self.held = b""
        self.head = None
        self._next = _DEAF
        visit, self.visit = self.visit, None
        if visit is not None:
            visit.left()

    # What comes.

    def data_received(self, data: bytes) -> None:
        gateway = self.gateway
        is_ready = self._next == _HEAD and not self.busy and not self.full and not self.held
        if (
            is_ready
            and (ticket := gateway.reception.ticket(data)) is not None
            and not ticket.head.close
            and (gateway.beyond is None or gateway.beyond(ticket.head.target) is None)
        ):
            # The way of most requests: without a body, and like one a moment ago.
            self.busy = True
            self.head = ticket.head
            self.closes = gateway.stopping
            self.knows_chunks = True
            self._api = False
            gateway.reception.let_in(self, ticket, b"", time.monotonic())
            return
        self.patience.heard = gateway.now
        self._serve(self.held + data if self.held else data)

    def _take_what_was_brought(self) -> None:
        if self.held and not self.busy:
            brought, self.held = self.held, b""
            self.data_received(brought)

    def _serve(self, data: bytes) -> None:
        """Takes of these bytes what can be taken now, and holds the rest."""
        self._serving = True
        left = len(data) + 1
        while data and len(data) != left:
            left = len(data)
            if self._next == _HEAD and not self.busy and not self.full:
                data = self._take_head(data)
            elif self._next == _DEAF:
                self.patience.dropped += len(data)
                data = b""
            elif self._next != _HEAD and self._body_open:
                data = self._take_body(data)
        self._serving = False
        if data or self._paused:
            self._hold(data)
        elif self.held:
            self.held = b""

    def _hold(self, data: bytes) -> None:
        if data and not self.held and not self.busy:
            self.patience.began = self.gateway.now  # the head has begun
        self.held = data
        full = len(data) > MOST_HELD_BYTES or (bool(data) and self._next != _HEAD)
        if full != self._paused and not self.transport.is_closing():
            self._paused = full
            if full:
                self.transport.pause_reading()
            else:
                self.transport.resume_reading()

    def _take_head(self, data: bytes) -> bytes:
        """A head, if it is complete, and its body, if it is there. Returns what is behind what was taken."""
        if data.startswith(b"\r\n"):
            return _EMPTY_LINES.sub(b"", data, 1)  # RFC 9112, section 2.2
        end = data.find(b"\r\n\r\n")
        most = self.gateway.max_head
        if end < 0 and len(data) <= most:
            return data
        try:
            if not 0 <= end <= most:
                raise _too_long(data, most)
            head = read_head(data[:end])
        except BadHead as bad:
            self._bad(bad)
            return b""
        return self._begin(head, data, end + 4)

    def _begin(self, head: Head, data: bytes, at: int) -> bytes:
        """A request begins, of which the head ends there."""
        self.gateway.lead_to_front_end(head)
        beyond = self.gateway.beyond
        if beyond is not None and (elsewhere := beyond(head.target)) is not None:
            self.head = head
            self.go_elsewhere(elsewhere)
            return data
        raw = data[:at]
        self.busy = True
        self.head = head
        self.knows_chunks = head.minor == 1
        self.closes = head.close or self.gateway.stopping
        self.patience.began = self.gateway.now
        body: bytes | None = b""
        if head.has_body:
            body, at = self._begin_body(head, data, at)
        self._api = not head.target.startswith(PREFIX)
        if not self._api:
            self.gateway.reception.receive(self, head, raw, body)
            return data[at:]
        self._body_open = True
        self.feed_head(head, raw, closes=self.closes)
        if body is not None:
            self.feed(body)
            self._end_api()
        return data[at:]

    def _begin_body(self, head: Head, data: bytes, at: int) -> tuple[bytes | None, int]:
        """The whole body, if it is there, and where it ends; else None, and it is awaited."""
        if not head.chunked and head.length <= min(WHOLE_BELOW, len(data) - at):
            return data[at : at + head.length], at + head.length
        self._next = _CHUNKED if head.chunked else _SIZED
        self._chunks = Chunked() if head.chunked else None
        self._left = head.length
        self.taken = 0
        self.request_is_whole = False
        self._body_open = False
        return None, at

    def _take_body(self, data: bytes) -> bytes:
        """A part of the body, to whoever it is for. Returns what is behind the body."""
        rest: bytes | None = None
        if self._next == _RAW:
            parts = [data]
        elif self._chunks is None:
            if len(data) >= self._left:
                data, rest = data[: self._left], data[self._left :]
            self._left -= len(data)
            parts = [data]
        else:
            try:
                parts, rest = self._chunks.feed(data)
            except BadChunk as bad:
                detail = f"the body of the request is not chunked as it says: {bad}"
                self._broken(Refusal(status=400, code="bad-request", detail=detail))
                return b""
        visit = self.visit
        for part in parts if len(parts) < 2 else [b"".join(parts)]:
            self.taken += len(part)
            if self._api:
                self.feed(part if self._chunks is None else chunk(part))
            elif visit is not None and not visit.over:
                if self.taken > visit.target.max_body and self._next != _RAW:
                    visit.give_up(refusals.too_large(visit.target.max_body))
                else:
                    visit.body(part)
        if rest is None or self._next == _DEAF:
            return b""
        self._end_body(visit)
        return rest

    def _end_body(self, visit: Visit | None) -> None:
        self.request_is_whole = True
        self._next = _HEAD
        if self._api:
            if self._chunks is not None:
                self.feed(LAST_CHUNK)
            self._end_api()
        elif visit is not None:
            visit.end_of_body()

    def _end_api(self) -> None:
        if not self.has_been_fed():
            self.close()  # it sees another request in the same bytes, or none

    # What a visit wants, and the API.

    @property
    def body_is_missing(self) -> bool:
        """Whether it is the client whom everybody waits for."""
        return not self.request_is_whole and self._body_open and not self.held and self._next in {_SIZED, _CHUNKED}

    @property
    def is_deaf(self) -> bool:
        return self._next == _DEAF

    def hold_body(self) -> None:
        self._body_open = False

    def release_body(self) -> None:
        self._body_open = True
        self._go_on()

    def _go_on(self) -> None:
        if not self._serving and (self.held or self._paused):
            self._serve(self.held)

    def invite_body(self) -> None:
        if not self.request_is_whole and not self.taken:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def stay(self) -> None:
        """It may be long until anything is said: the kernel is to find out when nobody is there any more."""
        with with_options(self.transport) as options:
            if options.family != socket.AF_UNIX:
                options.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                options.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, KEEPALIVE_SECONDS)

    def switch(self) -> None:
        self.stay()
        self._next = _RAW
        self._chunks = None
        self.closes = True
        self.release_body()

    def answered(self) -> None:
        """The answer has ended."""
        self.visit = None
        self.busy = False
        if self.closes or not self.request_is_whole:
            self.close()
            return
        self.patience.began = self.gateway.now
        self._go_on()

    def api_answered(self) -> None:
        self.busy = False
        self.patience.began = self.gateway.now
        if not self.transport.is_closing():
            self.release_body()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.full = True
        if self.visit is not None and self.visit.carrier is not None:
            self.visit.carrier.pause()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.full = False
        if self.goes_to is not None:
            self.goes_to.come(self)
        if self.visit is not None and self.visit.carrier is not None:
            self.visit.carrier.resume()
        elif not self.busy:
            self.patience.began = self.gateway.now
            self._go_on()

    # To another process.

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way, nothing has come, and the client's kernel has all earlier answers."""
        transport = self.transport
        if self.busy or self.held or self._next != _HEAD or transport.is_closing():
            return False
        return transport.get_write_buffer_size() == 0

    @property
    def descriptor(self) -> int:
        """The client's socket. It closes with the connection."""
        descriptor: int = self.transport.get_extra_info("socket").fileno()
        return descriptor

    def go_elsewhere(self, elsewhere: Elsewhere) -> None:
        """Nothing is taken any more, and what has come is held, until the other process has it all."""
        self.busy = True
        self.closes = True
        self.request_is_whole = False
        self._api = False
        self.goes_to = elsewhere
        asyncio.get_running_loop().call_soon(elsewhere.come, self)

    def is_all_written(self) -> bool:
        """Whether the client's kernel has all earlier answers. If not, it is `Elsewhere` that hears of it later."""
        if self.transport.get_write_buffer_size() == 0:
            return True
        self.transport.set_write_buffer_limits(high=0)
        return False

    def let_go(self) -> bytes:
        """Ends here. What was read and not taken."""
        self.transport.pause_reading()
        held, self.held = self.held, b""
        self.goes_to = None
        self._next = _DEAF
        self.transport.abort()
        return held

    def stay_here(self) -> None:
        """It is this process that serves it."""
        self.goes_to = None
        self.busy = False
        self.closes = False
        self.request_is_whole = True
        self._go_on()

    # Ends.

    def refuse(self, refusal: Refusal, target: Target | None = None) -> None:
        """The gateway's own answer."""
        self.gateway.notices.note(refusal, target)
        self.closes = self.closes or not self.request_is_whole
        self.transport.write(refusals.answer(refusal, target, self.head, closes=self.closes))
        self.answered()

    def timed_out(self, why: str) -> None:
        self._broken(Refusal(status=408, code="timeout", detail=why))

    def _bad(self, bad: BadHead) -> None:
        """Where the request ends isn't certain, nor who sent it."""
        self.head = None
        self.closes = True
        self.request_is_whole = False
        self.refuse(Refusal(status=bad.status, code="bad-request", detail=bad.detail))

    def send_400_response(self, msg: str) -> None:
        # uvicorn sees no request of its kind, such as one with a method of another world.
        self._bad(BadHead(400, msg.rstrip(".")))

    def _broken(self, refusal: Refusal) -> None:
        """The request's own end won't come."""
        self.closes = True
        if self.visit is not None:
            self.visit.give_up(refusal)
        elif self._api and self.busy and self.cycle.response_started:
            self.cut()
        else:
            self.refuse(refusal)

    def close(self) -> None:
        """Sends what is written, and closes. Who still sends something shall read the answer first."""
        if self.transport.is_closing():
            return
        if self.request_is_whole and not self.held and not self._serving:
            self.transport.close()
            return
        self._next = _DEAF
        self.patience.began = self.gateway.now
        self.transport.write_eof()
        self._go_on()

    def cut(self, *, reset: bool = False) -> None:
        """At once, so that the client sees that the answer isn't whole."""
        self._next = _DEAF
        if reset and not self.transport.is_closing():
            with with_options(self.transport) as options:
                options.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def shutdown(self) -> None:
        """The core stops. Where the head of an answer has not gone out yet, it says that no other one follows.

        Whoever has read its head may count on the connection: it is idle when the answer ends.
        """
        if self._api and self.busy:
            if not self.cycle.response_started:
                super().shutdown()
        elif self.visit is None or self.visit.waits_for_head:
            self.closes = True


def _too_long(data: bytes, most: int) -> BadHead:
    if b"\n" not in data[:most]:
        return BadHead(414, f"a request's target has at most {MOST_TARGET_BYTES} bytes")
    return BadHead(431, f"the head of a request has at most {most} bytes")
