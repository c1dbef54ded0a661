"""One client's request to a plugin, and its answer: where the client's side and the plugin's side meet.

The client's side (protocol.py) authorises a request, makes an `Exchange` of it, waits for its turn, and hands it to the
plugin's `Way`, which answers with a `Carrier`. From then on both sides only call each other:

                 exchange calls                      carrier calls
    request      carrier.body(data), end_of_body()   exchange.invite_body(), pause_body(), resume_body()
    answer       carrier.pause(), resume()           exchange.respond(…), write(data), finish()
    trouble      carrier.abandon()                   exchange.fail(refusal)

All of it happens on the event loop, and nothing of it waits. A call may lead to another one before it returns:
`write` to `pause`, `fail` to the `begin` of the next request that waits for its turn. Whatever a carrier calls once the
exchange is over (`exchange.over`) has no effect. After `finish`, `fail` or `abandon` an exchange calls its carrier no
more.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from toru.domain.people import Caller
from toru.gateway.refusals import Refusal
from toru.gateway.targets import Target

Headers = Sequence[tuple[bytes, bytes]]


class Request:
    """What is to be asked of the plugin: cleaned, with what Toru says of the client, and never changed."""

    __slots__ = ("body", "expects_continue", "head", "length", "method", "number", "path", "upgrade")

    def __init__(  # noqa: PLR0913, PLR0917  (a request has that many sides, and naming them takes a third longer)
        self,
        method: bytes,
        path: bytes,
        head: bytes,
        number: bytes,
        length: int | None,
        body: bytes | None,
        expects_continue: bool,  # noqa: FBT001  (as said)
        upgrade: bytes | None,
    ) -> None:
        self.method = method
        self.path = path
        """`/rest?query`, beginning with `/`, with the percent-encoding that the client chose."""
        self.head = head
        """As HTTP/1.1 has it, without the empty line, and without what says how long the body is."""
        self.number = number
        self.length = length
        """Of the body; 0 where there is none. None: not known (it comes chunked)."""
        self.body = body
        """The whole body, where it was there together with the head (b"" where there is none): then neither `body` nor
        `end_of_body` of the carrier is called. None: it comes by these."""
        self.expects_continue = expects_continue
        """The client sends the body when it is invited."""
        self.upgrade = upgrade
        """`websocket`: what the client would speak from here on. Who can't may answer as if it hadn't asked."""

    @property
    def id(self) -> str:
        """Unique; also in the header X-Toru-Request-Id."""
        return self.number.decode()

    @property
    def lines(self) -> list[bytes]:
        """`Name: value`, in the client's order and spelling, ours last.

        No hop-by-hop headers, no Content-Length and no Transfer-Encoding.
        """
        return self.head.split(b"\r\n")[1:-1]

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The lines taken apart, names in lower case, repeated ones as often as they came."""
        pairs = (line.split(b":", 1) for line in self.lines)
        return [(name.lower(), value.strip(b" \t")) for name, value in pairs]


class Carrier(Protocol):
    """The plugin's side of one exchange."""

    def body(self, data: bytes) -> None:
        """A part of the request's body, never empty. Comes also for a moment after `pause_body`: keep it."""

    def end_of_body(self) -> None:
        """The request's body is complete."""

    def pause(self) -> None:
        """The client reads slowly: write no more, but for what is under way already, until `resume`."""

    def resume(self) -> None:
        """The client has read what was written."""

    def abandon(self) -> None:
        """The client has left, or the time is up: let go of everything, and of the connection if it is not idle now."""


class Way(Protocol):
    """To one plugin, from the first request on until the plugin is gone: connections that exchanges share."""

    def begin(self, exchange: Exchange) -> Carrier:
        """Takes this request to the plugin. Called when it is its turn: no more than `target.max_concurrent` at a time.

        The target is not BACKING_OFF, DOWN or OFF at this moment; it may be ASLEEP, COMING or PAUSED. The exchange
        keeps the time limit. What fails at once is said by `exchange.fail`, and the carrier that is returned then is
        never called.
        """

    def see(self, target: Target) -> None:
        """The plugin as it is from now on, such as RUNNING after ASLEEP. Told before anybody begins with it."""

    def close(self) -> None:
        """No more requests will come this way: close what is idle. What is under way comes to its end."""


class Exchange(Protocol):
    """The client's side of it, as carriers see it."""

    @property
    def request(self) -> Request:
        """What is asked."""

    @property
    def caller(self) -> Caller:
        """Who asks."""

    @property
    def target(self) -> Target:
        """The plugin, as it was when the request's turn came."""

    @property
    def over(self) -> bool:
        """Whether it is answered, failed or abandoned."""

    def invite_body(self) -> None:
        """Sends 100 Continue to a client that waits for it (`request.expects_continue`); else nothing.

        A carrier that wants the body in any case calls it in `begin`.
        """

    def pause_body(self) -> None:
        """Take no more from the client, but for what is under way already, until `resume_body`."""

    def resume_body(self) -> None:
        """Take more from the client."""

    def respond(self, status: int, reason: bytes, headers: Headers, length: int | None) -> None:
        """The head of the answer: once, status 200 to 599. Reason b"": the usual one.

        `headers` as the plugin said them, names in any case. What must not reach the client is taken out here, so are
        Content-Length and Transfer-Encoding: `length` says how long the body is (None: as long as it lasts). A head
        that can't be sent (a line break in a value, a status out of range) fails as a bad answer.
        """

    def write(self, data: bytes) -> None:
        """A part of the answer's body. Swallowed where the answer has none (HEAD, 204, 304)."""

    def finish(self) -> None:
        """The answer is complete. Short of its `length`, the client's connection is cut: so it can tell."""

    def fail(self, refusal: Refusal) -> None:
        """There is no answer, or no more of it: answers with the refusal, or after `respond` cuts the connection.

        The journal gets one line.
        """
