"""One connection to a plugin that speaks HTTP/1.1, and the carrier of the exchange that uses it."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol

from toru.gateway import refusals
from toru.gateway.answers import MOST_HEAD_BYTES, Answer, BadAnswer, read_answer
from toru.gateway.bell import Bell, Unreachable, carry
from toru.gateway.exchange import Request
from toru.gateway.forwarding import joined
from toru.gateway.framing import LAST_CHUNK, BadChunk, Chunked, chunk
from toru.gateway.refusals import Refusal
from toru.gateway.visit import Visit

MOST_TRIES = 3
"""A request that the plugin had not read when it closed the connection, because it restarts, is sent again."""
MOST_INTERIM = 32
"""Answers before the answer (1xx)."""
READ_AT_ONCE = 4096
"""Bytes of a body. Of a larger one the plugin may have read a part, and acted on it."""
IDEMPOTENT = frozenset({b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"})
"""To ask twice does no more than to ask once (RFC 9110, 9.2.2)."""
_CROSSED_WITHIN = 1.0
"""Seconds. A server that ends and closes its kept connections may hold a request that came by one of them and that it
has not looked at: Go's does. Who closes later than this was making the answer."""

_IDLE, _HEAD, _SIZED, _CHUNKED, _UNTIL_CLOSE, _RAW = range(6)
"""What comes next from the plugin."""

_MAY_HAVE_NO_LENGTH = frozenset({b"GET", b"HEAD", b"OPTIONS", b"DELETE"})


class Pool(Protocol):
    """Where a connection belongs to."""

    def keep(self, connection: Connection) -> None:
        """One that is free."""

    def forget(self, connection: Connection) -> None:
        """One that is gone."""

    def again(self, visit: Visit, tries: int) -> None:
        """The plugin has not read this request: once more."""


