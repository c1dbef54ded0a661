"""Plugins asked at their own sockets, with nothing between: what a protocol costs by itself."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

from tests.bench.load import Measured, measured, to_and_fro
from toru.domain.frames import frame

PATH = "/kilobyte"
REQUEST = json.dumps({"method": "GET", "path": PATH, "headers": {"host": ["plugin"]}, "body": False}).encode()
"""Said once: the client should take as little as it does for HTTP."""
ANSWER = re.compile(rb"HTTP/1\.1 200 .*?\r\ncontent-length: (\d+).*?\r\n\r\n", re.DOTALL | re.IGNORECASE)


def http(address: str, *, clients: int, seconds: float) -> Measured:
    """One request under way on each of so many connections."""
    message = f"GET {PATH} HTTP/1.1\r\nHost: plugin\r\n\r\n".encode()
    with ExitStack() as opened:
        connections = [opened.enter_context(_connected(address)) for _ in range(clients)]
        connections[0].sendall(message)
        return to_and_fro(connections, message, _size_of_answer(connections[0]), seconds)


def toru1(address: str, *, clients: int, seconds: float) -> Measured:
    """One after the other, each on a connection of its own: that is all a plugin of toru/1 takes."""
    del clients
    request: dict[str, object] = {"method": "GET", "path": PATH, "headers": {"host": "plugin"}, "body": None}
    payload = {"type": "http", "request_id": "R", "payload": request}
    message = frame({"type": "http", "timestamp": "2026-01-01T00:00:00Z", "request_id": "R", "payload": payload})
    latencies = []
    began = now = time.perf_counter()
    while now - began < seconds:
        sent = now
        with _connected(address) as connection:
            connection.sendall(message)
            answer = connection.recv(65536)
            while len(answer) < 4 + int.from_bytes(answer[:4], "big"):
                answer += connection.recv(65536)
        now = time.perf_counter()
        latencies.append(now - sent)
    return measured(latencies, now - began)


def toru2(address: str, *, clients: int, seconds: float) -> Measured:
    """So many requests under way on one connection."""
    with _connected(address) as connection:
        hello = {"action": "hello", "versions": [2], "credit": 1 << 18, "connection_credit": (1 << 31) - 1}
        connection.sendall(frame({"type": "lifecycle", "payload": hello}))
        frames = _frames(connection)
        assert next(frames)[0] == 0
        sent = {}
        latencies = []
        began = now = time.perf_counter()
        for number in range(1, clients + 1):
            connection.sendall(_asked(number))
            sent[number] = now
        while now - began < seconds:
            kind, content = next(frames)
            if kind == 0:
                continue  # the head of an answer
            number += 1
            now = time.perf_counter()
            latencies.append(now - sent.pop(int.from_bytes(content[:4], "big")))
            connection.sendall(_asked(number))
            sent[number] = now
    return measured(latencies, now - began)


def _asked(number: int) -> bytes:
    text = b'{"type": "http", "request_id": %d, "payload": %b}' % (number, REQUEST)
    return len(text).to_bytes(4, "big") + text


def _frames(connection: socket.socket) -> Iterator[tuple[int, bytes]]:
    data = b""
    while part := connection.recv(1 << 18):
        data += part
        position = 0
        while len(data) - position >= 4:
            end = position + 4 + int.from_bytes(data[position + 1 : position + 4], "big")
            if end > len(data):
                break
            yield data[position], data[position + 4 : end]
            position = end
        data = data[position:]
    raise SystemExit("the plugin has closed its connection")


def _size_of_answer(connection: socket.socket) -> int:
    """In bytes. All are of the same size, and some servers take two writes for one."""
    answer = b""
    while (found := ANSWER.match(answer)) is None or len(answer) < found.end() + int(found[1]):
        part = connection.recv(65536)
        assert part, answer
        answer += part
    return len(answer)


def _connected(address: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(20)
    connection.connect(address)
    return connection
