"""One request of toru/2 and its answer, each body with the credit of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Protocol

from toru_plugin.exchange import Exchange, Gone
from toru_plugin.headers import Headers
from toru_plugin.toru2 import frames
from toru_plugin.toru2.frames import LARGEST_PART, Breach, Message


class Line(Protocol):
    """What a stream needs of the conversation that it is part of."""

    credit: int
    """For all bodies that are sent together."""
    is_writable: bool
    """Whether the connection takes more."""

    def send(self, data: bytes) -> None: ...

    def give_back(self, count: int) -> None:
        """So many bytes have been dealt with."""

    def over(self, stream: Stream) -> None: ...


class Stream(Exchange):
    def __init__(  # noqa: PLR0913  (it has these parts)
        self, line: Line, request_id: int, method: str, target: str, headers: Headers, *, has_body: bool, credit: int,
        given: int,
    ) -> None:  # fmt: skip
        super().__init__(method, target, headers)
        self.request_id = request_id
        self.task: asyncio.Task[None] | None = None
        self.is_over = False
        self._line = line
        self._parts: deque[bytes] = deque()
        self._is_whole = not has_body
        self._given = self._may_receive = given
        self._dealt_with = 0
        self._credit = credit
        self._reader: asyncio.Future[None] | None = None
        self._writer: asyncio.Future[None] | None = None

    # For whoever answers.

    async def receive(self) -> bytes:
        while not self._parts:
            if self.is_over and not self._is_whole:
                raise Gone("the request broke off")
            if self._is_whole:
                return b""
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        part = self._parts.popleft()
        self._line.give_back(len(part))
        self._dealt_with += len(part)
        # Best when half is used up: so there is always some under way.
        if self._dealt_with * 2 >= self._given and not self._is_whole and not self.is_over:
            self._line.send(_credit(self.request_id, self._dealt_with))
            self._may_receive += self._dealt_with
            self._dealt_with = 0
        return part

    def abort(self, reason: str) -> None:
        if not self.is_over:
            said = {"type": "cancel", "request_id": self.request_id, "payload": {"reason": reason[:1000]}}
            self._line.send(frames.message(said))
            self._close()

    def _begin(self, status: int, headers: Headers, *, has_body: bool) -> None:
        if self.is_over:
            raise Gone("nobody waits for this answer")
        payload = {"status": status, "headers": headers.lists(), "body": has_body}
        self._line.send(frames.message({"type": "http", "request_id": self.request_id, "payload": payload}))
        if not has_body:
            self._close()

    async def _send(self, part: bytes, *, is_last: bool) -> None:
        while True:
            if self.is_over:
                raise Gone("nobody waits for this answer")
            room = min(self._credit, self._line.credit, LARGEST_PART)
            if part and (room == 0 or not self._line.is_writable):
                self._writer = asyncio.get_running_loop().create_future()
                await self._writer
                continue
            now, part = part[:room], part[room:]
            self._credit -= len(now)
            self._line.credit -= len(now)
            ends = is_last and not part
            self._line.send(frames.data(self.request_id, now, is_last=ends))
            if ends:
                self._close()
            if not part:
                return

    # For the conversation.

    def on_data(self, content: bytes, *, is_last: bool) -> None:
        if self._is_whole:
            raise Breach(f"data for the request {self.request_id}, whose body has ended")
        self._may_receive -= len(content)
        if self._may_receive < 0:
            raise Breach(f"more data for the request {self.request_id} than there was credit")
        if content:
            self._parts.append(content)
        self._is_whole = is_last
        _wake(self._reader)

    def on_credit(self, count: int) -> None:
        self._credit = add_credit(self._credit, count)
        self.wake_writer()

    def wake_writer(self) -> None:
        _wake(self._writer)

    def on_cancel(self) -> None:
        """Nobody wants the answer any more."""
        self._close()
        if self.task is not None:
            self.task.cancel()

    def _close(self) -> None:
        self.is_over = True
        # What has come and was not read yet may still be read, and counts for the connection no more.
        self._line.over(self)
        _wake(self._reader)
        _wake(self._writer)

    def unread(self) -> int:
        """Bytes that nobody will read any more."""
        count = sum(map(len, self._parts))
        self._parts.clear()
        return count


def add_credit(credit: int, count: int) -> int:
    """`Breach`, where that is more than may be outstanding."""
    if credit + count > MOST_CREDIT:
        raise Breach("more credit than may be outstanding")
    return credit + count


MOST_CREDIT = 2**31 - 1


def _credit(request_id: int | None, count: int) -> bytes:
    said: Message = {"type": "credit", "request_id": request_id, "payload": {"bytes": count}}
    return frames.message(said)


def _wake(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)
