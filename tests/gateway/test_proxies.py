"""What a proxy says of the path that it serves Toru under, and whose word for it counts."""

from __future__ import annotations

import pytest

from tests.gateway.server import Door, status_of
from tests.gateway.test_http import headers
from toru.domain.policy import Policy
from toru.web.proxies import sound_prefix

TRUSTING = pytest.mark.parametrize("policy", [Policy(trusted_proxies=("127.0.0.0/8",))])
BELOW = "X-Forwarded-Prefix: /toru/"
TARGET = "/api/plugins/route/moves/"

MOVES = r"""
while True:
    connection, _ = listener.accept()
    while read_head(connection):
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nLocation: /next\r\nSet-Cookie: a=1\r\nContent-Length: 0\r\n\r\n"
        )
"""
"""Sends everybody on, with a cookie."""


@pytest.mark.parametrize(
    ("said", "prefix"),
    [
        ("/toru", "/toru"),
        ("/toru/", "/toru"),
        ("/a/b-c_d.e~f", "/a/b-c_d.e~f"),
        ("", ""),
        ("/", ""),
        ("toru", ""),
        ("//elsewhere", ""),
        ("/a//b", ""),
        ("/a/../b", ""),
        ("/a/.", ""),
        ("/a, /b", ""),
        ("/a;Domain=x", ""),
        ("/a\r\nX: 1", ""),
        ("/é", ""),
        ("/" + "a" * 300, ""),
    ],
)
@pytest.mark.req("SEC-5")
def test_a_prefix_is_a_plain_path_or_none(said: str, prefix: str) -> None:
    assert sound_prefix(said) == prefix


def test_nobody_is_believed_who_is_no_proxy_of_ours(tells: Door) -> None:
    tells.plugin("moves", MOVES)
    assert headers(tells.ask("/api/plugins/route/say/", BELOW))["x-forwarded-prefix"] == "/api/plugins/route/say"
    answer = tells.ask(TARGET, BELOW)
    assert b"\r\nLocation: /api/plugins/route/moves/next\r\n" in answer
    assert b"\r\nSet-Cookie: a=1; Path=/api/plugins/route/moves/\r\n" in answer
    assert b"path=/;" in signed_out(tells).lower()


@TRUSTING
@pytest.mark.req("ROUTE-3")
def test_a_plugin_is_told_the_whole_path_and_its_answers_lead_there(tells: Door) -> None:
    tells.plugin("moves", MOVES)
    for lines in ([BELOW], ["X-Forwarded-Prefix: /elsewhere"], []):
        base = lines[0].partition(": ")[2].rstrip("/") if lines else ""
        seen = headers(tells.ask("/api/plugins/route/say/", *lines))
        assert seen["x-forwarded-prefix"] == f"{base}/api/plugins/route/say"
        answer = tells.ask(TARGET, *lines).decode()
        assert f"\r\nLocation: {base}/api/plugins/route/moves/next\r\n" in answer
        assert f"\r\nSet-Cookie: a=1; Path={base}/api/plugins/route/moves/\r\n" in answer


@TRUSTING
@pytest.mark.req("SEC-2")
def test_the_session_is_for_that_path_alone(door: Door) -> None:
    assert b"path=/toru;" in signed_out(door).lower()
    assert b"path=/;" in signed_out(door, "X-Forwarded-Prefix: /a b").lower()


def signed_out(door: Door, line: str = BELOW) -> bytes:
    cookie = door.cookie()
    answer = door.ask("/api/auth/logout", line, method="POST", cookie=cookie)
    assert status_of(answer) == 200
    assert status_of(door.ask("/api/auth/me", cookie=cookie)) == 401
    return answer.partition(b"set-cookie: session_id=")[2].partition(b"\r\n")[0] + b";"
