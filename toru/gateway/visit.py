"""The client's side of an exchange: what `Exchange` promises to carriers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING

from toru.domain.people import Caller
from toru.gateway import refusals
from toru.gateway.answers import Answer, BadAnswer
from toru.gateway.exchange import Carrier, Headers, Request, Way
from toru.gateway.forwarding import answer_lines, answer_of, joined
from toru.gateway.framing import LAST_CHUNK
from toru.gateway.front_ends import said_of_script
from toru.gateway.heads import HOST
from toru.gateway.refusals import Refusal
from toru.gateway.targets import Availability, Target

if TYPE_CHECKING:
    from toru.gateway.protocol import GatewayProtocol
    from toru.gateway.reception import Ticket

_ASLEEP = Availability.ASLEEP  # on Python 3.11 a member's name takes seven times as long
_NEW, _WAITING, _BEGUN, _ANSWERED, _OVER = range(5)
_NO_LIMIT = -1
_JOINED_BELOW = 32 << 10
"""Bytes: up to so many it is cheaper to copy them into one write than to write them in parts."""

PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


class Visit:
    """From a request that was let in until its answer has ended."""

    __slots__ = (
        "_body_paused",
        "_bodyless",
        "_chunks",
        "_left",
        "_state",
        "asleep",
        "began",
        "carrier",
        "client",
        "endless",
        "lane",
        "request",
        "since",
        "target",
        "ticket",
    )

    def __init__(self, client: GatewayProtocol, ticket: Ticket, request: Request, began: float) -> None:
        self.client = client
        self.ticket = ticket
        self.lane = lane = ticket.lane
        self.request = request
        self.began = self.since = began
        """`since`: from when on the plugin is to answer."""
        self.target: Target = lane.target
        self.carrier: Carrier | None = None
        self.asleep = self.endless = False
        self._state = _NEW
        self._body_paused = self._bodyless = self._chunks = False
        self._left = _NO_LIMIT

    @property
    def caller(self) -> Caller:
        return self.ticket.visitor.caller

    # Of the lane and the client.

    @property
    def over(self) -> bool:
        return self._state == _OVER

    @property
    def waits_for_head(self) -> bool:
        return self._state < _ANSWERED

    def wait(self) -> None:
        self._state = _WAITING

    def begin(self, way: Way, target: Target) -> None:
        """It is this visit's turn."""
        if self._state == _WAITING:
            self.since = time.monotonic()
        self._state = _BEGUN
        self.target = target
        self.asleep = target.availability is _ASLEEP
        traffic = self.lane.traffic
        traffic.in_flight += 1
        if self.request.body:
            traffic.bytes_in += len(self.request.body)
        carrier = way.begin(self)
        if self._state == _OVER:
            return
        self.carrier = carrier
        if self.client.full:
            carrier.pause()  # an earlier answer isn't read yet
        if self.request.body is None and not self._body_paused:
            self.client.release_body()

    def late(self, now: float) -> None:
        """Looks whether it has waited too long: for its turn, or for the head of the answer."""
        most = self.target.timeout
        if self._state == _WAITING:
            if now - self.began > most:
                why = f"has not come to this request within {most:g} seconds, because of others before it"
                self.fail(refusals.unavailable(why, most))
        elif self._state == _BEGUN and now - self.since > most and not self.client.body_is_missing:
            self.give_up(refusals.too_slow(most))

    def left(self) -> None:
        """The client has gone."""
        if self._state == _OVER:
            return
        if self._state < _ANSWERED:
            self.lane.traffic.abandoned += 1
        self._let_go()
        self._end()

    def give_up(self, refusal: Refusal) -> None:
        """It ends here, for a reason that is not the plugin's to give."""
        self._let_go()
        self.fail(refusal)

    def body(self, data: bytes) -> None:
        """A part of the request's body; the client has seen to it that there is a carrier."""
        self.since = time.monotonic()
        self.lane.traffic.bytes_in += len(data)
        assert self.carrier is not None  # noqa: S101  (as said)
        self.carrier.body(data)

    def end_of_body(self) -> None:
        self.since = time.monotonic()
        if self.carrier is not None:
            self.carrier.end_of_body()

    # Of the carrier.

    def invite_body(self) -> None:
        if self.request.expects_continue and self._state == _BEGUN:
            self.client.invite_body()

    def pause_body(self) -> None:
        self._body_paused = True
        if self._state != _OVER:
            self.client.hold_body()

    def resume_body(self) -> None:
        self._body_paused = False
        if self.carrier is not None:  # else it is still in `begin`
            self.client.release_body()

    def respond(self, status: int, reason: bytes, headers: Headers, length: int | None) -> None:
        if self._state >= _ANSWERED:
            return
        try:
            answer = answer_of(status, reason or PHRASES.get(status, b""), headers)
            if answer.status < 200:
                raise BadAnswer(f"answered with the status {status}")
        except BadAnswer as bad:
            self.give_up(refusals.bad_answer(str(bad)))
            return
        self.relay(b"HTTP/1.1 %d %b" % (status, reason or PHRASES.get(status, b"")), answer, length)

    def write(self, data: bytes) -> None:
        if self._state != _ANSWERED or self._bodyless or not data:
            return
        size = len(data)
        if self._left != _NO_LIMIT:
            self._left -= size
            if self._left < 0:
                self._broken("sent more than its Content-Length")
                return
        self.lane.traffic.bytes_out += size
        transport = self.client.transport
        if not self._chunks:
            transport.write(data)
        elif size < _JOINED_BELOW:
            transport.write(b"%x\r\n%b\r\n" % (size, data))
        else:
            transport.writelines((b"%x\r\n" % size, data, b"\r\n"))

    def finish(self) -> None:
        if self._state != _ANSWERED:
            return
        if self._left > 0 and not self._bodyless:
            self._broken("ended its answer before its Content-Length")
            return
        if self._chunks:
            self.client.transport.write(LAST_CHUNK)
        self._end()
        self.client.answered()

    def fail(self, refusal: Refusal) -> None:
        if self._state == _OVER:
            return
        begun = self._state == _ANSWERED
        if not begun:
            self.lane.traffic.answered(refusal.status, time.monotonic() - self.began)
        self._end()
        if begun:
            self.client.gateway.notices.note(refusal, self.target)
            # Without a length or chunks, the way it is closed is all that tells the end from a break.
            self.client.cut(reset=not self._chunks and self._left == _NO_LIMIT)
        else:
            self.client.refuse(refusal, self.target)

    # Of carriers that speak HTTP.

    def placed(self, answer: Answer) -> list[bytes]:
        """The lines of an answer that reach this client."""
        head, lines = self.ticket.head, answer.lines
        if answer.special:
            base = self.client.origin.base(head.said)
            lines = answer_lines(answer, self.ticket.prefix, head.said[HOST], base)
        return said_of_script(lines) if head.is_for_front_end and answer.status in {200, 304} else lines

    def whole(self, status: int, data: bytes) -> None:
        """All of the answer, ready for the client."""
        traffic = self.lane.traffic
        traffic.answered(status, time.monotonic() - self.began)
        if self.asleep:
            self._woken()
        traffic.bytes_out += len(data)
        self.client.transport.write(data)
        self._end()
        self.client.answered()

    def relay(self, first: bytes, answer: Answer, length: int | None) -> None:
        """The head of an answer, whose body follows by `write`."""
        if self._state >= _ANSWERED:
            return
        client = self.client
        self._state = _ANSWERED
        self.endless = answer.endless
        status = answer.status
        self.lane.traffic.answered(status, time.monotonic() - self.began)
        if self.asleep:
            self._woken()
        lines = list(self.placed(answer))
        self._bodyless = self.request.method == b"HEAD" or status in {204, 304}
        if length is not None:
            self._left = length
            if status != 204:
                lines.append(b"Content-Length: %d" % length)
        elif not self._bodyless:
            self._chunks = client.knows_chunks
            client.closes = client.closes or not client.knows_chunks
            if self._chunks:
                lines.append(b"Transfer-Encoding: chunked")
        client.closes = client.closes or not client.request_is_whole
        if client.closes:
            lines.append(b"Connection: close")
        client.transport.write(joined(first, lines))
        if answer.endless:
            client.stay()

    def inform(self, first: bytes, lines: Iterable[bytes]) -> None:
        """An answer before the answer (103 and the like), for clients that know of such."""
        if self._state == _BEGUN and self.client.knows_chunks:
            self.client.transport.write(joined(first, lines))

    def switch(self, head: bytes) -> None:
        """From here on both sides speak another protocol, and all of it comes by `write` and the carrier's `body`."""
        self._state = _ANSWERED
        self.endless = True
        self.lane.traffic.answered(101, time.monotonic() - self.began)
        if self.asleep:
            self._woken()
        self.client.transport.write(head)
        self.client.switch()

    # Ends.

    def _woken(self) -> None:
        self.lane.traffic.cold_starts += 1
        self.lane.traffic.cold_seconds += time.monotonic() - self.began

    def _broken(self, why: str) -> None:
        self.give_up(refusals.bad_answer(why))

    def _let_go(self) -> None:
        carrier, self.carrier = self.carrier, None
        if carrier is not None:
            carrier.abandon()

    def _end(self) -> None:
        state, self._state = self._state, _OVER
        self.carrier = None
        if state >= _BEGUN:
            self.lane.traffic.in_flight -= 1
            self.lane.left()
        elif state == _WAITING:
            self.lane.waits_no_more(self)
