"""One request to a plugin of toru/1 on its way there and back."""

from __future__ import annotations

import asyncio
import traceback
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from toru.domain import frames
from toru.gateway import refusals
from toru.gateway.bell import Unreachable, carry
from toru.gateway.exchange import Exchange
from toru.gateway.refusals import Refusal
from toru.gateway.toru1 import messages
from toru.gateway.toru1.connection import Connection, Failed
from toru.gateway.toru1.large_json import Steps
from toru.gateway.toru1.messages import Answer, NotAnAnswer
from toru.gateway.toru1.room import SMALL_BYTES
from toru.systemd import notify

if TYPE_CHECKING:
    from toru.gateway.toru1.way import Toru1

T = TypeVar("T")

PART_BYTES = 256 << 10
"""An answer goes to the client in parts of this size."""
IGNORED_BYTES = 1 << 20
"""Of messages about other requests, before the one that is waited for."""
TRIES = 4
"""For one that ends while requests wait at its door. One that takes them and closes is not asked for ever."""
ROOM_SECONDS = 2.0
"""How long the plugin waits until there is room for its answer. Meanwhile it serves nobody else."""


class Carrier:
    def __init__(self, way: Toru1, exchange: Exchange) -> None:
        self._way = way
        self._exchange = exchange
        self._body = bytearray()
        self._whole_body = b""
        self._body_paused = False
        self.held = 0
        """Bytes of the body."""
        self._room = 0
        """Bytes that are taken for the answer."""
        self._task: asyncio.Task[None] | None = None
        self._client_reads = asyncio.Event()
        self._client_reads.set()

    # What the exchange says.

    def body(self, data: bytes) -> None:
        self._body += data
        self._hold(len(self._body))
        if len(self._body) > frames.LARGEST_MESSAGE_BYTES:
            self._let_go()
            self._exchange.fail(too_large())

    def end_of_body(self) -> None:
        body, self._body = bytes(self._body), bytearray()
        self._way.bodies.ended(self)
        self.go(body)

    def pause(self) -> None:
        self._client_reads.clear()

    def resume(self) -> None:
        self._client_reads.set()

    def abandon(self) -> None:
        if self._task is None:
            self._let_go()
        else:
            self._task.cancel()

    # What the way says.

    def pace(self) -> None:
        """Takes more of the body, or no more for now."""
        paused = not self._way.bodies.lets_grow(self)
        if paused == self._body_paused:
            return
        self._body_paused = paused
        if paused:
            self._exchange.pause_body()
        else:
            self._exchange.resume_body()

    def go(self, body: bytes) -> None:
        """The body is complete."""
        self._whole_body = body
        self._hold(len(body))
        self._task = self._way.spawn(self)

    async def run(self) -> None:
        """From the complete request to the end of the answer."""
        try:
            answer = await self._ask()
            self._hold(0)
            await self._deliver(answer)
        except Unreachable as unreachable:
            self._exchange.fail(unreachable.refusal)
        except Failed as failed:
            self._exchange.fail(failed.refusal)
        except Exception:  # noqa: BLE001  (the top of a task)
            notify.log(notify.ERROR, traceback.format_exc(), TORU_PLUGIN=self._exchange.target.plugin)
            self._exchange.fail(Refusal(status=500, code="internal", detail="this is a fault of Toru's own"))
        finally:
            self._let_go()

    async def _ask(self) -> Answer:
        # A large message is written when it is this one's turn: before, its body is all that it needs to hold.
        is_large = len(self._whole_body) > SMALL_BYTES
        message = b"" if is_large else await self._message()
        async with self._way.turn:
            if is_large:
                async with self._way.at_work:
                    message = await self._message()
            for _ in range(TRIES):
                try:
                    return await self._ask_once(message)
                except ConnectionResetError:
                    self._give_room_back()
                    continue  # it was never taken: the plugin has ended, and its next process may have it
        raise Failed(refusals.no_answer("closes every connection unread"))

    async def _message(self) -> bytes:
        request = self._exchange.request
        headers = request.headers
        body, self._whole_body = self._whole_body, b""
        if body:
            headers.append((b"content-length", str(len(body)).encode()))
        try:
            return await _in_steps(
                messages.request(
                    request_id=request.id,
                    method=request.method.decode("latin-1"),
                    path=request.path.decode("latin-1"),
                    headers=headers,
                    body=body,
                    now=datetime.now(UTC),
                )
            )
        except ValueError:
            raise Failed(too_large()) from None

    async def _ask_once(self, message: bytes) -> Answer:
        # Not before it is our turn: a plugin in the field has room for five who wait.
        transport, connection = await carry(Connection, await self._way.bell.reach())
        try:
            # In ONE write: the plugin reads the length with a single recv(4).
            transport.write(message)
            return await self._answer(connection)
        finally:
            # A plugin in the field serves nobody else before its connection is closed.
            transport.abort()

    async def _answer(self, connection: Connection) -> Answer:
        ignored = 0
        while True:
            length = await connection.length()
            async with AsyncExitStack() as stack:
                if length > SMALL_BYTES:
                    await self._take_room(length)
                message = await connection.message(length)
                if length > SMALL_BYTES:
                    await stack.enter_async_context(self._way.at_work)
                answer = await self._read(message)
            if answer is not None:
                return answer
            self._give_room_back()
            ignored += length
            if ignored > IGNORED_BYTES:
                raise Failed(refusals.bad_answer("answers other requests and not this one", message[:200]))

    async def _read(self, message: bytes) -> Answer | None:
        try:
            return await _in_steps(messages.answer(message, self._exchange.request.id))
        except NotAnAnswer as breach:
            raise Failed(refusals.bad_answer(str(breach), message[:200])) from None

    async def _deliver(self, answer: Answer) -> None:
        exchange, body = self._exchange, answer.body
        length: int | None = len(body)
        if not body and exchange.request.method == b"HEAD":
            length = _length_said(answer)
        exchange.respond(answer.status, b"", answer.headers, length)
        for start in range(0, len(body), PART_BYTES):
            await self._client_reads.wait()
            exchange.write(body[start : start + PART_BYTES])
        exchange.finish()

    # Memory.

    async def _take_room(self, count: int) -> None:
        try:
            async with asyncio.timeout(ROOM_SECONDS):
                await self._way.answers.take(count)
        except TimeoutError:
            why = "has answered, but too many of its answers wait for clients that read slowly"
            raise Failed(refusals.unavailable(why, ROOM_SECONDS)) from None
        self._room = count

    def _give_room_back(self) -> None:
        count, self._room = self._room, 0
        if count:
            self._way.answers.give_back(count)

    def _hold(self, count: int) -> None:
        change, self.held = count - self.held, count
        self._way.bodies.hold(change)

    def _let_go(self) -> None:
        self._way.bodies.ended(self)
        self._body, self._whole_body = bytearray(), b""
        self._hold(0)
        self._give_room_back()


def _length_said(answer: Answer) -> int | None:
    """Of the body that a GET would have had."""
    said = [value for name, value in answer.headers if name.lower() == b"content-length"]
    return int(said[0]) if len(said) == 1 and said[0].isdigit() and len(said[0]) < 20 else None


def too_large() -> Refusal:
    most = frames.LARGEST_MESSAGE_BYTES
    return Refusal(
        status=413,
        code="too-large",
        detail=f"a request to this plugin has to fit into one message of {most} bytes",
        facts={"max_message_bytes": most},
    )


async def _in_steps(work: Steps[T]) -> T:
    """Its result. Others get their turn between the steps."""
    while True:
        try:
            next(work)
        except StopIteration as end:
            result: T = end.value
            return result
        await asyncio.sleep(0)
