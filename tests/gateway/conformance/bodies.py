"""Cases of bodies, both ways: lengths, chunks, and what is to pass before a body is whole."""

from __future__ import annotations

from collections.abc import Iterator

from tests.gateway.conformance.case import AGAIN, GIVES_OK, Case, Difference, Step, get, head, last, post

KIB, MIB = 1 << 10, 1 << 20

SIZES = {"1 byte": 1, "64 KiB": 64 * KIB, "1 MiB": MIB, "100 MiB": 100 * MIB}

CHUNKED = head("POST", "~/", "Transfer-Encoding: chunked")


def up_sized(length: int) -> list[Step]:
    return [("send", head("POST", "~/", f"Content-Length: {length}")), ("pattern", length), ("answer",)]


def up_chunked(length: int, chunk: int) -> list[Step]:
    return [("send", CHUNKED), ("chunked", length, chunk), ("answer",)]


def down_sized(length: int) -> list[Step]:
    return [("body",), ("send", f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"), ("pattern", length)]


def down_chunked(length: int, chunk: int) -> list[Step]:
    return [("body",), ("send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), ("chunked", length, chunk)]


def down_until_close(length: int) -> list[Step]:
    return [("body",), ("send", "HTTP/1.1 200 OK\r\n\r\n"), ("pattern", length), ("close",)]


def _sizes() -> Iterator[Case]:
    for name, length in SIZES.items():
        chunk = max(1, min(length // 3, MIB))
        yield Case(f"{name} up", [*up_sized(length), *AGAIN], requests=2)
        yield Case(f"{name} up in chunks", [*up_chunked(length, chunk), *AGAIN], requests=2)
        yield Case(f"{name} down", [*get(), *AGAIN], down_sized(length), requests=2)
        yield Case(f"{name} down in chunks", [*get(), *AGAIN], down_chunked(length, chunk), requests=2)
        yield Case(f"{name} down until the end", get(), down_until_close(length))
        yield Case(
            f"{name} up and down at once",
            up_sized(length),
            [("send", f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n"), ("echo", length)],
        )


NONE = (
    Case("no length up", [("send", head("POST")), ("answer",), *AGAIN], requests=2),
    Case("length 0 up", [*post(""), *AGAIN], requests=2),
    Case("chunks of nothing up", [*up_chunked(0, 1), *AGAIN], requests=2),
    Case("length 0 down", [*get(), *AGAIN], down_sized(0), requests=2),
    Case("chunks of nothing down", [*get(), *AGAIN], down_chunked(0, 1), requests=2),
)

# Shapes that chunks may have: what is sent for "abcdefghijklmnopqrstuvwxyz012345", 32 bytes.
WHOLE = "abcdefghijklmnopqrstuvwxyz012345"
SHAPES = {
    "one by one": "".join(f"1\r\n{letter}\r\n" for letter in WHOLE) + "0\r\n\r\n",
    "capital size": f"1A\r\n{WHOLE[:26]}\r\n6\r\n{WHOLE[26:]}\r\n0\r\n\r\n",
    "small size": f"1a\r\n{WHOLE[:26]}\r\n6\r\n{WHOLE[26:]}\r\n0\r\n\r\n",
    "zeros before the size": f"0000020\r\n{WHOLE}\r\n000\r\n\r\n",
    "extensions": f'20;a;b=c;d="e f";g="\\""\r\n{WHOLE}\r\n0;last\r\n\r\n',
    "trailers": f"20\r\n{WHOLE}\r\n0\r\nX-Sum: 1\r\nX-Sum: 2\r\n\r\n",
}

CHUNKS = (
    *(
        Case(f"chunks up: {name}", [("send", CHUNKED + text), ("answer",), *AGAIN], requests=2)
        for name, text in SHAPES.items()
    ),
    *(
        Case(f"chunks up byte by byte: {name}", [("bytewise", CHUNKED + text), ("answer",), *AGAIN], requests=2)
        for name, text in SHAPES.items()
    ),
    *(
        Case(
            f"chunks down: {name}",
            [*get(), *AGAIN],
            [("body",), ("send", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + text)],
            requests=2,
        )
        for name, text in SHAPES.items()
    ),
    *(
        Case(
            f"chunks down byte by byte: {name}",
            [*get(), *AGAIN],
            [("body",), ("bytewise", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + text)],
            requests=2,
        )
        for name, text in SHAPES.items()
    ),
    Case("64 KiB up, byte by byte in chunks", [*up_chunked(64 * KIB, 1), *AGAIN], requests=2),
    Case("64 KiB down, byte by byte in chunks", [*get(), *AGAIN], down_chunked(64 * KIB, 1), requests=2),
    Case("one chunk of 16 MiB up", [*up_chunked(16 * MIB, 16 * MIB), *AGAIN], requests=2),
    Case("one chunk of 16 MiB down", [*get(), *AGAIN], down_chunked(16 * MIB, 16 * MIB), requests=2),
    Case(
        "a head and a body byte by byte",
        [("bytewise", head("POST", "~/", "Content-Length: 4") + "body"), ("answer",), *AGAIN],
        requests=2,
    ),
)

# Nothing waits for the whole: each side goes on only when it has seen what the other has sent so far.
STREAMS = (
    Case(
        "an answer that begins before the request is complete",
        [
            ("send", head("POST", "~/", "Content-Length: 20")),
            ("head",),
            ("send", "the first."),
            ("some", 10),
            ("send", "the second"),
            ("some", 10),
            *AGAIN,
        ],
        [("send", "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n"), ("echo", 20)],
        requests=2,
        differs=Difference(last, requests=1),
    ),
    Case(
        "an event comes when it is sent",
        [("send", head()), ("head",), ("some", 10), ("control", "open/{run}-more"), ("some", 10), *AGAIN],
        [
            ("send", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 20\r\n\r\n"),
            ("send", "data: one\n"),
            ("gate", "{run}-more"),
            ("send", "data: two\n"),
        ],
        requests=2,
    ),
    Case(
        "an event of a stream without end comes when it is sent",
        [("send", head()), ("head",), ("line",), ("line",), ("control", "open/{run}-more"), ("line",), ("close",)],
        [
            ("send", "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"),
            ("send", "b\r\ndata: one\n\n\r\n"),
            ("gate", "{run}-more"),
            ("send", "b\r\ndata: two\n\n\r\n"),
            ("gone",),
        ],
    ),
    Case(
        "a body comes while it is sent",
        [
            ("send", head("POST", "~/", "Content-Length: 20")),
            ("send", "the first."),
            ("control", "wait/{run}-first"),
            ("send", "the second"),
            ("answer",),
            *AGAIN,
        ],
        [("some", 10), ("open", "{run}-first"), ("echo", 0), ("some", 10), GIVES_OK],
        requests=2,
    ),
    Case(
        "the head of an answer comes before its body",
        [("send", head()), ("head",), ("control", "open/{run}-body"), ("some", 2), *AGAIN],
        [("send", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"), ("gate", "{run}-body"), ("send", "ok")],
        requests=2,
    ),
)

CASES = (*NONE, *_sizes(), *CHUNKS, *STREAMS)
