"""Frames of toru/2 (docs/protocol.md): 1 byte of kind, 3 of length, and what they announce."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, NoReturn

LARGEST_FRAME = 65_536
"""Bytes behind the first four."""
LARGEST_PART = LARGEST_FRAME - 4
"""Of a body, in one frame: the request's id goes before it."""
HIGHEST_ID = 2**32 - 1


class Kind(IntEnum):
    MESSAGE = 0
    DATA = 1
    END = 2


class Breach(Exception):
    """The other side broke a rule of the protocol: the connection can't go on. The text says which."""


@dataclass(frozen=True, slots=True)
class Data:
    """A part of a body."""

    request_id: int
    content: bytes
    is_last: bool


@dataclass(frozen=True, slots=True)
class Message:
    said: Mapping[str, Any]


Frame = Data | Message


def message(said: Mapping[str, Any]) -> bytes:
    """ValueError, where it is longer than a frame may be."""
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    if len(text) > LARGEST_FRAME:
        raise ValueError(f"a message of {len(text)} bytes is over the limit of {LARGEST_FRAME}")
    return len(text).to_bytes(4, "big") + text  # the kind is 0


def data(request_id: int, content: bytes, *, is_last: bool) -> bytes:
    """At most `LARGEST_PART` bytes of a body; none only at its end."""
    kind = Kind.END if is_last else Kind.DATA
    return (kind << 24 | len(content) + 4).to_bytes(4, "big") + request_id.to_bytes(4, "big") + content


class FrameReader:
    """Cuts what comes into frames."""

    def __init__(self) -> None:
        self._rest = b""
        self.is_within = False
        """What `feed` was given last has not been taken to its end."""

    def feed(self, received: bytes) -> Iterator[Frame]:
        """Every frame that is complete now. `Breach` ends it."""
        received = self._rest + received if self._rest else received
        position, self._rest, self.is_within = 0, b"", True
        while len(received) - position >= 4:
            kind = received[position]
            length = int.from_bytes(received[position + 1 : position + 4], "big")
            _check(kind, length)
            end = position + 4 + length
            if end > len(received):
                break
            yield (
                _message(received[position + 4 : end])
                if kind == Kind.MESSAGE
                else _data(kind, received[position + 4 : end])
            )
            position = end
        self._rest, self.is_within = received[position:], False


def _check(kind: int, length: int) -> None:
    if kind not in _SHORTEST:
        raise Breach(f"a frame of kind {kind}")
    if length > LARGEST_FRAME:
        raise Breach(f"a frame of {length} bytes")
    if length < _SHORTEST[kind]:
        raise Breach(f"a frame of kind {kind} with {length} bytes")


_SHORTEST: Mapping[int, int] = {Kind.MESSAGE: 1, Kind.DATA: 5, Kind.END: 4}


def _data(kind: int, content: bytes) -> Data:
    return Data(int.from_bytes(content[:4], "big"), content[4:], kind == Kind.END)


def _message(content: bytes) -> Message:
    try:
        said = json.loads(content.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Breach("a message that is not JSON") from None
    if not isinstance(said, dict):
        raise Breach("a message that is no object")
    return Message(said)


def _no_constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is not JSON")
