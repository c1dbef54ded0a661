"""Frames of toru/2: 1 byte of kind, 3 of length, and what they announce."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NoReturn

MESSAGE, DATA, END = 0, 1, 2
LARGEST_FRAME = 65_536
"""Bytes behind the first four."""
LARGEST_PART = LARGEST_FRAME - 4
"""Of a body, in one frame: the request's id goes before it."""
HIGHEST_ID = 2**32 - 1

_SHORTEST = {MESSAGE: 1, DATA: 5, END: 4}

Message = dict[str, Any]
Frame = tuple[int, Any]
"""The kind, and a `Message`, or for data and ends the request's id and the bytes."""


class Breach(Exception):
    """The other side broke a rule of the protocol: the connection can't go on. The text says which."""


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def message(said: Message) -> bytes:
    """ValueError, where it is longer than a frame may be."""
    text = _encode(said).encode()
    if len(text) > LARGEST_FRAME:
        raise ValueError(f"a message of {len(text)} bytes is over the limit of {LARGEST_FRAME}")
    return len(text).to_bytes(4, "big") + text  # the kind is 0


def data(request_id: int, content: bytes, *, is_last: bool) -> bytes:
    """At most `LARGEST_PART` bytes of a body; none only at its end."""
    kind = END if is_last else DATA
    return (kind << 24 | len(content) + 4).to_bytes(4, "big") + request_id.to_bytes(4, "big") + content


class FrameReader:
    """Cuts what comes into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Every frame that is complete now. `Breach` ends it."""
        if self._rest:
            received = self._rest + received
        position, self._rest = 0, b""
        while len(received) - position >= 4:
            kind = received[position]
            length = int.from_bytes(received[position + 1 : position + 4], "big")
            if kind not in _SHORTEST or not _SHORTEST[kind] <= length <= LARGEST_FRAME:
                raise Breach(f"a frame of kind {kind} with {length} bytes")
            end = position + 4 + length
            if end > len(received):
                break
            content = received[position + 4 : end]
            if kind == MESSAGE:
                yield kind, _message(content)
            else:
                yield kind, (int.from_bytes(content[:4], "big"), content[4:])
            position = end
        self._rest = received[position:]


def _message(content: bytes) -> Message:
    try:
        said = json.loads(content.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Breach("a message that is not JSON") from None
    if not isinstance(said, dict):
        raise Breach("a message that is no object")
    return said


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
