"""What is changed on the way: cookies, redirects, heads of answers."""

from __future__ import annotations

import pytest

from toru.gateway.answers import BadAnswer, read_answer
from toru.gateway.forwarding import answer_lines, answer_of, confined_cookie, placed, split_cookies

PREFIX = b"/api/plugins/route/clock"


@pytest.mark.req("ROUTE-3")
@pytest.mark.parametrize(
    ("value", "token", "others"),
    [
        ("session_id=T", "T", ""),
        ("a=1; session_id=T; b=2", "T", "a=1; b=2"),
        ("session_id = T ;a=1", "T", "a=1"),
        ("\xa0session_id\x85=T", "T", ""),
        ("session_id=T; session_id=U", "U", ""),
        ("session_id=", "", ""),
        ("my_session_id=1; session_idx=2", None, "my_session_id=1; session_idx=2"),
        ("a=session_id", None, "a=session_id"),
        ("session_id", None, "session_id"),
        ("a=1;;b", None, "a=1;;b"),
    ],
)
def test_our_cookie_is_taken_out_and_the_others_are_left(value: str, token: str | None, others: str) -> None:
    expected = None if token is None else token.encode("latin-1"), others.encode("latin-1")
    assert split_cookies(value.encode("latin-1")) == expected


@pytest.mark.req("ROUTE-3")
@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ("a=1", "a=1; Path=/api/plugins/route/clock/"),
        ("a=1; Path=/", "a=1; Path=/api/plugins/route/clock/"),
        ("a=1; path=/deep; HttpOnly", "a=1; HttpOnly; Path=/api/plugins/route/clock/deep"),
        ("a=1; Path=relative", "a=1; Path=/api/plugins/route/clock/"),
        ("a=1; Path=/api/plugins/route/clock/x", "a=1; Path=/api/plugins/route/clock/x"),
        ("a=1; Path=/api/plugins/route/clockwork", "a=1; Path=/api/plugins/route/clock/api/plugins/route/clockwork"),
        ("a=1; Domain=example.org; Secure", "a=1; Secure; Path=/api/plugins/route/clock/"),
        ("a=1; Path=/x; Path=/y", "a=1; Path=/api/plugins/route/clock/y"),
        ("session_id=x; Path=/", None),
        (" Session_Id =x", None),
        ("=session_id=x", None),
        ("session_id", None),
    ],
)
def test_a_plugins_cookie_is_its_own(said: str, becomes: str | None) -> None:
    assert confined_cookie(said.encode(), PREFIX) == (None if becomes is None else becomes.encode())


@pytest.mark.req("ROUTE-3")
@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ("/", "/api/plugins/route/clock/"),
        ("/a?b#c", "/api/plugins/route/clock/a?b#c"),
        ("/api/plugins/route/clock/a", "/api/plugins/route/clock/a"),
        ("/api/plugins/route/clock?x", "/api/plugins/route/clock?x"),
        ("/api/plugins/route/clockwork", "/api/plugins/route/clock/api/plugins/route/clockwork"),
        ("http://toru:81/a", "/api/plugins/route/clock/a"),
        ("HTTPS://TORU:81", "/api/plugins/route/clock/"),
        ("http://toru:81?q", "/api/plugins/route/clock/?q"),
        ("http://elsewhere/a", "http://elsewhere/a"),
        ("http://toru:81.example.org/", "http://toru:81.example.org/"),
        ("//elsewhere/a", "//elsewhere/a"),
        ("a/b", "a/b"),
        ("?x", "?x"),
        ("mailto:a@b", "mailto:a@b"),
    ],
)
def test_a_redirect_of_a_plugins_own_stays_with_it(said: str, becomes: str) -> None:
    assert placed(said.encode(), PREFIX, b"toru:81") == becomes.encode()


@pytest.mark.req("ROUTE-3")
@pytest.mark.parametrize(
    ("said", "becomes"),
    [
        ("/a?b", "/toru/api/plugins/route/clock/a?b"),
        ("/api/plugins/route/clock/a", "/toru/api/plugins/route/clock/a"),
        ("/toru/api/plugins/route/clock/a", "/toru/api/plugins/route/clock/a"),
        ("/toru/a", "/toru/api/plugins/route/clock/toru/a"),
        ("https://toru:81/a", "/toru/api/plugins/route/clock/a"),
        ("//elsewhere/a", "//elsewhere/a"),
        ("a/b", "a/b"),
    ],
)
def test_below_a_path_of_a_proxys_a_redirect_leads_where_the_client_finds_it(said: str, becomes: str) -> None:
    assert placed(said.encode(), PREFIX, b"toru:81", b"/toru") == becomes.encode()
    if said.startswith("/") and "?" not in said and said[1] != "/":
        cookie = confined_cookie(f"a=1; Path={said}".encode(), PREFIX, b"/toru")
        assert cookie == f"a=1; Path={becomes}".encode()


def test_repeated_cookies_of_an_answer_stay_repeated() -> None:
    answer = read_answer(b"HTTP/1.1 200 OK\r\nSet-Cookie: a=1\r\nX-A: 1\r\nset-cookie: b=2\r\nSet-Cookie: session_id=x")
    assert answer_lines(answer, PREFIX, b"toru") == [
        b"X-A: 1",
        b"Set-Cookie: a=1; Path=/api/plugins/route/clock/",
        b"set-cookie: b=2; Path=/api/plugins/route/clock/",
    ]


def test_an_answer_says_how_its_body_ends() -> None:
    sized = read_answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5")
    assert (sized.status, sized.length, sized.chunked, sized.close) == (200, 5, False, False)
    chunked = read_answer(b"HTTP/1.1 404 No\r\nTransfer-Encoding: Chunked\r\nConnection: close")
    assert (chunked.status, chunked.length, chunked.chunked, chunked.close) == (404, None, True, True)
    old = read_answer(b"HTTP/1.0 200 OK\r\nX: 1")
    assert (old.first, old.close, read_answer(b"HTTP/1.0 200 OK\r\nConnection: keep-alive").close) == (
        b"HTTP/1.1 200 OK",
        True,
        False,
    )


def test_what_is_of_the_connection_or_of_the_whole_site_stays_behind() -> None:
    answer = read_answer(
        b"HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: X-A, keep-alive\r\nKeep-Alive: 5\r\nAlt-Svc: h2\r\n"
        b"Clear-Site-Data: *\r\nService-Worker-Allowed: /\r\nX-B: 2"
    )
    assert answer.lines == [b"X-B: 2"]


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
        b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
        b"HTTP/1.1 200 OK\r\nX-A: 1\n",
        b"HTTP/1.1 200 OK\r\n folded",
        b"HTTP/1.1 600 OK",
        b"HTTP/1.1 200 OK\r\nX-A: \0",
        b"HTTP/2 200",
        b"",
    ],
)
def test_an_answer_that_is_none_is_refused(raw: bytes) -> None:
    with pytest.raises(BadAnswer):
        read_answer(raw)


def test_the_same_rules_hold_for_answers_that_are_no_http() -> None:
    answer = answer_of(200, b"OK", [(b"Content-Length", b"99"), (b"x-a", b"1"), (b"Connection", b"x-a")])
    assert (answer.lines, answer.length) == ([], None)
    for headers in ([(b"x", b"a\r\nb: c")], [(b"x\r\ny", b"")], [(b"x y", b"")], [(b"x", b"\0")]):
        with pytest.raises(BadAnswer):
            answer_of(200, b"OK", headers)
    with pytest.raises(BadAnswer):
        answer_of(99, b"OK", [])
    with pytest.raises(BadAnswer):
        answer_of(200, b"O\r\nK: x", [])
