"""What is remembered of a client's header fields changes nothing of what becomes of its requests."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway import programs
from tests.gateway.server import Door, status_of
from tests.web.server import CLIENT
from toru.domain.policy import Policy
from toru.gateway import reception
from toru.store.engine import Database

SAY = "/api/plugins/route/say"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    directory: Path = tmp_path_factory.mktemp("reception")
    database = Database(f"sqlite:///{directory}/toru.db")
    database.migrate()
    door = Door(database, directory, Policy())
    with door.running():
        door.plugin("tells", programs.TELLS, route="/say")
        yield door
    database.close()


@pytest.fixture(scope="module")
def fields(door: Door) -> str:
    """Header fields of somebody who is signed in, as another site's page would make a browser send them."""
    return f"Host: toru\r\nCookie: {door.cookie(CLIENT)}\r\nSec-Fetch-Site: cross-site\r\nX-A: 1\r\n\r\n"


def answer_on(connection: socket.socket, request: str) -> bytes:
    """Without what is another one each time."""
    connection.sendall(request.encode("latin-1"))
    answer = b""
    while b"\r\n\r\n" not in answer:
        answer += connection.recv(1 << 16)
    found = re.search(rb"\r\ncontent-length: ([0-9]+)\r\n", answer, re.IGNORECASE)
    assert found, answer
    end = answer.index(b"\r\n\r\n") + 4 + int(found[1])
    while len(answer) < end:
        answer += connection.recv(1 << 16)
    return re.sub(
        rb'("X-Toru-Request-Id", |\r\ndate: |\r\ncontent-length: )[^\r\]]*', rb"\1", answer, flags=re.IGNORECASE
    )


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (f"GET {SAY}/b?c=/d HTTP/1.1", 200),
        (f"GET {SAY} HTTP/1.1", 200),
        (f"GET {SAY}?a/b HTTP/1.1", 200),
        (f"GET {SAY}/%2e HTTP/1.1", 200),
        ("GET /api/plugins/route/tells/a HTTP/1.1", 200),
        (f"GET http://other{SAY}/a HTTP/1.1", 200),
        (f"GET {SAY}/a HTTP/1.0", 200),
        (f"OPTIONS {SAY}/a HTTP/1.1", 200),
        (f"POST {SAY}/a HTTP/1.1", 403),
        (f"TRACE {SAY}/a HTTP/1.1", 403),
        (f"GET {SAY}/../tells/a HTTP/1.1", 400),
        (f"GET {SAY}/%2e%2E/tells/a HTTP/1.1", 400),
        ("GET /api/plugins/route//a HTTP/1.1", 400),
        ("GET /api/plugins/route/sa%2Fy/a HTTP/1.1", 400),
        ("GET /api/plugins/route/nobody/a HTTP/1.1", 404),
        ("GET /api/auth/me HTTP/1.1", 200),
        ("GET /api/nothing HTTP/1.1", 404),
        (f"GET {SAY}/a", 400),
        (f"GET  {SAY}/a HTTP/1.1", 400),
        (f"GET {SAY}/a\rHost: b HTTP/1.1", 400),
        (f"GET {SAY}/a\nX-Toru-User: root HTTP/1.1", 400),
        (f"GET {SAY}/a\x00 HTTP/1.1", 400),
        (f'GET {SAY}/"a" HTTP/1.1', 400),
        (f"G(T {SAY}/a HTTP/1.1", 400),
        (f"GET {SAY}/a HTTP/1.2", 505),
        (f"GET {SAY}/{'a' * 9000} HTTP/1.1", 414),
        (f"\r\nGET {SAY}/a HTTP/1.1", 200),
    ],
)
def test_a_request_is_treated_the_same_behind_others_with_the_same_header_fields(
    door: Door, fields: str, line: str, status: int
) -> None:
    door.do(door.gateway.reception.forget)
    with door.connect() as connection:
        alone = answer_on(connection, f"{line}\r\n{fields}")
    with door.connect() as connection:
        assert status_of(answer_on(connection, f"GET {SAY}/first HTTP/1.1\r\n{fields}")) == 200
        assert status_of(answer_on(connection, f"GET {SAY}/second HTTP/1.1\r\n{fields}")) == 200
        behind = answer_on(connection, f"{line}\r\n{fields}")
    assert status_of(alone) == status
    assert alone == behind


def test_a_request_in_absolute_form_says_nothing_of_the_next_one(door: Door, fields: str) -> None:
    door.do(door.gateway.reception.forget)
    with door.connect() as connection:
        assert b'["Host", "other"]' in answer_on(connection, f"GET http://other{SAY}/a HTTP/1.1\r\n{fields}")
        assert b'["Host", "toru"]' in answer_on(connection, f"GET {SAY}/a HTTP/1.1\r\n{fields}")


@pytest.mark.req("SEC-2")
def test_who_is_signed_out_is_out_at_once_on_other_paths_too(door: Door) -> None:
    cookie = door.cookie()
    fields = f"Host: toru\r\nCookie: {cookie}\r\n\r\n"
    with door.connect() as connection:
        for path in ("a", "b"):
            assert status_of(answer_on(connection, f"GET {SAY}/{path} HTTP/1.1\r\n{fields}")) == 200
        assert status_of(door.ask("/api/auth/logout", method="POST", cookie=cookie)) < 300
        for path in ("b", "c"):
            assert status_of(answer_on(connection, f"GET {SAY}/{path} HTTP/1.1\r\n{fields}")) == 401


def test_what_is_remembered_of_requests_is_bounded(door: Door) -> None:
    cookie = door.cookie()
    held = door.gateway.reception
    with door.connect() as connection:
        for number in range(reception.MOST_REMEMBERED + 100):
            request = f"GET {SAY}/{number} HTTP/1.1\r\nHost: toru\r\nX-A: {number}\r\nCookie: {cookie}\r\n\r\n"
            assert status_of(answer_on(connection, request)) == 200
            assert len(held._tickets) <= reception.MOST_REMEMBERED
            assert len(held._visitors) <= reception.MOST_REMEMBERED
