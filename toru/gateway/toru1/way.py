"""The way to a plugin of toru/1: one message, one answer, one connection, and one of them at a time.

A request waits for the plugin only when its body is there: who uploads slowly holds up nobody else. While the plugin
sleeps or restarts, the requests wait in the order in which they were complete.
"""

from __future__ import annotations

import asyncio
import traceback
from collections import deque
from datetime import UTC, datetime
from typing import TypeVar

from toru.domain import frames
from toru.gateway import refusals
from toru.gateway.bell import Bell, Unreachable
from toru.gateway.exchange import Exchange
from toru.gateway.refusals import Refusal
from toru.gateway.targets import Target
from toru.gateway.toru1 import messages
from toru.gateway.toru1.connection import Connection, Failed
from toru.gateway.toru1.large_json import Steps
from toru.gateway.toru1.messages import Answer, NotAnAnswer
from toru.systemd import notify

T = TypeVar("T")

HELD_BYTES = 32 << 20
"""From so much in bodies on, none goes on growing; but for the oldest, where there is no complete one to wait for."""
PART_BYTES = 256 << 10
"""An answer goes to the client in parts of this size."""
IGNORED_BYTES = 1 << 20
"""Of messages about other requests, before the one that is waited for."""
TRIES = 4
"""For one that ends while requests wait at its door. One that takes them and closes is not asked for ever."""


class Toru1:
    """The one at whose door requests wait."""

    def __init__(self, target: Target) -> None:
        self.bell = Bell(target)
        self.turn = asyncio.Lock()
        """Whoever has it may connect. It goes round in the order in which it was asked for."""
        self._held = 0
        self._collecting: deque[_Carrier] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def see(self, target: Target) -> None:
        self.bell.see(target)

    def begin(self, exchange: Exchange) -> _Carrier:
        carrier = _Carrier(self, exchange)
        request = exchange.request
        if request.upgrade is not None:
            exchange.fail(refusals.not_supported("WebSockets"))
        elif request.length is not None and request.length > frames.LARGEST_MESSAGE_BYTES:
            exchange.fail(_too_large())
        elif request.body is not None:
            carrier.go(request.body)
        else:
            self._collecting.append(carrier)
            exchange.invite_body()
        return carrier

    def close(self) -> None:
        """Nothing is kept that could be closed: what is under way comes to its end, and its connection with it."""

    # For carriers.

    @property
    def _complete(self) -> bool:
        """Whether there is a body that will be let go of without more of it."""
        return self._held > sum(carrier.held for carrier in self._collecting)

    def hold(self, count: int) -> None:
        """So many more bytes are held, or fewer."""
        self._held += count
        is_full = self._held > HELD_BYTES
        for carrier in self._collecting:
            must_go_on = carrier is self._collecting[0] and not self._complete
            carrier.collect(paused=is_full and not must_go_on)

    def collected(self, carrier: _Carrier) -> None:
        """It is complete, or given up."""
        if carrier in self._collecting:
            self._collecting.remove(carrier)
            self.hold(0)

    def spawn(self, carrier: _Carrier, body: bytes) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(carrier.run(body))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


class _Carrier:
    """One request on its way to the plugin and back."""

    def __init__(self, way: Toru1, exchange: Exchange) -> None:
        self._way = way
        self._exchange = exchange
        self._body = bytearray()
        self._body_paused = False
        self.held = 0
        """Bytes."""
        self._task: asyncio.Task[None] | None = None
        self._client_reads = asyncio.Event()
        self._client_reads.set()

    # What the exchange says.

    def body(self, data: bytes) -> None:
        self._body += data
        self._hold(len(self._body))
        if len(self._body) > frames.LARGEST_MESSAGE_BYTES:
            self._let_go()
            self._exchange.fail(_too_large())

    def end_of_body(self) -> None:
        self._way.collected(self)
        body, self._body = bytes(self._body), bytearray()
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

    def collect(self, *, paused: bool) -> None:
        if paused == self._body_paused:
            return
        self._body_paused = paused
        if paused:
            self._exchange.pause_body()
        else:
            self._exchange.resume_body()

    def go(self, body: bytes) -> None:
        self._task = self._way.spawn(self, body)

    async def run(self, body: bytes) -> None:
        """From the complete request to the end of the answer."""
        try:
            self._hold(len(body))
            answer = await self._ask(await self._message(body))
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

    async def _message(self, body: bytes) -> bytes:
        request = self._exchange.request
        headers = request.headers
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
            raise Failed(_too_large()) from None

    async def _ask(self, message: bytes) -> Answer:
        async with self._way.turn:
            for _ in range(TRIES):
                try:
                    return await self._ask_once(message)
                except ConnectionResetError:
                    continue  # it was never taken: the plugin has ended, and its next process may have it
        raise Failed(refusals.no_answer("closes every connection unread"))

    async def _ask_once(self, message: bytes) -> Answer:
        # Not before it is our turn: a plugin in the field has room for five who wait.
        sock = await self._way.bell.reach()
        loop = asyncio.get_running_loop()
        transport, connection = await loop.create_unix_connection(Connection, sock=sock)
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
            message = await connection.message()
            try:
                answer = await _in_steps(messages.answer(message, self._exchange.request.id))
            except NotAnAnswer as breach:
                raise Failed(refusals.bad_answer(str(breach), message[:200])) from None
            if answer is not None:
                return answer
            ignored += len(message)
            if ignored > IGNORED_BYTES:
                raise Failed(refusals.bad_answer("answers other requests and not this one", message[:200]))

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

    def _hold(self, count: int) -> None:
        change, self.held = count - self.held, count
        self._way.hold(change)

    def _let_go(self) -> None:
        self._way.collected(self)
        self._body = bytearray()
        self._hold(0)


def _length_said(answer: Answer) -> int | None:
    """Of the body that a GET would have had."""
    said = [value for name, value in answer.headers if name.lower() == b"content-length"]
    return int(said[0]) if len(said) == 1 and said[0].isdigit() else None


def _too_large() -> Refusal:
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
