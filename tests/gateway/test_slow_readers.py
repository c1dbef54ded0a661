"""Clients that read slowly or not at all: they hold up themselves, and nothing of theirs stays with a connection."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.gateway import programs
from tests.gateway.conformance.wire import Wire, headers_of, values
from tests.gateway.server import Door
from toru.gateway.protocol import MOST_HELD_BYTES, GatewayProtocol

pytestmark = pytest.mark.req("ROUTE-4")


WATER_MARK = 64 << 10
"""Bytes that a transport holds before it says that it is full."""

RECEIVED_AT_ONCE = 256 << 10
"""The most that uvloop reads at a time."""


@contextmanager
def local(door: Door) -> Iterator[socket.socket]:
    """A connection at the local socket, of which the kernel holds little and always as much."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(door.api_socket))
        yield connection


def wait_for(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def side_of(door: Door) -> GatewayProtocol:
    """The gateway's side of the only connection."""

    def find() -> GatewayProtocol:
        (client,) = door.gateway.clients
        return client

    wait_for(lambda: door.do(lambda: len(door.gateway.clients)) == 1)
    client: GatewayProtocol = door.do(find)
    return client


def unread(door: Door, client: GatewayProtocol) -> int:
    """Bytes that the kernel didn't take."""
    size: int = door.do(client.transport.get_write_buffer_size)
    return size


def test_what_one_client_has_not_read_yet_keeps_no_other_from_the_plugins_connection(door: Door) -> None:
    door.plugin("pieces", programs.PIECES)
    asks = b"GET /api/plugins/route/pieces%b HTTP/1.1\r\nHost: x\r\n\r\n"
    with local(door) as slow, socket.socket(socket.AF_UNIX) as plugin:
        plugin.connect(door.targets["pieces"].socket_path)
        slow.sendall(asks % b"/pieces")
        client, came = side_of(door), 0

        def another(what: bytes) -> None:
            nonlocal came
            plugin.sendall(b"GET /%b HTTP/1.1\r\n\r\n" % what)
            assert plugin.recv(65536).endswith(b"ok")
            came += programs.PIECE
            wait_for(lambda: door.figures("pieces").bytes_out == came)

        while unread(door, client) + programs.PIECE <= WATER_MARK:
            another(b"more")
        assert not door.do(lambda: client.full)
        another(b"last")
        wait_for(lambda: door.figures("pieces").in_flight == 0)
        assert door.do(lambda: client.full), "the plugin is done, and the client is not"
        assert door.ask("/api/plugins/route/pieces/").endswith(b"ok")
        slow.sendall(asks % b"/next")
        answer = b""
        while not answer.endswith(b"\r\n\r\nok"):
            answer += slow.recv(65536)
        assert answer.count(b"x" * programs.PIECE) == came // programs.PIECE


def test_who_asks_and_asks_and_reads_nothing_is_heard_no_more_until_it_does(door: Door) -> None:
    door.plugin("tells", programs.TELLS)
    count, target = 3000, "/" + "x" * 6000
    request = f"GET /api/plugins/route/tells{target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    with local(door) as slow:
        slow.sendall(request)
        wire = Wire(slow)
        answers = iter(lambda: _answer(wire), None)
        assert json.loads(next(answers))["target"] == target
        client, size = side_of(door), door.figures("tells").bytes_out
        asking = threading.Thread(target=slow.sendall, args=[request * count])
        asking.start()
        # Between two requests, of which the second is there: so it stays, as nothing else will make it go on.
        wait_for(lambda: door.do(lambda: client.full and client._paused and not client.busy))
        assert unread(door, client) <= WATER_MARK + size
        assert len(client.held) <= MOST_HELD_BYTES + RECEIVED_AT_ONCE
        for _ in range(count):
            assert json.loads(next(answers))["target"] == target
        asking.join()


def _answer(wire: Wire) -> bytes:
    lines = wire.head()
    assert lines is not None
    assert lines[0] == b"HTTP/1.1 200 OK"
    return b"".join(wire.sized(int(values(headers_of(lines[1:]), "content-length")[0])))
