"""What toru/1 can't stream is held in memory: so much for each plugin, and so much for all of them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.gateway.asking import Asked, Plugin, run
from toru.gateway.toru1 import carrier, way
from toru.gateway.toru1.connection import AHEAD_BYTES
from toru.gateway.toru1.room import Memory, Room
from toru.gateway.toru1.way import Toru1

pytestmark = pytest.mark.req("PROTO-4", "ROUTE-4")

MIB = 1 << 20
LARGE = f"/large?{15 * MIB}"


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[Plugin, Plugin]]:
    plugins = Plugin(tmp_path / "one", "toru1_odd.py"), Plugin(tmp_path / "another", "toru1_odd.py")
    for plugin in plugins:
        plugin.start()
    yield plugins
    for plugin in plugins:
        plugin.close()


async def _slow_reader(at: Toru1) -> Asked:
    """It has 15 MiB to read, and reads none of it."""
    slow = Asked(at, LARGE, reads=False)
    await slow.until(lambda it: it.status == 200)
    return slow


def test_answers_that_nobody_reads_take_no_more_than_there_is_room_for_all(
    two: tuple[Plugin, Plugin], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "ROOM_SECONDS", 0.1)

    async def scenario() -> None:
        memory = Memory(answers=20 * MIB)
        one, another = (Toru1(plugin.target(), memory) for plugin in two)
        slow = await _slow_reader(one)
        for at in (one, another):
            refused = await Asked(at, LARGE).answer()
            assert refused.outcome == (503, "unavailable")
            assert refused.refusal is not None
            assert "clients that read slowly" in refused.refusal.detail
            assert refused.refusal.retry_after == 0.1
            assert json.loads(await Asked(at, "/small").text())["path"] == "/small"
        slow.leave()
        assert len(await Asked(another, LARGE).text()) == 15 * MIB

    run(scenario())


def test_slow_readers_of_one_plugin_leave_the_others_room(
    two: tuple[Plugin, Plugin], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "ROOM_SECONDS", 0.1)
    monkeypatch.setattr(way, "ANSWERS_BYTES", 20 * MIB)

    async def scenario() -> None:
        memory = Memory()
        one, another = (Toru1(plugin.target(), memory) for plugin in two)
        slow = await _slow_reader(one)
        assert (await Asked(one, LARGE).answer()).outcome == (503, "unavailable")
        assert len(await Asked(another, LARGE).text()) == 15 * MIB
        slow.read_again()
        assert len(await slow.text()) == 15 * MIB
        assert len(await Asked(one, LARGE).text()) == 15 * MIB

    run(scenario())


def test_an_answer_waits_a_moment_for_room(two: tuple[Plugin, Plugin], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(carrier, "ROOM_SECONDS", 20.0)

    async def scenario() -> None:
        memory = Memory(answers=20 * MIB)
        one, another = (Toru1(plugin.target(), memory) for plugin in two)
        slow = await _slow_reader(one)
        waits = Asked(another, LARGE)
        gone = Asked(another, "/quick")
        await asyncio.to_thread(two[1].wait_for, "http /large")
        gone.leave()
        slow.read_again()
        assert len(await waits.text()) == 15 * MIB
        assert await slow.text()
        assert memory.answers.free == 20 * MIB

    run(scenario())


def _paused(*uploads: Asked) -> list[bool]:
    return [upload.body_paused for upload in uploads]


def test_bodies_for_all_plugins_together_hold_no_more_than_there_is_room_for(two: tuple[Plugin, Plugin]) -> None:
    async def scenario() -> None:
        memory = Memory(bodies=20 * MIB)
        one, another = (Toru1(plugin.target(), memory) for plugin in two)
        first, second = (Asked(at, "/", method="POST", body=None) for at in (one, another))
        first.send(b"x" * 11 * MIB)
        assert _paused(first, second) == [False, False]
        second.send(b"x" * 11 * MIB)
        assert _paused(first, second) == [False, True]  # one of them goes on
        third = Asked(another, "/", method="POST", body=None)
        assert _paused(third) == [True]
        first.send(b"x" * MIB)
        first.end_of_body()
        assert _paused(second) == [True]  # a complete one makes room soon
        assert json.loads(await first.text())["size"] == 12 * MIB
        assert _paused(second, third) == [False, False]
        for upload in (second, third):
            upload.end_of_body()
            await upload.text()
        assert memory.bodies.held == 0

    run(scenario())


def test_who_waits_for_room_and_leaves_takes_none() -> None:
    async def scenario() -> None:
        whole = Room(10)
        room = Room(8, whole)
        await room.take(6)
        waits = [asyncio.create_task(room.take(count)) for count in (4, 2, 8)]
        await asyncio.sleep(0)
        waits[0].cancel()
        await asyncio.wait(waits[:2])
        assert (room.free, whole.free) == (0, 2)  # the second had room all the time, and nobody before it any more
        waits[2].cancel()
        room.give_back(8)
        await asyncio.wait(waits)
        assert (room.free, whole.free) == (8, 10)
        others = asyncio.create_task(whole.take(10))
        await others
        late = asyncio.create_task(room.take(1))
        await asyncio.sleep(0)
        late.cancel()
        await asyncio.wait([late])
        assert (room.free, whole.free) == (8, 0)

    run(scenario())


Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def _scripted(path: Path, serve: Serve) -> AsyncIterator[None]:
    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async with await asyncio.start_unix_server(one, path):
        yield


def test_a_plugin_that_says_more_than_its_answer_is_not_listened_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(carrier, "ROOM_SECONDS", 0.5)
    plugin = Plugin(tmp_path / "scripted", "toru1_odd.py")
    sent = 0

    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readexactly(int.from_bytes(await reader.readexactly(4), "big"))
        writer.write(MIB.to_bytes(4, "big"))
        while True:
            writer.write(b"x" * 65_536)
            await writer.drain()
            sent += 65_536

    async def scenario() -> None:
        memory = Memory(answers=0)
        async with _scripted(plugin.path, floods):
            assert (await Asked(Toru1(plugin.target(), memory)).answer()).outcome == (503, "unavailable")
        # What is received ahead, at most twice what is read at once, and what the kernel and the plugin itself hold.
        assert sent < AHEAD_BYTES + 2 * MIB

    run(scenario())


@pytest.mark.req("LIFE-6")
def test_a_request_that_a_plugin_stopped_reading_goes_to_the_next_process(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "scripted", "toru1_odd.py")
    connections = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        length = int.from_bytes(await reader.readexactly(4), "big")
        if connections == 1:
            await reader.read(1000)
            writer.write_eof()
            await reader.read()  # the core closes
            return
        number = json.loads(await reader.readexactly(length))["request_id"]
        said = json.dumps({"type": "http", "request_id": number, "payload": {"status": 204}}).encode()
        writer.write(len(said).to_bytes(4, "big") + said)

    async def scenario() -> None:
        async with _scripted(plugin.path, serve):
            asked = await Asked(Toru1(plugin.target()), "/", method="POST", body=b"x" * 4 * MIB).answer()
            assert asked.outcome == (204, "")
        assert connections == 2

    run(scenario())


def test_a_length_that_is_no_number_for_any_program_is_left_out(tmp_path: Path) -> None:
    plugin = Plugin(tmp_path / "scripted", "toru1_odd.py")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(4), "big")
        number = json.loads(await reader.readexactly(length))["request_id"]
        headers = {"content-length": "9" * 5000}
        said = json.dumps({"type": "http", "request_id": number, "payload": {"status": 200, "headers": headers}})
        writer.write(len(said).to_bytes(4, "big") + said.encode())

    async def scenario() -> None:
        async with _scripted(plugin.path, serve):
            asked = await Asked(Toru1(plugin.target()), method="HEAD").answer()
            assert (asked.outcome, asked.length) == ((200, ""), None)

    run(scenario())
