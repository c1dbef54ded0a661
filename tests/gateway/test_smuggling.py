"""Requests that two readers could read in two ways: refused, the connection closed, and nobody behind has seen them.

Each is followed by another request on the same connection, which would be the smuggled one: were it served, there would
be an entry in the plugin's storage, and the plugin itself says which bytes it has received.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.gateway.conformance.case import Case, get
from tests.gateway.conformance.rig import Rig

pytestmark = pytest.mark.req("ROUTE-1", "SEC-5")

LINE = "POST {target} HTTP/1.1\r\n"
HOST = "Host: toru\r\n"
CHUNKED = "Transfer-Encoding: chunked\r\n"
CHUNKS = "5\r\nhello\r\n0\r\n\r\n"


@dataclass(frozen=True)
class Trick:
    name: str
    request: str
    """With {target}, and {who} where the lines go that sign in."""
    status: int = 400


def _lines(*lines: str, body: str = "hello") -> str:
    """A request with these lines as they are, line ends included."""
    return f"{LINE}{HOST}{{who}}{''.join(lines)}\r\n{body}"


def _line(line: str, body: str = "hello") -> str:
    return _lines(f"{line}\r\n", body=body)


def _of_lines(kind: str, body: str, *said: str) -> Iterator[Trick]:
    for line in said:
        yield Trick(f"{kind} {line!r}", _line(line, body))


LENGTHS = (
    Trick("length, then chunks", _lines("Content-Length: 5\r\n", CHUNKED, body=CHUNKS)),
    Trick("chunks, then length", _lines(CHUNKED, "Content-Length: 5\r\n", body=CHUNKS)),
    Trick("two lengths", _lines("Content-Length: 5\r\n", "Content-Length: 0\r\n")),
    Trick("two lengths, far apart", _lines("Content-Length: 0\r\n", "A: b\r\n" * 20, "Content-Length: 5\r\n")),
    *_of_lines(
        "length",
        "hello",
        *(
            f"Content-Length: {value}"
            for value in ("5, 6", "+5", "-5", "-0", "5.0", "0x5", "5a", "5 5", "", "1e1", "5_0")
        ),
        *(f"Content-Length: {value}" for value in ("\xb2", "\xb5", "5\x00", "5\x0b", "\x0c5", "5;", '"5"', "5,", ",5")),
        f"Content-Length: {2**64 + 5}",
        "Content-Length: " + "9" * 400,
        "Content-Length : 5",
        "Content-Length\t: 5",
        "Content-Length\x0b: 5",
        "Content\x00-Length: 5",
        "Content Length: 5",
        " Content-Length: 5",
        "Content-Length 5",
    ),
)

CODINGS = (
    *_of_lines(
        "coding",
        CHUNKS,
        *(
            f"Transfer-Encoding: {value}"
            for value in ("xchunked", "chunkedx", "identity", "chunked, identity", "", ",")
        ),
        *(
            f"Transfer-Encoding: {value}"
            for value in ("chunked, chunked", "chunked;q=1", '"chunked"', "chunked,", "x,")
        ),
        *(
            f"Transfer-Encoding: {value}"
            for value in ("\x0bchunked", "chunked\x00", "chun\x00ked", "\xa0chunked", "\x85chunked")
        ),
        "Transfer-Encoding : chunked",
        "Transfer-Encoding\t: chunked",
        " Transfer-Encoding: chunked",
        "\tTransfer-Encoding: chunked",
        "\x00Transfer-Encoding: chunked",
        "Transfer-Encoding\x00: chunked",
        "Transfer-Encoding\xa0: chunked",
        "Transfer-Encoding chunked",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding:\n chunked",
        "Transfer-Encoding\r\n: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        "Transfer-Encoding: x\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
        "A: b\rTransfer-Encoding: chunked",
        "A: b\nTransfer-Encoding: chunked",
        "A: b\r\n Transfer-Encoding: chunked",
        "A: b\r\n\tc",
    ),
    Trick("coding in HTTP/1.0", _lines(CHUNKED, body=CHUNKS).replace("HTTP/1.1", "HTTP/1.0")),
)

LINE_ENDS = (
    Trick("bare LF everywhere", _line("Content-Length: 5").replace("\r\n", "\n")),
    Trick("bare LF after the first line", _line("Content-Length: 5").replace("\r\n", "\n", 1)),
    Trick("bare LF before the body", f"{LINE}{HOST}{{who}}Content-Length: 5\r\n\nhello"),
    Trick("bare LF twice", f"{LINE}{HOST}{{who}}A: b\n\nGET / HTTP/1.1\r\n\r\n"),
    Trick("bare CR everywhere", _line("Content-Length: 5").replace("\r\n", "\r") + "\r\n\r\n"),
    Trick("CR CR LF", f"{LINE}{HOST}{{who}}A: b\r\r\nContent-Length: 5\r\n\r\nhello"),
    Trick("CR CR LF before the body", f"{LINE}{HOST}{{who}}Content-Length: 5\r\n\r\r\nhello"),
    *_of_lines("value", "", "A: a\0b", "A: a\x01b", "A: a\x7fb", "A: a\rb", "A: a\nb", "A: \x1b[31m", "A: a\x0bb"),
    *_of_lines(
        "name", "", ": b", "A B: c", "A\x00: b", "A\xe9: b", "A(: b", 'A": b', "A/: b", "A", "@A: b", "A\x7f: b"
    ),
)

TARGETS = (
    *(
        Trick(f"first line {line!r}", f"{line}\r\n{HOST}{{who}}\r\n", status)
        for line, status in (
            ("GET {target} HTTP/1.1 ", 400),
            ("GET {target} x HTTP/1.1", 400),
            ("GET  {target} HTTP/1.1", 400),
            ("GET\t{target}\tHTTP/1.1", 400),
            (" GET {target} HTTP/1.1", 400),
            ("GET {target}\x00 HTTP/1.1", 400),
            ("GET {target}\x7f HTTP/1.1", 400),
            ("GET {target}\x0b HTTP/1.1", 400),
            ("GET {target}\r HTTP/1.1", 400),
            ("GET {target}#x HTTP/1.1", 400),
            ("GET toru:80 HTTP/1.1", 400),
            ("GET \\{target} HTTP/1.1", 400),
            ("GET x{target} HTTP/1.1", 400),
            ("GET * HTTP/1.1", 400),
            ("GET {target}", 400),
            ("GET", 400),
            ("GE\x00T {target} HTTP/1.1", 400),
            ("G(E)T {target} HTTP/1.1", 400),
            ("G\xc9T {target} HTTP/1.1", 400),
            (" {target} HTTP/1.1", 400),
            ("GET {target} HTTP/1.1x", 400),
            ("GET {target} HTTP/11", 400),
            ("GET {target} HTTP/1,1", 400),
            ("GET {target} HTTP/01.1", 400),
            ("GET {target} HTTP /1.1", 400),
            ("GET {target} http/1.1", 400),
            ("GET {target} HTTPS/1.1", 400),
            ("GET {target} HTTP/0.9", 505),
            ("GET {target} HTTP/2.0", 505),
            ("GET {target} HTTP/9.9", 505),
        )
    ),
    Trick("HTTP/2 from the first byte", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    Trick("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + "x" * 64 + "\r\n\r\n"),
)

HOSTS = (
    *(
        Trick(f"hosts {lines!r}", f"GET {{target}} HTTP/1.1\r\n{{who}}{lines}\r\n")
        for lines in (
            "",
            "Host: toru\r\nHost: toru\r\n",
            "Host: toru\r\nHost: other\r\n",
            "Host: toru\r\nA: b\r\nhost: other\r\n",
            "Host: toru, other\r\n",
            "Host: toru other\r\n",
            "Host: toru@other\r\n",
            "Host: toru/other\r\n",
            "Host: to\x00ru\r\n",
            "Host : toru\r\n",
            " Host: toru\r\n",
        )
    ),
)

CHUNK_TRICKS = (
    *(
        Trick(f"chunks {body!r}", _lines(CHUNKED, body=body))
        for body in (
            *(
                f"{size}\r\nhello\r\n0\r\n\r\n"
                for size in ("0x5", "+5", "-5", " 5", "5 ", "\t5", "5g", "", "5_", "\xb5", "5,0")
            ),
            *(
                f"{size}\r\nhello\r\n0\r\n\r\n"
                for size in ("10000000000000005", "f" * 16, "f" * 1000, "5\x00", "5\x0b")
            ),
            "5\nhello\r\n0\r\n\r\n",
            "5\rhello\r\n0\r\n\r\n",
            "5\r\nhello0\r\n\r\n",
            "5\r\nhello\n0\r\n\r\n",
            "5\r\nhello\r0\r\n\r\n",
            "5\r\nhellox\r\n0\r\n\r\n",
            "5;a\nb\r\nhello\r\n0\r\n\r\n",
            "5;a\rb\r\nhello\r\n0\r\n\r\n",
            "5;a\0b\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\n0\n\r\n",
            "5\r\nhello\r\n0\r\n\n",
            "5\r\nhello\r\n0\r\nA: b\n\r\n",
            "5\r\nhello\r\n0\r\nA\r\n\r\n",
            "5\r\nhello\r\n0\r\n A: b\r\n\r\n",
            "5\r\nhello\r\n0\r\nA : b\r\n\r\n",
            "5\r\nhello\r\n0\r\nA: b\0\r\n\r\n",
        )
    ),
)
"""The head is as it should be: a plugin may have it, and the good part of the body, but never a whole request."""

BY_HEAD = (*LENGTHS, *CODINGS, *LINE_ENDS, *TARGETS, *HOSTS)

OF_PLUGIN = "/api/plugins/route/raw-one/tricked"
OF_API = "/api/plugins/raw/kv"
BEHIND = "{who}Content-Type: application/json\r\nContent-Length: "


def _entry(key: str, **more: str) -> str:
    """A request to the plugin's storage, to set an entry or to get it."""
    body = json.dumps({"action": "set" if more else "get", "key": key, **more})
    return f"POST {OF_API} HTTP/1.1\r\n{HOST}{BEHIND}{len(body)}\r\n\r\n{body}"


