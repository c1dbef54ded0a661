"""Clients and plugins that mean no good: they get what they deserve, and nobody else notices."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest

from tests.gateway import programs
from tests.gateway.server import Door, read_all, small, status_of
from tests.web.server import CLIENT
from toru.domain.manifest import Protocol
from toru.gateway.admission import LONGEST_REMEMBERED
from toru.gateway.http1.connection import MOST_INTERIM
from toru.gateway.http1.way import Http1
from toru.gateway.protocol import GatewayProtocol
from toru.gateway.toru1.way import Toru1

RAW = """
import threading
seen = []
def serve(connection):
    while part := connection.recv(1 << 16):
        seen.append(part)
        if part.startswith(b"GET /seen "):
            whole = b"".join(seen)
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%b" % (len(whole), whole))
        else:
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\nok")
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
"""
"""Answers whatever comes, and says at `/seen` all that came."""


@pytest.mark.req("ROUTE-1", "SEC-5")
def test_a_request_that_would_change_the_protocol_smuggles_none_in_its_body(door: Door) -> None:
    door.plugin("raw", RAW)
    cookie = door.cookie(CLIENT)
    smuggled = "GET /smuggled HTTP/1.1\r\nHost: toru\r\nX-Toru-User: root\r\nX-Toru-Role: admin\r\n\r\n"
    upgrade = ("Connection: Upgrade, close", "Upgrade: websocket", f"Content-Length: {len(smuggled)}")
    door.say(
        f"GET /api/plugins/route/raw/ HTTP/1.1\r\nHost: toru\r\nCookie: {cookie}\r\n"
        + "".join(f"{line}\r\n" for line in upgrade)
        + f"\r\n{smuggled}"
    )
    seen = door.ask("/api/plugins/route/raw/seen", cookie=cookie)
    head, _, behind = seen.partition(b"\r\n\r\n")[2].partition(b"\r\n\r\n")
    assert b"\r\nContent-Length: %d\r\n" % len(smuggled) in head + b"\r\n"  # so it is the body, and no request
    assert b"Upgrade" not in head
    assert behind.startswith(smuggled.encode())


@pytest.mark.req("ROUTE-3", "SEC-5")
def test_a_name_that_passes_for_one_of_ours_by_any_sign_goes_no_further(tells: Door) -> None:
    lines = ("X.Toru.User: root", "X_Toru-Role: admin", "X~Forwarded~For: 10.0.0.1", "X.Own: 1", "Remote-User: x")
    answer = tells.ask("/api/plugins/route/say/", *lines)
    assert b"root" not in answer
    assert b"10.0.0.1" not in answer
    assert b'["X.Own", "1"]' in answer


@pytest.mark.req("ROUTE-4")
def test_empty_lines_without_end_are_passed_over_in_one_step(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[int] = []
    take_head = GatewayProtocol._take_head

    def counted(self: GatewayProtocol, data: bytes) -> bytes:
        steps.append(len(data))
        return take_head(self, data)

    monkeypatch.setattr(GatewayProtocol, "_take_head", counted)
    empty = 1 << 20
    with door.connect() as connection:
        connection.sendall(
            b"\r\n" * (empty // 2) + b"GET /api/auth/me HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        assert status_of(read_all(connection)) == 401
    assert len(steps) < empty // 100  # a few for each read, and not one for each line


INTERIM = """
connection, _ = listener.accept()
read_head(connection)
try:
    while True:
        connection.sendall(b"HTTP/1.1 103 Early Hints\\r\\nLink: <x>\\r\\n\\r\\n" * 10000)
except OSError:
    pass
"""


@pytest.mark.req("PROTO-5")
def test_a_plugin_that_announces_its_answer_for_ever_is_let_go(door: Door) -> None:
    door.plugin("announces", INTERIM)
    answer = door.ask("/api/plugins/route/announces/")
    assert answer.count(b"HTTP/1.1 103 ") == MOST_INTERIM
    assert status_of(answer.rpartition(b"HTTP/1.1 103 ")[2].partition(b"\r\n\r\n")[2]) == 502
    assert door.figures("announces").in_flight == 0


CRUMBS = """
import json, threading
def serve(connection):
    head = read_head(connection)
    if head.startswith(b"POST"):
        body = head.partition(b"\\r\\n\\r\\n")[2]
        while not body.endswith(b"0\\r\\n\\r\\n"):
            body += connection.recv(1 << 16)
        chunks = body.count(b"\\r\\n") // 2
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 10\\r\\n\\r\\n%10d" % chunks)
    else:
        connection.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n" + b"1\\r\\nx\\r\\n" * 100000)
        connection.sendall(b"0\\r\\n\\r\\n")
while True:
    threading.Thread(target=serve, args=[listener.accept()[0]], daemon=True).start()
"""
CRUMBS_SENT = 100_000


@pytest.mark.req("ROUTE-4")
def test_a_body_in_crumbs_goes_on_in_pieces(door: Door) -> None:
    door.plugin("crumbs", CRUMBS)
    down = door.ask("/api/plugins/route/crumbs/").partition(b"\r\n\r\n")[2]
    assert down.count(b"x") == CRUMBS_SENT
    assert down.count(b"\r\n") < CRUMBS_SENT // 10
    with door.connect() as connection:
        head = (
            f"POST /api/plugins/route/crumbs/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: {door.cookie()}\r\n"
        )
        connection.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        connection.sendall(b"1\r\nx\r\n" * CRUMBS_SENT + b"0\r\n\r\n")
        up = read_all(connection).partition(b"\r\n\r\n")[2]
    assert int(up) < CRUMBS_SENT // 10


@pytest.mark.req("SEC-1")
def test_what_is_remembered_of_whom_is_bounded(tells: Door) -> None:
    cookie, large = tells.cookie(), "x" * LONGEST_REMEMBERED
    admission = tells.gateway.reception._admission

    def remembered() -> list[int]:
        lengths: list[int] = tells.do(lambda: [len(it) for it in admission._by_cookie])
        return lengths

    for more in ("", f"; a={large}"):
        assert status_of(tells.ask("/api/plugins/route/say/", cookie=cookie + more)) == 200
        assert max(remembered(), default=0) <= LONGEST_REMEMBERED


NEVER = """
connections = []
while True:
    connections.append(listener.accept()[0])
