"""A strict client under steady load, inside a host: `load ORDER` counts until something comes on stdin.

It keeps its connections alive as HTTP/1.1 allows, opens new ones when told to close, and forgives nothing: a connection
refused or reset, an end without an answer, another status or another body is a failed request.

Standard library only, and whatever Python a host has.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from collections import Counter
from typing import Any

from tests.gateway.conformance.wire import Cut, Malformed, Wire, headers_of, values

PATIENCE = 30


class Asker(threading.Thread):
    """One client, one request after the other."""

    def __init__(self, order: Any, stop: threading.Event) -> None:
        super().__init__()
        self.order = order
        self.stop = stop
        self.answers: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()
        self.slowest = 0.0
        self.under_way = threading.Event()
        """It has had an answer, or a failure."""
        self._connection: socket.socket | None = None
        self._wire: Wire | None = None

    def run(self) -> None:
        request = self.order["request"].encode("latin-1")
        is_last = False
        while not is_last:
            is_last = self.stop.is_set()  # who is told to stop asks once more: the last process has answered too
            began = time.monotonic()
            try:
                self.answers[self._ask(request)] += 1
            except (OSError, Cut, Malformed, ValueError) as error:
                self.failures[f"{type(error).__name__}: {error}"] += 1
                self._hang_up()
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.under_way.set()
        self._hang_up()

    def _ask(self, request: bytes) -> str:
        if self._connection is None:
            self._connection = socket.create_connection(("127.0.0.1", self.order["port"]))
            self._connection.settimeout(PATIENCE)
            self._wire = Wire(self._connection)
        wire = self._wire
        assert wire is not None
        self._connection.sendall(request)
        lines = wire.head()
        if lines is None:
            raise ConnectionError("closed without an answer")
        headers = headers_of(lines[1:])
        body = b"".join(wire.sized(int(values(headers, "content-length")[0])))
        status = lines[0].split()[1].decode()
        if status != "200":
            raise ValueError(f"{status}: {body[:300].decode(errors='replace')}")
        if "close" in values(headers, "connection"):
            self._hang_up()
        return body.decode()

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = self._wire = None


def main() -> None:
    order = json.loads(sys.argv[1])
    stop = threading.Event()
    askers = [Asker(order, stop) for _ in range(order["clients"])]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.under_way.wait()
    print("begun", flush=True)
    sys.stdin.readline()
    stop.set()
    for asker in askers:
        asker.join()
    answers = sum((asker.answers for asker in askers), Counter[str]())
    failures = sum((asker.failures for asker in askers), Counter[str]())
    said = {"answers": answers, "failures": failures, "slowest": max(asker.slowest for asker in askers)}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
