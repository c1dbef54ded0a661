"""Credit and its end on one connection, with a handler at work: what the vectors leave to each side."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from toru_plugin.exchange import Exchange
from toru_plugin.headers import Headers
from toru_plugin.toru2.listening import Toru2

from tests.sdk.python.core_side import CoreSide
from toru.gateway.toru2 import frames
from toru.gateway.toru2.frames import Data, Message

pytestmark = pytest.mark.req("PROTO-1", "LANG-1")

Serve = Callable[[Exchange], Coroutine[Any, Any, None]]


class Plugin(threading.Thread):
    """Accepts connections as a plugin's process does, and answers by one function."""

    def __init__(self, serve: Serve, listener: socket.socket) -> None:
        super().__init__()
        self._serve = serve
        self._listener = listener
        self._is_up = threading.Event()
        self.loop: asyncio.AbstractEventLoop
        self.toru2: Toru2
        self._ended: asyncio.Event
        self._is_told = False
        self.under_way = 0

    def run(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self.loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self.toru2 = Toru2(self._listener, self._serve, self)
        self.toru2.open()
        self._is_up.set()
        await self._ended.wait()
        await self.toru2.close("the test is over")

    def up(self) -> None:
        self.start()
        assert self._is_up.wait(30)

    def end(self) -> None:
        if not self._is_told:
            self._is_told = True
            self.loop.call_soon_threadsafe(self._ended.set)

    def settle(self) -> None:
        """Returns when what the loop has to do now is done, and what follows from that."""
        for _ in range(2):
            asyncio.run_coroutine_threadsafe(asyncio.sleep(0), self.loop).result(30)

    def begun(self) -> None:
        self.under_way += 1

    def ended(self) -> None:
        self.under_way -= 1

    def stop(self, reason: str) -> None: ...


@contextmanager
def plugin(serve: Serve, tmp_path: Any) -> Iterator[tuple[Plugin, CoreSide]]:
    with socket.socket(socket.AF_UNIX) as listener, socket.socket(socket.AF_UNIX) as connection:
        listener.bind(str(tmp_path / "plugin.sock"))
        listener.listen(5)
        running = Plugin(serve, listener)
        running.up()
        connection.connect(str(tmp_path / "plugin.sock"))
        try:
            yield running, CoreSide(connection)
        finally:
            running.end()
            connection.close()
            running.join(30)
            assert not running.is_alive()


async def pour(exchange: Exchange) -> None:
    exchange.begin(200, Headers())
    await exchange.send(b"x" * 100_000)
    await exchange.end()


def test_an_answer_goes_as_far_as_there_is_credit_and_then_on(tmp_path: Any) -> None:
    with plugin(pour, tmp_path) as (_, core):
        core.greet(credit=10, connection_credit=15)
        core.ask(1, "/")
        core.message("http")
        assert core.frame() == Data(1, b"x" * 10, is_last=False)
        core.ask(2, "/")
        core.message("http")
        assert core.frame() == Data(2, b"x" * 5, is_last=False), "what both have together is used up"
        core.say("credit", {"bytes": 1_000_000})
        assert core.frame() == Data(2, b"x" * 5, is_last=False)
        core.say("credit", {"bytes": 1_000_000}, 1)
        rest = b""
        while not (frame := core.frame()).is_last:  # type: ignore[union-attr]
            assert isinstance(frame, Data)
            assert frame.request_id == 1
            rest += frame.content
        assert len(rest) == 100_000 - 10


def test_credit_is_given_for_what_the_handler_has_read_and_for_no_more(tmp_path: Any) -> None:
    gate = threading.Event()

    async def reads_late(exchange: Exchange) -> None:
        await asyncio.to_thread(gate.wait, 30)
        length = 0
        while part := await exchange.receive():
            length += len(part)
        await exchange.answer(200, Headers(), str(length).encode())

    with plugin(reads_late, tmp_path) as (_, core):
        credit = core.greet()["credit"]
        core.ask(1, "/", method="POST", body=True)
        for _ in range(credit // 65_532):
            core.send(1, b"x" * 65_532)
        core.ask(2, "/", method="POST", body=True)
        core.send(2, b"", last=True)
        gate.set()
        given = 0
        answers: dict[int, int] = {}
        while len(answers) < 2:
            frame = core.frame()
            assert frame is not None
            if isinstance(frame, Data):
                answers[frame.request_id] = int(frame.content)
            elif not given and frame.said["type"] == "credit":
                given = frame.said["payload"]["bytes"]
                assert credit // 2 <= given <= credit
                for start in range(0, given, 65_532):
                    core.send(1, b"x" * min(65_532, given - start), last=start + 65_532 >= given)
        assert answers == {1: credit // 65_532 * 65_532 + given, 2: 0}


@pytest.mark.req("PROTO-5")
def test_a_handler_hears_that_the_client_has_left(tmp_path: Any) -> None:
    heard = threading.Event()

    async def waits(exchange: Exchange) -> None:
        exchange.begin(200, Headers())
        try:
            await asyncio.sleep(3600)
        finally:
            heard.set()

    with plugin(waits, tmp_path) as (_, core):
        core.greet()
        core.ask(1, "/")
        core.message("http")
        core.say("cancel", {"reason": "the client has left"}, 1)
        assert heard.wait(30)
        core.ask(2, "/")
        core.message("http")


@pytest.mark.req("SUP-1")
def test_a_request_that_is_cancelled_before_it_began_keeps_nobody_awake(tmp_path: Any) -> None:
    with plugin(pour, tmp_path) as (running, core):
        core.greet()
        payload = {"method": "GET", "path": "/", "headers": {}, "body": False}
        both = ({"type": "http", "payload": payload}, {"type": "cancel", "payload": {"reason": "the client has left"}})
        core.connection.sendall(b"".join(frames.message({**said, "request_id": 1}) for said in both))
        core.ask(2, "/")
        assert len(core.answer(2)[1]) == 100_000
        running.settle()
        assert running.under_way == 0


@pytest.mark.req("PROTO-5")
def test_an_answer_that_breaks_off_is_cancelled(tmp_path: Any) -> None:
    async def breaks_off(exchange: Exchange) -> None:
        exchange.begin(200, Headers())
        await exchange.send(b"a part")

    with plugin(breaks_off, tmp_path) as (_, core):
        core.greet()
        core.ask(1, "/")
        core.message("http")
        assert core.frame() == Data(1, b"a part", is_last=False)
        core.message("cancel")


@pytest.mark.req("LIFE-6")
def test_a_plugin_that_stops_says_goodbye_answers_what_was_begun_and_waits_for_the_core(tmp_path: Any) -> None:
    gate = asyncio.Event()

    async def waits(exchange: Exchange) -> None:
        await gate.wait()
        await exchange.answer(200, Headers(), b"late")

    with plugin(waits, tmp_path) as (running, core):
        core.greet()
        core.ask(1, "/")
        core.ask(2, "/")
        core.ask(3, "/")
        wait_for_requests(running, 3)
        running.end()
        assert core.message("lifecycle")["last_request_id"] == 3
        core.ask(4, "/")
        running.loop.call_soon_threadsafe(gate.set)
        assert [core.answer(number)[1] for number in (1, 2, 3)] == [b"late"] * 3
        assert running.is_alive()
        core.connection.shutdown(socket.SHUT_WR)
        assert core.frame() is None


def wait_for_requests(running: Plugin, count: int) -> None:
    """Until so many are under way, looked at from within the plugin's loop."""

    async def under_way() -> None:
        while sum(it.conversation.load for it in running.toru2._connections) < count:  # noqa: ASYNC110  (there is no event of it)
            await asyncio.sleep(0)

    asyncio.run_coroutine_threadsafe(under_way(), running.loop).result(30)


def test_a_core_that_breaks_a_rule_is_told_and_left(tmp_path: Any) -> None:
    with plugin(pour, tmp_path) as (_, core):
        core.greet()
        core.connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
        frame = core.frame()
        assert isinstance(frame, Message)
        assert frame.said["payload"]["code"] == "protocol"
        assert core.frame() is None
