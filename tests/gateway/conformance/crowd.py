"""Many clients at once, inside a host, that behave badly or well: `crowd ORDER`, and what came of it on stdout as JSON.

Standard library only, and whatever Python a host has.
"""

from __future__ import annotations

import json
import select
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tests.gateway.conformance.frames import TEXT, frame

PATIENCE = 90
DRIPS_EVERY = 1.0
"""Seconds."""


def connected(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.settimeout(PATIENCE)
    return connection


def read_until(connection: socket.socket, end: bytes) -> bytes:
    received = b""
    while end not in received:
        part = connection.recv(65536)
        if not part:
            raise ConnectionError(f"it closed after {received[:200]!r}")
        received += part
    return received


def leave(connection: socket.socket, number: int) -> None:
    """Every other one resets."""
    if number % 2:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def aborted(order: Any) -> Any:
    """So many clients that say this, wait for that, say the rest, and are gone."""
    first, awaited, rest = (order[name].encode("latin-1") for name in ("first", "awaited", "rest"))

    def come_and_go(number: int) -> str:
        connection = connected(order["port"])
        try:
            connection.sendall(first)
            read_until(connection, awaited)
            connection.sendall(rest)
        except OSError as error:
            connection.close()
            return f"{type(error).__name__}: {error}"
        leave(connection, number)
        return "aborted"

    with ThreadPoolExecutor(20) as pool:
        return Counter(pool.map(come_and_go, range(order["count"])))


def slow(order: Any) -> Any:
    """So many clients that say this, then `drip` byte by byte or nothing, and read nothing.

    Until all are cut off, or there is something on stdin.
    """
    drip = order["drip"].encode("latin-1")
    connections = []
    for _ in range(order["count"]):
        connection = connected(order["port"])
        connection.sendall(order["first"].encode("latin-1"))
        connections.append(connection)
    print("begun", flush=True)
    began = time.monotonic()
    at = 0
    while connections and time.monotonic() - began < PATIENCE:
        if select.select([sys.stdin], [], [], DRIPS_EVERY)[0]:
            break
        for connection in list(connections):
            try:
                if drip:
                    connection.sendall(drip[at % len(drip) : at % len(drip) + 1])
                if not _is_open(connection):
                    raise ConnectionError
            except OSError:
                connections.remove(connection)
                connection.close()
        at += 1
    for connection in connections:
        connection.close()
    return {"cut off": order["count"] - len(connections)}


_TCP_INFO_ESTABLISHED = 1


def _is_open(connection: socket.socket) -> bool:
    """As the kernel sees it: they read nothing, so they'd never know."""
    state: int = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
    return state == _TCP_INFO_ESTABLISHED


def waiting(order: Any) -> Any:
    """So many clients that ask one thing and wait for the answer; `begun` is said when all have asked."""
    asked = threading.Barrier(order["count"] + 1)

    def ask(_: int) -> str:
        connection = connected(order["port"])
        with connection:
            connection.sendall(order["first"].encode("latin-1"))
            asked.wait(PATIENCE)
            return read_until(connection, b"\r\n\r\n").split(b"\r\n")[0].decode()

    with ThreadPoolExecutor(order["count"]) as pool:
        answers = pool.map(ask, range(order["count"]))
        asked.wait(PATIENCE)
        print("begun", flush=True)
        return Counter(answers)


def idle(order: Any) -> Any:
    """So many clients that have had an answer, and stay until there is something on stdin, and ask again."""
    first = order["first"].encode("latin-1")
    connections = [connected(order["port"]) for _ in range(order["count"])]

    def ask() -> Counter[str]:
        for connection in connections:
            connection.sendall(first)
        return Counter(read_until(one, b"\r\n\r\nok").split(b"\r\n")[0].decode() for one in connections)

    before = ask()
    print("begun", flush=True)
    sys.stdin.readline()
    after = ask()
    for connection in connections:
        connection.close()
    return {"before": before, "after": after}


MESSAGE = frame(TEXT, b"hello").decode("latin-1")
HALF_A_MESSAGE = frame(TEXT, b"hello" * 1000)[:1000].decode("latin-1")

KINDS: dict[str, Callable[[Any], Any]] = {"aborted": aborted, "slow": slow, "waiting": waiting, "idle": idle}


def main() -> None:
    order = json.loads(sys.argv[1])
    print(json.dumps(KINDS[order["kind"]](order)))


if __name__ == "__main__":
    main()
