"""Requests to a plugin that speaks toru/2, by the gateway's own connections: they tell every breach of the protocol."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toru.check.asking import CLOSED, ENOUGH_BYTES, Ask, Reply, connect, together
from toru.check.verdict import Broken
from toru.gateway.refusals import Refusal, no_answer
from toru.gateway.toru2 import frames
from toru.gateway.toru2.connection import Connection
from toru.gateway.toru2.conversation import CONNECTION_CREDIT, CREDIT, Conversation
from toru.gateway.toru2.frames import Breach, Data, Frame, FrameReader
from toru.gateway.toru2.messages import BadPush, Head, push_of
from toru.gateway.toru2.stream import Stream


class Toru2:
    """One connection, opened when it is needed, and kept."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._talk: Talk | None = None

    async def talk(self) -> Talk:
        """The connection, on which the plugin has said hello."""
        if self._talk is None or self._talk.is_over:
            await self.close()
            self._talk = await Talk.begin(self._path)
        return self._talk

    async def ask(self, what: Ask) -> Reply:
        return await (await self.talk()).ask(what)

    async def ask_at_once(self, several: list[Ask]) -> list[Reply]:
        await self.talk()
        return await together([asyncio.create_task(self.ask(one)) for one in several])

    async def leave(self, what: Ask) -> None:
        talk = await self.talk()
        asked = await talk.request(what)
        if what.body:
            asked.stream.body(what.body[: len(what.body) // 2])
        asked.cancel("the client has left")

    async def hold(self, what: Ask) -> Asked:
        return await (await self.talk()).request(what)

    async def close(self) -> None:
        if self._talk is not None:
            await self._talk.close()
            self._talk = None


class Talk:
    """A connection and what is asked on it. Keeps it as the gateway's `Keeper` does."""

    def __init__(self) -> None:
        self._connection: Connection
        self._news = asyncio.Event()
        self.breach: str | None = None
        """Which rule the plugin broke."""
        self.bad_push: str | None = None
        self._lost = asyncio.Event()

    @classmethod
    async def begin(cls, path: Path, *, credit: int = CREDIT, connection_credit: int = CONNECTION_CREDIT) -> Talk:
        """A new one, when the plugin has said hello. `Broken`, where it doesn't."""
        talk = cls()
        connection = await connect(path)
        loop = asyncio.get_running_loop()
        await loop.create_unix_connection(lambda: _Line(talk, credit, connection_credit), sock=connection)
        await talk._until(lambda: talk.conversation.is_ready)
        return talk

    @property
    def conversation(self) -> Conversation:
        return self._connection.conversation

    @property
    def is_over(self) -> bool:
        return self._lost.is_set() or self.conversation.is_leaving

    async def ask(self, what: Ask) -> Reply:
        asked = await self.request(what)
        asked.send_body()
        try:
            return await asked.over
        finally:
            if not asked.over.done() or asked.over.cancelled():
                asked.cancel("nobody waits any more")

    async def request(self, what: Ask) -> Asked:
        """Its head is under way, when there is room for it."""
        await self._until(lambda: self.conversation.room > 0)
        asked = Asked(what)
        headers = [*what.all_headers]
        if what.body:
            headers.append((b"content-length", b"%d" % len(what.body)))
        method, path = what.method.encode(), what.path.encode("latin-1")
        asked.stream = self.conversation.begin(asked, method, path, headers, has_body=bool(what.body))
        return asked

    async def left(self) -> None:
        """When the plugin has said goodbye. `Broken`, where it goes without."""
        await self._until(lambda: self.conversation.plugin_left)

    async def close(self) -> None:
        if not self._lost.is_set():
            self.conversation.leave("stopping", "the check is over")
            self._connection.close()
            await self._lost.wait()

    async def _until(self, happened: Any) -> None:
        while not happened():
            if self.breach is not None:
                raise Broken(f"the plugin broke its protocol: {self.breach}")
            if self._lost.is_set():
                raise Broken(CLOSED)
            self._news.clear()
            await self._news.wait()

    # As the gateway's `Keeper`.

    def opened(self, connection: Connection) -> None:
        self._connection = connection

    def changed(self, connection: Connection) -> None:  # noqa: ARG002  (there is one only)
        self._news.set()

    def lost(self, connection: Connection, *, unread: bool) -> None:  # noqa: ARG002  (the same)
        self._lost.set()
        self._news.set()

    def pushed(self, payload: Mapping[str, Any]) -> None:
        try:
            push_of(payload)
        except BadPush as bad:
            self.bad_push = self.bad_push or str(bad)

    def breached(self, why: str) -> None:
        self.breach = why
        self._news.set()


class _Line(Connection):
    """With credit as a check wants it."""

    def __init__(self, talk: Talk, credit: int, connection_credit: int) -> None:
        super().__init__(talk, time.monotonic)
        self._credit = (credit, connection_credit)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  (a stream's is one)
        self._transport = transport
        credit, connection_credit = self._credit
        self.conversation = Conversation(
            send=self._send,
            push=self._keeper.pushed,
            change=self._changed,
            credit=credit,
            connection_credit=connection_credit,
        )
        self._keeper.opened(self)


class Asked:
    """One request, as the gateway's `Asker`."""

    def __init__(self, what: Ask) -> None:
        self.stream: Stream
        self.over: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._what = what
        self._head: Head | None = None
        self._body = bytearray()

    def send_body(self) -> None:
        if self._what.body:
            self.stream.body(self._what.body, is_last=True)

    def cancel(self, reason: str) -> None:
        self.over.cancel()
        self.stream.cancel(reason)

    async def finish(self) -> Reply:
        self.send_body()
        return await self.over

    async def drop(self) -> None:
        if not self.over.done():
            self.cancel("its body never came")

    def head(self, head: Head) -> None:
        self._head = head
        if (b"content-type", b"text/event-stream") in ((name, value[:17]) for name, value in head.headers):
            self._enough()

    def part(self, content: bytes) -> None:
        self._body += content
        if len(self._body) > ENOUGH_BYTES:
            self._enough()

    def end(self) -> None:
        if self._head is not None and not self.over.done():
            self.over.set_result(Reply(self._head.status, tuple(self._head.headers), bytes(self._body)))

    def fail(self, refusal: Refusal) -> None:
        if not self.over.done():
            # Its goodbye may be lost with the connection. Whether it was is of no interest here.
            said = refusal.detail
            self.over.set_exception(Broken(CLOSED if said == no_answer("closed the connection").detail else said))
            self.over.exception()  # whoever has given up will not look at it

    def untaken(self) -> None:
        if not self.over.done():
            self.over.set_exception(Broken("the plugin said goodbye, though nobody told it to end"))
            self.over.exception()

    def drained(self) -> None:
        """All of it was handed over at once."""

    def _enough(self) -> None:
        """The answer has no end of its own."""
        self.end()
        self.stream.cancel("that was enough")


class Raw:
    """A connection whose frames a check writes itself."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._frames = FrameReader()
        self._came: list[Frame] = []

    @classmethod
    async def begin(cls, path: Path) -> Raw:
        return cls(*await asyncio.open_unix_connection(sock=await connect(path)))

    def send(self, data: bytes) -> None:
        self._writer.write(data)

    async def frame(self) -> Frame | None:
        """The next one; None at the end."""
        while not self._came:
            try:
                received = await self._reader.read(1 << 16)
            except ConnectionError:
                return None
            if not received:
                return None
            try:
                self._came.extend(self._frames.feed(received))
            except Breach as breach:
                raise Broken(f"the plugin broke its protocol: {breach}") from breach
        return self._came.pop(0)

    async def goodbye(self) -> str | None:
        """The code of the plugin's goodbye; None, where the connection ends without."""
        while (frame := await self.frame()) is not None:
            if isinstance(frame, Data) or not isinstance(payload := frame.said.get("payload"), dict):
                continue
            if frame.said.get("type") == "lifecycle" and payload.get("action") == "goodbye":
                return str(payload.get("code"))
        return None

    async def until_closed(self) -> None:
        while await self.frame() is not None:
            pass

    async def close(self) -> None:
        self._writer.transport.abort()


def hello() -> bytes:
    said = {"action": "hello", "versions": [2], "credit": CREDIT, "connection_credit": CONNECTION_CREDIT}
    return frames.message({"type": "lifecycle", "payload": said})
