"""The client's side of a case, inside a host: scripts come on stdin, what was seen goes to stdout, a line of JSON each.

Standard library only, and whatever Python a host has.
"""

from __future__ import annotations

import json
import queue
import socket
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.gateway.conformance.frames import message, read_frames
from tests.gateway.conformance.wire import (
    Cut,
    Malformed,
    Wire,
    answer_body,
    chunked,
    dripping,
    headers_of,
    pattern,
    read,
)

PATIENCE = 60
"""What hasn't come by then doesn't come."""


class Client:
    """One connection. It writes in a thread of its own, so that a long request can't stand in the way of its answer."""

    def __init__(self, address: str | int) -> None:
        if isinstance(address, int):
            self.connection = socket.create_connection(("127.0.0.1", address))
            # Each write is a packet: where a message is cut in two is part of a case.
            self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            self.connection = socket.socket(socket.AF_UNIX)
            self.connection.connect(address)
        self.connection.settimeout(PATIENCE)
        self.wire = Wire(self.connection)
        self.seen: list[Any] = []
        self._to_do: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._unsent = ""
        self._writer = threading.Thread(target=self._write)
        self._writer.start()

    def _write(self) -> None:
        while (action := self._to_do.get()) is not None:
            if not self._unsent:
                try:
                    action()
                except OSError as error:
                    self._unsent = type(error).__name__

    def finish_writing(self) -> str:
        """What kept the rest from being sent, or nothing."""
        self._to_do.put(None)
        self._writer.join()
        return self._unsent

    def _send(self, pieces: Iterator[bytes | memoryview]) -> None:
        def send() -> None:
            for piece in pieces:
                self.connection.sendall(piece)

        self._to_do.put(send)

    # Steps. What they return goes into what was seen.

    def send(self, text: str) -> None:
        self._send(iter([text.encode("latin-1")]))

    def bytewise(self, text: str) -> None:
        self._send(bytes([byte]) for byte in text.encode("latin-1"))

    def drip(self, text: str) -> None:
        """A byte a second."""
        self._send(dripping(text.encode("latin-1")))

    def raw(self, text: str, bytewise: bool = False) -> None:  # noqa: FBT001, FBT002  (as the script says it)
        """Sends what must be as it is."""
        (self.bytewise if bytewise else self.send)(text)

    def message(self, length: int, fragment: int) -> None:
        self._send(message(length, fragment or length))

    def flood(self, text: str, count: int) -> None:
        self._send(text.encode("latin-1") for _ in range(count))

    def pattern(self, length: int) -> None:
        self._send(pattern(length))

    def chunked(self, length: int, chunk: int) -> None:
        self._send(iter(chunked(length, chunk)))

    def answer(self, to: str = "GET") -> Any:
        """A whole answer, with what was said before it."""
        interim: list[Any] = []
        while True:
            said = self.head()
            if not isinstance(said, dict):
                return [*interim, said] if interim else said
            if 100 <= said["status"] < 200 and said["status"] != 101:
                interim.append(said)
                continue
            said["body"] = answer_body(self.wire, said["status"], said["headers"], to_head=to == "HEAD")
            return said | {"interim": interim}

    def head(self) -> Any:
        try:
            lines = self.wire.head()
            if lines is None:
                return "closed"
            version, status, *reason = lines[0].decode("latin-1").split(" ", 2)
            return {
                "version": version,
                "status": int(status),
                "reason": "".join(reason),
                "headers": headers_of(lines[1:]),
            }
        except Cut:
            return "cut in the head"
        except ConnectionError:
            return "closed"
        except (Malformed, ValueError, IndexError):
            return "malformed"

    def some(self, length: int) -> Any:
        return read(lambda _: self.wire.sized(length))

    def until_end(self) -> Any:
        return read(lambda _: self.wire.until_end())

    def line(self) -> Any:
        return self.wire.line().decode("latin-1")

    def frames(self, until: int | None = None, count: int | None = None) -> Any:
        return read_frames(self.wire, until, count)

    def end(self) -> Any:
        """What comes until the other side closes: nothing, if all went well."""
        try:
            rest = self.wire.rest().decode("latin-1")
        except ConnectionError:
            # Sooner or later than its end, what was closed with something unread resets: that is the same to us.
            rest = ""
        return {"ended with": rest}

    def shut(self) -> None:
        self._to_do.put(lambda: self.connection.shutdown(socket.SHUT_WR))

    def sent(self) -> None:
        """All that was to be written has been."""
        done = threading.Event()
        self._to_do.put(done.set)
        self._to_do.put(done.set)
        done.wait(PATIENCE)

    def close(self) -> None:
        self.finish_writing()
        self.connection.close()

    def reset(self) -> None:
        self.finish_writing()
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def control(address: str | int, what: str) -> Any:
    """Asks the plugin itself, as the tests."""
    client = Client(address)
    client.send(f"GET /control/{what} HTTP/1.1\r\nHost: plugin\r\n\r\n")
    try:
        head = client.head()
        length = int(dict(head["headers"])["content-length"])
        return json.loads(client.wire.take(length))
    finally:
        client.close()


def play(address: str | int, plugin: str, script: list[list[Any]]) -> list[Any]:
    client = Client(address)
    try:
        for name, *arguments in script:
            try:
                seen = control(plugin, *arguments) if name == "control" else getattr(client, name)(*arguments)
            except TimeoutError:
                client.seen.append(f"{name}: nothing more came")
                break
            if seen is not None and seen is not True:
                client.seen.append(seen)
    finally:
        client.finish_writing()
        client.connection.close()
    return client.seen


def main() -> None:
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if "script" in order:
                said: Any = play(order["address"], order["plugin"], order["script"])
            else:
                said = control(order["plugin"], order["control"])
        except (OSError, Cut, Malformed, ValueError) as error:
            said = {"broken": f"{type(error).__name__}: {error}"}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
