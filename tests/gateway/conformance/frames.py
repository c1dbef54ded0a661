"""WebSocket frames (RFC 6455 section 5.2), to be said right or wrong as a case wants it.

Standard library only, and whatever Python a host has.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from typing import Any

from tests.gateway.conformance.wire import SHOWN, Cut, Wire, pattern

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

MASK = b"\x37\xfa\x21\x3d"


def frame(  # noqa: PLR0913  (what a frame consists of)
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True, length_in: int = 0
) -> bytes:
    """A client's frame; `length_in` so many bytes of extended length, where that isn't the shortest."""
    first = (fin << 7) | (rsv << 4) | opcode
    size = len(payload)
    kind = length_in or (0 if size < 126 else 2 if size < 65536 else 8)
    marked = masked << 7
    if kind == 0:
        head = struct.pack("!BB", first, marked | size)
    elif kind == 2:
        head = struct.pack("!BBH", first, marked | 126, size)
    else:
        head = struct.pack("!BBQ", first, marked | 127, size)
    return head + MASK + masking(payload) if masked else head + payload


def masking(payload: bytes) -> bytes:
    mask = (MASK * (len(payload) // 4 + 1))[: len(payload)]
    whole = int.from_bytes(payload, "big") ^ int.from_bytes(mask, "big")
    return whole.to_bytes(len(payload), "big")


def close(code: int | None = None, reason: bytes = b"") -> bytes:
    return frame(CLOSE, b"" if code is None else struct.pack("!H", code) + reason)


def body(length: int) -> bytes:
    """A message of this length that isn't text."""
    return b"".join(pattern(length))


def message(length: int, fragment: int) -> Iterator[bytes]:
    """One such message in fragments."""
    sent = 0
    for piece in pattern(length, fragment):
        first, sent = not sent, sent + len(piece)
        yield frame(BINARY if first else CONTINUATION, bytes(piece), fin=sent == length)


def read_frames(wire: Wire, until: int | None = None, count: int | None = None) -> list[Any]:
    """What a server says: up to a frame of this opcode, so many frames, or to the end of the connection.

    What comes several times in a row is in it once, with how often it came.
    """
    seen: list[Any] = []
    number = 0
    while number != count:
        try:
            said = _frame(wire)
        except (Cut, ConnectionError):
            seen.append("end")
            break
        number += 1
        if seen and {**seen[-1], "times": 1} == said:
            seen[-1]["times"] += 1
        else:
            seen.append(said)
        if said["opcode"] == until:
            break
    return seen


def _frame(wire: Wire) -> dict[str, Any]:
    first, second = wire.take(2)
    size = second & 127
    if size > 125:
        size = int.from_bytes(wire.take(2 if size == 126 else 8), "big")
    payload = wire.take(size)
    shown = payload.decode("latin-1") if size <= SHOWN else f"{size} bytes, {hashlib.sha256(payload).hexdigest()}"
    return {
        "fin": first >> 7,
        "rsv": first >> 4 & 7,
        "opcode": first & 15,
        "masked": second >> 7,
        "payload": shown,
        "times": 1,
    }
