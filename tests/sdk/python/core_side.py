"""The core's side of one connection to a plugin, frame by frame, over whatever carries the bytes."""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Mapping
from typing import Any

from toru.gateway.toru2 import frames, messages
from toru.gateway.toru2.frames import Data, FrameReader, Message

HELLO = {"action": "hello", "versions": [2], "credit": 262_144, "connection_credit": 1_048_576}


class CoreSide:
    """Says what it is told to, and reads what the plugin says."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.connection.settimeout(30)
        self._reader = FrameReader()
        self._came: deque[Data | Message] = deque()

    def say(self, kind: str, payload: Mapping[str, Any], request_id: int | None = None) -> None:
        said = {"type": kind, "payload": payload}
        self.connection.sendall(frames.message(said if request_id is None else {**said, "request_id": request_id}))

    def greet(self, **changes: Any) -> Mapping[str, Any]:
        """The plugin's hello."""
        self.say("lifecycle", HELLO | changes)
        return self.message("lifecycle")

    def ask(self, request_id: int, path: str, *, method: str = "GET", body: bool = False, **headers: list[str]) -> None:
        self.say("http", {"method": method, "path": path, "headers": headers, "body": body}, request_id)

    def send(self, request_id: int, content: bytes, *, last: bool = False) -> None:
        self.connection.sendall(frames.data(request_id, content, is_last=last))

    def frame(self) -> Data | Message | None:
        """The next one; None, where the plugin has closed."""
        while not self._came:
            received = self.connection.recv(65_536)
            if not received:
                return None
            self._came.extend(self._reader.feed(received))
        return self._came.popleft()

    def message(self, kind: str) -> Mapping[str, Any]:
        """The payload of the next frame, which must be a message of this type."""
        frame = self.frame()
        assert isinstance(frame, Message), frame
        assert frame.said["type"] == kind, frame.said
        payload: Mapping[str, Any] = frame.said["payload"]
        return payload

    def answer(self, request_id: int) -> tuple[messages.Head, bytes]:
        """A whole answer, which nothing else may interrupt."""
        frame = self.frame()
        assert isinstance(frame, Message)
        assert (frame.said["type"], frame.said["request_id"]) == ("http", request_id), frame.said
        head = messages.head_of(frame.said["payload"], to_head=False)
        body = b""
        while head.has_body:
            part = self.frame()
            assert isinstance(part, Data)
            assert part.request_id == request_id
            body += part.content
            if part.is_last:
                break
        return head, body
