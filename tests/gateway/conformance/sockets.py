"""Cases of WebSockets, after those of the Autobahn test suite: its sections 1 to 7, 9 and 12, and the handshake.

What the plugin's library makes of each is the rule; by Toru it has to come out the same, frame by frame.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tests.gateway.conformance.case import Case, Step, head
from tests.gateway.conformance.frames import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, body, close, frame

KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
WANTS = ("Connection: Upgrade", "Upgrade: websocket", KEY, "Sec-WebSocket-Version: 13")
ORDERLY = close(1000, b"done")
ENDS: list[Step] = [("raw", ORDERLY.decode("latin-1")), ("frames",)]


def shake(target: str = "~/echo", *more: str) -> list[Step]:
    return [("send", head("GET", target, *WANTS, *more)), ("head",)]


def says(name: str, *frames: bytes, target: str = "~/echo", bytewise: bool = False) -> Case:
    """Says all of it, and takes down what comes until the end."""
    said = b"".join(frames).decode("latin-1")
    return Case(f"ws {name}", [*shake(target), ("raw", said, bytewise), ("frames",)])


def hears(name: str, *frames: bytes, count: int = 1, target: str = "~/echo", bytewise: bool = False) -> Case:
    """The same, but so many frames come before it ends it orderly."""
    said = b"".join(frames).decode("latin-1")
    return Case(f"ws {name}", [*shake(target), ("raw", said, bytewise), ("frames", None, count), *ENDS])


def _fragments(opcode: int, *payloads: bytes) -> list[bytes]:
    last = len(payloads) - 1
    return [
        frame(CONTINUATION if number else opcode, payload, fin=number == last)
        for number, payload in enumerate(payloads)
    ]


def _frames() -> Iterator[Case]:
    for length in (0, 1, 125, 126, 127, 128, 65535, 65536, 65537):
        yield hears(f"text of {length}", frame(TEXT, b"*" * length))
        yield hears(f"binary of {length}", frame(BINARY, body(length)))
    yield hears("text byte by byte", frame(TEXT, b"*" * 300), bytewise=True)
    yield hears("a length in more bytes than it takes", frame(TEXT, b"*" * 10, length_in=8))
    yield hears("100 messages at once", *(frame(TEXT, b"%d" % number) for number in range(100)), count=100)


def _pings() -> Iterator[Case]:
    for payload in (b"", b"Hello", bytes(range(0, 248, 2)), b"*" * 125):
        yield hears(f"ping of {len(payload)}", frame(PING, payload))
    yield says("ping of 126", frame(PING, b"*" * 126))
    yield hears("ping byte by byte", frame(PING, b"*" * 125), bytewise=True)
    yield hears("pong that nobody asked for", frame(PONG, b"x"), frame(PING, b"y"))
    yield hears("10 pings", *(frame(PING, b"%d" % number) for number in range(10)), count=10)
    pong = frame(PONG, b"there").decode("latin-1")
    yield Case(
        "ws ping of the plugin's",
        [*shake("~/ping/there"), ("frames", PING), ("raw", pong), ("frames", CLOSE), *ENDS],
    )


def _breaches() -> Iterator[Case]:
    for rsv in range(1, 8):
        yield says(f"reserved bits {rsv}", frame(TEXT, b"x", rsv=rsv))
    for opcode in (3, 4, 5, 6, 7, 11, 12, 13, 14, 15):
        yield says(f"reserved opcode {opcode}", frame(opcode, b"x"))
    yield says("no mask", frame(TEXT, b"x", masked=False))
    yield says("no HTTP, nor a frame", b"GET / HTTP/1.1\r\nHost: toru\r\n\r\n")


def _fragmented() -> Iterator[Case]:
    first, second = _fragments(TEXT, b"a", b"b")
    yield hears("fragments", first, second)
    yield hears("fragments of nothing", *_fragments(TEXT, b"", b"", b""))
    yield hears("fragments byte by byte", *_fragments(BINARY, b"a" * 100, b"b", b"c"), bytewise=True)
    yield hears("ping between fragments", first, frame(PING, b"x"), second, count=2)
    yield says("ping in fragments", *_fragments(PING, b"a", b"b"))
    yield says("close between fragments", first, ORDERLY, second)
    yield says("text between fragments", first, frame(TEXT, b"x"), second)
    yield says("a continuation of nothing", frame(CONTINUATION, b"x"))
    yield hears("1000 fragments", *_fragments(BINARY, *[b"x" * 100] * 1000))
    yield hears("fragments back", frame(BINARY, body(1000)), count=11, target="~/fragments/100")


def _texts() -> Iterator[Case]:
    good = "κόσμε \U0001f40d \ufffd \u20ac".encode()
    yield hears("text of many alphabets", frame(TEXT, good))
    yield hears("a letter cut in two", *_fragments(TEXT, good[:1], good[1:]))
    for bad in (b"\xff", b"\xce", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", good + b"\x80"):
        yield says(f"no text {bad[-4:]!r}", frame(TEXT, bad))
    yield says("no text in a later fragment", *_fragments(TEXT, b"a", b"\xff"))


def _closes() -> Iterator[Case]:
    yield says("close without a code", close())
    yield says("close of one byte", frame(CLOSE, b"x"))
    for code in (1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999):
        yield says(f"close {code}", close(code))
    for code in (0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999, 5000, 65535):
        yield says(f"close {code}, which may not be", close(code))
    yield says("close with the longest reason", close(1000, b"*" * 123))
    yield says("close with too long a reason", close(1000, b"*" * 124))
    yield says("close with no text", close(1000, b"\xce\xba\xff"))
    yield says("close in pieces", close(1001, b"bye"), bytewise=True)
    yield says("close, and more after it", ORDERLY, frame(TEXT, b"x"), frame(PING))
    yield says("close twice", ORDERLY, ORDERLY)
    for code in (1000, 1001, 1011, 4321):
        yield Case(
            f"ws close {code} by the plugin",
            [*shake(f"~/close/{code}"), ("frames", CLOSE), ("raw", close(code).decode("latin-1")), ("frames",)],
        )
    yield Case("ws the plugin goes without a word", [*shake("~/drop"), ("frames",)])


def _large() -> Iterator[Case]:
    for name, length, fragment in (
        ("1 MiB", 1 << 20, 0),
        ("16 MiB", 16 << 20, 0),
        ("4 MiB in fragments of 4 KiB", 4 << 20, 4096),
        ("4 MiB in fragments of 64 KiB", 4 << 20, 65536),
    ):
        yield Case(f"ws {name}", [*shake(), ("message", length, fragment), ("frames", None, 1), *ENDS])
    yield Case("ws 10000 messages from the plugin", [*shake("~/push/10000"), ("frames", CLOSE), *ENDS])


def _handshakes() -> Iterator[Case]:
    def asks(name: str, lines: Sequence[str], target: str = "~/echo", **options: str) -> Case:
        return Case(f"ws handshake: {name}", [("send", head("GET", target, *lines, **options)), ("answer",)])

    yield asks("refused", WANTS, "~/refused")
    yield asks("without a key", [line for line in WANTS if line is not KEY])
    yield asks("a key that is none", [line.replace("==", "") for line in WANTS])
    yield asks("another version", [line.replace("13", "12") for line in WANTS])
    both = ["Connection: keep-alive, Upgrade", *WANTS[1:]]
    yield Case(
        "ws handshake: kept alive and upgraded", [("send", head("GET", "~/drop", *both)), ("head",), ("frames",)]
    )
    yield Case("ws handshake: with a query", [*shake("~/push/1?a=%2F&b"), ("frames", CLOSE), *ENDS])
    for name, line in {
        "subprotocols": "Sec-WebSocket-Protocol: nothing, superchat, chat",
        "compression": "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    }.items():
        yield Case(
            f"ws handshake: {name}",
            [*shake("~/echo", line), *ENDS],
        )


CASES = (
    *_handshakes(),
    *_frames(),
    *_pings(),
    *_breaches(),
    *_fragmented(),
    *_texts(),
    *_closes(),
    *_large(),
)
