"""Frames and lifecycle messages of toru/1, byte by byte as in docs/protocol.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime

LARGEST_MESSAGE_BYTES = 16 * 1024 * 1024


def frame(message: Mapping[str, object]) -> bytes:
    """One message, ready for ONE write: plugins in the field read the prefix with a single `recv(4)`."""
    return framed(json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode())


def framed(body: bytes) -> bytes:
    """One message that is JSON already. ValueError, where it is longer than a message may be."""
    if len(body) > LARGEST_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(body)} bytes is over the limit of {LARGEST_MESSAGE_BYTES}")
    return len(body).to_bytes(4, "big") + body


def init(*, instance_id: str, plugin_socket: str, log_path: str, now: datetime) -> bytes:
    """The first message of a plugin's life. Without all three fields, Rust plugins ignore it."""
    return _lifecycle(
        {"action": "init", "instance_id": instance_id, "plugin_socket": plugin_socket, "log_path": log_path}, now
    )


def shutdown(*, now: datetime) -> bytes:
    """The last message of a plugin's life: it exits 0 at once."""
    return _lifecycle({"action": "shutdown"}, now)


def _lifecycle(payload: Mapping[str, str], now: datetime) -> bytes:
    # The type stands in the payload too: Rust plugins answer a message without it by closing.
    return frame(
        {
            "type": "lifecycle",
            "timestamp": timestamp(now),
            "request_id": None,
            "payload": {"type": "lifecycle", **payload},
        }
    )


def timestamp(now: datetime) -> str:
    """RFC 3339 with a zone, which plugins in the field insist on."""
    return now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
