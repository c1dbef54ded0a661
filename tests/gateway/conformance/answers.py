"""Cases of what a plugin may answer: status, headers, framing; right, odd and wrong."""

from __future__ import annotations

from tests.gateway.conformance.case import (
    AGAIN,
    ASKED_AGAIN,
    CLOSES,
    GIVES_OK,
    OK,
    SAID_OK,
    Case,
    Difference,
    Json,
    Seen,
    Step,
    get,
    head,
    no_use,
    post,
)


def _says(text: str, *then: Step) -> list[Step]:
    return [("body",), ("send", text), *then]


def _with(*lines: str, body: str = "ok") -> list[Step]:
    said = "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *lines))
    return _says(f"{said}\r\n{body}")


def _without(said: Json, name: str) -> Json:
    return {**said, "headers": [header for header in said["headers"] if header[0] != name]}


def _stopped(directly: Seen) -> Seen:
    """Toru has heard enough."""
    return Seen([{"refused": 502}], [{**directly.plugin[0], "stopped": "flood"}])


STATUSES = (
    *(
        Case(f"status {line}", [*get(), *AGAIN], _says(f"HTTP/1.1 {line}\r\nContent-Length: 2\r\n\r\nok"), requests=2)
        for line in (
            "200 OK",
            "201 Made",
            "202 A Reason Of Its Own",
            "206 Partial Content",
            "226 IM Used",
            "299 ",
            "301 Moved Permanently",
            "401 Unauthorized",
            "404 Not Found",
            "418 I'm a teapot",
            "429 Too Many Requests",
            "451 (\xa7)",
            "500 Internal Server Error",
            "503 Service Unavailable",
            "599 Whatever",
            "200 " + "x" * 500,
        )
    ),
    Case("status without a reason", [*get(), *AGAIN], _says("HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok"), requests=2),
    *(
        Case(
            f"absurd status {line[:16]!r}", get(), _says(f"{line}\r\nContent-Length: 2\r\n\r\nok"), differs=no_use(502)
        )
        for line in (
            "HTTP/1.1 99 Low",
            "HTTP/1.1 099 Low",
            "HTTP/1.1 600 High",
            "HTTP/1.1 999 High",
            "HTTP/1.1 000 Nothing",
            "HTTP/1.1 20 Short",
            "HTTP/1.1 2000 Long",
            "HTTP/1.1 +200 Sign",
            "HTTP/1.1 2x0 Letter",
            "HTTP/1.1  200 Blanks",
            "HTTP/1.1",
            "HTTP/2.0 200 OK",
            "HTTP/1.10 200 OK",
            "http/1.1 200 OK",
            "ICY 200 OK",
            "<html>Hello</html>",
            "\x16\x03\x01\x02\x00",
        )
    ),
    Case("101 that nobody asked for", get(), _says("HTTP/1.1 101 Switching Protocols\r\n\r\n"), differs=no_use(502)),
)

_SAME_HEADERS: dict[str, tuple[str, ...]] = {
    "repeated": ("X-A: 1", "X-B: 2", "X-A: 3", "x-a: 1", "Vary: a", "Vary: b", "Link: <a>", "Link: <b>"),
    "empty": ("X-Empty:", "X-Blank:   "),
    "latin-1": ("X-Name: J\xfcrgen \xa0\xff",),
    "long": ("X-Long: " + "x" * 8000,),
    "many": tuple(f"X-{number}: {number}" for number in range(80)),
    "odd names": ("!#$%&'*+-.^_`|~: odd", "1: one"),
    "of caching": ('ETag: "x"', "Cache-Control: no-store", "Expires: 0", "Age: 1", "Date: today", "Server: mine"),
    "types and encodings": ("Content-Type: a/b; c=d", "Content-Encoding: br", "Content-Language: eo"),
    "of security": ("WWW-Authenticate: Basic realm=x", "Content-Security-Policy: x", "Refresh: 1"),
}