"""


@pytest.mark.req("ROUTE-4", "PROTO-5")
@pytest.mark.parametrize("policy", [small(max_concurrent=1)])
def test_many_who_wait_for_what_they_can_not_get_are_told_so_when_it_is_their_turn(door: Door) -> None:
    door.gateway._ways = {Protocol.HTTP: Http1, Protocol.TORU_1: Toru1}
    door.plugin("never", NEVER, max_concurrent=1)
    door.see("never", protocol=Protocol.TORU_1)
    lines = (
        "GET /api/plugins/route/never/ HTTP/1.1",
        "Host: x",
        "Connection: Upgrade, close",
        f"Cookie: {door.cookie()}",
    )
    head = "".join(f"{line}\r\n" for line in lines)
    with ExitStack() as stack:
        first = stack.enter_context(door.connect())
        first.sendall(f"{head}\r\n".encode())
        while door.figures("never").in_flight != 1:
            pass
        others = [stack.enter_context(door.connect()) for _ in range(400)]
        for connection in others:
            connection.sendall(f"{head}Upgrade: websocket\r\n\r\n".encode())
        lane = next(iter(door.gateway._lanes.values()))
        while door.do(lambda: len(lane._waiting)) != len(others):
            pass
        first.close()
        assert {status_of(read_all(connection)) for connection in others} == {501}
    assert status_of(door.say(f"{head}Upgrade: websocket\r\n\r\n")) == 501  # the way is free
    assert door.figures("never").in_flight == 0


@pytest.mark.parametrize(
    ("policy", "most"), [(small(), 32 << 10), (small(max_head=4096), 4096), (small(max_head=65536), 65536)]
)
@pytest.mark.req("ROUTE-4")
def test_a_head_is_as_long_as_the_operator_allows(tells: Door, most: int) -> None:
    for target in ("/api/plugins/route/say/", "/api/auth/me"):
        head = f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: {tells.cookie()}\r\nX: "
        longest = head + "x" * (most - len(head))
        assert status_of(tells.say(longest + "\r\n\r\n")) == 200
        assert status_of(tells.say(longest + "x\r\n\r\n")) == 431
        assert status_of(tells.say(longest + "x" * 1000)) == 431


@pytest.mark.req("ROUTE-4")
@pytest.mark.parametrize("policy", [small(max_waiting=3)])
def test_who_fills_the_queue_makes_room_for_others(door: Door) -> None:
    door.plugin("tells", programs.TELLS, max_concurrent=1)
    greedy, modest = door.cookie(), door.cookie(CLIENT)

    def ask(what: str, cookie: str) -> socket.socket:
        connection = door.connect()
        request = f"GET /api/plugins/route/tells/{what} HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\n\r\n"
        connection.sendall(request.encode())
        return connection

    with ExitStack() as stack:
        holder = stack.enter_context(ask("hold/a", greedy))
        while door.figures("tells").in_flight != 1:
            pass
        lane = next(iter(door.gateway._lanes.values()))
        queue = []
        for place in (1, 2, 3):
            queue.append(stack.enter_context(ask("", greedy)))
            while door.do(lambda: len(lane._waiting)) != place:
                pass
        other = stack.enter_context(ask("", modest))
        assert status_of(queue.pop().recv(1 << 16)) == 503  # the last that came
        holder.close()
        with socket.socket(socket.AF_UNIX) as plugin:
            plugin.connect(door.targets["tells"].socket_path)
            plugin.sendall(b"GET /release/a HTTP/1.1\r\n\r\n")
            plugin.recv(1 << 16)
        for connection in (other, *queue):
            assert status_of(connection.recv(1 << 16)) == 200


PROMISES = """
import threading
numbers = iter(range(1, 100))
def serve(connection, number):
    while head := read_head(connection):
        if b" /promises " in head:
            connection.sendall(b"HTTP/1.1 204 No Content\\r\\nContent-Length: 5\\r\\n\\r\\n")
        elif b" /chunks " in head:
            connection.sendall(b"HTTP/1.1 304 Not Modified\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
        elif b" /knows " in head:
            connection.sendall(b"HTTP/1.1 304 Not Modified\\r\\nContent-Length: 5\\r\\n\\r\\n")
        else:
            connection.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 2\\r\\n\\r\\n%2d" % number)
while True:
    threading.Thread(target=serve, args=[listener.accept()[0], next(numbers)], daemon=True).start()
"""


@pytest.mark.req("PROTO-5", "SEC-5")
def test_a_body_where_there_can_be_none_is_taken_for_no_other_answer(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("toru.gateway.http1.way.IDLE_SECONDS", 300.0)
    door.plugin("promises", PROMISES)
    cookie = door.cookie()

    def number(what: str) -> int:
        assert status_of(door.ask(f"/api/plugins/route/promises/{what}", cookie=cookie)) in {204, 304}
        return int(door.ask("/api/plugins/route/promises/number", cookie=cookie).partition(b"\r\n\r\n")[2])

    first = int(door.ask("/api/plugins/route/promises/number", cookie=cookie).partition(b"\r\n\r\n")[2])
    assert number("knows") == first  # the length of what GET would get is no promise
    assert number("promises") == first + 1
    assert number("chunks") == first + 2