class Connection(asyncio.Protocol):
    """To a plugin; and the carrier of the exchange that uses it."""

    def __init__(self, way: Pool, tries: int) -> None:
        self.loop = asyncio.get_running_loop()
        self.idle_since = 0.0
        """0: it has not been kept yet."""
        self._way = way
        self._tries = tries
        self._transport: asyncio.Transport | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._visit: Visit | None = None
        self._state = _IDLE
        self._sent = True
        """The whole request."""
        self._chunks_out = False
        self._begun = b""
        """The beginning of a head of which the rest hasn't come."""
        self._interim = 0
        self._left = 0
        self._chunked: Chunked | None = None
        self._closes = False
        self._paused = False
        """Not read from, because the client reads slowly."""
        self._unsent_at_eof = False

    # Connecting.

    def open(self, visit: Visit, bell: Bell) -> None:
        self._visit = visit
        visit.pause_body()
        self._connecting = self.loop.create_task(self._reach(bell))

    async def _reach(self, bell: Bell) -> None:
        try:
            await carry(lambda: self, await bell.reach())
        except Unreachable as unreachable:
            self._fail(unreachable.refusal)
        except OSError as error:
            self._fail(refusals.no_answer(f"can't be reached: {error.strerror}"))
        finally:
            self._connecting = None

    def _fail(self, refusal: Refusal) -> None:
        visit, self._visit = self._visit, None
        if visit is not None:
            visit.fail(refusal)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # a stream has no other
        self._transport = transport
        visit = self._visit
        if visit is None:
            transport.close()  # abandoned meanwhile
            return
        if self._paused:
            transport.pause_reading()
        self.send(visit)
        if visit.request.body is None:
            visit.resume_body()

    # The request.

    def send(self, visit: Visit) -> None:
        """A new exchange."""
        assert self._transport is not None  # noqa: S101  (connected before)
        self._visit = visit
        self._state = _HEAD
        self._sent, self._chunks_out = True, False
        self._interim = 0
        request = visit.request
        body = request.body
        if body == b"" and request.method in _MAY_HAVE_NO_LENGTH and request.upgrade is None:
            self._transport.write(request.head + b"\r\n")
        else:
            self._transport.write(b"".join((request.head, self._framing(request), b"\r\n", body or b"")))

    def _framing(self, request: Request) -> bytes:
        if request.upgrade is not None:
            return b"Connection: Upgrade\r\nUpgrade: %b\r\n" % request.upgrade
        self._sent = request.body is not None
        length = request.length
        self._chunks_out = length is None
        line = b"Transfer-Encoding: chunked\r\n" if length is None else b"Content-Length: %d\r\n" % length
        return line + b"Expect: 100-continue\r\n" if request.expects_continue else line

    def body(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(chunk(data) if self._chunks_out else data)

    def end_of_body(self) -> None:
        self._sent = True
        if self._chunks_out and self._transport is not None:
            self._transport.write(LAST_CHUNK)

    def pause_writing(self) -> None:
        if self._visit is not None:
            self._visit.pause_body()

    def resume_writing(self) -> None:
        if self._visit is not None:
            self._visit.resume_body()

    # The answer.

    def data_received(self, data: bytes) -> None:
        state = self._state
        if state == _HEAD:
            self._take_head(self._begun + data if self._begun else data)
        elif self._visit is None:
            self.close()  # what it says, nobody has asked for
        else:
            self._take_body(self._visit, data)

    def _take_head(self, data: bytes) -> None:
        visit = self._visit
        assert visit is not None  # noqa: S101  (_HEAD says so)
        end = data.find(b"\r\n\r\n")
        if end < 0 or end > MOST_HEAD_BYTES:
            self._begun = data
            if len(data) > MOST_HEAD_BYTES:
                self._refuse(f"sent a head of more than {MOST_HEAD_BYTES} bytes", data)
            return
        try:
            answer = read_answer(data[:end])
        except BadAnswer as bad:
            self._refuse(str(bad), data)
            return
        self._begun = b""
        if (
            answer.whole is not None
            and answer.length == len(data) - end - 4
            and self._sent
            and not visit.client.closes
            and visit.request.method != b"HEAD"
            and not visit.ticket.head.is_for_front_end
        ):
            # All of it in one piece.
            self._keep()
            visit.whole(answer.status, answer.whole + data[end + 4 :])
        elif answer.status < 200:
            self._inform(visit, answer, data, end)
        else:
            self._relay(visit, answer, data, end)

    def _inform(self, visit: Visit, answer: Answer, data: bytes, end: int) -> None:
        """An answer before the answer, or the beginning of another protocol."""
        rest = data[end + 4 :]
        if answer.status == 101:
            if not self._sent or answer.upgrade is None or answer.upgrade != visit.request.upgrade:
                self._refuse("changes the protocol, though it was not asked to", data)
                return
            self._state = _RAW
            lines = [*visit.placed(answer), b"Connection: Upgrade", b"Upgrade: " + answer.upgrade]
            visit.switch(joined(answer.first, lines))
            if rest:
                self._take_body(visit, rest)
            return
        self._interim += 1
        if self._interim > MOST_INTERIM:
            self._refuse(f"sent more than {MOST_INTERIM} answers before the answer", data)
            return
        if answer.status == 100:
            visit.invite_body()
        else:
            visit.inform(answer.first, visit.placed(answer))
        if rest and self._visit is visit:
            self._take_head(rest)

    def _relay(self, visit: Visit, answer: Answer, data: bytes, end: int) -> None:
        self._closes = answer.close
        length = answer.length
        if visit.request.method == b"HEAD" or answer.status in {204, 304}:
            self._state, self._left = _SIZED, 0
            # What it promises all the same may come later, and would be taken for the next answer.
            if visit.request.method != b"HEAD" and (answer.chunked or (length and answer.status == 204)):
                self._closes = True
        elif answer.chunked:
            self._state, self._chunked = _CHUNKED, Chunked()
        elif length is not None:
            self._state, self._left = _SIZED, length
        else:
            self._state, self._closes = _UNTIL_CLOSE, True
        visit.relay(answer.first, answer, length)
        rest = data[end + 4 :]
        if self._visit is visit and (rest or (self._state == _SIZED and not self._left)):
            self._take_body(visit, rest)

    def _take_body(self, visit: Visit, data: bytes) -> None:
        parts, rest = [data], None
        if self._state == _SIZED:
            if len(data) >= self._left:
                parts, rest = [data[: self._left]], data[self._left :]
            self._left -= len(parts[0])
        elif self._chunked is not None and self._state == _CHUNKED:
            try:
                parts, rest = self._chunked.feed(data)
            except BadChunk as bad:
                self._refuse(f"sent a chunked body that is none: {bad}", data)
                return
        visit.write(parts[0] if len(parts) == 1 else b"".join(parts))
        if rest is not None and self._visit is visit:
            self._closes = self._closes or bool(rest)
            self._end(visit)

    def _end(self, visit: Visit) -> None:
        """The answer is complete."""
        if self._closes or not self._sent:
            self._visit = None
            self.close()
        else:
            self._keep()
        visit.finish()

    def _keep(self) -> None:
        self._visit = None
        self._state = _IDLE
        self._tries = 1
        self.resume()  # it was for this one client
        self.idle_since = self.loop.time()
        self._way.keep(self)

    def _refuse(self, why: str, data: bytes) -> None:
        self._fail(refusals.bad_answer(why, data))
        self.abort()

    def pause(self) -> None:
        if self._visit is None:
            return  # the answer is complete
        self._paused = True
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def resume(self) -> None:
        if not self._paused:
            return
        self._paused = False
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    # Ends.

    def abandon(self) -> None:
        self._visit = None
        if self._connecting is not None:
            self._connecting.cancel()
        if self._state == _RAW:
            self.close()  # what the client said last is still sent
        else:
            self.abort()

    def close(self) -> None:
        self._way.forget(self)
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        self._way.forget(self)
        if self._transport is not None:
            self._transport.abort()

    def eof_received(self) -> None:
        # The transport closes from here on, and would drop what is written: nobody is to find it idle.
        self._way.forget(self)
        # If it had been closed a moment before we wrote, nobody has read that.
        assert self._transport is not None  # noqa: S101  (connected before)
        self._unsent_at_eof = self._transport.get_write_buffer_size() > 0

    def connection_lost(self, exc: Exception | None) -> None:
        self._way.forget(self)
        visit, self._visit = self._visit, None
        if visit is None:
            return
        if self._state == _RAW or (self._state == _UNTIL_CLOSE and exc is None):
            visit.finish()
        elif self._state != _HEAD:
            visit.fail(refusals.no_answer("closed the connection before its answer was complete"))
        elif self._begun:
            visit.fail(refusals.no_answer("closed the connection in the head of its answer"))
        elif self._tries < MOST_TRIES and self._may_be_sent_again(visit, was_unread=exc is not None):
            self._way.again(visit, self._tries + 1)
        else:
            visit.fail(refusals.no_answer())

    def _may_be_sent_again(self, visit: Visit, *, was_unread: bool) -> bool:
        request = visit.request
        body = request.body
        if body is None:
            return False
        if was_unread or self._unsent_at_eof:
            # The kernel says (ECONNRESET, EPIPE) that the plugin has not read the request to its end.
            return len(body) <= READ_AT_ONCE or request.method in IDEMPOTENT
        # It may have been read, but hardly acted on, and by a kept connection comes only what may be asked twice.
        return self.idle_since > 0 and time.monotonic() - visit.since < _CROSSED_WITHIN
