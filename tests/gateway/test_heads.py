"""A request's head: what is taken for one, and what it says."""

from __future__ import annotations

import random

import pytest

from toru.gateway import heads
from toru.gateway.heads import BadHead, Head, read_head


def head(*lines: str, first: str = "GET /x HTTP/1.1", host: str | None = "toru") -> Head:
    said = [first, *([] if host is None else [f"Host: {host}"]), *lines]
    return read_head("\r\n".join(said).encode("latin-1"))


def refused(*lines: str, first: str = "GET /x HTTP/1.1", host: str | None = "toru") -> int:
    with pytest.raises(BadHead) as caught:
        head(*lines, first=first, host=host)
    return caught.value.status


def test_a_head_is_taken_apart() -> None:
    it = head("Accept: a/b", "X-A:1", "Content-Length: 12", "accept: c/d", first="POST /a?b HTTP/1.1")
    assert (it.method, it.target, it.minor, it.length, it.chunked, it.close) == (b"POST", b"/a?b", 1, 12, False, False)
    assert it.lines == [b"Host: toru", b"Accept: a/b", b"X-A:1", b"accept: c/d"]
    assert it.said[heads.ACCEPT] == b"a/b, c/d"
    assert it.said[heads.HOST] == b"toru"


@pytest.mark.parametrize(
    ("first", "status"),
    [
        ("GET /", 400),
        ("GET  / HTTP/1.1", 400),
        ("GET / HTTP/1.1 ", 400),
        (" GET / HTTP/1.1", 400),
        ("GET\t/ HTTP/1.1", 400),
        ("G(T / HTTP/1.1", 400),
        ("GET / HTTP/1.2", 505),
        ("PRI * HTTP/2.0", 505),
        ("GET / http/1.1", 400),
        ("GET / HTTP/1.10", 400),
        ("GET /\xe9 HTTP/1.1", 400),
        ("GET /#a HTTP/1.1", 400),
        ("GET /{a} HTTP/1.1", 400),
        ("GET x HTTP/1.1", 400),
        ("GET * HTTP/1.1", 400),
        ("GET ftp://toru/ HTTP/1.1", 400),
        ("GET http://user@toru/ HTTP/1.1", 400),
        ("CONNECT toru:443 HTTP/1.1", 400),
        ("GET /" + "x" * 9000 + " HTTP/1.1", 414),
        ("X" * 33 + " / HTTP/1.1", 400),
    ],
)
def test_a_request_line_that_is_none_is_refused(first: str, status: int) -> None:
    assert refused(first=first) == status


def test_a_whole_url_is_a_path_and_its_host_counts() -> None:
    it = head("Accept: a", first="GET http://Other:81?q HTTP/1.1")
    assert (it.target, it.said[heads.HOST]) == (b"/?q", b"Other:81")
    assert it.lines == [b"Host: Other:81", b"Accept: a"]


@pytest.mark.parametrize(
    "lines",
    [
        ("X A: 1",),
        ("X-A : 1",),
        (": 1",),
        ("X-A",),
        (" folded: 1",),
        ("X-A: 1", "\tfolded"),
        ("X-A: a\0b",),
        ("X-A: a\x7fb",),
        ("X-A: a\rb",),
        ("X-A: a\nX-B: b",),
        ("Content-Length: 1", "Content-Length: 1"),
        ("Content-Length: 1, 1",),
        ("Content-Length: +1",),
        ("Content-Length: 0x1",),
        ("Content-Length: 1 1",),
        ("Content-Length:",),
        ("Content-Length: " + "9" * 30,),
        ("Content-Length: 1", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: gzip, chunked",),
        ("Transfer-Encoding: chunked, identity",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: \x0bchunked",),
        ("Transfer-Encoding:",),
        ("Host: other",),
        ("Authorization: a", "Authorization: b"),
    ],
)
def test_what_two_programs_could_read_in_two_ways_is_refused(lines: tuple[str, ...]) -> None:
    assert refused(*lines) == 400


def test_what_passes_for_framing_to_some_is_kept_from_them() -> None:
    assert head("Content_Length: 5", "Transfer_Encoding: chunked", "X_Toru_User: root", "My_Own: 1").lines == [
        b"Host: toru",
        b"My_Own: 1",
    ]


@pytest.mark.parametrize("said_host", [None, "a b", "a/b", "a@b", "[::1", "a:b", "a,b:1:2"])
def test_there_is_one_host(said_host: str | None) -> None:
    assert refused(host=said_host) == 400


@pytest.mark.parametrize("said_host", ["", "toru", "toru:81", "[::1]:80", "1.2.3.4", "a_b.c"])
def test_a_host_may_be_many_things(said_host: str) -> None:
    assert head(host=said_host).said[heads.HOST] == said_host.encode()


def test_http_1_0_needs_no_host_and_ends_with_its_answer() -> None:
    assert head(first="GET / HTTP/1.0", host=None).close
    assert refused("Transfer-Encoding: chunked", first="POST / HTTP/1.0") == 400


def test_a_head_has_a_bound() -> None:
    assert refused(*(f"X-{number}: 1" for number in range(heads.MOST_FIELDS))) == 431


def test_what_is_of_the_connection_goes_no_further() -> None:
    it = head(
        "Connection: close, X-Mine", "X-Mine: 1", "Keep-Alive: 5", "TE: trailers", "Proxy-Authorization: x", "X-A: 1"
    )
    assert it.lines == [b"Host: toru", b"X-A: 1"]
    assert it.close
    assert head("Connection: Host, X-A", "X-A: 1").lines == [b"Host: toru"]


def test_an_upgrade_is_one_when_the_connection_says_so() -> None:
    assert head("Upgrade: WebSocket", "Connection: keep-alive, Upgrade").upgrade == b"websocket"
    assert head("Upgrade: websocket").upgrade is None


def test_a_head_means_the_same_however_often_it_is_read() -> None:
    chance = random.Random(1)  # noqa: S311  (chance that repeats)
    names = ["Host", "Cookie", "X-A", "Accept", "Connection", "Content-Length", "X-Toru-User", "TE", "Expect"]
    values = ["", "1", "close", "a, b", "chunked", "X-A", "  x  "]
    for _ in range(3000):
        lines = [f"{chance.choice(names)}: {chance.choice(values)}" for _ in range(chance.randrange(6))]
        raw = "\r\n".join(["GET / HTTP/1.1", "Host: toru", *lines]).encode()
        assert _told(raw) == _told(raw)


def _told(raw: bytes) -> object:
    try:
        it = read_head(raw)
    except BadHead as bad:
        return bad.status, bad.detail
    return it.lines, it.said, it.length, it.chunked, it.close


def test_what_is_remembered_is_bounded_and_holds_no_secrets() -> None:
    for number in range(3 * heads._REMEMBERED):
        head(f"X-Number: {number}", f"Cookie: session_id={number}", f"Authorization: Bearer {number}")
    assert len(heads._meant) <= heads._REMEMBERED
    assert not any(b"session_id" in line or b"Bearer" in line for line in heads._meant)
