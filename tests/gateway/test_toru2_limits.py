"""Plugins of toru/2 that take nothing, say too much, or end in the middle: nothing piles up, and nobody else waits."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from pathlib import Path

import pytest

from tests.gateway.asking import Asked, Plugin, run
from tests.gateway.test_toru2 import Way, greet, read_frame, say, scripted
from tests.gateway.test_toru2_conversations import ask, started
from toru.gateway.toru2 import frames
from toru.gateway.toru2.connection import Connection
from toru.gateway.toru2.conversation import FRAMES_AT_ONCE
from toru.gateway.toru2.messages import BadPush, push_of

pytestmark = pytest.mark.req("PROTO-4", "ROUTE-4")


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    """A place for a scripted one."""
    return Plugin(tmp_path / "scripted", "toru1_odd.py")


def test_a_connection_that_takes_nothing_gets_no_more_requests() -> None:
    core = started()
    ask(core)
    core.conversation.pause()
    assert core.conversation.room == 0
    core.conversation.resume()
    assert core.conversation.room == 99


def test_requests_wait_while_the_plugin_does_not_read_and_go_on_when_it_does(plugin: Plugin) -> None:
    count, padding = 60, "x" * 30_000
    go_on = threading.Event()

    def reads_late(connection: socket.socket) -> None:
        greet(connection)
        go_on.wait(20)
        for _ in range(count):
            head = json.loads(read_frame(connection)[1])
            say(connection, "http", {"status": 204, "headers": {}, "body": False}, request_id=head["request_id"])
        while read_frame(connection)[0] >= 0:
            pass

    async def scenario() -> None:
        way = Way(plugin)
        first = Asked(way, headers=(f"x: {padding}",))
        while not way._connections or not way._connections[0].conversation.load:  # noqa: ASYNC110  (no event of tests)
            await asyncio.sleep(0)
        others = []
        for _ in range(count - 1):
            others.append(Asked(way, headers=(f"x: {padding}",)))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        connection = way._connections[0]
        assert connection._transport.get_write_buffer_size() < count * len(padding) // 2
        assert connection.conversation.load < count
        go_on.set()
        for asked in (first, *others):
            assert (await asked.answer()).outcome == (204, "")
        await way.closed()

    with scripted(plugin.path, reads_late):
        run(scenario())


def test_a_body_in_crumbs_costs_no_more_than_its_length(plugin: Plugin) -> None:
    crumbs = 200_000

    def takes_all(connection: socket.socket) -> None:
        read_frame(connection)
        say(connection, "lifecycle", {"action": "hello", "version": 2, "credit": 1 << 20})
        head = json.loads(read_frame(connection)[1])
        count = 0
        kind = int(frames.Kind.DATA)
        while kind == frames.Kind.DATA:
            kind, part = read_frame(connection)
            count += len(part) - 4
        headers = {"x-count": [str(count)]}
        say(connection, "http", {"status": 204, "headers": headers, "body": False}, request_id=head["request_id"])
        while read_frame(connection)[0] >= 0:
            pass

    async def scenario() -> None:
        way = Way(plugin)
        asked = Asked(way, "/", method="POST", body=None)
        await asked.until(lambda it: it.invited)
        for number in range(crumbs):
            asked.send(b"x")
            if number % 1000 == 0:
                await asyncio.sleep(0)
        asked.end_of_body()
        await asked.answer()
        assert asked.headers == [(b"x-count", b"%d" % crumbs)]
        await way.closed()

    with scripted(plugin.path, takes_all):
        run(scenario())


@pytest.mark.req("LIFE-6")
def test_a_plugin_that_ends_before_the_hello_is_on_its_way_has_not_read_it(
    plugin: Plugin, monkeypatch: pytest.MonkeyPatch
) -> None:
    flush = Connection._flush
    first: list[Connection] = []

    def ends(connection: socket.socket) -> None:
        connection.shutdown(socket.SHUT_WR)
        connection.recv(1)

    def serves(connection: socket.socket) -> None:
        greet(connection)
        head = json.loads(read_frame(connection)[1])
        say(connection, "http", {"status": 204, "headers": {}, "body": False}, request_id=head["request_id"])
        read_frame(connection)

    def late(connection: Connection) -> None:
        # The hello of the first connection is written when its end has been seen.
        first[:] = first or [connection]
        if connection is not first[0] or connection.conversation.is_leaving:
            flush(connection)

    monkeypatch.setattr(Connection, "_flush", late)

    async def scenario() -> None:
        way = Way(plugin)
        assert (await Asked(way).answer()).outcome == (204, "")
        await way.closed()

    with scripted(plugin.path, ends, serves):
        run(scenario())


@pytest.mark.req("UI-6")
@pytest.mark.parametrize("text", ["1e999", "[-1e999]", "[" * 900 + "]" * 900])
def test_what_would_be_no_json_for_a_browser_is_no_push(text: str) -> None:
    assert push_of({"name": "tick", "data": json.loads("[1]")}).data == "[1]"
    try:
        data = json.loads(text)
    except RecursionError:
        return  # then it is a breach already, as everything that is no JSON to us
    try:
        said = push_of({"name": "tick", "data": data}).data
    except BadPush:
        return
    assert json.loads(said, parse_constant=lambda _: pytest.fail("no JSON")) == data


def test_many_small_frames_are_handled_in_steps_and_in_their_order(plugin: Plugin) -> None:
    core = started()
    pushes = [frames.message({"type": "push", "payload": {"name": "tick", "data": number}}) for number in range(1000)]
    steps = 1 if core.conversation.receive(b"".join(pushes) + pushes[0][:7]) else 0
    assert len(core.pushed) == FRAMES_AT_ONCE
    while core.conversation.go_on():
        steps += 1
    assert steps == len(pushes) // FRAMES_AT_ONCE
    core.conversation.receive(pushes[0][7:])
    assert [push["data"] for push in core.pushed] == [*range(len(pushes)), 0]

    def floods(connection: socket.socket) -> None:
        greet(connection)
        head = json.loads(read_frame(connection)[1])
        for _ in range(10):
            connection.sendall(frames.message({"type": "later"}) * 2000)
        say(connection, "http", {"status": 204, "headers": {}, "body": False}, request_id=head["request_id"])
        say(connection, "lifecycle", {"action": "goodbye", "code": "stopping"})
        while read_frame(connection)[0] >= 0:
            pass

    async def scenario() -> None:
        way = Way(plugin)
        assert (await Asked(way).answer()).outcome == (204, "")
        await way.closed()

    with scripted(plugin.path, floods):
        run(scenario())
