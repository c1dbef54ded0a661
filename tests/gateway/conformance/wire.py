"""HTTP/1.1 as bytes on a socket, for both ends of the tests. It forgives nothing and hides nothing.

Standard library only, and whatever Python a host has: the plugin and the client of these tests run there.
"""

from __future__ import annotations

import hashlib
import socket
import time
from collections.abc import Iterator
from functools import cache
from typing import Any

_BLOCK = hashlib.shake_256(b"a body").digest(1_048_573)
"""Of prime length: what arrives twice, or is left out, shows."""
_TWICE = memoryview(_BLOCK * 2)
"""So that a piece may begin anywhere."""

SHOWN = 200
"""So much of a body stands in what was seen of it; of more, length and hash."""

Headers = list[tuple[str, str]]


class Cut(Exception):
    """The other side ended in the middle of a message."""


class Malformed(Exception):
    """What came is no message."""


def pattern(length: int, piece: int = len(_BLOCK)) -> Iterator[memoryview]:
    """A body of this length, in pieces: it need never be whole in memory."""
    source = _TWICE if piece <= len(_BLOCK) else memoryview(_BLOCK * (piece // len(_BLOCK) + 2))
    at = 0
    while at < length:
        start = at % len(_BLOCK)
        size = min(piece, length - at)
        yield source[start : start + size]
        at += size


def dripping(data: bytes) -> Iterator[bytes]:
    """A byte a second, and the first at once."""
    for at, byte in enumerate(data):
        if at:
            time.sleep(1)
        yield bytes([byte])


def chunked(length: int, chunk: int) -> Iterator[bytes]:
    """The same body in chunks, the last one included."""
    for piece in pattern(length, chunk):
        yield b"%x\r\n" % len(piece) + piece + b"\r\n"
    yield b"0\r\n\r\n"


@cache
def hashed(length: int) -> str:
    """What the hash of such a body has to be."""
    whole = hashlib.sha256()
    for piece in pattern(length):
        whole.update(piece)
    return whole.hexdigest()


def headers_of(lines: list[bytes]) -> Headers:
    """Names in lower case, values without the blanks around them; each as often as it came."""
    found = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon:
            raise Malformed(f"no header: {line[:80]!r}")
        found.append((name.decode("latin-1").lower(), value.strip(b" \t").decode("latin-1")))
    return found


def values(headers: Headers, name: str) -> list[str]:
    return [value for called, value in headers if called == name]


class Wire:
    """A connection, read message by message."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.received = 0
        self._buffer = bytearray()

    def more(self) -> bool:
        """Reads on; False at the end."""
        data = self.connection.recv(1 << 18)
        self.received += len(data)
        self._buffer += data
        return bool(data)

    def take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self.more():
                raise Cut
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def line(self) -> bytes:
        at = 0
        while (end := self._buffer.find(b"\r\n", at)) < 0:
            at = max(0, len(self._buffer) - 1)
            if not self.more():
                self._buffer.clear()
                raise Cut
        return self.take(end + 2)[:-2]

    def head(self) -> list[bytes] | None:
        """The lines up to the empty one; None at the end of the connection."""
        if not self._buffer and not self.more():
            return None
        lines = []
        while line := self.line():
            lines.append(line)
        return lines

    def rest(self) -> bytes:
        """Everything up to the end."""
        while self.more():
            pass
        return self.take(len(self._buffer))

    def piece(self, most: int) -> bytes:
        """The next bytes, and no more than these; empty at the end."""
        if not self._buffer and not self.more():
            return b""
        return self.take(min(most, len(self._buffer)))

    def sized(self, length: int) -> Iterator[bytes]:
        while length:
            piece = self.piece(length)
            if not piece:
                raise Cut
            length -= len(piece)
            yield piece

    def chunks(self, trailers: Headers) -> Iterator[bytes]:
        """The bytes of a chunked body; what follows the last chunk goes to `trailers`."""
        while size := _size(self.line()):
            yield from self.sized(size)
            if self.take(2) != b"\r\n":
                raise Malformed("no end of a chunk")
        lines = []
        while line := self.line():
            lines.append(line)
        trailers += headers_of(lines)

    def until_end(self) -> Iterator[bytes]:
        while piece := self.piece(1 << 18):
            yield piece


def _size(line: bytes) -> int:
    digits = line.partition(b";")[0]
    if not digits or digits.strip(b"0123456789abcdefABCDEF"):
        raise Malformed(f"no size of a chunk: {line[:40]!r}")
    return int(digits, 16)


def request_body(wire: Wire, headers: Headers) -> dict[str, Any]:
    """Reads the body of a request, and says what it was."""
    if (coding := values(headers, "transfer-encoding")) != []:
        assert coding == ["chunked"], coding
        return read(wire.chunks)
    return read(lambda _: wire.sized(int((values(headers, "content-length") or ["0"])[0])))


def answer_body(wire: Wire, status: int, headers: Headers, *, to_head: bool) -> dict[str, Any]:
    """Reads the body of an answer (RFC 9112 section 6.3), and says what it was."""
    if to_head or status in (204, 304) or status < 200:
        return read(lambda _: iter(()))
    if values(headers, "transfer-encoding") == ["chunked"]:
        return read(wire.chunks)
    if length := values(headers, "content-length"):
        return read(lambda _: wire.sized(int(length[0])))
    return read(lambda _: wire.until_end())


def read(body: Any) -> dict[str, Any]:
    trailers: Headers = []
    length, whole, shown, end = 0, hashlib.sha256(), b"", "complete"
    try:
        for piece in body(trailers):
            length += len(piece)
            whole.update(piece)
            if len(shown) < SHOWN:
                shown += piece
    except Cut:
        end = "cut"
    except ConnectionError:
        end = "reset"
    except Malformed:
        end = "malformed"
    content = shown.decode("latin-1") if length <= SHOWN else whole.hexdigest()
    return {"length": length, "content": content, "end": end, "trailers": trailers}
