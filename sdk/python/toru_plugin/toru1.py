"""The plugin's side of toru/1, for cores that speak nothing newer: whole messages of length-prefixed JSON.

The plugin binds a path of its own, and each connection brings one message, or one request and takes its answer.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
from collections.abc import Awaitable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Callable

from toru_plugin.exchange import Exchange, Gone
from toru_plugin.headers import Headers
from toru_plugin.host import Host
from toru_plugin.logs import log
from toru_plugin.process import Accepting, Activity

LARGEST_MESSAGE = 16 << 20


class Toru1:
    def __init__(
        self, path: Path, serve: Callable[[Exchange], Awaitable[None]], activity: Activity, host: Host
    ) -> None:
        self._path = path
        self._serve = serve
        self._activity = activity
        self._host = host
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._path))
        listener.listen(5)
        self._listener = listener
        self._accepting = Accepting(listener, self._protocol)
        self._accepting.open()

    def push(self, name: str, data: object) -> bool:  # noqa: ARG002  (toru/1 has no way to say it)
        return False

    async def close(self, reason: str) -> None:  # noqa: ARG002  (toru/1 has no way to say it)
        await self._accepting.close()
        # Whoever connects from now on is refused, and comes again when the next process listens.
        self._listener.close()
        if self._tasks:
            await asyncio.wait(self._tasks)

    def _protocol(self) -> asyncio.Protocol:
        reader = asyncio.StreamReader()
        return asyncio.StreamReaderProtocol(reader, self._connected)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(self._converse(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while (message := await _read(reader)) is not None:
                await self._take(message, writer)
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("a message of toru/1 that is none: %r", error)
        finally:
            writer.close()

    async def _take(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        kind, payload = message["type"], message["payload"]
        if kind == "lifecycle" and payload.get("action") == "init":
            self._host.instance_id = payload["instance_id"]
        elif kind == "lifecycle" and payload.get("action") == "shutdown":
            self._activity.stop("shutdown")
        elif kind == "http":
            await self._answer(message, writer)

    async def _answer(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self._activity.begun()
        try:
            exchange = Toru1Exchange(message["payload"]["payload"])
            await self._serve(exchange)
            if exchange.said is not None:
                answer = {
                    "type": "http",
                    "timestamp": _now(),
                    "request_id": message["request_id"],
                    "payload": exchange.said,
                }
                writer.write(_framed(answer))
                await writer.drain()
            else:
                writer.close()  # an answer that broke off is none
        finally:
            self._activity.ended()


class Toru1Exchange(Exchange):
    """The request is here as a whole, and so must the answer be."""

    def __init__(self, asked: dict[str, Any]) -> None:
        super().__init__(asked["method"], asked["path"], Headers(asked.get("headers") or {}))
        coded = asked.get("body_base64")
        self._body: bytes = base64.b64decode(coded) if coded is not None else (asked.get("body") or "").encode()
        self._head: dict[str, Any] = {}
        self._parts: list[bytes] = []
        self._length = 0
        self.said: dict[str, Any] | None = None
        """The payload of the answer, when it is complete."""

    async def receive(self) -> bytes:
        body, self._body = self._body, b""
        return body

    def abort(self, reason: str) -> None:
        log.debug("no answer: %s", reason)
        self.has_begun = self.has_ended = True

    def _begin(self, status: int, headers: Headers, *, has_body: bool) -> None:
        # Repeated headers can't be said in toru/1 but joined, as in HTTP; Toru takes a list for what can't be joined.
        lists = headers.lists()
        said = {name: values if name == "set-cookie" else ", ".join(values) for name, values in lists.items()}
        self._head = {"status": status, "headers": said}
        if not has_body:
            self.said = {**self._head, "body": None}

    async def _send(self, part: bytes, *, is_last: bool) -> None:
        self._length += len(part)
        if self._length > LARGEST_MESSAGE:
            raise Gone("the answer is too long for toru/1")
        self._parts.append(part)
        if is_last:
            body = b"".join(self._parts)
            try:
                self.said = {**self._head, "body": body.decode()}
            except UnicodeDecodeError:
                self.said = {**self._head, "body": None, "body_base64": base64.b64encode(body).decode()}


async def _read(reader: asyncio.StreamReader) -> dict[str, Any] | None:
    """The next message, or None when the core has closed."""
    try:
        length = int.from_bytes(await reader.readexactly(4), "big")
        if not 1 <= length <= LARGEST_MESSAGE:
            raise ValueError(f"a message of {length} bytes")
        message = json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        return None
    if not isinstance(message, dict):
        raise ValueError("a message that is no object")
    return message


def _framed(message: dict[str, Any]) -> bytes:
    text = json.dumps(message).encode()
    return len(text).to_bytes(4, "big") + text  # with one write: the other side may read the length with one call


def _now() -> str:
    return datetime.now(timezone.utc).isoformat()
