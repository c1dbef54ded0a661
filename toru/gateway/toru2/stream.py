"""One request of toru/2 and its answer: what may be said of it when, and the credit of its two bodies."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Protocol

from toru.gateway import refusals
from toru.gateway.refusals import Refusal
from toru.gateway.toru2 import frames, messages
from toru.gateway.toru2.frames import LARGEST_PART, Breach, Data
from toru.gateway.toru2.messages import BadAnswer, Head


class Asker(Protocol):
    """Whoever wants an answer. After `end`, `fail` or `untaken` nothing more is said."""

    def head(self, head: Head) -> None: ...

    def part(self, content: bytes) -> None: ...

    def end(self) -> None: ...

    def fail(self, refusal: Refusal) -> None:
        """There is no answer, or no more of it."""

    def untaken(self) -> None:
        """The plugin said goodbye before it began this: it may be sent elsewhere, unchanged. Told last to first."""

    def drained(self) -> None:
        """All that was sent of the request's body is on its way."""


class Line(Protocol):
    """What a stream needs of the conversation it is part of."""

    credit: int
    """For all bodies that are sent together."""

    def send(self, data: bytes) -> None: ...

    def want_to_send(self, stream: Stream) -> None: ...

    def forget(self, stream: Stream) -> None:
        """It is over."""


class Stream:
    """One request and its answer."""

    def __init__(  # noqa: PLR0913  (it has these parts)
        self, line: Line, request_id: int, asker: Asker, *, is_head: bool, credit: int, given: int
    ) -> None:
        self._line = line
        self.request_id = request_id
        self.asker = asker
        self._is_head = is_head
        self._out: deque[bytes] = deque()
        self._out_ended = False
        self.is_eager = False
        """Whether it is among those that have their turn."""
        self._credit = credit
        self._answer: Head | None = None
        self._received = 0
        self._given = self._their_credit = given
        self._owed = 0
        """Credit that the plugin is to get back."""
        self._is_paused = False
        self.is_taken = False
        """Whether the plugin has shown that it began with it."""

    # For whoever asks.

    def body(self, content: bytes, *, is_last: bool = False) -> None:
        """More of the request's body."""
        for start in range(0, len(content), LARGEST_PART):
            self._out.append(content[start : start + LARGEST_PART])
        self._out_ended = is_last
        self._line.want_to_send(self)

    @property
    def has_backlog(self) -> bool:
        """Whether some of the request's body waits for credit; `drained` says when it does no more."""
        return bool(self._out)

    def pause(self) -> None:
        """No more of the answer, but for what there is credit for."""
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False
        self._give_credit()

    def cancel(self, reason: str) -> None:
        """Nobody wants the answer any more, or it is none."""
        self._line.send(messages.cancel(self.request_id, reason))
        self._line.forget(self)

    # For the conversation.

    @property
    def can_send(self) -> bool:
        """Whether there is something to send, and credit of its own for it."""
        return self._credit > 0 if self._out else self._out_ended

    @property
    def wants_credit_of_all(self) -> bool:
        """Whether it would send if there were credit for the connection."""
        return bool(self._out) and self._credit > 0 and self._line.credit == 0

    def send_part(self) -> None:
        """One frame, as far as there is credit."""
        room = min(self._credit, self._line.credit)
        if not self.can_send or (self._out and room == 0):
            return
        part = self._out.popleft() if self._out else b""
        if len(part) > room:
            self._out.appendleft(part[room:])
            part = part[:room]
        self._credit -= len(part)
        self._line.credit -= len(part)
        is_last = self._out_ended and not self._out
        if is_last:
            self._out_ended = False
        self._line.send(frames.data(self.request_id, part, is_last=is_last))
        if not self._out and not is_last:
            self.asker.drained()

    def on_credit(self, count: int) -> None:
        self.is_taken = True
        self._credit = add_credit(self._credit, count)
        if self._out:
            self._line.want_to_send(self)

    def on_head(self, payload: Mapping[str, Any]) -> None:
        self.is_taken = True
        try:
            if self._answer is not None:
                raise BadAnswer("answered twice")
            head = messages.head_of(payload, to_head=self._is_head)
        except BadAnswer as breach:
            self._fail(refusals.bad_answer(str(breach)))
            return
        self._answer = head
        if not head.has_body:
            self._line.forget(self)
        self.asker.head(head)
        if not head.has_body:
            self.asker.end()

    def on_data(self, data: Data) -> None:
        if self._answer is None:
            raise Breach(f"data of the request {self.request_id} before the answer's head")
        count = len(data.content)
        self._received += count
        self._their_credit -= count
        self._owed += count
        if self._their_credit < 0:
            raise Breach(f"more data of the request {self.request_id} than there was credit")
        length = self._answer.length
        if length is not None and (self._received > length or (data.is_last and self._received < length)):
            self._fail(refusals.bad_answer(f"announced {length} bytes and sent {self._received}"))
            return
        if data.is_last:
            self._line.forget(self)
        if data.content:
            self.asker.part(data.content)
        if data.is_last:
            self.asker.end()
        else:
            self._give_credit()

    def _give_credit(self) -> None:
        if not self._is_paused and self._owed >= self._given // 2:
            self._line.send(messages.credit(self.request_id, self._owed))
            self._their_credit += self._owed
            self._owed = 0

    def _fail(self, refusal: Refusal) -> None:
        self.cancel(refusal.detail)
        self.asker.fail(refusal)


def add_credit(credit: int, count: int) -> int:
    """`Breach`, where that is more than may be outstanding."""
    if credit + count > messages.MOST_CREDIT:
        raise Breach("more credit than may be outstanding")
    return credit + count