def _answers(rig: Rig, trick: Trick, target: str) -> list[int]:
    """Sends the trick and what it would smuggle in, and says with what statuses it was answered until the end came."""
    key = f"smuggled by {trick.name[:50]} to {target}"
    sent = (trick.request + _entry(key, value="1")).replace("{target}", target).replace("{who}", rig.by_toru.head)
    (seen,) = rig.play([["send", sent], ["end"]], rig.by_toru)
    assert "ended with" in seen, seen
    (kept,) = rig.play([["send", _entry(key).replace("{who}", rig.by_toru.head)], ["answer"]], rig.by_toru)
    assert (kept["status"], kept["body"]["content"]) == (200, '{"value":null}')
    return [int(status) for status in re.findall(r"HTTP/1\.1 ([0-9]{3})", seen["ended with"])]


def _received_with_an_honest_request(rig: Rig) -> str:
    """What the plugin has received so far, and by a request that comes behind, on whatever connection."""
    honest = Case("honest", get("~/honest"))
    assert rig.play(honest.script(rig.by_toru, "honest"), rig.by_toru)[0]["status"] == 200
    received: str = rig.control("raw")
    return received


@pytest.mark.parametrize("target", [OF_PLUGIN, OF_API], ids=["plugin", "API"])
@pytest.mark.parametrize("trick", BY_HEAD, ids=lambda trick: trick.name)
def test_a_head_that_can_be_read_in_two_ways_is_refused(rig: Rig, trick: Trick, target: str) -> None:
    rig.control("raw")
    assert _answers(rig, trick, target) == [trick.status]
    received = _received_with_an_honest_request(rig)
    assert received.startswith("GET /honest HTTP/1.1\r\n")
    assert received.count("HTTP/1.1") == 1


@pytest.mark.parametrize("target", [OF_PLUGIN, OF_API], ids=["plugin", "API"])
@pytest.mark.parametrize("trick", CHUNK_TRICKS, ids=lambda trick: trick.name)
def test_a_chunk_that_can_be_read_in_two_ways_is_refused(rig: Rig, trick: Trick, target: str) -> None:
    rig.control("raw")
    assert _answers(rig, trick, target) == [trick.status]
    received = _received_with_an_honest_request(rig)
    assert received.count("GET /honest HTTP/1.1\r\n") == 1
    assert received.count("HTTP/1.1") <= (2 if target == OF_PLUGIN else 1)
    assert "\r\n0\r\n" not in received, "the plugin was told that the body is complete"
