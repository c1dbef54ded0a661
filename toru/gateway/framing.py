"""Where a body ends (RFC 9112, section 7.1): chunks are taken apart here, and put together anew for the other side."""

from __future__ import annotations

import re

LONGEST_SIZE_LINE = 256
"""With the chunk's extension, which means nothing to us and isn't passed on."""
MOST_TRAILER_BYTES = 8 << 10
"""Trailers are read and dropped."""

LAST_CHUNK = b"0\r\n\r\n"

# Extensions are what RFC 9112 allows and a little more, but nothing that could be taken for a line break.
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})(?:[ \t]*;[\t\x20-\x7e\x80-\xff]*)?")
_SIZE_ALONE = re.compile(rb"([0-9A-Fa-f]{1,15})\r\n")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*")

_SIZE, _INSIDE, _BEHIND, _TRAILERS, _OVER = range(5)


class BadChunk(ValueError):
    """This is no chunked body."""


class Chunked:
    """A chunked body, part by part."""

    __slots__ = ("_begun", "_left", "_state", "_trailer_bytes")

    def __init__(self) -> None:
        self._state = _SIZE
        self._begun = b""
        """A line of which the rest hasn't come."""
        self._left = 0
        """Of the chunk."""
        self._trailer_bytes = 0

    def feed(self, data: bytes) -> tuple[list[bytes], bytes | None]:
        """What of the body is in these bytes, and what is behind its end; None: it isn't over. Or `BadChunk`."""
        content: list[bytes] = []
        if self._begun:
            data, self._begun = self._begun + data, b""
        at, end = 0, len(data)
        while at < end:
            if self._state == _INSIDE:
                part = data[at : at + self._left]
                content.append(part)
                at += len(part)
                self._left -= len(part)
                if not self._left:
                    self._state = _BEHIND
                continue
            if self._state == _SIZE and (behind := _whole_chunk(data, at, content)):
                at = behind
                continue
            if (line := self._line(data, at)) is None:
                break
            at += len(line) + 2
            self._take(line)
            if self._state == _OVER:
                return content, data[at:]
        return content, None

    def _line(self, data: bytes, at: int) -> bytes | None:
        """The line that begins there; None where it isn't complete, and then it is kept."""
        most = 2 if self._state == _BEHIND else LONGEST_SIZE_LINE if self._state == _SIZE else MOST_TRAILER_BYTES
        end = data.find(b"\r\n", at, at + most)
        if end >= 0:
            return data[at:end]
        if len(data) - at >= most:
            raise BadChunk("a line is too long, or a chunk longer than its size")
        self._begun = data[at:]
        if b"\n" in self._begun:
            raise BadChunk("a line doesn't end in CR LF")
        return None

    def _take(self, line: bytes) -> None:
        if self._state == _SIZE:
            if (match := _SIZE_LINE.fullmatch(line)) is None:
                raise BadChunk("a chunk begins with its size")
            self._left = int(match[1], 16)
            self._state = _INSIDE if self._left else _TRAILERS
        elif self._state == _BEHIND:
            self._state = _SIZE
        elif not line:
            self._state = _OVER
        else:
            self._trailer_bytes += len(line)
            if self._trailer_bytes > MOST_TRAILER_BYTES or not _TRAILER.fullmatch(line):
                raise BadChunk("there are too many trailers, or one that is no header field")


def _whole_chunk(data: bytes, at: int, content: list[bytes]) -> int:
    """Where the next one begins, if one begins here that is all here; else 0. Quick, because there may be many."""
    if (size := _SIZE_ALONE.match(data, at)) is None:
        return 0
    start = size.end()
    end = start + int(size[1], 16)
    if end == start or data[end : end + 2] != b"\r\n":
        return 0
    content.append(data[start:end])
    return end + 2


def chunk(data: bytes) -> bytes:
    """This as a chunk. Never of nothing: that would be the end."""
    return b"%x\r\n%b\r\n" % (len(data), data)
