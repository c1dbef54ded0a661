"""A connection of toru/2 from the core's side, without the connection: which frame may come, and what follows from it.

Hello, goodbye, and the credit that all bodies have together; a `Stream` is one request and its answer. Bytes come in by
`receive` and leave by `send`. A rule broken by the plugin is a `Breach`, which ends the connection.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from toru.gateway import refusals
from toru.gateway.refusals import Refusal
from toru.gateway.toru2 import messages
from toru.gateway.toru2.frames import HIGHEST_ID, Breach, Data, Frame, FrameReader
from toru.gateway.toru2.messages import Goodbye, Headers, Hello
from toru.gateway.toru2.stream import Asker, Stream, add_credit

CREDIT = 256 << 10
"""Of an answer's body: so much may be under way while the client has not read it."""
FRAMES_AT_ONCE = 100
"""They may be small, and many."""
CONNECTION_CREDIT = 4 << 20
"""Of all answers together. It is given back as bytes come, for each answer is held up by its own credit."""


class Conversation:
    """For one connection.

    `send` takes bytes, `push` what the plugin pushes. `change` is called when `is_ready`, `is_leaving`, `room` or
    `load` may have changed.
    """

    def __init__(
        self,
        *,
        send: Callable[[bytes], None],
        push: Callable[[Mapping[str, Any]], None],
        change: Callable[[], None],
        credit: int = CREDIT,
        connection_credit: int = CONNECTION_CREDIT,
    ) -> None:
        self.send = send
        self._push = push
        self._change = change
        self._frames = FrameReader()
        self._incoming: Iterator[Frame] = iter(())
        self._plugin: Hello | None = None
        self._streams: dict[int, Stream] = {}
        self._next_id = 1
        self.is_leaving = False
        """No more requests begin here."""
        self.plugin_left = False
        """Whether the plugin has said goodbye."""
        self.refusal: Refusal | None = None
        """What the plugin has against this connection."""
        self.credit = 0
        """For all bodies that are sent together."""
        self._given = credit
        """To the plugin, for each answer."""
        self._given_for_all = self._their_credit = connection_credit
        self._is_writable = True
        self._eager: deque[Stream] = deque()
        """Those with something to send, each in turn a frame."""
        send(messages.hello(credit=credit, connection_credit=connection_credit))

    # For whoever gives it requests.

    @property
    def is_ready(self) -> bool:
        """Whether the plugin has said hello."""
        return self._plugin is not None

    @property
    def room(self) -> int:
        """So many more requests may begin here now."""
        if self._plugin is None or self.is_leaving or not self._is_writable:
            return 0
        return self._plugin.requests - len(self._streams)

    @property
    def load(self) -> int:
        """So many requests are under way."""
        return len(self._streams)

    def begin(self, asker: Asker, method: bytes, path: bytes, headers: Headers, *, has_body: bool) -> Stream:
        """A request; only where there is room. ValueError, where its head is too long: then nothing was sent."""
        assert self._plugin is not None  # noqa: S101  there is room
        head = messages.request(self._next_id, method, path, headers, has_body=has_body)
        stream = Stream(
            self, self._next_id, asker, is_head=method == b"HEAD", credit=self._plugin.credit, given=self._given
        )
        self._streams[self._next_id] = stream
        self._next_id += 1
        if self._next_id > HIGHEST_ID:
            self.is_leaving = True
        self.send(head)
        return stream

    def leave(self, code: str, reason: str) -> None:
        """Says goodbye. What is under way comes to its end."""
        if not self.is_leaving:
            self.is_leaving = True
            self.send(messages.goodbye(code, reason))

    def lost(self, refusal: Refusal) -> None:
        """There is no connection any more."""
        self.is_leaving = True
        streams, self._streams = list(self._streams.values()), {}
        self._eager.clear()
        for stream in streams:
            stream.asker.fail(refusal)

    def pause(self) -> None:
        """More has been sent than the connection takes."""
        self._is_writable = False

    def resume(self) -> None:
        self._is_writable = True
        self.pump()
        self._change()

    # What comes.

    def receive(self, received: bytes) -> bool:
        """Handles what has come; True: not all of it, so `go_on` before there is more.

        `Breach`, where the plugin broke a rule: say goodbye with the code protocol, and close.
        """
        self._incoming = self._frames.feed(received)
        return self.go_on()

    def go_on(self) -> bool:
        for frame in islice(self._incoming, FRAMES_AT_ONCE):
            if isinstance(frame, Data):
                self._on_data(frame)
            else:
                self._on_message(frame.said)
        return self._frames.is_within

    def _on_data(self, data: Data) -> None:
        count = len(data.content)
        if self._plugin is None:
            raise Breach("data before hello")
        self._their_credit -= count
        if self._their_credit < 0:
            raise Breach("more data on the connection than there was credit")
        if self._their_credit <= self._given_for_all // 2:
            self.send(messages.credit(None, self._given_for_all - self._their_credit))
            self._their_credit = self._given_for_all
        if (stream := self._stream(data.request_id)) is not None:
            stream.on_data(data)

    def _on_message(self, said: Mapping[str, Any]) -> None:
        kind = messages.type_of(said)
        if kind not in messages.TYPES:
            return  # of a later version, and of no use to this one
        payload = messages.payload_of(said)
        if kind == "lifecycle":
            self._on_lifecycle(payload)
            return
        if self._plugin is None:
            raise Breach("a message before hello")
        match kind:
            case "http":
                if (stream := self._stream(messages.id_of(said))) is not None:
                    stream.on_head(payload)
            case "credit":
                self._on_credit(said, messages.credit_of(payload))
            case "cancel":
                reason = messages.reason_of(payload)
                if (stream := self._stream(messages.id_of(said))) is not None:
                    self.forget(stream)
                    stream.asker.fail(_with_reason("gave the request up", reason))
            case "push":
                self._push(payload)

    def _on_lifecycle(self, payload: Mapping[str, Any]) -> None:
        match payload.get("action"):
            case "hello":
                if self._plugin is not None:
                    raise Breach("a second hello")
                self._plugin = messages.hello_of(payload)
                self.credit = self._plugin.connection_credit
                self._change()
            case "goodbye":
                self._on_goodbye(messages.goodbye_of(payload))
            case _:
                return

    def _on_goodbye(self, goodbye: Goodbye) -> None:
        self.is_leaving = self.plugin_left = True
        if goodbye.is_final:
            self.refusal = _with_reason("closed the connection", f"{goodbye.code}: {goodbye.reason}")
            self.lost(self.refusal)
        untaken = [it for it in self._streams.values() if it.request_id > goodbye.last_request_id]
        for stream in untaken:
            if stream.is_taken:
                raise Breach(f"a goodbye that leaves out the request {stream.request_id}, which had begun")
            del self._streams[stream.request_id]
        for stream in reversed(untaken):
            stream.asker.untaken()
        self._change()

    def _on_credit(self, said: Mapping[str, Any], count: int) -> None:
        if said.get("request_id") is None:
            self.credit = add_credit(self.credit, count)
        elif (stream := self._stream(messages.id_of(said))) is not None:
            stream.on_credit(count)
        self.pump()

    def _stream(self, request_id: int) -> Stream | None:
        """None: it is over."""
        if not 0 < request_id < self._next_id:
            raise Breach(f"a frame about the request {request_id}, which never was")
        return self._streams.get(request_id)

    # For streams.

    def forget(self, stream: Stream) -> None:
        """It is over."""
        if self._streams.pop(stream.request_id, None) is not None:
            self._change()

    def want_to_send(self, stream: Stream) -> None:
        if not stream.is_eager:
            stream.is_eager = True
            self._eager.append(stream)
        self.pump()

    def pump(self) -> None:
        """Sends what there is credit for, a frame of each stream in turn."""
        without_credit = []
        while self._eager and self._is_writable:
            stream = self._eager.popleft()
            stream.is_eager = False
            if stream.request_id not in self._streams:
                continue
            stream.send_part()
            if stream.wants_credit_of_all:
                # The others may go on: an end without bytes needs none, and may be what the plugin waits for.
                without_credit.append(stream)
            elif stream.can_send:
                stream.is_eager = True
                self._eager.append(stream)
        for stream in reversed(without_credit):
            if not stream.is_eager:
                stream.is_eager = True
                self._eager.appendleft(stream)


def _with_reason(why: str, reason: str) -> Refusal:
    """What the plugin says of it is for the log: it may say too much for whoever asked."""
    return replace(refusals.no_answer(why), log=f"it said {reason[:200]!r}")