HEADERS = (
    *(
        Case(f"answer's headers: {name}", [*get(), *AGAIN], _with(*lines), requests=2)
        for name, lines in _SAME_HEADERS.items()
    ),
    Case(
        "answer's headers of the connection",
        [*get(), *AGAIN],
        _with("Keep-Alive: timeout=5", "Proxy-Connection: x"),
        requests=2,
    ),
    *(
        Case(f"answer's head is wrong: {name}", get(), [*_with(*lines), ("close",)], differs=no_use(502))
        for name, lines in {
            "no colon": ("Nonsense",),
            "a blank in the name": ("X A: 1",),
            "a blank before the colon": ("X-A : 1",),
            "a name is missing": (": 1",),
            "NUL": ("X-A: a\0b",),
            "a bare CR": ("X-A: a\rSet-Cookie: b=c",),
            "a bare LF": ("X-A: a\nSet-Cookie: b=c",),
            "folded": ("X-A: a\r\n b",),
            "other lengths": ("Content-Length: 3",),
            "the same length twice": ("Content-Length: 2",),
            "a length that is none": ("Content-Length: 2x",),
            "a length below nothing": ("Content-Length: -1",),
            "length and chunks": ("Transfer-Encoding: chunked",),
            "a coding that nobody knows": ("Transfer-Encoding: gzip",),
        }.items()
    ),
    Case(
        "1000 headers in the answer", get(), _with(*(f"X-{number}: a" for number in range(1000))), differs=no_use(502)
    ),
    Case(
        "a header of 1 MiB in the answer",
        get(),
        [("send", "HTTP/1.1 200 OK\r\nX-A: "), ("flood", "x" * 1024, 1024), ("send", "\r\n\r\n"), ("close",)],
        differs=Difference(_stopped),
    ),
    Case(
        "Strict-Transport-Security",
        get(),
        _with("Strict-Transport-Security: max-age=0"),
        differs=Difference(
            lambda directly: Seen([_without(directly.client[0], "strict-transport-security")], directly.plugin)
        ),
        why="it would hold for everything on this host",
    ),
    Case(
        "a head in the answer that never ends",
        get(),
        [("send", "HTTP/1.1 200 OK\r\n"), ("flood", "X-A: " + "x" * 1000 + "\r\n", 10_000), ("close",)],
        differs=Difference(_stopped),
    ),
    Case("a head that comes byte by byte", [*get(), *AGAIN], [("bytewise", OK)], requests=2),
)

INTERIM = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
CONTINUE = "HTTP/1.1 100 Continue\r\n\r\n"
EXPECTS = head("POST", "~/", "Content-Length: 4", "Expect: 100-continue")

INTERIMS = (
    Case("103", [*get(), *AGAIN], _says(INTERIM + OK), requests=2),
    Case(
        "103 twice, and alone in its packet", [*get(), *AGAIN], _says(INTERIM, ("send", INTERIM), GIVES_OK), requests=2
    ),
    Case("102", [*get(), *AGAIN], _says("HTTP/1.1 102 Processing\r\n\r\n" + OK), requests=2),
    Case(
        "100-continue",
        [("send", EXPECTS), ("head",), ("send", "body"), ("answer",), *AGAIN],
        [("send", CONTINUE), ("body",), GIVES_OK],
        requests=2,
    ),
    Case(
        "100-continue, refused",
        [("send", EXPECTS), ("answer",), *CLOSES],
        [("send", "HTTP/1.1 417 No\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"), ("close",)],
    ),
    Case(
        "100-continue from who doesn't wait",
        [("send", EXPECTS + "body"), ("answer",), *AGAIN],
        [("body",), GIVES_OK],
        requests=2,
    ),
    Case(
        "100 that nobody asked for",
        [*post("body"), *AGAIN],
        [("send", CONTINUE), ("body",), GIVES_OK],
        requests=2,
        differs=Difference(
            lambda directly: Seen([{**directly.client[0], "interim": []}, directly.client[1]], directly.plugin)
        ),
        why="some clients would take it for the answer",
    ),
)

BODILESS = (
    *(
        Case(f"{status} with {name}", [*get(), *AGAIN], _says(f"HTTP/1.1 {status} X\r\n{line}\r\n"), requests=2)
        for status in (204, 304)
        for name, line in {
            "nothing": "",
            "a length": "Content-Length: 5\r\n",
            "chunks": "Transfer-Encoding: chunked\r\n",
        }.items()
        if status == 304 or name == "nothing"
    ),
    Case(
        "204 with a length",
        [*get(), *AGAIN],
        _says("HTTP/1.1 204 X\r\nContent-Length: 5\r\n\r\n"),
        requests=2,
        differs=Difference(
            lambda directly: Seen([_without(directly.client[0], "content-length"), directly.client[1]], directly.plugin)
        ),
        why="RFC 9110 section 8.6",
    ),
    Case("205", [*get(), *AGAIN], _says("HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n"), requests=2),
)
"""What has no body, whatever it promises (RFC 9112 section 6.3)."""

UNTIL_CLOSE = (
    Case(
        "until the plugin closes",
        get(),
        [*_says("HTTP/1.1 200 OK\r\n\r\nas long"), ("send", " as it lasts"), ("close",)],
    ),
    Case("until the plugin closes, nothing", get(), [*_says("HTTP/1.1 200 OK\r\n\r\n"), ("close",)]),
    Case("the answer of HTTP/1.0", get(), [*_says("HTTP/1.0 200 OK\r\n\r\nold"), ("close",)]),
    Case(
        "the answer of HTTP/1.0 with a length",
        get(),
        [*_says("HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nold"), ("close",)],
    ),
    Case(
        "the plugin says close, and the client's connection stays",
        [*get(), *AGAIN],
        [*_says("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"), ("close",)],
        differs=Difference(lambda directly: Seen([directly.client[0], SAID_OK], [*directly.plugin, ASKED_AGAIN]), 2),
    ),
)

CASES = (*STATUSES, *HEADERS, *INTERIMS, *BODILESS, *UNTIL_CLOSE)
