"""Messages and descriptors between two ends of a real socket."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import uvloop

from tests.workers.test_custody import OF_THE_CORE, target
from toru.core.traffic import AllTraffic
from toru.domain.ids import PluginId
from toru.workers import figures, messages
from toru.workers.figures import Untold
from toru.workers.link import FULL, PACKET_BYTES, Link


def descriptors() -> int:
    """Of what is handed on in these tests."""
    return sum("memfd:" in str(entry.readlink()) for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink())


def run(scenario: Callable[[], Coroutine[Any, Any, None]]) -> None:
    async def within() -> None:
        async with asyncio.timeout(30):
            await scenario()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(within())
    assert descriptors() == 0


class End:
    def __init__(self, connection: socket.socket) -> None:
        self.heard: asyncio.Queue[tuple[bytes, int | None]] = asyncio.Queue()
        self.lost = asyncio.Event()
        self.link = Link(connection, lambda *message: self.heard.put_nowait(message), lambda _link: self.lost.set())


def ends() -> tuple[End, End]:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    return End(one), End(other)


def thing(content: bytes = b"") -> int:
    descriptor = os.memfd_create("thing")
    os.write(descriptor, content)
    return descriptor


def test_messages_of_any_length_come_in_order_each_with_its_descriptor() -> None:
    async def scenario() -> None:
        one, other = ends()
        sizes = (0, 1, PACKET_BYTES - 1, PACKET_BYTES, PACKET_BYTES + 1, 5 * PACKET_BYTES + 7)
        for size in sizes:
            one.link.send(b"x" * size, thing(b"%d" % size))
            one.link.send(b"nothing with it")
        for size in sizes:
            message, descriptor = await other.heard.get()
            assert message == b"x" * size
            assert descriptor is not None
            assert os.pread(descriptor, 100, 0) == b"%d" % size
            os.close(descriptor)
            assert await other.heard.get() == (b"nothing with it", None)
        one.link.close()
        await other.lost.wait()

    run(scenario)


def test_what_the_other_end_does_not_read_waits_and_the_link_is_full() -> None:
    async def scenario() -> None:
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        sender, sent = End(one), 0
        while len(sender.link._outgoing) < FULL:
            sender.link.send(b"%d" % sent + bytes(8000), thing())
            sent += 1
        assert sender.link.is_full
        receiver = End(other)
        for number in range(sent):
            message, descriptor = await receiver.heard.get()
            assert message.rstrip(b"\0") == b"%d" % number
            assert descriptor is not None
            os.close(descriptor)
        assert not sender.link._outgoing
        sender.link.close()
        await receiver.lost.wait()

    run(scenario)


def test_when_the_other_end_has_gone_nothing_is_left_open() -> None:
    async def scenario() -> None:
        one, other = ends()
        other.link.close()
        one.link.send(b"into the void", thing())
        one.link.send(b"and again", thing())
        await one.lost.wait()
        assert one.link.is_full
        assert not other.lost.is_set()

    run(scenario)


def test_a_plugin_comes_as_it_went() -> None:
    before = target(OF_THE_CORE)
    said = messages.parse(messages.aim(before))
    assert not isinstance(said, bytes)
    assert messages.target_of(said) == before
    assert messages.parse(messages.connection(b"GET / HTTP/1.1\r\n")) == b"GET / HTTP/1.1\r\n"


def test_figures_that_are_told_bit_by_bit_add_up() -> None:
    plugin, here, there = PluginId("clock"), AllTraffic(), AllTraffic()
    untold = Untold(here)
    mine = here.of(plugin)
    for round_ in range(3):
        mine.answered(200 + 100 * round_, 0.02)
        mine.in_flight += 1
        mine.bytes_out += 1000
        for name, more in untold.tell().items():
            figures.added(there.of(name), more)
    assert untold.tell() == {}
    whole = there.of(plugin)
    assert (whole.by_class, whole.histogram, whole.bytes_out) == (mine.by_class, mine.histogram, 3000)
    assert (whole.in_flight, whole.seconds) == (3, mine.seconds)
    untold.new_listener()
    ((_, more),) = untold.tell().items()
    assert more[figures.IN_FLIGHT] == 3
    assert not any(more[: figures.IN_FLIGHT])
