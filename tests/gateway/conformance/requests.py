"""Cases of what a client may ask: methods, targets, headers, versions."""

from __future__ import annotations

from tests.gateway.conformance.case import AGAIN, CLOSES, Case, Difference, Step, get, head, last, post, refused

BODILESS = ("GET", "DELETE", "OPTIONS", "PROPFIND", "BREW", "get", "M-SEARCH", "!#$%&'*+-.^_`|~09", "X" * 32)
WITH_BODY = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "REPORT")


def _ask(method: str, *lines: str, body: str = "") -> list[Step]:
    return [("send", head(method, "~/", *lines) + body), ("answer", method)]


METHODS = (
    *(Case(f"{method}", [*_ask(method), *AGAIN], requests=2) for method in BODILESS),
    *(
        Case(f"{method} with a body", [*_ask(method, "Content-Length: 4", body="body"), *AGAIN], requests=2)
        for method in WITH_BODY
    ),
    Case(
        "HEAD of something long",
        [*_ask("HEAD"), *AGAIN],
        [("send", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\nContent-Type: text/x\r\n\r\n")],
        requests=2,
    ),
    Case(
        "HEAD of something chunked",
        [*_ask("HEAD"), *AGAIN],
        [("send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")],
        requests=2,
    ),
    Case("HEAD of nothing said", [*_ask("HEAD"), *AGAIN], [("send", "HTTP/1.1 200 OK\r\n\r\n")], requests=2),
    Case("a method that is too long", _ask("X" * 100), differs=refused(400)),
    Case("TRACE", _ask("TRACE"), differs=refused(405), why="it would show what Toru tells the plugin"),
    Case("CONNECT", [("send", head("CONNECT", "toru:443")), ("answer",)], differs=refused(400)),
)

TARGETS = (
    *(
        Case(f"target {target[:24]}", [*get(f"~{target}"), *AGAIN], requests=2)
        for target in (
            "/a/b/c",
            "/?a=b&c=d",
            "/?",
            "/??a",
            "/a?b=/../c",
            "/a?next=http://other/%2F",
            "/a%2Fb%2fc",
            "/a%00b",
            "/100%",
            "/%zz%1",
            "/%ff%fe",
            "//double//slash/",
            "/;parameters;a=b,c",
            "/a:b@c!$&'()*+,=~_-.",
            "/[]|^'",
            "/?[]{}|\\^`\"<>'",
            "/x" * 3000,
            "/?q=" + "x" * 6000,
            "/api/plugins/route/raw-one/",
        )
    ),
    Case("target with dots", get("~/a/../../b/./c"), differs=refused(400)),
    Case("target with dots in disguise", get("~/%2e%2E/"), differs=refused(400)),
    Case("target of other bytes", get("~/\xc3\xa9?\xc3\xa9"), differs=refused(400)),
    Case("target with a fragment", get("~/a#b"), differs=refused(400)),
)

LONG = "x" * 8000

_SAME_HEADERS: dict[str, tuple[str, ...]] = {
    "repeated": ("X-A: 1", "X-B: 2", "X-A: 3", "x-a: 1", "X-A: 1"),
    "empty": ("X-Empty:", "X-Blank:   ", "X-Tab:\t"),
    "latin-1": ("X-Name: J\xfcrgen \xa0\xff", "X-Utf8: \xc3\xa9"),
    "long": (f"X-Long: {LONG}",),
    "many": tuple(f"X-{number}: {number}" for number in range(80)),
    "blanks around the value": ("X-A:   a b\t c  \t ", "X-B:b"),
    "odd names": ("!#$%&'*+-.^_`|~: odd", "1: one", "-: dash", "_: line"),
    "accept": ("Accept: text/html;q=0.9, */*", "Accept-Encoding: gzip, br;q=0", "Accept: a/b"),
    "ranges and conditions": ('If-Match: "a", W/"b"', "Range: bytes=0-1", "If-Modified-Since: never"),
    "cookies of others": ("Cookie: a=1; b=2", "Cookie: c=3"),
    "quotes and commas": ('X-A: "a, \\"b\\"", c;d="e;f"', "X-B: ,, ,"),
    "like ours": ("X-Toruh: 1", "X-Forwarded: no", "Via: 1.0 a, 1.1 b"),
}

HEADERS = (
    *(Case(f"headers: {name}", [*get("~/", *lines), *AGAIN], requests=2) for name, lines in _SAME_HEADERS.items()),
    Case("a body with type and encoding", post("\x1f\x8b\x00", "Content-Type: x/y; z=1", "Content-Encoding: gzip")),
    Case("keep-alive is said", [*get("~/", "Connection: keep-alive", "Keep-Alive: timeout=5"), *AGAIN], requests=2),
    Case("close is said", [*get("~/", "Connection: close"), *CLOSES]),
    Case("close is said beside others", [*get("~/", "Connection: X, close"), *CLOSES]),
    Case("an upgrade that nobody wants", [*get("~/", "Connection: Upgrade", "Upgrade: h2c"), *AGAIN], requests=2),
    Case("TE and trailers are of the connection", get("~/", "TE: trailers", "Connection: TE")),
)

FLOODS = (
    Case(
        "1000 headers",
        [("send", head("GET", "~/", *(f"X-{number}: a" for number in range(1000)))), ("answer",)],
        differs=refused(431),
    ),
    Case(
        "a header of 1 MiB", [("send", head("GET", "~/", "X-A: " + "x" * (1 << 20))), ("answer",)], differs=refused(431)
    ),
    Case("a target of 1 MiB", [("send", head("GET", "~/" + "x" * (1 << 20))), ("answer",)], differs=refused(414)),
)

VERSIONS = (
    Case("HTTP/1.0", [("send", head(version="HTTP/1.0")), ("answer",), *CLOSES]),
    Case(
        "HTTP/1.0 with a body",
        [("send", head("POST", "~/", "Content-Length: 4", version="HTTP/1.0") + "body"), ("answer",), *CLOSES],
    ),
    Case(
        "HTTP/1.0 without a host",
        [("send", head(version="HTTP/1.0").replace("Host: toru\r\n", "")), ("answer",), *CLOSES],
    ),
    Case(
        "HTTP/1.0 that keeps alive",
        [("send", head("GET", "~/", "Connection: keep-alive", version="HTTP/1.0")), ("answer",), *AGAIN],
        requests=2,
        differs=Difference(last, requests=1),
    ),
    Case(
        "HTTP/1.0 and a length that is not known",
        [("send", head(version="HTTP/1.0")), ("answer",), *CLOSES],
        [("send", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nas long as it lasts"), ("close",)],
    ),
    Case(
        "a later HTTP/1",
        [("send", head(version="HTTP/1.2")), ("answer",)],
        differs=refused(505),
    ),
)

CASES = (*METHODS, *TARGETS, *HEADERS, *FLOODS, *VERSIONS)
