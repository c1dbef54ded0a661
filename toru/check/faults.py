"""Checks with clients that leave, and with bytes that are no protocol. What a plugin has to do is to go on."""

from __future__ import annotations

from collections.abc import Mapping

from toru.check.over_toru2 import Raw, hello
from toru.check.stage import Stage
from toru.check.verdict import Broken
from toru.domain import frames as toru1_frames
from toru.domain.frames import LARGEST_MESSAGE_BYTES
from toru.domain.manifest import Protocol
from toru.gateway.toru2 import frames
from toru.gateway.toru2.frames import LARGEST_FRAME

LEFT_BYTES = 1 << 20

_LIFECYCLE = {"type": "lifecycle", "timestamp": "2026-01-01T00:00:00Z", "request_id": None}

OF_TORU_1: Mapping[str, bytes] = {
    "a message of 0 bytes": bytes(4),
    "a message of 16 MiB and a byte": (LARGEST_MESSAGE_BYTES + 1).to_bytes(4, "big"),
    "half a length": b"\0\0",
    "a message that is not JSON": toru1_frames.framed(b"{not json"),
    "a message that is not UTF-8": toru1_frames.framed(b'"\xff\xfe"'),
    "a message that is no object": toru1_frames.framed(b"[1, 2, 3]"),
    "a message without a payload": toru1_frames.frame({"type": "http", "request_id": "R"}),
    "a payload that is no object": toru1_frames.frame({**_LIFECYCLE, "payload": "init"}),
    "an http message without a request": toru1_frames.frame(
        {**_LIFECYCLE, "type": "http", "payload": {"type": "http"}}
    ),
    "HTTP": b"GET / HTTP/1.1\r\nHost: toru\r\n\r\n",
}

OF_HTTP: Mapping[str, bytes] = {
    "bytes that are no text": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03\r\n\r\n",
    "a request line of one word": b"GET\r\n\r\n",
    "a version that there is not": b"GET / HTTP/9.9\r\nHost: toru\r\n\r\n",
    "a header without a colon": b"GET / HTTP/1.1\r\nHost: toru\r\nbroken\r\n\r\n",
    "two lengths": b"POST / HTTP/1.1\r\nHost: toru\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
    "a length that is none": b"POST / HTTP/1.1\r\nHost: toru\r\nContent-Length: many\r\n\r\n",
    "chunks that are none": b"POST / HTTP/1.1\r\nHost: toru\r\nTransfer-Encoding: chunked\r\n\r\nno\r\n",
    "half a head": b"GET / HTTP/1.1\r\nHo",
}


def _request(number: int) -> bytes:
    payload = {"method": "GET", "path": "/", "headers": {}, "body": False}
    return frames.message({"type": "http", "request_id": number, "payload": payload})


OF_TORU_2: Mapping[str, bytes] = {
    "a frame of kind 9": b"\x09\0\0\x04rest",
    f"a frame of {LARGEST_FRAME + 1} bytes": (LARGEST_FRAME + 1).to_bytes(4, "big"),
    "a message that is not JSON": b"\0\0\0\x05{not}",
    "a message that is no object": b"\0\0\0\x02[]",
    "a message without a payload": frames.message({"type": "http", "request_id": 1}),
    "data without a request id": b"\x01\0\0\x02ab",
    "data for a request that never was": frames.data(7, b"x", is_last=False),
    "an end for a request that never was": frames.data(7, b"", is_last=True),
    "a request id that is not higher than the last": _request(2) + _request(2),
    "a second hello": hello(),
}


async def leave(stage: Stage) -> None:
    await stage.watch(lambda: stage.way.leave(stage.ask_for()), "a request whose client leaves")
    await stage.still_serves("a client that left before its answer")
    body = b"x" * min(LEFT_BYTES, stage.max_body)
    await stage.watch(
        lambda: stage.way.leave(stage.ask_for(method="POST", body=body)), "a request whose client leaves in its body"
    )
    await stage.still_serves("a client that left within its request's body")


async def silence(stage: Stage) -> None:
    """Connections without a word: that is how Toru finds out whether a plugin listens."""
    for _ in range(3):
        await stage.watch(lambda: _come_and_go(stage), "a connection without a message")
    await stage.still_serves("a connection without a message")


async def _come_and_go(stage: Stage) -> None:
    async with stage.connection():
        pass


async def garbage(stage: Stage) -> None:
    """On connections of their own, which nobody else is on."""
    sent = OF_HTTP if stage.protocol is Protocol.HTTP else OF_TORU_1
    for what, data in sent.items():
        await stage.watch(lambda data=data: _say(stage, data), what)  # type: ignore[misc]  # lambdas have no types
        await stage.still_serves(what)


async def _say(stage: Stage, data: bytes) -> None:
    async with stage.connection() as connection:
        await connection.send(data)


async def breaches(stage: Stage) -> None:
    """Who breaks a rule of toru/2 is told so, and sent away; nobody else notices."""
    for what, data in OF_TORU_2.items():
        raw = await stage.watch(lambda: Raw.begin(stage.path), "a connection")
        try:
            raw.send(hello())
            await stage.watch(raw.frame, "hello")
            raw.send(data)
            code = await stage.watch(raw.goodbye, what)
            if code is None:
                raise Broken(f"after {what} it closed the connection without a goodbye")
            if code != "protocol":
                raise Broken(f"after {what} it said goodbye with the code {code!r:.40}")
            await stage.watch(raw.until_closed, f"the goodbye after {what}")
        finally:
            await raw.close()
        await stage.still_serves(what)


async def cut_off(stage: Stage) -> None:
    """A core that is killed says no goodbye."""
    raw = await stage.watch(lambda: Raw.begin(stage.path), "a connection")
    raw.send(hello())
    await stage.watch(raw.frame, "hello")
    payload = {"method": "POST", "path": stage.terms.path, "headers": {}, "body": True}
    raw.send(frames.message({"type": "http", "request_id": 1, "payload": payload}))
    raw.send(frames.data(1, b"half of it", is_last=False))
    await raw.close()
    await stage.still_serves("a connection that broke off")
